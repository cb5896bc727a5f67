"""How a gallery keeps local embeddings is chosen when it is made, and changed as a whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from gallery.galleries import Galleries
from gallery.local_storage import LocalStorage
from indexer.encoders import EncoderChoice
from indexer.errors import EncoderRefused
from indexer.indexing import index
from indexer.options import IndexingOptions
from indexer.report import IndexingReport
from indexer.settings import IndexingSettings
from siamese.progress import Silent
from tests.toys import mosaic, noise, plain, write_folder

T = TypeVar("T")

SMALL_STEPS = {"batch_size": 1, "segment_size": 1, "decoding_threads": 1}


class Interrupted:
    """A progress at which somebody presses Ctrl-C once three files were read."""

    def track(self, iterable: Iterable[T], *, description: str, total: int | None = None) -> Iterator[T]:
        for number, each in enumerate(iterable):
            if number == 3:
                raise KeyboardInterrupt
            yield each

    def say(self, line: str) -> None:
        raise AssertionError(line)


@pytest.fixture
def roots(tmp_path: Path) -> list[Path]:
    pictures = {"red/1.png": plain("red"), "red/2.png": mosaic([["red", "blue"]] * 2), "a/1.png": noise(1)}
    one = write_folder(tmp_path / "one", pictures)
    return [one, write_folder(tmp_path / "two", {"a/2.png": noise(2)})]


def indexed(
    galleries: Galleries,
    roots: list[Path],
    choice: EncoderChoice,
    storage: LocalStorage | None = None,
    *,
    setting: LocalStorage = "int8",
    interrupt: bool = False,
) -> IndexingReport:
    settings = IndexingSettings.model_validate({**SMALL_STEPS, "local_embeddings": setting})
    progress = Interrupted() if interrupt else Silent()
    return index(
        galleries,
        "g",
        roots,
        choice,
        options=IndexingOptions(settings=settings, local_embeddings=storage, progress=progress),
    )


def image_ids(galleries: Galleries) -> dict[str, int]:
    build = galleries.open("g")
    query = np.zeros(build.dimension, np.float32)
    found = [each.image_id for each in build.search(query, count=99, fingerprint=build.fingerprint)]
    return {image.uri: image.image_id for image in build.images(found)}


def test_a_new_gallery_keeps_them_as_the_setting_says_and_an_old_one_as_it_did(
    galleries: Galleries, roots: list[Path], toy: EncoderChoice
) -> None:
    assert indexed(galleries, roots, toy, setting="float16").local_embeddings == "float16"
    assert galleries.open("g").manifest.local_embeddings == "float16"
    again = indexed(galleries, roots, toy, setting="none")
    assert (again.local_embeddings, again.embedded, again.published) == ("float16", 0, False)


def test_another_way_embeds_all_roots_again_in_one_step_and_images_keep_their_ids(
    galleries: Galleries, roots: list[Path], toy: EncoderChoice
) -> None:
    indexed(galleries, roots, toy)
    before, ids, old = galleries.open("g"), image_ids(galleries), galleries.open("g")
    report = indexed(galleries, roots[:1], toy, "none")  # the other root is scanned, too
    assert (report.local_embeddings, report.embedded, report.unchanged) == ("none", 4, 4)
    after = galleries.open("g")
    assert image_ids(galleries) == ids and after.fingerprint == before.fingerprint
    assert after.manifest.local_embeddings == "none"
    every = list(ids.values())
    assert after.local_embeddings(every) is None
    assert np.array_equal(after.embeddings(every), before.embeddings(every))
    assert old.local_embeddings(every) is not None  # whoever reads the build of before goes on


def test_a_change_that_is_interrupted_leaves_the_gallery_as_it_was_and_can_be_taken_up(
    galleries: Galleries, roots: list[Path], toy: EncoderChoice
) -> None:
    indexed(galleries, roots, toy)
    with pytest.raises(KeyboardInterrupt):
        indexed(galleries, roots, toy, "float16", interrupt=True)
    assert galleries.open("g").manifest.local_embeddings == "int8"
    report = indexed(galleries, roots, toy, "float16")
    assert report.local_embeddings == "float16" and report.embedded < 4
    assert galleries.open("g").local_embeddings(list(image_ids(galleries).values())) is not None


def test_what_an_abandoned_change_left_is_removed_by_the_next_run(
    galleries: Galleries, roots: list[Path], toy: EncoderChoice, tmp_path: Path
) -> None:
    indexed(galleries, roots, toy)
    with pytest.raises(KeyboardInterrupt):
        indexed(galleries, roots, toy, "float16", interrupt=True)
    assert list(tmp_path.rglob("local_embeddings_float16.npy"))
    report = indexed(galleries, roots, toy)
    assert (report.local_embeddings, report.embedded) == ("int8", 0)
    assert not list(tmp_path.rglob("local_embeddings_float16.npy"))


def test_a_first_run_that_is_interrupted_goes_on_as_it_began(
    galleries: Galleries, roots: list[Path], toy: EncoderChoice
) -> None:
    with pytest.raises(KeyboardInterrupt):
        indexed(galleries, roots, toy, "none", interrupt=True)
    report = indexed(galleries, roots, toy)
    assert report.local_embeddings == "none" and report.embedded < 4


@pytest.mark.parametrize("storage", ["int8", "float16", "none"])
def test_however_they_are_kept_another_encoder_is_refused(
    galleries: Galleries, roots: list[Path], toy: EncoderChoice, storage: LocalStorage
) -> None:
    first = indexed(galleries, roots, toy, storage)
    with pytest.raises(EncoderRefused, match="--refit"):
        indexed(galleries, roots, replace(toy, image_size=64))
    assert indexed(galleries, roots, toy).build == first.build
