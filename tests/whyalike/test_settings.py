"""Settings: every one is documented, none is misread, nothing unknown is swallowed."""

import re
from pathlib import Path

import pytest

from whyalike.errors import BadSetting
from whyalike.settings import Settings, read_settings, variables

ROOT = Path(__file__).parents[2]
LINE = re.compile(r"^# (WHYALIKE_[A-Z_]+)=(.*)$", re.MULTILINE)


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in variables():
        monkeypatch.delenv(name, raising=False)


def test_the_example_file_has_every_setting_and_no_other() -> None:
    written = [name for name, _ in LINE.findall((ROOT / ".env.example").read_text())]
    assert written == list(variables())


def test_the_example_file_uncommented_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    untouched = read_settings()
    for name, value in LINE.findall((ROOT / ".env.example").read_text()):
        monkeypatch.setenv(name, value)
    assert read_settings() == untouched


def test_the_page_on_settings_has_every_setting() -> None:
    page = (ROOT / "docs" / "settings.md").read_text()
    assert re.findall(r"^\| `(WHYALIKE_[A-Z_]+)` \|", page, re.MULTILINE) == list(variables())


def test_nested_settings_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHYALIKE_INDEXING__BATCH_SIZE", "7")
    monkeypatch.setenv("WHYALIKE_SEARCH__MAX_K", "8")
    settings = read_settings()
    assert (settings.indexing.batch_size, settings.search.max_k) == (7, 8)


def test_an_unknown_setting_is_refused_with_the_one_that_was_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHYALIKE_INDEXING__BATCHSIZE", "7")
    with pytest.raises(BadSetting, match="did you mean WHYALIKE_INDEXING__BATCH_SIZE"):
        read_settings()


@pytest.mark.parametrize("group", ["WHYALIKE_LIMITS", "WHYALIKE_SEARCH__"])
def test_a_group_of_settings_is_no_setting(monkeypatch: pytest.MonkeyPatch, group: str) -> None:
    monkeypatch.setenv(group, "{}")
    with pytest.raises(BadSetting, match="is no setting"):
        read_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WHYALIKE_SERVE__PORT", "70000"),
        ("WHYALIKE_LIMITS__MAX_BYTES", "many"),
        ("WHYALIKE_INDEXING__BATCH_SIZE", "0"),
    ],
)
def test_a_value_that_is_not_allowed_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSetting, match=f"{name}='{value}': "):
        read_settings()


def test_the_home_is_absolute_and_knows_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHYALIKE_HOME", "~/pictures")
    assert read_settings().home == Path.home() / "pictures"


def test_the_database_lies_in_the_home_unless_a_url_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHYALIKE_HOME", "/home of mine")
    assert Settings().database == f"sqlite:///{Path('/home of mine').absolute() / 'whyalike.db'}"
    monkeypatch.setenv("WHYALIKE_DATABASE_URL", "postgresql+psycopg://host/name")
    assert Settings().database == "postgresql+psycopg://host/name"
