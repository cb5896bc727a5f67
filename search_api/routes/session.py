"""A browser shows a key once: then its cookie stands for it, so that pictures load, too."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import FileResponse

from search_api.edge.addresses import counted_address
from search_api.edge.door import Door, Shown, cookie_by
from search_api.edge.recognition import Recognition
from search_api.routes.asking import TheRates, refusals
from search_api.schemas.service import SessionSchema, ShownKey
from search_api.visits import visit_of

PAGE = Path(__file__).parent.parent / "page"

CACHE = '"cache"'
"""Quoted, as Clear-Site-Data has it; browsers heed it by HTTPS and on their own machine."""

router = APIRouter()


async def _door(request: Request) -> Door | None:
    door: Door | None = request.app.state.door
    return door


TheDoor = Annotated[Door | None, Depends(_door)]


@router.get("/v1/session", tags=["service"], summary="Whose key is this?", responses=refusals(429))
async def get_session(request: Request, door: TheDoor) -> SessionSchema:
    """Whether keys are asked for here, and what the key of this request is good for."""
    key = visit_of(request.scope).key
    return SessionSchema(
        authentication="keys" if door else "off", name=key and key.name, scope=key and key.scope
    )


@router.post("/v1/session", tags=["service"], summary="Sign in", responses=refusals(401, 403, 422, 429))
async def open_session(
    request: Request,
    response: Response,
    door: TheDoor,
    rates: TheRates,
    shown: ShownKey,
) -> SessionSchema:
    """Gives a browser a cookie that stands for the key until it is closed, for some hours at the most.

    Scripts cannot read it, and no other page can have it sent. Programs send their key with each request.
    """
    if door is None:
        return SessionSchema(authentication="off", name=None, scope=None)
    recognition: Recognition = request.app.state.recognition
    key = await recognition.key_of(
        Shown(shown.key.get_secret_value().strip(), None), counted_address(request.scope)
    )
    rates.count_request(key)
    token = await door.open(key)
    scheme = request.url.scheme
    response.set_cookie(
        cookie_by(scheme), token, httponly=True, samesite="strict", secure=scheme == "https", path="/"
    )
    return SessionSchema(authentication="keys", name=key.name, scope=key.scope)


@router.delete(
    "/v1/session", tags=["service"], summary="Sign out", status_code=204, responses=refusals(403, 429)
)
async def close_session(request: Request, response: Response, door: TheDoor) -> None:
    """Ends the session of the cookie, if there is one, and has the browser drop its cached pictures."""
    scheme = request.url.scheme
    token = request.cookies.get(cookie_by(scheme))
    if door and token:
        await door.forget(token)
    response.headers["Clear-Site-Data"] = CACHE
    response.delete_cookie(
        cookie_by(scheme), httponly=True, samesite="strict", secure=scheme == "https", path="/"
    )


@router.get("/sign-in", include_in_schema=False)
def sign_in() -> FileResponse:
    """Where a person enters a key, or signs out."""
    return FileResponse(PAGE / "sign-in.html")
