"""Keys on the command line, and whom `serve` lets in."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone

import pytest

from tests.whyalike.conftest import Run

KEY = re.compile(r"wak_[0-9a-f]{10}_[A-Za-z0-9_-]{43}")


def test_a_key_is_shown_once_and_listed_without_what_opens_anything(run: Run) -> None:
    made = run("keys", "create", "shop front", "--scope", "write")
    key = made.stdout.strip()
    assert made.exit_code == 0 and KEY.fullmatch(key) and key not in made.stderr
    listed = run("keys", "list")
    assert "shop front" in listed.stdout and "write" in listed.stdout and key.split("_")[1] in listed.stdout
    assert key not in listed.stdout + run("keys", "list", "--json").stdout


def test_a_key_is_json_where_json_is_wanted(run: Run) -> None:
    made = json.loads(run("keys", "create", "nightly", "--expires", "12h", "--json").stdout)
    assert KEY.fullmatch(made["key"]) and (made["name"], made["scope"]) == ("nightly", "read")
    left = datetime.fromisoformat(made["expires_at"].replace("Z", "+00:00")) - datetime.now(timezone.utc)
    assert timedelta(hours=11.9) < left < timedelta(hours=12)
    (listed,) = json.loads(run("keys", "list", "--json").stdout)["keys"]
    assert listed["id"] == made["id"] and listed["revoked_at"] is None and listed["last_used_at"] is None


def test_a_key_is_revoked_after_a_question(run: Run) -> None:
    run("keys", "create", "shop")
    assert run("keys", "revoke", "shop").exit_code == 1  # nobody answered
    assert run("keys", "revoke", "shop", "--yes").exit_code == 0
    assert "revoked" in run("keys", "list").stdout
    again = run("keys", "revoke", "shop", "--yes")
    assert again.exit_code == 4 and "keys list" in again.stderr


@pytest.mark.parametrize("wrong", ["90", "d", "0d", "1y", "-1d", "1.5h"])
def test_a_time_that_is_none_is_refused(run: Run, wrong: str) -> None:
    refused = run("keys", "create", "shop", f"--expires={wrong}")
    assert refused.exit_code == 2 and "such as 90d" in refused.stderr


def test_without_keys_the_list_says_how_to_make_one(run: Run) -> None:
    assert "whyalike keys create NAME" in run("keys", "list").stderr


@pytest.mark.parametrize(("host", "proxies"), [("0.0.0.0", ""), ("::", ""), ("127.0.0.1", "10.0.0.1")])
def test_without_keys_nobody_is_served_but_this_machine(
    run: Run, monkeypatch: pytest.MonkeyPatch, host: str, proxies: str
) -> None:
    monkeypatch.setenv("WHYALIKE_SERVE__AUTHENTICATION", "off")
    monkeypatch.setenv("WHYALIKE_SERVE__TRUSTED_PROXIES", proxies)
    refused = run("serve", "--host", host, "--port", 0)
    assert refused.exit_code == 2
    assert "whyalike keys create" in refused.stderr and "127.0.0.1" in refused.stderr
