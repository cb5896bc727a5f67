"""The client of the service: `Client` and `AsyncClient`, a method for each operation, answers as schemas.

Needs httpx2 alone (`pip install 'whyalike[client]'` brings it) beside pydantic; nothing that searches.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Concatenate, ParamSpec, TypeVar

import anyio
import httpx2

from search_api.calls import asking, managing
from search_api.calls.call import Call
from search_api.schemas.jobs import JobSchema
from search_api.schemas.service import Problem

P = ParamSpec("P")
T = TypeVar("T")

PROBLEM_JSON = "application/problem+json"
TIMEOUT_S = 60.0
"""By default; a large upload or a test by hiding regions may want more."""
POLL_S = 0.5
"""How often `wait` asks."""
ENDED = frozenset({"done", "failed", "cancelled"})


class ApiError(Exception):
    """The service refused; `problem` is what it said, `retry_after` seconds where asking again may help."""

    def __init__(self, problem: Problem, retry_after: float | None = None) -> None:
        super().__init__(problem.detail)
        self.problem = problem
        self.retry_after = retry_after

    @property
    def status(self) -> int:
        """The status code."""
        return self.problem.status

    @property
    def kind(self) -> str:
        """The last part of the problem's type, such as gallery-not-found."""
        return self.problem.type.rpartition(":")[2]


M = TypeVar("M", bound=Callable[..., object])


def _named_like(build: Callable[..., object], method: M) -> M:
    """The method under the name and with the promise of the operation."""
    method.__name__, method.__doc__ = build.__name__, build.__doc__
    return method


def _now(build: Callable[P, Call[T]]) -> Callable[Concatenate[Client, P], T]:
    def method(self: Client, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.send(build(*args, **kwargs))

    return _named_like(build, method)


def _later(build: Callable[P, Call[T]]) -> Callable[Concatenate[AsyncClient, P], Awaitable[T]]:
    async def method(self: AsyncClient, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.send(build(*args, **kwargs))

    return _named_like(build, method)


class Client:
    """Asks the service at `url`, with a key where it asks for one; close it, or use it in a `with` block."""

    def __init__(self, url: str = "", *, key: str | None = None, http: httpx2.Client | None = None) -> None:
        """`http` is a client of one's own (proxies, certificates, time limits), which stays open."""
        self._http = http or httpx2.Client(base_url=url, timeout=TIMEOUT_S)
        self._is_own = http is None
        self._headers = _headers(key)

    def send(self, call: Call[T]) -> T:
        """The answer to any call; raises ApiError, and what httpx2 raises for a service that is not there."""
        return _answer(call, self._http.request(**call.request(self._headers)))

    def wait(self, job: JobSchema, *, seconds: float = 3600.0) -> JobSchema:
        """The job once it has ended, in whichever way; TimeoutError where that takes longer."""
        deadline = time.monotonic() + seconds
        while job.state not in ENDED:
            if time.monotonic() > deadline:
                raise TimeoutError(f"Job {job.id} is {job.state} after {seconds:g} s.")
            time.sleep(POLL_S)
            job = self.get_job(job.id)
        return job

    def close(self) -> None:
        """Close the connections, unless they are another client's."""
        if self._is_own:
            self._http.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    search = _now(asking.search)
    search_batch = _now(asking.search_batch)
    why_not = _now(asking.why_not)
    compare = _now(asking.compare)
    list_galleries = _now(asking.list_galleries)
    get_gallery = _now(asking.get_gallery)
    get_map = _now(asking.get_map)
    get_image = _now(asking.get_image)
    get_thumbnail = _now(asking.get_thumbnail)
    get_picture = _now(asking.get_picture)
    get_overlay = _now(asking.get_overlay)
    judge = _now(asking.judge)
    list_judgements = _now(asking.list_judgements)
    revoke_judgement = _now(asking.revoke_judgement)
    get_kept_picture = _now(asking.get_kept_picture)
    forget_query = _now(asking.forget_query)
    get_session = _now(asking.get_session)
    livez = _now(asking.livez)
    readyz = _now(asking.readyz)
    import_sources = _now(managing.import_sources)
    upload = _now(managing.upload)
    list_jobs = _now(managing.list_jobs)
    get_job = _now(managing.get_job)
    list_job_errors = _now(managing.list_job_errors)
    get_job_errors_table = _now(managing.get_job_errors_table)
    cancel_job = _now(managing.cancel_job)
    create_gallery = _now(managing.create_gallery)
    delete_gallery = _now(managing.delete_gallery)
    list_builds = _now(managing.list_builds)
    activate_build = _now(managing.activate_build)
    list_encoders = _now(managing.list_encoders)
    list_images = _now(managing.list_images)
    add_image = _now(managing.add_image)
    replace_image = _now(managing.replace_image)
    change_image = _now(managing.change_image)
    delete_image = _now(managing.delete_image)
    list_unreadable = _now(managing.list_unreadable)
    list_removals = _now(managing.list_removals)
    revoke_removal = _now(managing.revoke_removal)


class AsyncClient:
    """The same, to be awaited; close it, or use it in an `async with` block."""

    def __init__(
        self, url: str = "", *, key: str | None = None, http: httpx2.AsyncClient | None = None
    ) -> None:
        """`http` is a client of one's own, which stays open."""
        self._http = http or httpx2.AsyncClient(base_url=url, timeout=TIMEOUT_S)
        self._is_own = http is None
        self._headers = _headers(key)

    async def send(self, call: Call[T]) -> T:
        """The answer to any call; raises ApiError, and what httpx2 raises for a service that is not there."""
        return _answer(call, await self._http.request(**call.request(self._headers)))

    async def wait(self, job: JobSchema, *, seconds: float = 3600.0) -> JobSchema:
        """The job once it has ended, in whichever way; TimeoutError where that takes longer."""
        with anyio.fail_after(seconds):
            while job.state not in ENDED:
                await anyio.sleep(POLL_S)
                job = await self.get_job(job.id)
        return job

    async def close(self) -> None:
        """Close the connections, unless they are another client's."""
        if self._is_own:
            await self._http.aclose()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    search = _later(asking.search)
    search_batch = _later(asking.search_batch)
    why_not = _later(asking.why_not)
    compare = _later(asking.compare)
    list_galleries = _later(asking.list_galleries)
    get_gallery = _later(asking.get_gallery)
    get_map = _later(asking.get_map)
    get_image = _later(asking.get_image)
    get_thumbnail = _later(asking.get_thumbnail)
    get_picture = _later(asking.get_picture)
    get_overlay = _later(asking.get_overlay)
    judge = _later(asking.judge)
    list_judgements = _later(asking.list_judgements)
    revoke_judgement = _later(asking.revoke_judgement)
    get_kept_picture = _later(asking.get_kept_picture)
    forget_query = _later(asking.forget_query)
    get_session = _later(asking.get_session)
    livez = _later(asking.livez)
    readyz = _later(asking.readyz)
    import_sources = _later(managing.import_sources)
    upload = _later(managing.upload)
    list_jobs = _later(managing.list_jobs)
    get_job = _later(managing.get_job)
    list_job_errors = _later(managing.list_job_errors)
    get_job_errors_table = _later(managing.get_job_errors_table)
    cancel_job = _later(managing.cancel_job)
    create_gallery = _later(managing.create_gallery)
    delete_gallery = _later(managing.delete_gallery)
    list_builds = _later(managing.list_builds)
    activate_build = _later(managing.activate_build)
    list_encoders = _later(managing.list_encoders)
    list_images = _later(managing.list_images)
    add_image = _later(managing.add_image)
    replace_image = _later(managing.replace_image)
    change_image = _later(managing.change_image)
    delete_image = _later(managing.delete_image)
    list_unreadable = _later(managing.list_unreadable)
    list_removals = _later(managing.list_removals)
    revoke_removal = _later(managing.revoke_removal)


def _headers(key: str | None) -> dict[str, str]:
    return {} if key is None else {"Authorization": f"Bearer {key}"}


def _answer(call: Call[T], response: httpx2.Response) -> T:
    if response.is_success:
        return call.read(response.content)
    after = response.headers.get("retry-after", "")
    raise ApiError(_problem(response), float(after) if after.isdecimal() else None)


def _problem(response: httpx2.Response) -> Problem:
    """What the service says, or what stands between says instead of it."""
    if response.headers.get("content-type", "").partition(";")[0] == PROBLEM_JSON:
        return Problem.model_validate_json(response.content)
    return Problem(
        type="about:blank",
        title=response.reason_phrase,
        status=response.status_code,
        detail=f"{response.url} answers {response.status_code} and does not say why.",
    )
