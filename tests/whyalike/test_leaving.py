"""How the command line leaves: exit codes, one sentence, no tracebacks, a clean stdout."""

from __future__ import annotations

import inspect
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import gallery.errors
import indexer.errors
import search_api.errors
import siamese.errors
import whyalike.settings
from tests.toys import noise, write_folder
from tests.whyalike.conftest import Run
from whyalike.errors import EXIT_CODES, exit_code, is_foreseen, sentence

PACKAGES = (gallery.errors, indexer.errors, search_api.errors, siamese.errors)


def is_one_sentence(text: str) -> bool:
    return text.startswith("Error: ") and text.endswith(".\n") and text.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("search", "{tmp}/nothing.png"), 4),
        (("search", "{tmp}/broken.png"), 3),
        (("search", "{tmp}"), 3),
        (("search", "{picture}", "--gallery", "nothing"), 4),
        (("search", "{picture}", "--label", "mauve"), 4),
        (("compare", "{picture}", "{tmp}/nothing.png"), 4),
        (("compare", "{picture}", "{picture}", "--checkpoint", "{tmp}/nothing"), 4),
        (("compare", "{picture}", "{picture}", "--checkpoint", "{checkpoint}", "--gallery", "colours"), 2),
        (("index", "{tmp}/nothing"), 4),
        (("index", "{pictures}", "--gallery", "../up"), 2),
        (("index", "{pictures}", "--gallery", "new", "--checkpoint", "{tmp}/nothing"), 4),
        (("index", "{pictures}", "--gallery", "new", "--checkpoint", "{checkpoint}", "--body", "small"), 2),
        (("index", "{pictures}", "--gallery", "new", "--body", "nobody", "--weights", "none"), 2),
        (("index", "{pictures}", "--gallery", "new", "--weights", "{tmp}/nothing.pth"), 4),
        (("index", "{empty}", "--gallery", "new", "--checkpoint", "{checkpoint}"), 3),
        (("index", "{pictures}", "--gallery", "colours", "--body", "resnet18"), 3),
        (("evaluate",), 2),
        (("evaluate", "{checkpoint}"), 2),
        (("evaluate", "{checkpoint}", "{pictures}", "--body", "small"), 2),
        (("evaluate", "{tmp}/nothing", "{pictures}"), 4),
        (("evaluate", "{checkpoint}", "{empty}"), 3),
        (("evaluate", "{checkpoint}", "{tmp}/nothing"), 4),
        (("evaluate", "{checkpoint}", "{pictures}", "--device", "cuda:99"), 4),
        (("train", "{pictures}", "--out", "{tmp}/out", "--loss", "nothing"), 2),
        (("train", "{pictures}", "--out", "{tmp}/out", "--trainable", "some"), 2),
        (("train", "{pictures}", "--out", "{tmp}/out", "--val", "{pictures}", "--split", "paper"), 2),
        (("train", "{pictures}", "--out", "{tmp}/out", "--split", "paper", "--split-seed", "1"), 2),
        (("train", "{pictures}/red", "--out", "{tmp}/out", "--body", "small"), 3),
        (("train", "{pictures}", "--out", "{tmp}/out", "--body", "small", "--resume"), 4),
        (("serve", "--host", "256.256.256.256"), 2),
    ],
)
def test_a_foreseen_error_is_one_sentence_and_its_exit_code(
    run: Run,
    gallery: str,
    pictures: Path,
    checkpoint: Path,
    tmp_path: Path,
    arguments: tuple[str, ...],
    code: int,
) -> None:
    (tmp_path / "broken.png").write_bytes(b"no picture")
    (tmp_path / "empty").mkdir()
    places = {
        "tmp": tmp_path,
        "empty": tmp_path / "empty",
        "pictures": pictures,
        "picture": pictures / "red" / "white.png",
        "checkpoint": checkpoint,
    }
    result = run(*(argument.format(**places) for argument in arguments))
    errors = [line for line in result.stderr.splitlines(keepends=True) if line.startswith("Error: ")]
    assert (result.exit_code, len(errors), result.stdout) == (code, 1, ""), result.stderr
    assert is_one_sentence(errors[0]) and "unforeseen" not in errors[0] and "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "arguments", [("search",), ("search", "a", "-k", "0"), ("nothing",), ("serve", "--port", "x")]
)
def test_a_command_line_that_is_not_understood_is_exit_code_2(run: Run, arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")


def test_the_name_of_a_broken_picture_is_in_the_sentence(run: Run, gallery: str, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no picture")
    assert f"{tmp_path / 'broken.png'}: it is no picture" in run("search", tmp_path / "broken.png").stderr


def test_an_unknown_setting_is_wrong_usage(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHYALIKE_HOEM", "/tmp")
    result = run("galleries")
    assert result.exit_code == 2 and "did you mean WHYALIKE_HOME?" in result.stderr


def test_a_database_that_cannot_be_opened_is_not_found(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WHYALIKE_DATABASE_URL", f"sqlite:///{tmp_path}")  # a folder
    result = run("galleries")
    assert result.exit_code == 4 and is_one_sentence(result.stderr)


def test_a_password_of_the_database_is_never_printed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlalchemy.exc import OperationalError

    def refused(url: str) -> None:
        raise OperationalError("connect", {}, Exception("refused"))

    monkeypatch.setattr("whyalike.home.is_current", refused)
    monkeypatch.setenv("WHYALIKE_DATABASE_URL", "postgresql+psycopg://me:secret@localhost/none")
    result = run("galleries")
    assert result.exit_code == 4 and "secret" not in result.stderr and "localhost" in result.stderr


@pytest.mark.parametrize("url", ["nonsense", "nosuch://host/name"])
def test_a_url_that_names_no_database_is_wrong_usage(
    run: Run, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("WHYALIKE_DATABASE_URL", url)
    result = run("galleries")
    assert result.exit_code == 2 and is_one_sentence(result.stderr)


def test_a_gallery_that_somebody_else_writes_is_busy(run: Run, pictures: Path, checkpoint: Path) -> None:
    from whyalike.home import open_galleries
    from whyalike.settings import read_settings

    with open_galleries(read_settings()).writer("colours"):
        result = run("index", pictures, "--gallery", "colours", "--checkpoint", checkpoint)
    assert result.exit_code == 5 and is_one_sentence(result.stderr)


def test_a_database_that_another_process_writes_to_can_be_read(
    run: Run, gallery: str, home: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gallery.database.BUSY_TIMEOUT_MS", 100)
    picture = pictures / "red" / "white.png"
    with closing(sqlite3.connect(home / "whyalike.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for verb in (("galleries",), ("search", picture), ("compare", picture, picture)):
            result = run(*verb)
            assert result.exit_code == 0, result.stderr
        result = run("index", pictures, "--gallery", gallery)
    assert result.exit_code == 5 and is_one_sentence(result.stderr) and "unforeseen" not in result.stderr


@pytest.mark.parametrize("verb", ["galleries", "migrate"])
def test_a_database_of_a_newer_version_is_refused_as_such(
    run: Run, home: Path, gallery: str, verb: str
) -> None:
    with closing(sqlite3.connect(home / "whyalike.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    result = run(verb)
    assert result.exit_code == 3 and is_one_sentence(result.stderr) and "newer WhyAlike" in result.stderr


def fail_with(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing() -> None:
        raise error

    monkeypatch.setattr(whyalike.settings, "read_settings", failing)


def test_an_unforeseen_error_is_one_sentence_that_says_how_to_report_it(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_with(KeyError("x"), monkeypatch)
    result = run("galleries")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "unforeseen KeyError" in result.stderr and "report" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("way", ["option", "variable"])
def test_debug_shows_the_traceback(run: Run, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    fail_with(KeyError("x"), monkeypatch)
    if way == "variable":
        monkeypatch.setenv("WHYALIKE_DEBUG", "1")
    result = run("galleries") if way == "variable" else run("--debug", "galleries")
    assert result.exit_code == 1 and "Traceback" in result.stderr


def test_an_interruption_is_130(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(KeyboardInterrupt(), monkeypatch)
    result = run("galleries")
    assert (result.exit_code, result.stderr) == (130, "Interrupted.\n")


def test_every_error_of_every_package_is_foreseen() -> None:
    for package in PACKAGES:
        for _, kind in inspect.getmembers(package, inspect.isclass):
            if issubclass(kind, Exception) and kind.__module__ == package.__name__:
                assert any(base in EXIT_CODES for base in kind.__mro__), kind


def test_an_error_of_the_system_is_told_by_file_and_reason() -> None:
    assert sentence(PermissionError(13, "Permission denied", "/a")) == "Error: /a: Permission denied."
    assert exit_code(PermissionError()) == 1 and not is_foreseen(KeyError())


def test_the_page_on_the_command_line_has_every_exit_code() -> None:
    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
    codes = {int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)}
    assert codes == {0, *EXIT_CODES.values(), 130, 141, 143}


def test_an_empty_gallery_answers_with_no_match(run: Run, checkpoint: Path, tmp_path: Path) -> None:
    root = write_folder(tmp_path / "data", {"a/1.png": noise(1)})
    query = write_folder(tmp_path / "ask", {"2.png": noise(2)}) / "2.png"
    run("index", root, "--checkpoint", checkpoint)
    (root / "a" / "1.png").unlink()
    run("index", root, "--allow-empty")
    result = run("search", query, "--evidence", tmp_path / "evidence")
    assert result.exit_code == 0, result.stderr
