"""Filters on labels and attributes: never an image that does not satisfy them, never fewer than there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from gallery.builds.build import Build
from gallery.builds.compaction import compact
from gallery.database import writing
from gallery.errors import InvalidFilter
from gallery.filters.attributes import attributes_of, digest_of, number_of
from gallery.filters.conditions import Condition, Operand, parse_where
from gallery.records.attributes import AttributeRecord
from gallery.records.images import PlaceRecord
from tests.gallery.support import FINGERPRINT, NAME, Trial

TOLD: dict[str, dict[str, object]] = {
    "/r/cat/1": {"year": 2020, "site": "north"},
    "/r/cat/2": {"year": 2021, "site": "south", "note": "Öl"},
    "/r/dog/3": {"year": 2022.5, "site": "north", "code": "007"},
    "/r/dog/4": {"year": "unknown", "site": "east", "code": "7"},
    "/r/dog/5": {},
    "/r/cow/twin": {"year": 2020, "site": "east"},
}
TWIN = "/r/cat/1"
"""The image whose bytes the twin has, too, under another label and with other attributes."""


def tell(trial: Trial, told: Mapping[str, Mapping[str, object]]) -> None:
    """What a table would say of the places of the published build."""
    with writing(trial.engine) as connection:
        connection.execute(delete(AttributeRecord))
        connection.execute(update(PlaceRecord).values(attributes=None))
        for uri, cells in told.items():
            attributes = attributes_of(cells)
            digest = digest_of(attributes)
            place = update(PlaceRecord).where(PlaceRecord.uri == uri, PlaceRecord.until_build.is_(None))
            connection.execute(place.values(attributes=digest))
            known = delete(AttributeRecord).where(AttributeRecord.digest == digest)
            connection.execute(known)
            for name, text in attributes.items():
                row = {"gallery_id": 1, "digest": digest, "name": name, "text": text}
                connection.execute(insert(AttributeRecord).values(**row, number=number_of(text)))


@pytest.fixture
def build(trial: Trial) -> Build:
    files = {uri: (TWIN if uri.endswith("twin") else uri).encode() for uri in TOLD}
    trial.run(files)
    tell(trial, TOLD)
    return trial.open()


@pytest.fixture
def found(build: Build) -> Callable[..., list[str]]:
    def search(*where: str, count: int = 10, labels: list[str] | None = None) -> list[str]:
        query = np.zeros(build.dimension, np.float32)
        candidates = build.search(
            query, count=count, labels=labels, where=parse_where(where), fingerprint=FINGERPRINT
        )
        images = build.images([each.image_id for each in candidates])
        return sorted(image.uri.rpartition("/")[2] for image in images)

    return search


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("year = 2020", "1 twin"),
        ("year = 2020.0", "1 twin"),
        ("year = '2020'", "1 twin"),
        ("year = '2020.0'", ""),
        ("year != 2020", "2 3 4"),
        ("year > 2020", "2 3"),
        ("year >= 2020 and year < 2022", "1 2 twin"),
        ("year <= 2022.5", "1 2 3 twin"),
        ("year >= 'u'", "4"),
        ("site in (north, south)", "1 2 3"),
        ("site not in (north, south)", "4 twin"),
        ("code = 7", "3 4"),
        ("code = '7'", "4"),
        ("code in (007, 8)", "3 4"),
        ("code exists", "3 4"),
        ("code missing", "1 2 5 twin"),
        ("note = Öl", "2"),
        ("note > Z", "2"),
        ("label = cat", "1 2"),
        ("label != cat", "3 4 5 twin"),
        ("label in (cat, cow) and year = 2020", "1 twin"),
        ("label > cat", "3 4 5 twin"),
        ("label exists", "1 2 3 4 5 twin"),
        ("label missing", ""),
        ("year = 2020 and year = 2021", ""),
    ],
)
def test_what_satisfies_the_conditions_is_found_and_nothing_else(
    found: Callable[..., list[str]], where: str, expected: str
) -> None:
    assert found(where) == sorted(expected.split())


def test_of_two_places_of_one_content_only_the_one_that_is_meant_is_found(
    found: Callable[..., list[str]],
) -> None:
    assert found("site = east") == ["4", "twin"]
    assert found("site = north", "year = 2020") == ["1"]
    assert found("year = 2020", labels=["cow"]) == ["twin"]


@pytest.mark.parametrize("count", [1, 2])
def test_as_many_are_found_as_are_asked_for_while_there_are(
    found: Callable[..., list[str]], count: int
) -> None:
    assert len(found("site in (north, east)", count=count)) == count


def test_an_attribute_that_nobody_has_is_refused_even_where_nothing_is_told(
    trial: Trial, found: Callable[..., list[str]]
) -> None:
    with pytest.raises(InvalidFilter, match="has an attribute 'sites'; did you mean site"):
        found("sites = north")


def test_an_old_build_shows_its_own_attributes(trial: Trial, build: Build) -> None:
    image_id = next(image.image_id for image in build if image.uri == "/r/cat/2")
    assert build.narrowing.attributes([image_id]) == {
        image_id: {"note": "Öl", "site": "south", "year": "2021"}
    }


def test_columns_are_told_with_their_ranges_and_values(build: Build) -> None:
    columns = {each.name: each for each in build.narrowing.columns}
    assert list(columns) == ["code", "note", "site", "year"]
    year = columns["year"]
    assert (year.images, year.numbers, year.least, year.greatest) == (5, 4, 2020, 2022.5)
    assert columns["site"].values == {"east": 2, "north": 2, "south": 1}


VALUES = st.one_of(st.integers(-3, 3), st.sampled_from(["a", "b", "-1", "x y", "Ö"]))


@pytest.mark.on_both
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    told=st.fixed_dictionaries({uri: st.dictionaries(st.sampled_from("pq"), VALUES) for uri in TOLD}),
    operator=st.sampled_from(["=", "!=", "<", "<=", ">", ">="]),
    value=VALUES,
)
def test_search_agrees_with_reading_every_image(
    trial: Trial, build: Build, told: dict[str, dict[str, object]], operator: str, value: object
) -> None:
    told["/r/dog/5"] = {"p": 0}  # so that there is such an attribute
    tell(trial, told)
    written = str(value) if isinstance(value, int) else f"'{value}'"
    candidates = trial.open().search(
        np.zeros(build.dimension, np.float32),
        count=10,
        where=parse_where([f"p {operator} {written}"]),
        fingerprint=FINGERPRINT,
    )
    uris = {image.image_id: image.uri for image in build}
    expected = {uri for uri, cells in told.items() if satisfies(cells.get("p"), operator, value)}
    assert {uris[each.image_id] for each in candidates} == expected


def satisfies(cell: object, operator: str, value: object) -> bool:
    if cell is None:
        return False
    text, number = str(cell), number_of(str(cell))
    if isinstance(value, int):
        if number is None:
            return operator == "!="
        return compare(number, operator, value)
    return compare(text, operator, value)


def compare(cell: object, operator: str, value: object) -> bool:
    return {
        "=": lambda: cell == value,
        "!=": lambda: cell != value,
        "<": lambda: cell < value,  # type: ignore[operator]
        "<=": lambda: cell <= value,  # type: ignore[operator]
        ">": lambda: cell > value,  # type: ignore[operator]
        ">=": lambda: cell >= value,  # type: ignore[operator]
    }[operator]()


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("site = nrth", "no image satisfies “site = nrth”; did you mean north?"),
        ("label in (catt, dgo)", "no image satisfies “label in (catt, dgo)”; did you mean cat or dog?"),
        ("year > 2022.5", "no image satisfies “year > 2022.5”; year lies between 2020 and 2022.5"),
        ("site = Zanzibar", "no image satisfies “site = Zanzibar”"),
    ],
)
def test_of_a_condition_that_nothing_satisfies_it_is_told_what_comes_near(
    build: Build, condition: str, told: str
) -> None:
    assert build.narrowing.unmet(parse_where([condition, "site = north"])) == [told]


def test_attributes_that_nobody_names_go_when_the_gallery_is_compacted(trial: Trial, build: Build) -> None:
    with writing(trial.engine) as connection:
        connection.execute(
            insert(AttributeRecord).values(gallery_id=1, digest="lost", name="site", text="north")
        )
    with trial.galleries.tenure(NAME) as tenure:
        compact(tenure)
    with trial.engine.connect() as connection:
        digests = set(connection.scalars(select(AttributeRecord.digest)))
    assert digests == {digest_of(attributes_of(cells)) for cells in TOLD.values()} - {None}


def test_a_value_that_is_longer_than_what_is_kept_is_found_by_its_whole_length(trial: Trial) -> None:
    note = "long " * 200
    trial.run({"/r/a/1": b"1", "/r/a/2": b"2"})
    tell(trial, {"/r/a/1": {"note": note}, "/r/a/2": {"note": "short"}})
    (found,) = trial.open().narrowing.allowed((Condition("note", "=", (Operand(note.strip()),)),))
    assert trial.open().image(int(found)).uri == "/r/a/1"
