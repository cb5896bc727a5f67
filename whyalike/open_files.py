"""How many files this process may have open: a build maps several for each of its segments."""

from contextlib import suppress


def allow_many_open_files() -> None:
    """Raises the limit to what the system grants; where it has no such limit, nothing changes."""
    try:
        import resource
    except ImportError:  # Windows
        return
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # macOS names a hard limit that it does not grant
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
