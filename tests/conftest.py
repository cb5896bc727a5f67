"""What all tests share: an example that is slow on a busy machine is no failure."""

from hypothesis import settings

settings.register_profile("unhurried", settings(), deadline=None)
settings.load_profile("unhurried")
