"""Removals on the command line: made, listed and taken back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.whyalike.conftest import Run
from whyalike.home import open_galleries
from whyalike.settings import read_settings

pytestmark = [pytest.mark.usefixtures("each_database"), pytest.mark.on_both]


def test_an_image_is_removed_listed_as_that_and_taken_back(run: Run, gallery: str, pictures: Path) -> None:
    galleries = open_galleries(read_settings())
    build = galleries.open(gallery)
    image = next(each for each in build if each.uri == str(pictures / "red/white.png"))
    build.close()
    assert run("gallery", "removals", "add", gallery, image.image_id).exit_code == 1  # nobody said yes
    added = run("gallery", "removals", "add", gallery, image.image_id, "--yes")
    assert added.exit_code == 0 and "build 2 is without them" in added.stderr
    again = run("gallery", "removals", "add", gallery, image.image_id, "--yes")
    assert again.exit_code != 0 and f"Image {image.image_id} was removed" in again.stderr
    for expected in (image.uri, image.image_id):
        told = run("why-not", pictures / "red/black.png", expected, "--json").stdout
        assert json.loads(told)["outcome"] == "tombstoned" and "A person removed" in told
    assert run("index", pictures, "--gallery", gallery, "--json").exit_code == 0
    assert json.loads(run("gallery", "show", gallery, "--json").stdout)["builds"][0]["images"] == 11
    (told,) = json.loads(run("gallery", "removals", "list", gallery, "--json").stdout)["removals"]
    assert (told["image_id"], told["uri"]) == (image.image_id, image.uri)
    assert image.uri[-12:] in run("gallery", "removals", "list", gallery).stdout.replace("\n", "")
    assert run("gallery", "removals", "revoke", gallery, image.image_id).exit_code == 1  # nobody said yes
    result = run("gallery", "removals", "revoke", gallery, image.image_id, "--yes")
    assert result.exit_code == 0 and "build 3 has it" in result.stderr
    assert json.loads(run("gallery", "show", gallery, "--json").stdout)["builds"][0]["images"] == 12
    assert "nobody has removed an image" in run("gallery", "removals", "list", gallery).stdout
    missing = run("gallery", "removals", "revoke", gallery, image.image_id, "--yes")
    assert missing.exit_code != 0 and "is removed from the gallery" in missing.stderr


def test_what_removed_images_left_is_erased_and_one_that_is_taken_back_comes_from_its_source(
    run: Run, gallery: str, pictures: Path
) -> None:
    galleries = open_galleries(read_settings())
    build = galleries.open(gallery)
    image = next(each for each in build if each.uri == str(pictures / "red/white.png"))
    thumbnail = build.thumbnail(image.image_id)
    segments = galleries.site(gallery).folder.segments

    def is_there() -> bool:
        return any(thumbnail in path.read_bytes() for path in segments.rglob("*") if path.is_file())

    nothing = run("gallery", "removals", "add", gallery, pictures / "red" / "none.png", "--yes")
    assert nothing.exit_code == 4 and "none.png" in nothing.stderr
    removed = run("gallery", "removals", "add", gallery, pictures / "red" / "white.png", "--yes")
    assert "1 image removed" in removed.stderr
    asked = run("gallery", "erase", gallery)
    assert asked.exit_code == 1 and "--yes" in asked.stderr and is_there()
    missing = run("gallery", "erase", "nowhere", "--yes")
    assert missing.exit_code == 4 and "There is no gallery 'nowhere'" in missing.stderr
    still_open = run("gallery", "erase", gallery, "--yes")
    assert still_open.exit_code == 1 and "in build 1, which is open" in " ".join(still_open.stdout.split())
    build.close()
    done = run("gallery", "erase", gallery, "--yes", "--json")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["contents"], told["left"], told["retired"]) == (0, 1, 0, [1])
    assert not is_there()
    assert "nothing to erase" in run("gallery", "erase", gallery, "--yes").stdout
    assert run("gallery", "verify", gallery).exit_code == 0
    revoked = run("gallery", "removals", "revoke", gallery, image.image_id, "--yes")
    assert "index its source to have it again" in revoked.stderr
    assert run("index", pictures, "--gallery", gallery, "--json").exit_code == 0
    again = galleries.open(gallery)
    assert again.image(image.image_id).uri == image.uri
    assert again.thumbnail(image.image_id) == thumbnail
    again.close()
