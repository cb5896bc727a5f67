"""From candidates to the matches that are shown."""
