"""gallery list, show, rollback, backup, restore and delete: what they print, ask and refuse."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from tests.toys import mean_colour_checkpoint, noise, write_folder
from tests.whyalike.conftest import Run
from whyalike.home import open_galleries
from whyalike.settings import read_settings

pytestmark = pytest.mark.usefixtures("each_database")


@pytest.fixture
def changed(run: Run, gallery: str, pictures: Path, tmp_path: Path, checkpoint: Path) -> str:
    """A second build, with more pictures from another folder."""
    more = write_folder(tmp_path / "more", {"grey/1.png": noise(1)})
    assert run("index", more, "--gallery", gallery).exit_code == 0
    return gallery


def test_list_is_what_galleries_says(run: Run, gallery: str) -> None:
    assert run("gallery", "list", "--json").stdout == run("galleries", "--json").stdout
    assert gallery in run("gallery", "list").stdout


def test_show_has_the_builds_of_a_gallery_newest_first(run: Run, changed: str, pictures: Path) -> None:
    shown = json.loads(run("gallery", "show", changed, "--json").stdout)
    assert [(each["build"], each["images"], each["published"]) for each in shown["builds"]] == [
        (2, 13, True),
        (1, 12, False),
    ]
    assert str(pictures) in shown["sources"]
    assert shown["builds"][0]["bytes"] == shown["bytes"] > shown["builds"][1]["bytes"] > 0
    assert "mean-colour" in run("gallery", "show", changed).stdout


def test_show_lists_the_images_of_an_old_build(run: Run, changed: str, pictures: Path) -> None:
    shown = json.loads(run("gallery", "show", changed, "--build", 1, "--images", "--json").stdout)
    assert shown["labels"] == {"blue": 4, "lime": 4, "red": 4}
    assert {each["uri"] for each in shown["images"]} == {str(path) for path in pictures.glob("*/*.png")}
    assert "red (4)" in run("gallery", "show", changed, "--build", 1).stdout
    assert "white.png" in run("gallery", "show", changed, "--build", 1, "--images").stdout


def test_rollback_publishes_the_state_before(run: Run, changed: str, pictures: Path) -> None:
    report = json.loads(run("gallery", "rollback", changed, "--json").stdout)
    assert (report["build"], report["state_of"], report["images"], report["withdrawn"]) == (3, 1, 12, 1)
    assert json.loads(run("search", pictures / "red" / "white.png", "--json").stdout)["build"] == 3
    assert "has the state of build 2" in run("gallery", "rollback", changed, "--build", 2).stdout


REFUSED = (
    (("show", "nobody"), 4, "There is no gallery 'nobody'"),
    (("show", "colours", "--build", 9), 4, "keeps no build 9; it has 1"),
    (("show", "colours", "--images"), 2, "name it with --build N"),
    (("rollback", "colours"), 2, "is the published one"),
    (("rollback", "colours", "--build", 4), 4, "keeps no build 4"),
)


def test_what_is_not_there_is_refused(run: Run, gallery: str) -> None:
    for arguments, code, words in REFUSED:
        result = run("gallery", *arguments)
        assert (result.exit_code, words in result.stderr) == (code, True), result.stderr


def test_a_gallery_that_was_begun_is_told(run: Run) -> None:
    run("migrate")
    open_galleries(read_settings()).create("begun")
    listed = run("gallery", "list")
    assert listed.exit_code == 0
    assert "not published yet: begun" in listed.stderr


def test_a_gallery_is_backed_up_deleted_and_restored(
    run: Run, changed: str, pictures: Path, tmp_path: Path
) -> None:
    shown = run("gallery", "show", changed, "--build", 2, "--images", "--json").stdout
    backup = tmp_path / "colours.tar"
    report = json.loads(run("gallery", "backup", changed, backup, "--json").stdout)
    assert (report["builds"], report["images"], report["bytes"]) == ([1, 2], 13, backup.stat().st_size)
    assert run("gallery", "delete", changed, "--yes").exit_code == 0
    assert json.loads(run("galleries", "--json").stdout)["galleries"] == []
    restored = run("gallery", "restore", backup)
    assert "colours: build 2, published, 13 images" in restored.stdout
    again = json.loads(run("gallery", "show", changed, "--build", 2, "--images", "--json").stdout)
    assert again["images"] == json.loads(shown)["images"]
    copy = json.loads(run("gallery", "restore", backup, "--as", "copy", "--json").stdout)
    assert (copy["gallery"], copy["ids_kept"]) == ("copy", False)
    found = run("search", pictures / "red" / "white.png", "--gallery", "copy", "-k", 1, "--json")
    assert json.loads(found.stdout)["matches"][0]["distance"] == 0.0


def test_deleting_asks_first(run: Run, gallery: str) -> None:
    refused = run("gallery", "delete", gallery)
    assert refused.exit_code == 1 and "Delete the gallery colours" in refused.stderr
    assert gallery in run("galleries").stdout


def test_the_pictures_of_a_deleted_gallery_stay(run: Run, gallery: str, pictures: Path) -> None:
    before = sorted(pictures.rglob("*"))
    assert run("gallery", "delete", gallery, "--yes").exit_code == 0
    assert sorted(pictures.rglob("*")) == before


def test_a_backup_is_refused_where_it_cannot_be_restored(run: Run, gallery: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.tar"
    broken.write_bytes(b"no tar")
    assert run("gallery", "restore", broken).exit_code == 3
    missing = run("gallery", "restore", tmp_path / "missing.tar")
    assert missing.exit_code == 4 and "there is no backup; name a file" in missing.stderr
    assert run("gallery", "backup", gallery, broken).exit_code == 2
    assert broken.read_bytes() == b"no tar"
    whole = tmp_path / "whole.tar"
    run("gallery", "backup", gallery, whole)
    taken = run("gallery", "restore", whole)
    assert (taken.exit_code, "with --as" in taken.stderr) == (2, True)


def test_verify_proves_that_a_gallery_is_whole(run: Run, changed: str) -> None:
    result = run("gallery", "verify", changed, "--originals")
    assert result.exit_code == 0, result.stdout
    assert "colours: build 2, whole" in result.stdout
    assert "13 = 13 live + 0 unreadable" in result.stdout
    assert "13 = 13 embeddings = 13 local embeddings = 13 thumbnails" in result.stdout
    assert "13 = 13 contents + 0 tombstones" in result.stdout
    assert json.loads(run("gallery", "verify", changed, "--json").stdout)["clean"] is True


@pytest.mark.parametrize("lost", ["segments/*/thumbnails.bin", "encoders/*/*/weights-*.safetensors"])
def test_verify_fails_where_a_byte_has_changed(run: Run, gallery: str, home: Path, lost: str) -> None:
    (path,) = (home / "galleries" / gallery).glob(lost)
    data = bytearray(path.read_bytes())
    data[-9] ^= 4
    path.write_bytes(data)
    result = run("gallery", "verify", gallery)
    assert (result.exit_code, "1 fault\n" in result.stdout) == (1, True)
    found = json.loads(run("gallery", "verify", gallery, "--json").stdout)
    assert found["clean"] is False and str(home) in found["findings"][0]["subject"]


def test_repair_embeds_what_was_lost_again(run: Run, changed: str, home: Path, pictures: Path) -> None:
    lost = sorted((home / "galleries" / changed).glob("segments/*/embeddings.npy"))[0]
    lost.write_bytes(lost.read_bytes()[:-4])
    assert run("search", pictures / "red" / "white.png").exit_code == 1
    marked = run("gallery", "repair", changed, "--no-index", "--json")
    assert marked.exit_code == 1
    report = json.loads(run("gallery", "repair", changed, "--json").stdout)
    assert report["indexed"]["embedded"] == report["mended"]["to_embed"] in (1, 12)
    assert report["left"]["clean"] is True
    assert run("gallery", "verify", changed).exit_code == 0
    assert json.loads(run("search", pictures / "red" / "white.png", "--json").stdout)["build"] == 3
    assert "0 damaged segments" in run("gallery", "repair", changed).stdout


def test_compact_with_a_kind_that_there_is_not_folds_nothing(run: Run, changed: str) -> None:
    before = run("gallery", "show", changed, "--json").stdout
    refused = run("gallery", "compact", changed, "--index", "nonsense")
    assert refused.exit_code == 2 and "'nonsense' is neither" in refused.stderr
    assert run("gallery", "show", changed, "--json").stdout == before


def test_compact_folds_segments_and_changes_no_answer(run: Run, changed: str, pictures: Path) -> None:
    ask = ("search", pictures / "red" / "white.png", "--json")
    before = json.loads(run(*ask).stdout)
    report = json.loads(run("gallery", "compact", changed, "--json").stdout)
    assert (report["build"], report["folded"], report["made"], report["copied"]) == (3, 2, 1, 13)
    after = json.loads(run(*ask).stdout)
    assert (after["build"], after["matches"]) == (3, before["matches"])
    assert run("gallery", "verify", changed).exit_code == 0
    assert "nothing to fold" in run("gallery", "compact", changed).stdout


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Another mean-colour encoder: its local embeddings are shifted."""
    return mean_colour_checkpoint(tmp_path / "other", bias=(0.5, 0.0, 0.0), name="shifted")


def test_an_encoder_is_swapped_compared_and_gone_back_from(
    run: Run, changed: str, other: Path, pictures: Path, tmp_path: Path
) -> None:
    ask = ("search", pictures / "red" / "white.png", "--json")
    report = json.loads(run("gallery", "swap", "start", changed, "--checkpoint", other, "--json").stdout)
    assert (report["embedded"], report["lacking"], report["successor"]["embedded"]) == (13, [], 13)
    assert json.loads(run(*ask).stdout)["encoder"]["name"] == "mean-colour"
    page = tmp_path / "swap.html"
    found = json.loads(run("gallery", "swap", "compare", changed, "--page", page, "--json").stdout)
    assert found["before"]["name"] == "mean-colour" and found["after"]["name"] == "shifted"
    assert 0 <= found["overlap"]["mean"] <= 1
    assert "What another encoder changes" in page.read_text()
    assert "asked of both encoders" in run("gallery", "swap", "compare", changed, "-k", 3).stdout
    assert "shifted" in run("gallery", "swap", "activate", changed).stdout
    answer = json.loads(run(*ask).stdout)
    assert (answer["encoder"]["name"], answer["matches"][0]["distance"]) == ("shifted", 0.0)
    assert run("gallery", "verify", changed).exit_code == 0
    run("gallery", "rollback", changed)
    assert json.loads(run(*ask).stdout)["encoder"]["name"] == "mean-colour"


def test_a_swap_says_what_it_cannot_embed(run: Run, changed: str, other: Path, tmp_path: Path) -> None:
    (tmp_path / "more" / "grey" / "1.png").unlink()
    result = run("gallery", "swap", "start", changed, "--checkpoint", other)
    assert result.exit_code == 1
    assert "1.png: no file of it holds the bytes that were indexed" in result.stderr
    assert run("gallery", "swap", "activate", changed).exit_code == 1
    run("index", tmp_path / "more", "--gallery", changed, "--allow-empty")
    assert run("gallery", "swap", "activate", changed).exit_code == 0


def test_a_swap_is_abandoned(run: Run, gallery: str, other: Path) -> None:
    run("gallery", "swap", "start", gallery, "--checkpoint", other)
    refused = run("gallery", "swap", "abandon", gallery)
    assert refused.exit_code == 1 and "nobody said yes; where nobody can, pass --yes" in refused.stderr
    assert run("gallery", "swap", "abandon", gallery, "--yes").exit_code == 0
    assert run("gallery", "swap", "activate", gallery).exit_code == 4


def test_an_older_build_is_searched(run: Run, changed: str, pictures: Path, tmp_path: Path) -> None:
    ask = ("search", tmp_path / "more" / "grey" / "1.png", "-k", 1, "--json")
    now = json.loads(run(*ask).stdout)
    before = json.loads(run(*ask, "--build", 1).stdout)
    assert (now["build"], now["matches"][0]["distance"]) == (2, 0.0)
    assert before["build"] == 1 and before["matches"][0]["label"] != "grey"
    assert run(*ask, "--build", 9).exit_code == 4


def test_a_swap_embeds_what_lies_in_a_shard(
    run: Run, pictures: Path, checkpoint: Path, other: Path, tmp_path: Path
) -> None:
    shard = tmp_path / "shard.tar"
    with tarfile.open(shard, "w") as tar:
        for number, path in enumerate(sorted(pictures.glob("red/*.png"))):
            tar.add(path, f"{number:03}.png")
    assert run("index", shard, "--gallery", "shards", "--checkpoint", checkpoint).exit_code == 0
    report = json.loads(run("gallery", "swap", "start", "shards", "--checkpoint", other, "--json").stdout)
    assert (report["embedded"], report["lacking"]) == (4, [])
    assert run("gallery", "swap", "activate", "shards").exit_code == 0
    found = json.loads(run("gallery", "verify", "shards", "--originals", "--json").stdout)
    assert found["clean"] and {each["is_fault"] for each in found["findings"]} == {False}
