"""Whatever people do to their files between runs, and wherever runs break off, ids follow the rules.

A random history of two folders is indexed again and again, now and then by a run that breaks off at a random
step, and compared with a model that knows nothing but the rules.
"""

import itertools
import os
from collections import Counter
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from sqlalchemy import event

from gallery.builds.build import Build
from gallery.builds.image import GalleryImage
from gallery.leases import EXPIRY
from gallery.sources.scanning import checksum
from tests.gallery.support import FINGERPRINT, Trial, embedded, ids, images
from tests.homes import new_home, remove_home

ROOTS = ("/r", "/s")
URIS = [f"{root}/{label}/{name}.jpg" for root in ROOTS for label in ("cat", "dog") for name in "12"]
LONGEST_RUN = 60
"""More statements and commits than a run of these few files has."""

uris = st.sampled_from(URIS)
contents = st.sampled_from([b"a", b"b", b"c", b"d"])
scanned_roots = st.sampled_from([("/r",), ("/s",), ROOTS])


class BrokenOffError(Exception):
    """The run ends here."""


class Gallery(RuleBasedStateMachine):
    like: Path | str
    """The migrated records that each history begins with."""

    @initialize(files=st.dictionaries(uris, contents, min_size=2))
    def begin(self, files: dict[str, bytes]) -> None:
        self.home = new_home(Path(mkdtemp(prefix="whyalike-machine-")) / "home", like=self.like)
        self.trial = Trial.at(self.home)
        self.files = files
        self.published: dict[str, tuple[int, bytes]] = {}  # uri → (image_id, content)
        self.history: list[dict[str, tuple[int, bytes]]] = []
        self.readers: list[tuple[Build, list[GalleryImage]]] = []
        self.embeddings: Counter[str] = Counter()

    def teardown(self) -> None:
        if hasattr(self, "trial"):
            self.trial.engine.dispose()
            remove_home(self.home)
            self.home.parent.rmdir()

    @rule(uri=uris, data=contents)
    def write(self, uri: str, data: bytes) -> None:
        self.files[uri] = data

    @rule(uri=uris)
    def delete(self, uri: str) -> None:
        self.files.pop(uri, None)

    @rule(origin=uris, destination=uris)
    def move(self, origin: str, destination: str) -> None:
        if origin in self.files:
            self.files[destination] = self.files.pop(origin)

    @rule(origin=uris, destination=uris)
    def copy(self, origin: str, destination: str) -> None:
        if origin in self.files:
            self.files[destination] = self.files[origin]

    @rule(roots=scanned_roots)
    def run(self, roots: tuple[str, ...]) -> None:
        found = self._found(roots)
        if not found and not self.embeddings:
            return
        report = self.trial.run(
            found, roots=roots, allow_empty=True, progress=lambda digest: self.embeddings.update([digest])
        )
        self._take_over(found, roots)
        assert report.images == len(self.published)
        self._look()

    @rule(roots=scanned_roots, step=st.integers(1, LONGEST_RUN))
    def run_that_breaks_off(self, roots: tuple[str, ...], step: int) -> None:
        found = self._found(roots)
        if not found and not self.embeddings:
            return
        left = itertools.count(step, -1)

        def tick(*_: object) -> None:
            if next(left) == 0:
                raise BrokenOffError

        for name in ("before_cursor_execute", "commit"):
            event.listen(self.trial.engine, name, tick)
        try:
            self.trial.run(
                found, roots=roots, allow_empty=True, progress=lambda digest: self.embeddings.update([digest])
            )
        except BrokenOffError:
            pass
        finally:
            for name in ("before_cursor_execute", "commit"):
                event.remove(self.trial.engine, name, tick)
            self.trial.clock.pass_by(2 * EXPIRY)  # a writer that broke off may not have released its lease
        if self._build_number() > len(self.history):
            self._take_over(found, roots)
        self._look()

    @rule()
    def open_a_reader(self) -> None:
        if self.history:
            build = self.trial.open()
            self.readers.append((build, images(build)))

    def _look(self) -> None:
        self.every_reader_sees_what_it_always_saw()
        self.no_content_is_embedded_twice()
        self.the_published_build_is_what_the_model_says()

    def every_reader_sees_what_it_always_saw(self) -> None:
        for build, seen in self.readers:
            assert images(build) == seen

    def no_content_is_embedded_twice(self) -> None:
        assert set(self.embeddings.values()) <= {1}

    def the_published_build_is_what_the_model_says(self) -> None:
        if not self.history:
            return
        build = self.trial.open()
        assert ids(build) == {uri: image_id for uri, (image_id, _) in self.published.items()}
        for uri, (image_id, data) in self.published.items():
            image = build.image(image_id)
            assert (image.checksum, image.label) == (checksum(data), Path(uri).parent.name)
            assert np.array_equal(build.embeddings([image_id])[0], embedded(data).embedding)
            first = build.search(embedded(data).embedding, count=1, fingerprint=FINGERPRINT)
            assert first[0].index_distance == 0.0

    def _found(self, roots: tuple[str, ...]) -> dict[str, bytes]:
        return {
            uri: data
            for uri, data in self.files.items()
            if uri.startswith(tuple(f"{root}/" for root in roots))
        }

    def _build_number(self) -> int:
        published = self.trial.galleries.summaries()
        return (published[0].build or 0) if published else 0

    def _take_over(self, found: dict[str, bytes], roots: tuple[str, ...]) -> None:
        """Check the new build against the rules, and make it what the model believes."""
        given = ids(self.trial.open())
        scanned = tuple(f"{root}/" for root in roots)
        old = {uri: place for uri, place in self.published.items() if uri.startswith(scanned)}
        stay = {uri: place for uri, place in self.published.items() if uri not in old}
        assert given.keys() == found.keys() | stay.keys()
        assert len(set(given.values())) == len(given)
        assert all(given[uri] == image_id for uri, (image_id, _) in stay.items())
        self._check_ids(old, {uri: (given[uri], data) for uri, data in found.items()})
        self.published = {**stay, **{uri: (given[uri], data) for uri, data in found.items()}}
        if self._build_number() > len(self.history):
            self.history.append(self.published)

    def _check_ids(self, old: dict[str, tuple[int, bytes]], new: dict[str, tuple[int, bytes]]) -> None:
        known = {image_id: data for build in self.history for image_id, data in build.values()}
        for uri, (image_id, data) in new.items():
            assert known.get(image_id, data) == data, "an id keeps its content for ever"
            if uri in old and old[uri][1] == data:
                assert image_id == old[uri][0], "what did not change keeps its id"
        kept = {image_id for image_id, _ in old.values()} & {image_id for image_id, _ in new.values()}
        before, after = (Counter(data for _, data in places.values()) for places in (old, new))
        assert Counter(known[image_id] for image_id in kept) == before & after, "what moved keeps its id"
        for uri, (image_id, data) in new.items():
            if image_id in known and image_id not in kept:
                assert any(build.get(uri) == (image_id, data) for build in self.history), (
                    "restored at its place"
                )


class GalleryInPostgresql(Gallery):
    """The same rules; each database keeps its own copy of the records to begin with."""


@pytest.fixture
def no_synchronisation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)  # no power is cut here, and it is most of the time


def histories(count: int) -> settings:
    return settings(
        max_examples=count,
        stateful_step_count=25,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )


@pytest.mark.usefixtures("no_synchronisation")
def test_any_history_of_files_and_runs_follows_the_rules(migrated_sqlite: Path) -> None:
    Gallery.like = migrated_sqlite
    run_state_machine_as_test(Gallery, settings=histories(20))


@pytest.mark.usefixtures("no_synchronisation")
@pytest.mark.parametrize("count", [4, pytest.param(40, marks=pytest.mark.soak)])
def test_any_history_follows_the_rules_in_postgresql_too(migrated_postgresql: str, count: int) -> None:
    GalleryInPostgresql.like = migrated_postgresql
    run_state_machine_as_test(GalleryInPostgresql, settings=histories(count))
