"""Judgements on the command line: listed, revoked, and exported as training reads them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gallery.judgements import Judgements
from siamese.images import ImageLimits
from tests.whyalike.conftest import Run
from whyalike.home import open_galleries
from whyalike.pair_files import read_pair_file
from whyalike.settings import read_settings

pytestmark = pytest.mark.usefixtures("each_database")


class Silent:
    """Progress that nobody sees."""

    def track(self, iterable, **_):  # type: ignore[no-untyped-def]
        return iterable

    def say(self, line: str) -> None:
        pass


def judged(pictures: Path, *pairs: tuple[str, str, bool]) -> None:
    """People judged these pairs."""
    galleries = open_galleries(read_settings())
    judgements = Judgements(galleries.site("colours"))
    build = galleries.open("colours")
    contents = {str(Path(each.uri).relative_to(pictures)): each.checksum for each in build}
    build.close()
    for first, second, right in pairs:
        judgements.judge(contents[first], contents[second], right=right, author="ada")


def test_what_was_judged_is_exported_as_training_reads_it(
    run: Run, gallery: str, pictures: Path, tmp_path: Path
) -> None:
    judged(pictures, ("red/white.png", "red/black.png", True), ("red/white.png", "blue/white.png", False))
    result = run("judgements", "export", gallery, tmp_path / "pairs.csv")
    assert result.exit_code == 0 and "2 judged pairs" in result.stderr
    read = read_pair_file(tmp_path / "pairs.csv", pictures, limits=ImageLimits(), progress=Silent())
    assert sorted(read.labelled.pairs.same.tolist()) == [False, True]


def test_a_judgement_is_listed_and_revoked(run: Run, gallery: str, pictures: Path) -> None:
    judged(pictures, ("red/white.png", "red/black.png", False))
    (told,) = json.loads(run("judgements", "list", gallery, "--json").stdout)["judgements"]
    assert (told["says"], told["author"], told["revoked_at"]) == ("wrong", "ada", None)
    answer = run("search", pictures / "red/white.png", "-k", 12)
    assert "1 left out because the pair was judged wrong" in answer.stdout
    assert run("judgements", "revoke", gallery, told["judgement_id"]).exit_code == 1  # nobody said yes
    assert run("judgements", "revoke", gallery, told["judgement_id"], "--yes").exit_code == 0
    assert "nobody has judged a pair" in run("judgements", "list", gallery).stdout
    assert "wrong" in run("judgements", "list", gallery, "--revoked").stdout
    assert run("judgements", "revoke", gallery, 99, "--yes").exit_code == 4
