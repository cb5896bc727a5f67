"""Pairs as a CSV file: what is read, what is refused, and training from it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

from siamese.checkpoint import load_record
from siamese.errors import UnusableData
from siamese.images import DEFAULT_LIMITS
from siamese.progress import Silent
from tests.toys import mosaic, plain, png, write_folder
from tests.whyalike.conftest import Run
from whyalike.pair_files import PairFile, read_pair_file, write_pair_file

QUICK = ("--body", "small", "--image-size", 16, "--dimension", 8, "--epochs", 2, "--device", "cpu")
PAGE = Path(__file__).parents[2] / "docs" / "pairs.md"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Twelve different pictures of each of two colours."""
    pictures = {
        f"{colour}/{number:02}.png": mosaic([[colour, colour], [colour, f"rgb({20 * number},99,99)"]], cell=8)
        for colour in ("red", "blue")
        for number in range(12)
    }
    return write_folder(tmp_path / "data", pictures)


def table(folder: Path, *lines: str, header: str = "first,second,same") -> Path:
    path = folder / "pairs.csv"
    path.write_text("\n".join((header, *lines)) + "\n")
    return path


def read(path: Path, root: Path) -> PairFile:
    return read_pair_file(path, root, limits=DEFAULT_LIMITS, progress=Silent())


def judgements(file: PairFile) -> set[tuple[frozenset[str], bool]]:
    samples, pairs = file.labelled.samples, file.labelled.pairs
    return {
        (frozenset((samples[q].uri, samples[r].uri)), bool(same))
        for q, r, same in zip(pairs.queries, pairs.references, pairs.same, strict=True)
    }


@pytest.mark.parametrize(
    ("same", "different"), [("1", "0"), ("true", "false"), ("same", "different"), ("Same", " FALSE ")]
)
def test_same_and_different_may_be_said_in_several_words(data: Path, same: str, different: str) -> None:
    file = read(table(data, f"red/00.png,red/01.png,{same}", f"red/00.png,blue/00.png,{different}"), data)
    assert judgements(file) == {
        (frozenset(("red/00.png", "red/01.png")), True),
        (frozenset(("red/00.png", "blue/00.png")), False),
    }


def test_absolute_paths_other_columns_and_a_byte_order_mark_are_taken(data: Path, tmp_path: Path) -> None:
    elsewhere = write_folder(tmp_path / "new", {"scan.png": plain("red")}) / "scan.png"
    path = data / "pairs.csv"
    header, rows = "who,first,second,same", (f"a,red/00.png,{elsewhere},1", "b,red/00.png,blue/00.png,0")
    path.write_text("\n".join((header, *rows)), encoding="utf-8-sig")
    assert (frozenset(("red/00.png", str(elsewhere))), True) in judgements(read(path, data))


def test_what_is_written_is_read_again(data: Path) -> None:
    rows = [("red/00.png", "red/01.png", True), ("red/00.png", "blue/00.png", False)]
    write_pair_file(data / "pairs.csv", rows)
    assert judgements(read(data / "pairs.csv", data)) == {(frozenset(row[:2]), row[2]) for row in rows}


def test_an_older_file_stays_until_the_new_one_is_whole(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = data / "pairs.csv"
    write_pair_file(path, [("red/00.png", "red/01.png", True)])
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="full"):
        write_pair_file(path, [("red/00.png", "blue/00.png", False)])
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("header", "lines", "said"),
    [
        ("first,second", [], "no column same: its first line must be first,second,same, and is first,second"),
        ("", [], "no column first, second, same: .* and is empty"),
        (
            "first,second,same",
            ["red/00.png,red/01.png,maybe"],
            "line 2: same is 'maybe', and must be one of 1",
        ),
        ("first,second,same", ["red/00.png,,1"], "line 2: a pair needs two paths"),
        ("first,second,same", ["red/00.png"], "line 2: a pair needs two paths"),
        (
            "first,second,same",
            ["red/00.png,red/gone.png,1", "lost.png,red/00.png,0"],
            r"2 of the 3 images .* do not exist, such as .*red/gone\.png",
        ),
        ("first,second,same", ["red/00.png,red/01.png,1"], "1 same and 0 different pairs"),
        ("first,second,same", [], "0 same and 0 different pairs"),
    ],
)
def test_a_table_that_nothing_can_be_learned_from_is_refused_in_a_sentence(
    data: Path, header: str, lines: list[str], said: str
) -> None:
    with pytest.raises(UnusableData, match=said):
        read(table(data, *lines, header=header), data)


def test_what_is_no_text_is_refused_in_a_sentence(data: Path) -> None:
    path = data / "pairs.csv"
    path.write_bytes(png(plain("red")))
    with pytest.raises(UnusableData, match="no CSV file in UTF-8"):
        read(path, data)


def test_pairs_of_own_bytes_contradictions_and_unreadable_images_are_left_out(data: Path) -> None:
    (data / "red" / "copy.png").write_bytes((data / "red" / "00.png").read_bytes())
    (data / "red" / "empty.png").write_bytes(b"")
    file = read(
        table(
            data,
            "red/00.png,red/copy.png,1",
            "red/01.png,red/02.png,1",
            "red/02.png,red/01.png,0",
            "red/03.png,red/empty.png,1",
            "red/03.png,red/04.png,1",
            "red/03.png,blue/04.png,0",
        ),
        data,
    )
    assert (file.labelled.itself, file.labelled.contradicted, len(file.labelled.pairs)) == (1, 2, 2)
    assert [uri for uri, _ in file.unreadable] == ["red/empty.png"]


def every_pair(data: Path) -> Path:
    names = sorted(path.relative_to(data).as_posix() for path in data.rglob("*.png"))
    rows = [(a, b, a.split("/")[0] == b.split("/")[0]) for i, a in enumerate(names) for b in names[:i]]
    write_pair_file(data.parent / "pairs.csv", rows)
    return data.parent / "pairs.csv"


def test_an_encoder_is_trained_from_pairs_and_says_how_many_were_lost(
    run: Run, data: Path, tmp_path: Path
) -> None:
    out, pairs = tmp_path / "encoder", every_pair(data)
    result = run("train", data, "--pairs", pairs, "--out", out, "--validation-share", 0.25, *QUICK)
    assert result.exit_code == 0, result.stderr
    record = load_record(out)
    assert record.name == "small-contrastive-8" and record.split and record.split["kind"] == "pairs"
    lost = record.split["pairs"]["lost"]
    assert record.split["test"] == [], "nothing would judge it"
    assert re.search(
        rf"pairs +train \d+, validation \d+, test \d+, left out between parts {lost}", result.stdout
    )
    assert f"{lost} of 276 pairs were left out" in result.stderr
    assert re.search(r"validation +pair AUC \d\.\d+", result.stdout)
    with Image.open(out / "curves.png") as curves:
        assert curves.width > 100


def test_the_small_network_of_ones_own_learns_by_the_margin_of_the_paper(
    run: Run, data: Path, tmp_path: Path
) -> None:
    chosen = ("--weights", "none", "--loss", "contrastive-paper", "--margin", 2, *QUICK)
    for number, given in enumerate((("--pairs", every_pair(data)), ("--class-head", 0))):
        out = tmp_path / f"encoder{number}"
        result = run("train", data, "--out", out, *given, *chosen)
        assert result.exit_code == 0, result.stderr
        config = (load_record(out).training or {})["config"]
        assert (config["loss"], config["margin"], config["class_head"]) == ("contrastive-paper", 2.0, 0.0)


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--loss", "supcon"), 3, "the loss supcon needs a label of every image"),
        (("--class-head", 1), 3, "a class head"),
        (("--split", "paper"), 2, "leave out --split"),
        (("--hold-out-labels", "red"), 2, "leave out --hold-out-labels"),
    ],
)
def test_what_needs_labels_is_refused_with_pairs(
    run: Run, data: Path, tmp_path: Path, options: tuple[object, ...], code: int, said: str
) -> None:
    result = run("train", data, "--pairs", every_pair(data), "--out", tmp_path / "out", *QUICK, *options)
    assert result.exit_code == code and said in result.stderr


def test_the_page_writes_pairs_that_can_be_read(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert code
    monkeypatch.chdir(data.parent)
    exec(code[1].replace('"DATA"', '"data"'), {})
    file = read(data.parent / "pairs.csv", data)
    assert len(file.labelled.pairs) == 276 and not file.unreadable
