"""Another encoder's build of a gallery, made and compared beside the published one."""
