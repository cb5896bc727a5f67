from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from gallery.access.key import SCOPES, Key, Scope, Secret, without_keys
from gallery.access.keys import Keys
from gallery.access.sessions import Sessions
from gallery.database import open_engine
from gallery.errors import InvalidKey, KeyNotFound
from tests.homes import database_of

pytestmark = pytest.mark.on_both
NOON = datetime(2026, 6, 1, 12, tzinfo=timezone.utc)
DAY = timedelta(days=1)


class Clock:
    now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def engine(make_home: Callable[[str], Path]) -> Iterator[Engine]:
    opened = open_engine(database_of(make_home("home")))
    yield opened
    opened.dispose()


def test_a_key_that_was_made_is_known_until_it_expires(engine: Engine) -> None:
    clock = Clock()
    keys = Keys(engine, clock=clock)
    made, secret = keys.create("shop", scope="write", expires_at=NOON + DAY)
    assert keys.find(secret) == made == keys.all()[0]
    clock.now = NOON + DAY
    assert keys.find(secret) is None


def test_nothing_that_is_stored_opens_anything(engine: Engine) -> None:
    keys, sessions = Keys(engine), Sessions(engine, lasts=DAY)
    made, secret = keys.create("shop", scope="read")
    token = sessions.open(made)
    with engine.connect() as connection:
        rows = [
            connection.execute(text("SELECT * FROM keys")).all(),
            connection.execute(text("SELECT * FROM sessions")).all(),
        ]
    assert secret.text not in str(rows) and secret.text[-20:] not in str(rows) and token not in str(rows)
    assert secret.text not in repr(secret)


def test_another_secret_under_the_same_id_opens_nothing(engine: Engine) -> None:
    keys = Keys(engine)
    _, secret = keys.create("shop", scope="read")
    forged = Secret.read(secret.text[:-1] + ("A" if secret.text[-1] != "A" else "B"))
    assert forged and forged.public_id == secret.public_id
    assert keys.find(forged) is None
    assert keys.find(Secret.new()) is None


def test_a_revoked_key_and_its_sessions_open_nothing_and_it_stays_listed(engine: Engine) -> None:
    keys, sessions = Keys(engine), Sessions(engine, lasts=DAY)
    made, secret = keys.create("shop", scope="read")
    token = sessions.open(made)
    assert sessions.find(token) == made
    keys.revoke(made.public_id)
    assert keys.find(secret) is None and sessions.find(token) is None
    assert [each.revoked_at is not None for each in keys.all()] == [True]
    with pytest.raises(KeyNotFound, match="whyalike keys list"):
        keys.revoke(made.public_id)


def test_a_key_is_revoked_by_its_name_if_only_one_has_it(engine: Engine) -> None:
    keys = Keys(engine)
    first, _ = keys.create("shop", scope="read")
    second, _ = keys.create("shop", scope="read")
    with pytest.raises(KeyNotFound, match=f"{first.public_id}, {second.public_id}"):
        keys.revoke("shop")
    keys.revoke(first.public_id)
    assert keys.revoke("shop") == second


def test_a_session_ends_by_itself_when_told_and_with_its_key(engine: Engine) -> None:
    clock = Clock()
    keys, sessions = Keys(engine, clock=clock), Sessions(engine, lasts=2 * DAY, clock=clock)
    lasting, _ = keys.create("lasting", scope="read")
    brief, _ = keys.create("brief", scope="read", expires_at=NOON + DAY)
    told, overdue, of_brief = sessions.open(lasting), sessions.open(lasting), sessions.open(brief)
    sessions.close(told)
    assert sessions.find(told) is None and sessions.find("guessed") is None
    clock.now = NOON + DAY
    assert sessions.find(of_brief) is None and sessions.find(overdue) == lasting
    clock.now = NOON + 2 * DAY
    assert sessions.find(overdue) is None
    sessions.open(lasting)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM sessions")) == 1


def test_the_last_use_is_remembered(engine: Engine) -> None:
    keys = Keys(engine)
    made, _ = keys.create("shop", scope="read")
    keys.used({made.key_id: NOON})
    assert keys.all()[0].last_used_at == NOON


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "two\nlines"])
def test_a_key_without_a_sensible_name_is_refused(engine: Engine, name: str) -> None:
    with pytest.raises(InvalidKey, match="name of 1 to 100"):
        Keys(engine).create(name, scope="read")


def test_a_key_that_would_be_over_at_once_is_refused(engine: Engine) -> None:
    with pytest.raises(InvalidKey, match="in the future"):
        Keys(engine, clock=Clock()).create("shop", scope="read", expires_at=NOON)


@given(held=st.sampled_from(SCOPES), wanted=st.sampled_from(SCOPES))
def test_each_scope_holds_those_before_it(held: Scope, wanted: Scope) -> None:
    key = Key(1, "id", "name", held, NOON)
    assert key.allows(wanted) == (SCOPES.index(held) >= SCOPES.index(wanted))


@given(before=st.text(), after=st.text(alphabet=" .,;\n"))
def test_no_key_stays_in_a_text_that_is_told(before: str, after: str) -> None:
    secret = Secret.new()
    assert secret.text[-30:] not in without_keys(f"{before}{secret.text}{after}")


@given(st.text())
def test_what_is_no_key_is_not_read_as_one(words: str) -> None:
    assert Secret.read(words) is None
