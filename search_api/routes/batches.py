"""Several searches at once: what is wrong with one of them is told in its place."""

from __future__ import annotations

from collections.abc import Sequence

from gallery.errors import GalleryError
from search_api.asked_search import AskedSearch
from search_api.errors import InvalidQuestion, SearchError
from search_api.evidence.accounts import Extras
from search_api.matches.choosing import Choice
from search_api.matches.conditions import conditions
from search_api.matches.cursors import Cursor
from search_api.matches.ranking import Wish
from search_api.problems.refusals import problem_of
from search_api.queries.subjects import Asked
from search_api.routes.query_forms import Sent, picture, require_alone, several
from search_api.schemas.batch import BatchAnswer, SearchJson
from search_api.schemas.search import SearchResponse
from search_api.search import Searcher


def require_size(searches: Sequence[SearchJson], asking: Searcher) -> Sequence[SearchJson]:
    """The same; raises InvalidQuestion for none or more than the settings allow."""
    most = asking.settings.max_batch
    if not 1 <= len(searches) <= most:
        raise InvalidQuestion(f"A batch holds between 1 and {most} searches, not {len(searches)}.")
    return searches


def answer_each(asking: Searcher, searches: Sequence[SearchJson], sent: Sent) -> list[BatchAnswer]:
    """The answer or the problem of each."""
    read = [_search_or_error(each, sent, asking) for each in searches]
    answers = iter(asking.ask_each([each for each in read if isinstance(each, AskedSearch)]))
    return [_answer(next(answers) if isinstance(each, AskedSearch) else each) for each in read]


def _answer(came_to: SearchResponse | Exception) -> BatchAnswer:
    if isinstance(came_to, SearchResponse):
        return BatchAnswer(search=came_to)
    return BatchAnswer(problem=problem_of(came_to))


def _search_or_error(asked: SearchJson, sent: Sent, asking: Searcher) -> AskedSearch | Exception:
    try:
        return _search(asked, sent, asking)
    except (SearchError, GalleryError) as error:
        return error


def _search(asked: SearchJson, sent: Sent, asking: Searcher) -> AskedSearch:
    choice = Choice(
        asked.min_probability,
        asked.max_distance,
        asked.group_by,
        asked.group_size,
        asked.fold,
        Cursor.parse(asked.cursor) if asked.cursor else None,
        asked.include_judged,
    )
    k = asking.settings.default_k if asked.k is None else asked.k
    where, narrowed = conditions(asked.where), asked.label or None
    wish = Wish(k, narrowed, where, asked.prefilter, asked.candidates, asked.same_only, choice)
    extras = Extras(overlays=asked.overlays, correspondences=asked.correspondences)
    return AskedSearch(_query(asked, sent), wish, asked.gallery, asked.scorer, asked.explained, extras)


def _query(asked: SearchJson, sent: Sent) -> Asked:
    if asked.queries is None:
        return picture(asked, sent.upload)
    single = (asked.upload, asked.image_id, asked.image_url, asked.query_id, asked.crop)
    require_alone(*single, asked.masked or None)
    return several(asked.queries, sent.upload)
