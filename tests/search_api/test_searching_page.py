"""The page on searching says nothing that does not work: its commands and its Python are run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from search_api.asked_search import AskedSearch
from search_api.matches.choosing import Choice
from search_api.matches.ranking import Wish
from search_api.queries.subjects import Upload
from tests.search_api.conftest import HALF_RED, Workshop
from tests.toys import mosaic, plain, png

PAGE = (Path(__file__).parents[2] / "docs/searching.md").read_text()
COMMAND = re.compile(r"^    (curl (?:[^\n]*\\\n)*[^\n]*)$", re.MULTILINE)
PICTURES = {
    "tulip.jpg": png(HALF_RED),
    "red-shoe.jpg": png(plain("red")),
    "sandal.jpg": png(mosaic([["blue", "lime"]])),
    "a.jpg": png(plain("red")),
    "b.jpg": png(plain("blue")),
}
COMMANDS = [each.replace("\\\n", " ") for each in COMMAND.findall(PAGE)]


@pytest.fixture
def client(workshop: Workshop) -> TestClient:
    workshop.publish()
    return workshop.client()


def sent_by(client: TestClient, command: str) -> Any:
    """What the service answers to a curl command of the page."""
    words = shlex.split(command)[1:]
    files: list[tuple[str, tuple[str, bytes]]] = []
    form: dict[str, list[str]] = {}
    options: dict[str, Any] = {}
    method, path = "POST", ""
    while words:
        word = words.pop(0)
        if word == "-F":
            name, _, value = words.pop(0).partition("=")
            if value.startswith("@"):
                files.append((name, (value[1:], PICTURES[value[1:]])))
            else:
                form.setdefault(name, []).append(value)
        elif word == "-X":
            method = words.pop(0)
        elif word == "-o":  # what is not sent anything is looked at
            words.pop(0)
            method = "GET"
        elif word == "-d":
            options["content"] = words.pop(0).encode()
        elif word == "-H":
            name, _, value = words.pop(0).partition(": ")
            options["headers"] = {name: value}
        else:
            path = word.removeprefix("http://127.0.0.1:8000")
    if files:
        options["files"] = files
    if form:
        options["data"] = form
    return client.request(method, path, **options)


def test_every_command_of_the_page_is_answered(client: TestClient) -> None:
    found = client.post("/v1/search", files={"image": ("x.png", PICTURES["a.jpg"])}, data={"keep": 60}).json()
    stand_ins = {
        "QUERY_ID": found["query"]["query_id"],
        "5f70bf18…": "0" * 64,
        "1204": str(found["matches"][0]["image_id"]),
        "17": str(found["matches"][2]["image_id"]),
    }
    assert len(COMMANDS) >= 7
    for command in COMMANDS:
        if "/judgements/12" in command:
            continue
        for written, stand_in in stand_ins.items():
            command = command.replace(written, stand_in)  # noqa: PLW2901 - each in turn
        response = sent_by(client, command)
        assert response.status_code in {200, 201, 204}, (command, response.text)


def test_the_python_of_the_page_runs(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    workshop.publish()
    (tmp_path / "tulip.jpg").write_bytes(PICTURES["tulip.jpg"])
    monkeypatch.chdir(tmp_path)
    searcher = workshop.searcher()
    block = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {"searcher": searcher}
    for each in block:
        exec(each, names)
    assert len(names["answer"].matches) == 5
    query = Upload(PICTURES["a.jpg"])
    inline = re.findall(r"`(searcher\.[^`]*)`", PAGE)
    assert len(inline) == 2
    known = {"AskedSearch": AskedSearch, "Choice": Choice, "Wish": Wish, "query": query, **names}
    for each in inline:
        assert eval(each.replace(", …]", "]"), known)
