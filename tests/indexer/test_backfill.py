"""Another encoder embeds what a gallery shows, from whatever still holds it; what it refuses is told."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from gallery.builds.rollback import roll_back
from gallery.errors import NotEmbedded
from gallery.galleries import Galleries
from gallery.proof.verification import verify
from gallery.sources.kinds import source_of
from gallery.sources.scanning import checksum
from gallery.swaps.swap import activate
from indexer.backfill import NOT_THERE, BackfillReport, Lacking, backfill
from indexer.decoding import Decoded
from indexer.embedding import NO_DIRECTION
from indexer.encoders import EncoderChoice
from indexer.indexing import index
from indexer.processes import DecodingProcesses
from indexer.report import IndexingReport
from indexer.settings import IndexingSettings
from siamese.encoder import Encoder
from siamese.errors import UnreadableImage
from siamese.images import ImageLimits
from tests.toys import mean_colour_checkpoint, noise, plain, png, write_folder

RED_HAS_NO_DIRECTION = (-1.0, 0.0, 0.0)
NAME = "g"


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """The mean-colour encoder, shifted so that pure red is at the origin."""
    return mean_colour_checkpoint(tmp_path / "other", bias=RED_HAS_NO_DIRECTION, name="shifted")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return write_folder(
        tmp_path / "pictures",
        {
            "a/red.png": plain("red"),
            "a/blue.png": plain("blue"),
            "b/copy.png": plain("red"),
            "b/noise.png": noise(1),
        },
    )


def indexed(galleries: Galleries, choice: EncoderChoice, *roots: Path, name: str = NAME) -> IndexingReport:
    return index(galleries, name, [source_of(str(each)) for each in roots], choice)


def started(galleries: Galleries, other: Path, **options: object) -> BackfillReport:
    return backfill(galleries, NAME, other, Encoder.load(other, device="cpu"), **options)  # type: ignore[arg-type]


def taken_over(galleries: Galleries) -> None:
    with galleries.tenure(NAME) as tenure:
        activate(tenure)


def uris(galleries: Galleries, name: str = NAME) -> set[str]:
    return {Path(image.uri).name for image in galleries.open(name)}


def ids(galleries: Galleries) -> dict[str, int]:
    return {image.uri: image.image_id for image in galleries.open(NAME)}


def test_what_has_no_direction_by_the_new_encoder_is_told_and_it_takes_over(
    galleries: Galleries, toy: EncoderChoice, other: Path, pictures: Path
) -> None:
    indexed(galleries, toy, pictures)
    before = ids(galleries)
    assert started(galleries, other).successor.refused == 1
    report = started(galleries, other)  # what is refused is refused again, once
    red = checksum((pictures / "a/red.png").read_bytes())
    assert report.lacking == (Lacking(str(pictures / "a/red.png"), red, NO_DIRECTION, True),)
    assert (report.successor.embedded, report.successor.refused, report.successor.lacking) == (2, 1, 0)
    taken_over(galleries)
    assert uris(galleries) == {"blue.png", "noise.png"}
    assert verify(galleries.site(NAME)).clean
    assert galleries.open(NAME).fate(str(pictures / "b/copy.png")).reason == NO_DIRECTION

    again = indexed(galleries, EncoderChoice(device="cpu"), pictures)
    anew = indexed(galleries, EncoderChoice(checkpoint=other, device="cpu"), pictures, name="anew")
    assert not again.published
    assert (again.images, again.unreadable) == (anew.images, anew.unreadable)

    with galleries.tenure(NAME) as tenure:
        roll_back(tenure, build=1)
    assert ids(galleries) == before
    assert indexed(galleries, EncoderChoice(device="cpu"), pictures).unreadable == ()


def test_an_original_that_is_gone_still_keeps_it_from_taking_over(
    galleries: Galleries, toy: EncoderChoice, other: Path, pictures: Path
) -> None:
    indexed(galleries, toy, pictures)
    gone = pictures / "b/noise.png"
    data = gone.read_bytes()
    gone.write_bytes(png(noise(2)))
    report = started(galleries, other)
    assert [(each.uri, each.reason) for each in report.lacking if not each.refused] == [
        (str(gone), NOT_THERE)
    ]
    with pytest.raises(NotEmbedded, match=f"1 contents are not embedded by shifted yet, that of {gone}"):
        taken_over(galleries)
    gone.write_bytes(data)
    assert started(galleries, other).embedded == 1
    taken_over(galleries)


def test_any_place_of_a_content_that_still_holds_it_is_enough(
    galleries: Galleries, toy: EncoderChoice, other: Path, tmp_path: Path
) -> None:
    copies = write_folder(tmp_path / "copies", {f"{each:02}.png": plain("blue") for each in range(45)})
    write_folder(tmp_path / "alone", {"0.png": plain("lime")})
    shard = tmp_path / "zz.tar"
    with tarfile.open(shard, "w") as tar:
        for name in ("copies/00.png", "alone/0.png"):
            tar.add(tmp_path / name, Path(name).name)
    indexed(galleries, toy, copies, tmp_path / "alone", shard)
    for each in sorted(copies.glob("*.png"))[:-1]:
        each.unlink()
    (tmp_path / "alone" / "0.png").unlink()
    report = started(galleries, other)
    assert (report.embedded, report.lacking) == (2, ())


def test_a_file_whose_name_is_no_utf8_is_found_again(
    galleries: Galleries, toy: EncoderChoice, other: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    try:
        (folder / "caf\udce9.png").write_bytes(png(plain("blue")))
    except (OSError, UnicodeError):
        pytest.skip("this file system has only names in UTF-8")
    indexed(galleries, toy, folder)
    assert (started(galleries, other).embedded, started(galleries, other).lacking) == (1, ())


def test_a_file_that_a_decoder_cannot_take_costs_itself_alone(
    galleries: Galleries, toy: EncoderChoice, other: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    indexed(galleries, toy, pictures)
    hostile = (pictures / "b/noise.png").read_bytes()
    decoded = DecodingProcesses.decoded

    def dies_of_it(processes: DecodingProcesses, data: bytes) -> Decoded:
        if data == hostile:
            raise UnreadableImage("decoding it ends the decoder (SIGSEGV)")
        return decoded(processes, data)

    def not_here(*_: object, **__: object) -> None:
        raise AssertionError("what may be hostile is decoded in a process of its own")

    monkeypatch.setattr("indexer.backfill.decoded_here", not_here)
    monkeypatch.setattr(DecodingProcesses, "decoded", dies_of_it)
    report = started(galleries, other, settings=IndexingSettings(decoding_processes=1))
    reasons = {Path(each.uri).name: each.reason for each in report.lacking}
    assert reasons == {"red.png": NO_DIRECTION, "noise.png": "decoding it ends the decoder (SIGSEGV)"}
    taken_over(galleries)
    assert uris(galleries) == {"blue.png"}


def test_what_limits_forbid_now_is_refused_with_their_reason(
    galleries: Galleries, toy: EncoderChoice, other: Path, pictures: Path
) -> None:
    write_folder(pictures, {"a/large.png": noise(3, size=(200, 200))})
    indexed(galleries, toy, pictures)
    report = started(galleries, other, limits=ImageLimits(max_pixels=10_000))
    refused = {Path(each.uri).name: each.refused for each in report.lacking}
    assert refused == {"red.png": True, "large.png": True}
    assert started(galleries, other).successor.refused == 1, "it is tried again"


def test_a_source_that_is_gone_is_the_reason_for_what_is_lacking(
    galleries: Galleries, toy: EncoderChoice, other: Path, tmp_path: Path
) -> None:
    write_folder(tmp_path / "kept", {"0.png": plain("blue")})
    write_folder(tmp_path / "packed", {"1.png": plain("lime")})
    shards = []
    for name, packed in (("gone", "packed/1.png"), ("whole", "kept/0.png")):
        shards.append(tmp_path / f"{name}.tar")
        with tarfile.open(shards[-1], "w") as tar:
            tar.add(tmp_path / packed, Path(packed).name)
    indexed(galleries, toy, *shards)
    (tmp_path / "gone.tar").unlink()
    report = started(galleries, other)
    (lacking,) = report.lacking
    assert report.embedded == 1 and not lacking.refused
    assert f"{tmp_path / 'gone.tar'} could not be looked into" in lacking.reason
