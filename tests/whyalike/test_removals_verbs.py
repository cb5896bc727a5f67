"""Removals on the command line: what people removed over HTTP is listed and taken back."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path

import pytest

from gallery.amending import Said
from gallery.builds.amending import publish_amendments
from gallery.removals import remove_image
from tests.whyalike.conftest import Run
from whyalike.home import open_galleries
from whyalike.settings import read_settings

pytestmark = [pytest.mark.usefixtures("each_database"), pytest.mark.on_both]


def test_a_removal_is_listed_and_taken_back(run: Run, gallery: str, pictures: Path) -> None:
    galleries = open_galleries(read_settings())
    build = galleries.open(gallery)
    image = next(each for each in build if each.uri == str(pictures / "red/white.png"))
    build.close()
    remove_image(
        galleries.site(gallery), image, Said("ada", datetime(2026, 11, 26, 9, 30, tzinfo=timezone.utc))
    )
    with galleries.tenure(gallery) as tenure:
        assert publish_amendments(tenure).removed == 1
    assert run("index", pictures, "--gallery", gallery, "--json").exit_code == 0
    assert json.loads(run("gallery", "show", gallery, "--json").stdout)["builds"][0]["images"] == 11
    (told,) = json.loads(run("gallery", "removals", "list", gallery, "--json").stdout)["removals"]
    assert (told["image_id"], told["author"]) == (image.image_id, "ada")
    assert "ada" in run("gallery", "removals", "list", gallery).stdout
    assert run("gallery", "removals", "revoke", gallery, image.image_id).exit_code == 1  # nobody said yes
    result = run("gallery", "removals", "revoke", gallery, image.image_id, "--yes")
    assert result.exit_code == 0 and "build 3 has it" in result.stderr
    assert json.loads(run("gallery", "show", gallery, "--json").stdout)["builds"][0]["images"] == 12
    assert "nobody has removed an image" in run("gallery", "removals", "list", gallery).stdout
    missing = run("gallery", "removals", "revoke", gallery, image.image_id, "--yes")
    assert missing.exit_code != 0 and "is removed from the gallery" in missing.stderr
