"""`whyalike gallery removals`: images that people removed from a gallery, listed and taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from whyalike.options import GalleryName, Json, Yes

if TYPE_CHECKING:
    from gallery.builds.build import Build

removals = typer.Typer(
    name="removals",
    help="Remove images, list those that people removed, take one back.",
    no_args_is_help=True,
)


@removals.command()
def add(
    name: GalleryName,
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGE…", help="Its file, its uri, or its image_id.")
    ],
    yes: Yes = False,
) -> None:
    """Remove images from the gallery; their files stay, unless they were uploaded into it.

    They stay removed however often their source is indexed, until that is taken back.
    """
    from gallery.amending import Said
    from gallery.builds.amending import publish_amendments
    from gallery.clock import utc_now
    from gallery.removals import remove_image, remove_originals
    from whyalike.confirming import confirm
    from whyalike.console import say
    from whyalike.home import open_galleries
    from whyalike.settings import read_settings

    galleries = open_galleries(read_settings())
    with galleries.tenure(name) as tenure:
        build = galleries.open(name)
        try:
            shown = build.shown([_named(build, each) for each in images])
        finally:
            build.close()
        if not yes:
            what = shown[0].uri if len(shown) == 1 else f"{len(shown)} images ({shown[0].uri} for one)"
            confirm(f"Remove {what} from {name}?")
        for image in shown:
            remove_image(tenure.site, image, Said(None, utc_now()))
        report = publish_amendments(tenure)
        remove_originals(tenure.site)
    removed = "1 image" if report.removed == 1 else f"{report.removed} images"
    say(f"{name}: {removed} removed; build {report.build} is without them")


def _named(build: Build, image: str) -> int:
    """The id of the image that is told by its id, its file or its uri; raises ImageNotFound."""
    from gallery.errors import ImageNotFound
    from whyalike.why_not_tables import expected

    wanted = expected(image)
    found = wanted if isinstance(wanted, int) else build.fate(wanted).image_id
    if found is None:
        raise ImageNotFound(f"No image of the gallery {build.gallery!r} lies at {wanted}.")
    return found


@removals.command(name="list")
def list_removals(name: GalleryName, json: Json = False) -> None:
    """List the images that people removed from the gallery, by id."""
    from gallery.removals import removals as found_in
    from search_api.answers.removals import removal_list
    from whyalike.home import open_galleries
    from whyalike.removal_tables import print_removals
    from whyalike.settings import read_settings
    from whyalike.tables import print_json

    found = found_in(open_galleries(read_settings()).site(name))
    print_json(removal_list(found)) if json else print_removals(found)


@removals.command()
def revoke(
    name: GalleryName,
    image: Annotated[int, typer.Argument(metavar="IMAGE_ID", min=1, help="As `removals list` tells it.")],
    yes: Yes = False,
) -> None:
    """Take a removal back: the image is found again, under its id, in a new build.

    What the gallery keeps of it no more, the next `whyalike index` of its source embeds again.
    """
    from gallery.builds.amending import publish_amendments
    from gallery.removals import revoke_removal
    from whyalike.confirming import confirm
    from whyalike.console import say
    from whyalike.home import open_galleries
    from whyalike.settings import read_settings

    galleries = open_galleries(read_settings())
    if not yes:
        confirm(f"Take the removal of image {image} of {name} back?")
    with galleries.tenure(name) as tenure:
        removal = revoke_removal(tenure.site, image)
        report = publish_amendments(tenure)
    told = f"build {report.build} has it" if report.returned else "index its source to have it again"
    say(f"{name}: {removal.uri} is no longer removed; {told}")
