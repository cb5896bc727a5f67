"""`whyalike gallery delete`: a gallery and everything in it, but for the originals."""

from __future__ import annotations

from whyalike.options import GalleryName, Yes


def delete(name: GalleryName, yes: Yes = False) -> None:
    """Delete a gallery: its builds, embeddings, thumbnails and index. The pictures stay where they are."""
    from whyalike.confirming import confirm
    from whyalike.console import say
    from whyalike.home import open_galleries
    from whyalike.settings import read_settings

    galleries = open_galleries(read_settings())
    if not yes:
        confirm(f"Delete the gallery {name}, with all its builds?")
    galleries.delete(name)
    say(f"{name}: deleted")
