"""Judgements of a gallery: what people said of pairs, made, revoked, and asked for.

A pair is two contents, whichever of them was asked with; the last word on a pair is the one that stands.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    insert,
    or_,
    select,
    update,
)

from gallery.builds.build import Build
from gallery.clock import utc_now
from gallery.database import reading, writing
from gallery.errors import InvalidJudgement, JudgementNotFound
from gallery.filters.attributes import is_storable
from gallery.membership import CHECKSUM, GALLERY
from gallery.records.judgements import JudgementRecord
from gallery.site import Site
from gallery.sources.kinds import is_local
from gallery.sources.shards import is_in_shard

MAX_AUTHOR = 100
_CHECKSUM = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Judgement:
    """A person's word on a pair; `query` and `matched` are the checksums of their contents."""

    judgement_id: int
    query: str
    matched: str
    right: bool
    author: str | None
    made_at: datetime
    revoked_at: datetime | None

    def other(self, checksum: str) -> str:
        """The content that is paired with this one."""
        return self.matched if self.query == checksum else self.query


@dataclass(frozen=True, slots=True)
class Exported:
    """Judged pairs as paths, and how many are left out because a content has no file in the gallery."""

    pairs: list[tuple[str, str, bool]]
    left_out: int


class Judgements:
    """The judgements of one gallery. Safe for many threads."""

    def __init__(self, site: Site, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._site = site
        self._clock = clock

    def judge(self, query: str, matched: str, *, right: bool, author: str | None = None) -> Judgement:
        """What a person says of the pair of these contents; what stood before is revoked.

        Raises InvalidJudgement for what is no checksum, for a content with itself, and for a name that no
        database keeps.
        """
        _require(query, matched, author)
        now = self._clock()
        row = {"query": query, "matched": matched, "right": right, "author": author}
        with writing(self._site.engine) as connection:
            self._revoke(connection, _is_pair(query, matched), now)
            made = insert(JudgementRecord).values(**row, gallery_id=self._site.gallery_id, made_at=now)
            judgement_id = connection.scalar(made.returning(JudgementRecord.id))
        assert judgement_id is not None  # the database gives one to every row
        return Judgement(judgement_id, query, matched, right, author, now, None)

    def revoke(self, judgement_id: int) -> Judgement:
        """The judgement holds no longer; again changes nothing. Raises JudgementNotFound."""
        with writing(self._site.engine) as connection:
            self._revoke(connection, JudgementRecord.id == judgement_id, self._clock())
            row = connection.execute(self._asked(JudgementRecord.id == judgement_id)).one_or_none()
        if row is None:
            raise JudgementNotFound(
                f"The gallery {self._site.gallery!r} has no judgement {judgement_id}; "
                "`whyalike judgements list` has them."
            )
        return _judgement(row)

    def listed(
        self, *, checksum: str | None = None, revoked: bool = False, after: int = 0, limit: int | None = None
    ) -> list[Judgement]:
        """Those that stand, or all with `revoked`, by age; of a content, after an id, if named."""
        condition = JudgementRecord.id > after
        if checksum is not None:
            condition &= _names(checksum)
        if not revoked:
            condition &= JudgementRecord.revoked_at.is_(None)
        statement = self._asked(condition).order_by(JudgementRecord.id).limit(limit)
        with reading(self._site.engine) as connection:
            return [_judgement(row) for row in connection.execute(statement)]

    def of(self, checksum: str) -> dict[str, Judgement]:
        """Those that stand on pairs of this content, by the other one."""
        with reading(self._site.engine) as connection:
            of = {GALLERY.key: self._site.gallery_id, CHECKSUM.key: checksum}
            found = connection.execute(_standing_on(), of).all()
        return {each.other(checksum): each for each in map(_judgement, found)}

    def exported(self, build: Build) -> Exported:
        """Those that stand as pairs of files of the build; contents without one cannot be learned from."""
        paths: dict[str, str | None] = {}
        pairs: list[tuple[str, str, bool]] = []
        standing = self.listed()
        for each in standing:
            first, second = (_path(checksum, build, paths) for checksum in (each.query, each.matched))
            if first is not None and second is not None:
                pairs.append((first, second, each.right))
        return Exported(pairs, len(standing) - len(pairs))

    def _revoke(self, connection: Connection, condition: ColumnElement[bool], now: datetime) -> None:
        connection.execute(
            update(JudgementRecord)
            .where(
                JudgementRecord.gallery_id == self._site.gallery_id,
                JudgementRecord.revoked_at.is_(None),
                condition,
            )
            .values(revoked_at=now)
        )

    def _asked(self, condition: ColumnElement[bool]) -> Select[Any]:
        return _asked(self._site.gallery_id, condition)


def _asked(gallery_id: int | BindParameter[int], condition: ColumnElement[bool]) -> Select[Any]:
    return select(JudgementRecord.__table__).where(JudgementRecord.gallery_id == gallery_id, condition)


@cache
def _standing_on() -> Select[Any]:
    """The judgements that stand on pairs of CHECKSUM, by age."""
    condition = and_(_names(CHECKSUM), JudgementRecord.revoked_at.is_(None))
    return _asked(GALLERY, condition).order_by(JudgementRecord.id)


def _require(query: str, matched: str, author: str | None) -> None:
    for checksum in (query, matched):
        if not _CHECKSUM.fullmatch(checksum):
            raise InvalidJudgement(
                f"{checksum[:80]!r} is no checksum of a content: those have 64 digits of 0–9 and a–f."
            )
    if query == matched:
        raise InvalidJudgement(f"Both of the pair are the content {query[:12]}…: judge two different ones.")
    if author is not None and not (is_storable(author) and 1 <= len(author) <= MAX_AUTHOR):
        raise InvalidJudgement(f"An author has 1 to {MAX_AUTHOR} characters of text, not {author[:40]!r}.")


def _names(checksum: str | BindParameter[str]) -> ColumnElement[bool]:
    return or_(JudgementRecord.query == checksum, JudgementRecord.matched == checksum)


def _is_pair(first: str, second: str) -> ColumnElement[bool]:
    return or_(
        and_(JudgementRecord.query == first, JudgementRecord.matched == second),
        and_(JudgementRecord.query == second, JudgementRecord.matched == first),
    )


def _judgement(row: Row[Any]) -> Judgement:
    return Judgement(row.id, row.query, row.matched, row.right, row.author, row.made_at, row.revoked_at)


def _path(checksum: str, build: Build, known: dict[str, str | None]) -> str | None:
    """A file of this machine that shows the content; None where there is none."""
    if checksum not in known:
        uris = (each.uri for each in build.with_checksum(checksum))
        known[checksum] = next((uri for uri in uris if is_local(uri) and not is_in_shard(uri)), None)
    return known[checksum]
