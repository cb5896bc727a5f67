"""`whyalike gallery list`, also `whyalike galleries`: what can be searched."""

from whyalike.options import Json


def galleries(json: Json = False) -> None:
    """List the galleries that can be searched."""
    from search_api.answers.responses import published_gallery
    from search_api.schemas.galleries import GalleryList
    from whyalike.console import say
    from whyalike.home import open_galleries
    from whyalike.settings import read_settings
    from whyalike.tables import print_galleries, print_json

    summaries = open_galleries(read_settings()).summaries()
    for begun in (each for each in summaries if each.build is None):
        say(f"not published yet: {begun.name}; index its folders to the end, or delete it")
    published = [published_gallery(each) for each in summaries if each.build is not None]
    if json:
        print_json(GalleryList(galleries=published))
    else:
        print_galleries(published)
