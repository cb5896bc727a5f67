"""The main index of a gallery, built anew where the one that it has does not do.

Building it changes no image and no segment: a build that is there is published again with it. So a gallery is
searched exactly from the moment that its images are published, and whoever kills the building of an index
takes nothing from anybody. One that was finished before that is published by the next run.
"""

import uuid
from collections.abc import Callable
from dataclasses import asdict

from sqlalchemy import Connection, delete, insert, select

from gallery.builds.planning import published_number
from gallery.builds.republication import manifest_of, republish
from gallery.errors import NothingPublished
from gallery.index.building import Attempt, BuiltIndex, Choice, build_index
from gallery.index.coverage import leaves_too_many
from gallery.index.kinds import AUTO, FEWEST_ENTRIES, FLAT, IndexWish, designs
from gallery.index.main_index import Effort
from gallery.index.recall import Recall
from gallery.index.report import IndexReport
from gallery.manifest import IndexClaims, MainIndexClaims, Manifest
from gallery.records.indexes import BuildIndexRecord, IndexRecord
from gallery.segments.damage import is_intact
from gallery.segments.embeddings import Embeddings
from gallery.segments.segment import Segment
from gallery.tenure import Tenure

GROWN = 1.5
"""Exact search that was chosen because nothing else did is thought over once there is half as much again."""


def improve_index(
    tenure: Tenure,
    wish: IndexWish,
    *,
    always: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> IndexReport:
    """Build the main index of the published build where it does not have the one that is wished for.

    `always` builds it as soon as it leaves anything out. `tell` hears of each step, and why there is
    none where a kind was asked for. Raises NothingPublished, InvalidIndex and CorruptGallery.
    """
    manifest = _published(tenure)
    wish.check(manifest.encoder.dimension)
    main, built = None, False
    _tell_of_none(wish, manifest, tell)
    if _is_due(tenure, manifest, wish, always):
        main = _finished(tenure, manifest, wish, always)
        built = main is None
        main = main or _made(tenure, manifest, wish, tell)
    if main is not None:
        manifest = republish(tenure, lambda _connection, _number: _with_index(manifest, main))
    elif manifest.index.main is not None and wish.kind == FLAT:
        flat = _without_index(manifest)
        manifest = republish(tenure, lambda _connection, _number: flat)
    with tenure.writing() as connection:
        forget_unnamed_indexes(connection, tenure.gallery_id)
    return _report(manifest, built=built)


def leave_old_index(tenure: Tenure) -> None:
    """Publish the build without its main index where that has entries of segments which are gone.

    Raises NothingPublished and CorruptGallery.
    """
    manifest = _published(tenure)
    there = {segment.id for segment in manifest.segments}
    main = manifest.index.main
    if main is not None and any(each.id not in there for each in main.segments):
        republish(tenure, lambda _connection, _number: _without_index(manifest))


def check_wish(tenure: Tenure, wish: IndexWish) -> None:
    """Raise InvalidIndex where `improve_index` would refuse the wish, NothingPublished and CorruptGallery."""
    wish.check(_published(tenure).encoder.dimension)


def _published(tenure: Tenure) -> Manifest:
    with tenure.engine.connect() as connection:
        number = published_number(connection, tenure.gallery_id)
    if not number:
        raise NothingPublished(f"The gallery {tenure.gallery!r} has no published build yet; index a folder.")
    return manifest_of(tenure.site, number)


def _is_due(tenure: Tenure, manifest: Manifest, wish: IndexWish, always: bool) -> bool:
    main = manifest.index.main
    if _wanted_kind(wish, manifest) == FLAT:
        return False
    if main is None or (main.files and not is_intact(tenure.folder.index(main.name), main.files)):
        return True
    if not _is_as_wished(main, wish):
        return True
    covered = [each.id for each in main.segments] == [segment.id for segment in manifest.segments]
    if main.kind == FLAT:
        return not covered and (always or manifest.index.entries > GROWN * main.entries)
    if always:
        return not covered
    return leaves_too_many(manifest.index, manifest.segments, dimension=manifest.encoder.dimension)


def _wanted_kind(wish: IndexWish, manifest: Manifest) -> str:
    count = sum(segment.rows for segment in manifest.segments)
    return next(designs(wish, count=count, dimension=manifest.encoder.dimension)).kind


def _tell_of_none(wish: IndexWish, manifest: Manifest, tell: Callable[[str], None]) -> None:
    if wish.kind in (AUTO, FLAT) or _wanted_kind(wish, manifest) != FLAT:
        return
    count = sum(segment.rows for segment in manifest.segments)
    reason = f"fewer than {FEWEST_ENTRIES}" if count < FEWEST_ENTRIES else "too many for the memory allowed"
    tell(f"{wish.kind}: no such index for {count:,} contents, which are {reason}")


def _is_as_wished(main: MainIndexClaims, wish: IndexWish) -> bool:
    """Whether it was built for this wish, or for one that asked for more."""
    size = sum(claims.bytes for claims in main.files.values())
    if wish.memory is not None and size > wish.memory:
        return False
    if wish.recall > max(main.wanted, main.recall.value if main.recall else 0.0):
        return False
    tried = {main.kind, main.factory, *(each.kind for each in main.attempts)}
    tried |= {each.factory for each in main.attempts}
    return wish.kind in {AUTO, *tried}


def _finished(tenure: Tenure, manifest: Manifest, wish: IndexWish, always: bool) -> MainIndexClaims | None:
    """An index that a run which was killed had finished for these segments, if it does."""
    unnamed = select(IndexRecord.id, IndexRecord.claims).where(
        IndexRecord.gallery_id == tenure.gallery_id,
        IndexRecord.id.not_in(select(BuildIndexRecord.index_id)),
    )
    with tenure.engine.connect() as connection:
        rows = connection.execute(unnamed).all()
    for row in rows:
        main = MainIndexClaims(id=row.id, **row.claims)
        if not _is_due(tenure, _with_index(manifest, main), wish, always):
            return main
    return None


def _made(
    tenure: Tenure, manifest: Manifest, wish: IndexWish, tell: Callable[[str], None]
) -> MainIndexClaims:
    name = uuid.uuid4().hex
    segments = [Segment(tenure.folder.segment(each.name), each) for each in manifest.segments]
    embeddings = Embeddings(manifest.encoder.dimension, [segment.part for segment in segments])
    choice = build_index(tenure.folder.index(name), embeddings, wish, tell=tell)
    claims = _claims(name, choice, manifest, wish)
    with tenure.writing() as connection:
        record = insert(IndexRecord).values(gallery_id=tenure.gallery_id, name=name, claims=claims)
        index_id = connection.scalars(record.returning(IndexRecord.id)).one()
    return MainIndexClaims.model_validate({"id": index_id, **claims})


def _claims(name: str, choice: Choice, manifest: Manifest, wish: IndexWish) -> dict[str, object]:
    built = choice.built or _flat(manifest)
    return {
        "name": name,
        "kind": built.kind,
        "factory": built.factory,
        "entries": built.entries,
        "wanted": wish.recall,
        "probes": built.effort.probes,
        "candidates": built.effort.candidates,
        "recall": asdict(built.recall) if choice.built else None,
        "attempts": [asdict(each) for each in choice.attempts],
        "segments": [{"id": segment.id, "rows": segment.rows} for segment in manifest.segments],
        "files": {name: {"bytes": size, "sha256": sha256} for name, (size, sha256) in built.files.items()},
    }


def _flat(manifest: Manifest) -> BuiltIndex:
    exact = Recall(1.0, 1.0, 1.0, 0)
    entries = sum(segment.rows for segment in manifest.segments)
    return BuiltIndex(FLAT, "", entries, manifest.encoder.dimension, Effort(1, 1), exact)


def _with_index(manifest: Manifest, main: MainIndexClaims) -> Manifest:
    index = IndexClaims(kind=main.kind, entries=manifest.index.entries, main=main)
    return manifest.model_copy(update={"index": index})


def _without_index(manifest: Manifest) -> Manifest:
    return manifest.model_copy(update={"index": IndexClaims(entries=manifest.index.entries)})


def forget_unnamed_indexes(connection: Connection, gallery_id: int) -> None:
    """Forget the main indexes that no build names; their files are for the collector."""
    named = select(BuildIndexRecord.index_id)
    connection.execute(
        delete(IndexRecord).where(IndexRecord.gallery_id == gallery_id, IndexRecord.id.not_in(named))
    )


def _report(manifest: Manifest, *, built: bool) -> IndexReport:
    main = manifest.index.main
    return IndexReport(
        build=manifest.build,
        built=built,
        kind=manifest.index.kind,
        factory=main.factory if main else "",
        entries=manifest.index.entries,
        recall=Recall(**main.recall.model_dump()) if main and main.recall else None,
        bytes=sum(claims.bytes for claims in main.files.values()) if main else 0,
        attempts=tuple(Attempt(**each.model_dump()) for each in main.attempts) if main else (),
    )
