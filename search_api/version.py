"""Which version this is."""

from importlib import metadata


def installed_version() -> str | None:
    """The version that is installed; None for a folder that was never installed."""
    try:
        return metadata.version("whyalike")
    except metadata.PackageNotFoundError:
        return None
