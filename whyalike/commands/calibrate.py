"""`whyalike calibrate`: what distances mean in a labelled gallery of one's own."""

from typing import Annotated

import typer

from whyalike.options import Json


def calibrate(
    gallery: Annotated[
        str, typer.Argument(metavar="GALLERY", help="A gallery whose images lie in folders by label.")
    ],
    json: Json = False,
) -> None:
    """Fit probability and verdict to the labels of a gallery, from what it has stored.

    Nothing is embedded anew: the encoder, its fingerprint and the build stay as they are, and a running
    service goes by the new calibration from its next answer on.
    """
    from whyalike.calibrating import calibrate_gallery
    from whyalike.calibration_summary import print_calibration
    from whyalike.home import open_galleries
    from whyalike.settings import read_settings
    from whyalike.tables import print_json

    report = calibrate_gallery(open_galleries(read_settings()), gallery)
    if json:
        print_json(report)
    else:
        print_calibration(report)
