"""What a form wishes besides the picture: how many matches, of what, which of them, put together how."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Form
from starlette.concurrency import run_in_threadpool

from search_api.matches.choosing import Choice
from search_api.matches.conditions import conditions
from search_api.matches.cursors import MAX_TEXT, Cursor
from search_api.matches.ranking import Wish
from search_api.routes.asking import Asking
from search_api.schemas.base import Prefilter
from search_api.schemas.groups import MAX_GROUP_SIZE
from search_api.scoring import MAX_DISTANCE


async def _choice(
    min_probability: Annotated[
        float | None,
        Form(
            ge=0, le=1, description="Leave out matches that are less probable; refused without calibration."
        ),
    ] = None,
    max_distance: Annotated[
        float | None, Form(ge=0, le=MAX_DISTANCE, description="Leave out matches that are farther.")
    ] = None,
    group_by: Annotated[
        str | None,
        Form(
            min_length=1,
            max_length=200,
            description="Only the best match of each label (“label”) or value of an attribute; images "
            "without it are left out.",
        ),
    ] = None,
    group_size: Annotated[
        int, Form(ge=1, le=MAX_GROUP_SIZE, description="How many of each group are shown.")
    ] = 1,
    fold: Annotated[
        bool, Form(description="Tell each content once, with its places, however many images show it.")
    ] = False,
    include_judged: Annotated[
        bool, Form(description="Also show pairs that were judged wrong, with the judgement.")
    ] = False,
    cursor: Annotated[
        str | None,
        Form(max_length=MAX_TEXT, description="next_cursor of the answer before, with the same question."),
    ] = None,
) -> Choice:
    after = Cursor.parse(cursor) if cursor else None
    return Choice(min_probability, max_distance, group_by, group_size, fold, after, include_judged)


async def _wish(
    asking: Asking,
    choice: Annotated[Choice, Depends(_choice)],
    k: Annotated[int | None, Form(ge=1, description="How many matches.")] = None,
    label: Annotated[list[str] | None, Form(description="Only images with one of these labels.")] = None,
    where: Annotated[
        list[str] | None,
        Form(
            description="Only images that satisfy all of these: conditions on attributes in words, such as "
            "`year >= 2020` or `site in (a, b)`, or as a JSON list of `{name, operator, values}`."
        ),
    ] = None,
    prefilter: Annotated[
        Prefilter | None, Form(description="Only images with the label that the class head gives the query.")
    ] = None,
    candidates: Annotated[
        int | None, Form(ge=1, description="How many the index proposes to be re-scored.")
    ] = None,
    same_only: Annotated[bool, Form(description="Leave out matches whose verdict is “different”.")] = False,
) -> Wish:
    k = asking.settings.default_k if k is None else k
    narrowed = await run_in_threadpool(conditions, where) if where else ()  # a text may be long
    return Wish(k, label or None, narrowed, prefilter, candidates, same_only, choice)


Wished = Annotated[Wish, Depends(_wish)]
