"""One search as it is asked for, and what it may not ask for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from gallery.builds.build import Build
from gallery.errors import BuildNotFound, GalleryNotFound, NothingPublished
from search_api.errors import CursorGone, InvalidCursor, InvalidQuestion
from search_api.evidence.accounts import NO_EXTRAS, Extras
from search_api.evidence.explaining import Judging
from search_api.loaded.builds import OpenBuilds
from search_api.loaded.checkpoints import Checkpoint
from search_api.matches.cursors import MAX_PAGED, Cursor, digest
from search_api.matches.ranking import Ranking, Wish
from search_api.matches.rounds import key_of
from search_api.queries.keeping import require_keepable
from search_api.queries.subjects import Asked, Several, Subject
from search_api.schemas.base import ExplainedScore, ScorerName
from search_api.scoring import Scorer
from search_api.settings import SearchSettings


@dataclass(frozen=True, slots=True)
class AskedSearch:
    """A picture and all that is asked for besides; explained is the scorer's own number or, if any, `of`."""

    query: Asked
    wish: Wish
    gallery: str | None = None
    scorer: ScorerName = "distance"
    of: ExplainedScore | None = None
    extras: Extras = NO_EXTRAS
    keep: float | None = None
    """Seconds for which what was sent is kept; not at all unless said."""

    @property
    def after(self) -> Cursor | None:
        """Where the last answer ended."""
        return self.wish.choice.after


def require_allowed(asked: AskedSearch, settings: SearchSettings) -> None:
    """Raises InvalidQuestion for more than one answer may hold, and for what goes together with nothing."""
    require_keepable(asked.keep, asked.query, settings)
    _require_size(asked.wish, settings, asked.extras)
    if isinstance(asked.query, Several):
        _require_several(asked.query, settings, asked.extras)
    if asked.after is not None and asked.after.shown + asked.wish.k > MAX_PAGED:
        raise InvalidQuestion(
            f"One search is paged through at most {MAX_PAGED} matches: narrow it by labels or conditions."
        )


@contextmanager
def lent(builds: OpenBuilds, asked: AskedSearch) -> Iterator[tuple[Build, Checkpoint]]:
    """The published build, or the one in which a cursor leads on; raises InvalidCursor and CursorGone."""
    after = asked.after
    if after is None:
        with builds.lend(asked.gallery) as found:
            yield found
        return
    _require_gallery(asked, after)
    with ExitStack() as stack:
        try:
            found = stack.enter_context(builds.lend_kept(after.gallery, after.build))
        except (GalleryNotFound, NothingPublished, BuildNotFound) as error:
            raise CursorGone(after.gallery, after.build) from error
        yield found


def judging_of(query: Asked, build: Build, checkpoint: Checkpoint, asked: AskedSearch) -> Judging:
    """By what its matches are judged; raises NoSuchHead, and InvalidQuestion for several and a pair head."""
    judging = Judging.by(checkpoint, "shown", asked.scorer, asked.of, usual=build.manifest.usual)
    return judging.of_several() if isinstance(query, Several) else judging


def require_same_question(asked: AskedSearch, question: str) -> None:
    """Raises InvalidCursor where the cursor was given out for another question."""
    if asked.after is not None and asked.after.question != question:
        raise InvalidCursor(
            "The cursor belongs to another question: send it with the same picture and the same options."
        )


def question_of(asked: AskedSearch, subject: Subject) -> str:
    """What tells this question from others, whichever of its pages is asked for."""
    wish, choice = asked.wish, asked.wish.choice
    queries = [(each.subject.checksum, each.subject.cut, each.weight) for each in subject.several]
    narrowed = sorted(wish.labels) if wish.labels is not None else None, wish.where, wish.prefilter
    scored = asked.scorer, wish.candidates, wish.same_only, choice.min_probability, choice.max_distance
    put_together = choice.group_by, choice.fold, choice.include_judged
    return digest(queries or (subject.checksum, subject.cut), narrowed, scored, put_together)


def next_cursor(
    ranking: Ranking, asked: AskedSearch, scorer: Scorer, build: Build, question: str
) -> Cursor | None:
    """Where the next page begins; None where this one is the last."""
    if not (ranking.more and ranking.shown):
        return None
    last = ranking.shown[-1]
    before = asked.after.groups if asked.after else ()
    groups = (*before, *(each.digest for each in ranking.groups))
    return Cursor(build.gallery, build.number, question, last.rank, key_of(last, scorer), groups)


def _require_size(wish: Wish, settings: SearchSettings, extras: Extras) -> None:
    if not 1 <= wish.k <= settings.max_k:
        raise InvalidQuestion(f"k must lie between 1 and {settings.max_k}, but it is {wish.k}.")
    if wish.k * wish.choice.group_size > settings.max_k:
        raise InvalidQuestion(
            f"One answer shows at most {settings.max_k} images, but {wish.k} groups of "
            f"{wish.choice.group_size} are asked for."
        )
    if extras.overlays and wish.k > settings.max_drawn:
        raise InvalidQuestion(
            f"One answer holds overlays of at most {settings.max_drawn} matches, but k is {wish.k}; "
            "ask for fewer, or for those of one match at /v1/images/{image_id}/overlay?query={image_id}."
        )


def _require_several(query: Several, settings: SearchSettings, extras: Extras) -> None:
    if len(query.queries) > settings.max_queries:
        raise InvalidQuestion(
            f"One search asks with at most {settings.max_queries} pictures together, "
            f"not {len(query.queries)}."
        )
    if extras.correspondences:
        raise InvalidQuestion("Which spot answers which is told of one picture: leave out correspondences.")


def _require_gallery(asked: AskedSearch, after: Cursor) -> None:
    if asked.gallery not in {None, after.gallery}:
        raise InvalidCursor(
            f"The cursor leads on in the gallery {after.gallery!r}, and the question names "
            f"{asked.gallery!r}: leave out one of them."
        )
