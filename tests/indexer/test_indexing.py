from __future__ import annotations

import io
import os
import random
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from PIL import Image

from gallery.builds.build import Build
from gallery.errors import GalleryLocked, GalleryNotFound, NothingPublished, SourceUnavailable
from gallery.galleries import Galleries
from indexer.encoders import EncoderChoice
from indexer.errors import NothingToIndex
from indexer.indexing import index
from indexer.options import IndexingOptions
from indexer.report import IndexingReport
from indexer.settings import IndexingSettings
from siamese.decoding import decode_for
from siamese.encoder import Encoder
from siamese.images import ImageLimits, decode
from siamese.preprocessing import Preprocessing
from siamese.scaled_image import ScaledImage
from tests.toys import mosaic, noise, plain, png, write_folder

T = TypeVar("T")

SMALL_STEPS = IndexingSettings(batch_size=3, segment_size=4, decoding_threads=2)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return write_folder(
        tmp_path / "pictures",
        {
            "red/1.png": plain("red"),
            "red/2.png": mosaic([["red", "red"], ["red", "blue"]]),
            "blue/1.png": plain("blue"),
            "noise/a/1.png": noise(1),
        },
    )


def indexed(galleries: Galleries, roots: Path | list[Path], toy: EncoderChoice) -> IndexingReport:
    return index(
        galleries,
        "holidays",
        roots if isinstance(roots, list) else [roots],
        toy,
        options=IndexingOptions(settings=SMALL_STEPS),
    )


def everything(build: Build) -> dict[str, tuple[int, str | None, str]]:
    """image_id, label and checksum by the uri of each live image."""
    count = len(build)
    if not count:
        return {}
    query = np.eye(build.dimension, dtype=np.float32)[0]
    found = build.search(query, count=count, fingerprint=build.fingerprint)
    images = build.images([candidate.image_id for candidate in found])
    return {image.uri: (image.image_id, image.label, image.checksum) for image in images}


def ids(galleries: Galleries) -> dict[str, int]:
    return {uri: image_id for uri, (image_id, _, _) in everything(galleries.open("holidays")).items()}


def reasons(report: IndexingReport) -> dict[str, str]:
    return {Path(each.uri).name: each.reason for each in report.unreadable}


def test_a_folder_becomes_a_gallery_that_is_labelled_by_its_folders(
    galleries: Galleries, pictures: Path, toy: EncoderChoice
) -> None:
    report = indexed(galleries, pictures, toy)

    build = galleries.open("holidays")
    labels = {Path(uri).relative_to(pictures): label for uri, (_, label, _) in everything(build).items()}
    assert labels == {
        Path("red/1.png"): "red",
        Path("red/2.png"): "red",
        Path("blue/1.png"): "blue",
        Path("noise/a/1.png"): "a",
    }
    assert (report.images, report.added, report.embedded, report.build) == (4, 4, 4, build.number)
    assert report.published
    assert report.unreadable == ()
    assert (report.encoder_name, report.fingerprint) == (build.encoder_name, build.fingerprint)


def test_an_indexed_picture_is_its_own_first_candidate_at_distance_zero(
    galleries: Galleries, pictures: Path, toy: EncoderChoice
) -> None:
    indexed(galleries, pictures, toy)
    build = galleries.open("holidays")
    encoder = Encoder.load(build.checkpoint, device="cpu")
    for uri, image_id in ids(galleries).items():
        embedded = encoder.embed([encoder.prepare(decode(Path(uri).read_bytes()))])
        (first, *_) = build.search(embedded.embeddings[0], count=1, fingerprint=encoder.fingerprint)
        assert first.image_id == image_id
        assert np.array_equal(build.embeddings([image_id])[0], embedded.embeddings[0])
        assert build.local_embeddings([image_id])[0] == pytest.approx(
            embedded.local_embeddings[0], abs=1 / 127
        )


def test_a_second_run_with_nothing_changed_publishes_nothing_and_says_so(
    galleries: Galleries, pictures: Path, toy: EncoderChoice
) -> None:
    first = indexed(galleries, pictures, toy)
    second = indexed(galleries, pictures, EncoderChoice(device="cpu"))
    assert (second.build, second.published, second.embedded) == (first.build, False, 0)
    assert (second.unchanged, second.added, second.images) == (4, 0, 4)


def test_only_new_and_changed_content_is_embedded(
    galleries: Galleries, pictures: Path, toy: EncoderChoice
) -> None:
    indexed(galleries, pictures, toy)
    before = ids(galleries)
    write_folder(pictures, {"green/1.png": plain("green"), "red/1.png": plain("orange")})

    report = indexed(galleries, pictures, toy)

    after = ids(galleries)
    assert (report.added, report.changed, report.unchanged, report.embedded) == (1, 1, 3, 2)
    assert after[str(pictures / "red/1.png")] != before[str(pictures / "red/1.png")]
    assert after[str(pictures / "blue/1.png")] == before[str(pictures / "blue/1.png")]


def test_a_moved_file_keeps_its_id_takes_its_new_label_and_is_not_embedded_again(
    galleries: Galleries, pictures: Path, toy: EncoderChoice
) -> None:
    indexed(galleries, pictures, toy)
    before = ids(galleries)
    (pictures / "green").mkdir()
    (pictures / "blue/1.png").rename(pictures / "green/7.png")

    report = indexed(galleries, pictures, toy)

    moved = everything(galleries.open("holidays"))[str(pictures / "green/7.png")]
    assert moved[:2] == (before[str(pictures / "blue/1.png")], "green")
    assert (report.moved, report.embedded, report.removed) == (1, 0, 0)


def test_a_file_that_is_gone_is_removed_and_has_its_old_id_when_it_comes_back(
    galleries: Galleries, pictures: Path, toy: EncoderChoice
) -> None:
    indexed(galleries, pictures, toy)
    before = ids(galleries)
    gone = pictures / "red/2.png"
    data = gone.read_bytes()
    gone.unlink()

    assert indexed(galleries, pictures, toy).removed == 1
    assert str(gone) not in ids(galleries)

    gone.write_bytes(data)
    report = indexed(galleries, pictures, toy)
    assert (report.added, report.embedded) == (1, 0)
    assert ids(galleries) == before


def test_identical_files_are_embedded_once_and_each_is_an_image(
    galleries: Galleries, pictures: Path, toy: EncoderChoice
) -> None:
    shutil.copy(pictures / "red/1.png", pictures / "red/copy.png")
    shutil.copy(pictures / "red/1.png", pictures / "blue/copy.png")
    report = indexed(galleries, pictures, toy)
    assert (report.images, report.embedded, report.duplicates) == (6, 4, 2)


def test_another_folder_is_added_beside_what_is_there(
    galleries: Galleries, pictures: Path, tmp_path: Path, toy: EncoderChoice
) -> None:
    indexed(galleries, pictures, toy)
    more = write_folder(tmp_path / "more", {"grey/1.png": plain("grey")})
    report = indexed(galleries, more, toy)
    assert (report.images, report.added, report.removed) == (5, 1, 0)
    assert indexed(galleries, [pictures, more], toy).unchanged == 5


def test_a_run_in_small_steps_and_one_in_large_steps_give_the_same_gallery(
    new_galleries: Callable[[str], Galleries], tmp_path: Path, toy: EncoderChoice
) -> None:
    root = write_folder(tmp_path / "many", {f"a/{n}.png": noise(n, size=(20, 30)) for n in range(25)})
    steps = IndexingSettings(batch_size=1, segment_size=2, decoding_threads=3)
    built = []
    for name, settings in (("small", steps), ("large", IndexingSettings())):
        galleries = new_galleries(name)
        index(galleries, "holidays", [root], toy, options=IndexingOptions(settings=settings))
        built.append(galleries.open("holidays"))
    assert len(built[0].manifest.segments) == 13
    assert len(built[1].manifest.segments) == 1
    assert embeddings_by_uri(built[0]) == embeddings_by_uri(built[1])


def test_threads_do_not_run_further_ahead_than_a_batch(
    galleries: Galleries, tmp_path: Path, toy: EncoderChoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_folder(tmp_path / "many", {f"a/{n}.png": noise(n, size=(20, 30)) for n in range(40)})
    settings = IndexingSettings(batch_size=4, segment_size=8, decoding_threads=2, decoding_processes=0)
    decoded: list[bytes] = []
    ahead: list[int] = []

    def counted(data: bytes, preprocessing: Preprocessing, *, limits: ImageLimits) -> ScaledImage:
        decoded.append(data)
        return decode_for(data, preprocessing, limits=limits)

    def look() -> None:
        time.sleep(0.02)  # long enough for the threads to decode all that they may
        ahead.append(len(decoded) - len(ahead))

    monkeypatch.setattr("indexer.decoding.decode_for", counted)
    index(
        galleries,
        "holidays",
        [root],
        toy,
        options=IndexingOptions(settings=settings, progress=Meddling(look, every=True)),
    )

    assert len(decoded) == 40
    assert 1 < max(ahead) <= settings.batch_size + settings.decoding_threads + 1


def embeddings_by_uri(build: Build) -> dict[str, tuple[str | None, str, bytes, bytes]]:
    """Label, checksum, embedding and thumbnail of each live image by its uri."""
    return {
        uri: (label, checksum, build.embeddings([image_id]).tobytes(), build.thumbnail(image_id))
        for uri, (image_id, label, checksum) in everything(build).items()
    }


# What cannot be read.


def test_files_that_hold_no_image_are_reported_and_stop_nothing(
    galleries: Galleries, pictures: Path, toy: EncoderChoice
) -> None:
    good = png(noise(3, size=(400, 400)))
    for name, data in {
        "empty.jpg": b"",
        "text.jpg": b"no picture",
        "truncated.png": good[: len(good) // 2],
        "header.png": good[:20],
        "black.png": png(plain("black")),
        "notes.txt": b"bought on Sunday",
    }.items():
        (pictures / name).write_bytes(data)

    report = indexed(galleries, pictures, toy)

    assert report.images == report.added == 4
    assert set(reasons(report)) == {
        "empty.jpg",
        "text.jpg",
        "truncated.png",
        "header.png",
        "black.png",
        "notes.txt",
    }
    assert "empty" in reasons(report)["empty.jpg"]
    assert "truncated" in reasons(report)["truncated.png"]
    assert "no direction" in reasons(report)["black.png"]
    again = indexed(galleries, pictures, toy)
    assert not again.published
    assert reasons(again) == reasons(report)


def test_limits_hold_for_bytes_and_for_pixels(
    galleries: Galleries, pictures: Path, toy: EncoderChoice
) -> None:
    (pictures / "many-bytes.png").write_bytes(png(noise(1, size=(200, 200))))
    (pictures / "many-pixels.png").write_bytes(png(plain("red", size=(300, 300))))
    limits = ImageLimits(max_bytes=50_000, max_pixels=80_000)
    report = index(galleries, "holidays", [pictures], toy, options=IndexingOptions(limits=limits))
    assert set(reasons(report)) == {"many-bytes.png", "many-pixels.png"}
    assert report.images == 4


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
@pytest.mark.timeout(60)
def test_things_that_are_no_files_are_reported_and_nothing_waits_for_them(
    galleries: Galleries, pictures: Path, toy: EncoderChoice
) -> None:
    (pictures / "folder.jpg").mkdir()
    write_folder(pictures / "folder.jpg", {"inside.png": noise(9)})
    os.mkfifo(pictures / "pipe.jpg")
    (pictures / "dangling.jpg").symlink_to(pictures / "nowhere.jpg")
    (pictures / "loop.jpg").symlink_to(pictures / "loop.jpg")
    (pictures / "circle").symlink_to(pictures, target_is_directory=True)

    report = indexed(galleries, pictures, toy)

    assert set(reasons(report)) == {"pipe.jpg", "dangling.jpg", "loop.jpg"}
    assert str(pictures / "folder.jpg/inside.png") in ids(galleries)
    assert report.images == 5


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has file names that are no text")
def test_a_name_that_is_no_text_is_indexed_under_an_escaped_one(
    galleries: Galleries, pictures: Path, toy: EncoderChoice
) -> None:
    odd = os.fsencode(pictures) + b"/caf\xe9.png"
    Path(os.fsdecode(odd)).write_bytes(png(noise(5)))
    (pictures / r"caf\xe9.png").write_bytes(png(noise(6)))
    (pictures / "new\nline.png").write_bytes(png(noise(7)))

    report = indexed(galleries, pictures, toy)

    assert report.images == 6
    assert str(pictures / r"caf\xe9.png") in ids(galleries)
    assert [each.uri for each in report.unreadable] == [str(pictures / r"caf\xe9.png")]
    assert "same when written as UTF-8" in report.unreadable[0].reason


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="this user may read everything")
def test_a_file_that_may_not_be_read_is_reported(
    galleries: Galleries, pictures: Path, toy: EncoderChoice
) -> None:
    (pictures / "red/1.png").chmod(0)
    report = indexed(galleries, pictures, toy)
    assert set(reasons(report)) == {"1.png"}


def test_identical_broken_files_are_all_reported(
    galleries: Galleries, pictures: Path, toy: EncoderChoice
) -> None:
    for name in ("a.png", "b.png"):
        (pictures / name).write_bytes(b"broken")
    for name in ("c.png", "d.png"):
        (pictures / name).write_bytes(png(plain("black")))
    assert set(reasons(indexed(galleries, pictures, toy))) == {"a.png", "b.png", "c.png", "d.png"}


def test_an_image_that_becomes_unreadable_leaves_the_gallery_and_returns_with_its_id(
    galleries: Galleries, pictures: Path, toy: EncoderChoice
) -> None:
    indexed(galleries, pictures, toy)
    before = ids(galleries)
    data = (pictures / "red/1.png").read_bytes()
    (pictures / "red/1.png").write_bytes(data[:40])
    assert indexed(galleries, pictures, toy).removed == 1
    (pictures / "red/1.png").write_bytes(data)
    assert indexed(galleries, pictures, toy).embedded == 0
    assert ids(galleries) == before


# Every mode.


def in_all_modes() -> dict[str, bytes]:
    """One blue picture in many modes and formats; what is not blue says so."""
    blue = Image.new("RGB", (60, 40), (0, 0, 255))
    upright = Image.new("RGB", (60, 40), "blue")
    exif = Image.Exif()
    exif[0x0112] = 6
    see_through = Image.new("RGBA", (60, 40), (0, 0, 255, 255))
    return {
        "rgb.png": saved(blue, "PNG"),
        "rgb.jpg": saved(blue, "JPEG"),
        "cmyk.jpg": saved(blue.convert("CMYK"), "JPEG"),
        "cmyk.tif": saved(blue.convert("CMYK"), "TIFF"),
        "palette.png": saved(blue.convert("P"), "PNG"),
        "palette.gif": saved(blue.convert("P"), "GIF"),
        "alpha.png": saved(see_through, "PNG"),
        "rotated.jpg": saved(upright, "JPEG", exif=exif),
        "still.webp": saved(blue, "WEBP"),
        "animated.gif": saved(blue, "GIF", save_all=True, append_images=[plain("red", size=(60, 40))]),
        "animated.webp": saved(blue, "WEBP", save_all=True, append_images=[plain("red", size=(60, 40))]),
        "blue.bmp": saved(blue, "BMP"),
    }


def in_grey() -> dict[str, bytes]:
    """One mid-grey picture in every grey mode."""
    grey = Image.new("L", (60, 40), 128)
    sixteen = Image.fromarray(np.full((40, 60), 128 * 257, np.uint16))
    return {
        "8.png": saved(grey, "PNG"),
        "16.png": saved(sixteen, "PNG"),
        "16.tif": saved(sixteen, "TIFF"),
        "alpha.png": saved(grey.convert("LA"), "PNG"),
        "float.tif": saved(Image.fromarray(np.full((40, 60), 0.5, np.float32)), "TIFF"),
    }


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    data = io.BytesIO()
    image.save(data, kind, **options)
    return data.getvalue()


def test_the_same_picture_in_any_mode_has_the_same_embedding(
    galleries: Galleries, tmp_path: Path, toy: EncoderChoice
) -> None:
    root = tmp_path / "modes"
    for label, files in {"blue": in_all_modes(), "grey": in_grey()}.items():
        (root / label).mkdir(parents=True)
        for name, data in files.items():
            (root / label / name).write_bytes(data)

    report = indexed(galleries, root, toy)

    assert report.unreadable == ()
    build = galleries.open("holidays")
    expected = {"blue": np.array([0, 0, 1]), "grey": np.ones(3) / np.sqrt(3)}
    for uri, (image_id, label, _) in everything(build).items():
        assert label is not None
        assert build.embeddings([image_id])[0] == pytest.approx(expected[label], abs=0.02), uri


def test_a_picture_that_lies_on_its_side_is_stored_upright(
    galleries: Galleries, tmp_path: Path, toy: EncoderChoice
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned clockwise: what is stored on the left is the top
    lying = Image.new("RGB", (80, 40), "blue")
    lying.paste("red", (0, 0, 40, 40))
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/1.jpg").write_bytes(saved(lying, "JPEG", exif=exif, quality=95))

    indexed(galleries, tmp_path / "photos", toy)

    build = galleries.open("holidays")
    ((image_id, _, _),) = everything(build).values()
    image = build.image(image_id)
    assert (image.width, image.height) == (40, 80)
    with Image.open(io.BytesIO(build.thumbnail(image_id))) as stored:
        assert stored.size == (40, 80)
        assert stored.getpixel((20, 10))[0] > 200
    top, bottom = build.local_embeddings([image_id])[0][[0, -1], 0]
    assert top == pytest.approx([1, 0, 0], abs=0.1)
    assert bottom == pytest.approx([0, 0, 1], abs=0.1)


# What happens meanwhile.


class Meddling:
    """A progress that does something when so many files were read, or at every file."""

    def __init__(self, do: Callable[[], None], *, after: int = 1, every: bool = False) -> None:
        self._do = do
        self._after = after
        self._every = every

    def track(self, iterable: Iterable[T], *, description: str, total: int | None = None) -> Iterator[T]:
        for number, each in enumerate(iterable, start=1):
            if self._every or number == self._after:
                self._do()
            yield each

    def say(self, line: str) -> None:
        raise AssertionError(line)


ONE_BY_ONE = IndexingSettings(batch_size=1, segment_size=1, decoding_threads=1)


def test_a_file_that_vanishes_while_the_run_goes_on_is_reported(
    galleries: Galleries, pictures: Path, toy: EncoderChoice
) -> None:
    write_folder(pictures, {f"blue/{number}.png": noise(number) for number in range(2, 12)})
    vanish = Meddling((pictures / "blue/9.png").unlink)  # long before its turn: little is read ahead
    report = index(
        galleries, "holidays", [pictures], toy, options=IndexingOptions(settings=ONE_BY_ONE, progress=vanish)
    )
    assert reasons(report) == {"9.png": "the file is not there"}
    assert report.images == 13


def test_a_file_that_changes_while_the_run_goes_on_is_what_was_read(
    galleries: Galleries, pictures: Path, toy: EncoderChoice
) -> None:
    def change() -> None:
        (pictures / "red/1.png").write_bytes(png(plain("lime")))

    index(
        galleries,
        "holidays",
        [pictures],
        toy,
        options=IndexingOptions(settings=ONE_BY_ONE, progress=Meddling(change, after=4)),
    )
    read_before = everything(galleries.open("holidays"))[str(pictures / "red/1.png")]
    report = index(galleries, "holidays", [pictures], toy, options=IndexingOptions(settings=ONE_BY_ONE))
    read_after = everything(galleries.open("holidays"))[str(pictures / "red/1.png")]
    assert report.changed == 1
    assert read_before[2] != read_after[2]
    assert galleries.open("holidays").embeddings([read_after[0]])[0] == pytest.approx([0, 1, 0], abs=1e-6)


def test_a_run_that_is_interrupted_keeps_what_it_embedded(
    galleries: Galleries, pictures: Path, toy: EncoderChoice
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index(
            galleries,
            "holidays",
            [pictures],
            toy,
            options=IndexingOptions(
                settings=IndexingSettings(batch_size=1, segment_size=100, decoding_threads=2),
                progress=Meddling(interrupt, after=3),
            ),
        )
    with pytest.raises(NothingPublished):
        galleries.open("holidays")
    report = indexed(galleries, pictures, EncoderChoice(device="cpu"))
    assert (report.embedded, report.images) == (2, 4)


def test_while_one_run_writes_a_gallery_another_is_refused_and_readers_are_not(
    galleries: Galleries, pictures: Path, toy: EncoderChoice
) -> None:
    indexed(galleries, pictures, toy)
    write_folder(pictures, {"new/1.png": noise(77)})
    seen = []

    def look() -> None:
        with pytest.raises(GalleryLocked):
            indexed(galleries, pictures, toy)
        seen.append(len(galleries.open("holidays")))

    report = index(
        galleries,
        "holidays",
        [pictures],
        toy,
        options=IndexingOptions(settings=ONE_BY_ONE, progress=Meddling(look, after=5)),
    )
    assert seen == [4]
    assert report.images == 5


# What is refused.


def test_a_new_gallery_without_a_single_image_is_refused_with_the_first_reason(
    galleries: Galleries, tmp_path: Path, toy: EncoderChoice
) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters/1.txt").write_text("Dear Sir")
    with pytest.raises(NothingToIndex, match=r"letters/1\.txt, for one: .*no picture"):
        indexed(galleries, tmp_path / "letters", toy)
    with pytest.raises(GalleryNotFound):
        galleries.open("holidays")


def test_a_folder_that_is_missing_is_refused_and_the_gallery_stays(
    galleries: Galleries, pictures: Path, toy: EncoderChoice
) -> None:
    indexed(galleries, pictures, toy)
    with pytest.raises(SourceUnavailable):
        indexed(galleries, pictures / "missing", toy)
    assert len(galleries.open("holidays")) == 4


def test_a_folder_that_is_missing_makes_no_gallery(
    galleries: Galleries, tmp_path: Path, toy: EncoderChoice
) -> None:
    with pytest.raises(SourceUnavailable):
        indexed(galleries, tmp_path / "misspelt", toy)
    assert galleries.names() == []


def test_a_folder_that_is_suddenly_empty_is_refused_unless_that_is_meant(
    galleries: Galleries, pictures: Path, toy: EncoderChoice
) -> None:
    indexed(galleries, pictures, toy)
    shutil.rmtree(pictures)
    pictures.mkdir()
    with pytest.raises(SourceUnavailable):
        indexed(galleries, pictures, toy)
    assert (
        index(galleries, "holidays", [pictures], toy, options=IndexingOptions(allow_empty=True)).removed == 4
    )


def test_a_renamed_root_is_left_behind_and_its_files_keep_their_ids(
    galleries: Galleries, pictures: Path, toy: EncoderChoice
) -> None:
    indexed(galleries, pictures, toy)
    before = ids(galleries)
    photos = pictures.rename(pictures.parent / "photos")
    with pytest.raises(SourceUnavailable, match=r"pictures does not exist .* index it with --allow-empty"):
        indexed(galleries, [photos, pictures], toy)
    report = index(galleries, "holidays", [photos, pictures], toy, options=IndexingOptions(allow_empty=True))
    assert (report.moved, report.added, report.removed) == (4, 0, 0)
    moved = {str(photos / Path(uri).relative_to(pictures)): image_id for uri, image_id in before.items()}
    assert ids(galleries) == moved
    assert galleries.roots("holidays") == [photos]
    assert index(galleries, "holidays", [photos], replace(toy, refit=True)).unchanged == 4


def test_an_encoder_is_chosen_anew_without_a_root_that_is_gone_only_if_that_is_meant(
    galleries: Galleries, pictures: Path, toy: EncoderChoice
) -> None:
    more = write_folder(pictures.parent / "more", {"green/1.png": plain("green")})
    indexed(galleries, [pictures, more], toy)
    shutil.rmtree(more)
    anew = replace(toy, refit=True)
    with pytest.raises(SourceUnavailable, match=r"more does not exist .* index it with --allow-empty"):
        index(galleries, "holidays", [pictures], anew)
    report = index(galleries, "holidays", [pictures], anew, options=IndexingOptions(allow_empty=True))
    assert (report.removed, report.images) == (1, 4)
    assert galleries.roots("holidays") == [pictures]


def test_a_folder_that_cannot_be_listed_is_reported_and_its_images_stay(
    galleries: Galleries, pictures: Path, toy: EncoderChoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    indexed(galleries, pictures, toy)
    (pictures / "blue/1.png").unlink()
    scandir = os.scandir

    def refuse(path: Path | int) -> object:
        if path == pictures / "red":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", refuse)
        for removed in (1, 0):
            report = indexed(galleries, pictures, toy)
            assert reasons(report) == {"red": "it cannot be listed (Permission denied)"}
            assert (report.removed, report.images) == (removed, 3)
    (pictures / "red/1.png").unlink()
    report = indexed(galleries, pictures, toy)
    assert (report.removed, report.images, report.unreadable) == (1, 2, ())


# The property.


def test_after_any_changes_the_gallery_is_what_indexing_from_scratch_would_give(
    new_galleries: Callable[[str], Galleries], tmp_path: Path, toy: EncoderChoice
) -> None:
    kept = new_galleries("kept")
    root = write_folder(tmp_path / "root", {"a/0.png": noise(0)})
    chance = random.Random(5)
    given: dict[int, str] = {}
    for step in range(12):
        for _ in range(chance.randint(0, 4)):
            _change_something(root, chance)
        report = indexed(kept, root, toy)
        scratch = new_galleries(f"scratch-{step}")
        from_scratch = indexed(scratch, root, toy)

        build = kept.open("holidays")
        assert embeddings_by_uri(build) == embeddings_by_uri(scratch.open("holidays"))
        assert report.unreadable == from_scratch.unreadable
        for image_id, _, checksum in everything(build).values():
            assert given.setdefault(image_id, checksum) == checksum, "an id was given to other content"


def _change_something(root: Path, chance: random.Random) -> None:
    """Add, change, break, copy, move or remove a file, or rename a folder; one good file always stays."""
    files = sorted(path for path in root.rglob("*.png") if path.name != "0.png")
    target = root / chance.choice("abc") / f"{chance.randrange(6) + 1}.png"
    target.parent.mkdir(exist_ok=True)
    some = chance.choice(files) if files else root / "a/0.png"
    match chance.choice(["add", "add", "break", "copy", "move", "remove"]):
        case "add":
            target.write_bytes(png(noise(chance.randrange(8), size=(24, 16))))
        case "break":
            target.write_bytes(chance.choice([b"", b"broken", png(plain("black"))]))
        case "copy" if target != some:
            shutil.copy(some, target)
        case "move" if some in files:
            some.rename(target)
        case "remove" if some in files:
            some.unlink()
