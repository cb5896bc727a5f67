"""Jobs: asked for as rows, claimed by one worker at a time, taken over from the dead, ended once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from gallery.database import open_engine, writing
from gallery.errors import JobCancelled, JobEnded, JobNotFound, JobTakenOver, WriteToDoomed
from gallery.jobs.board import JobBoard
from gallery.jobs.claim import MOST_ATTEMPTS, claim
from gallery.jobs.job import JobProgress
from gallery.jobs.requests import AmendRequest, DeleteRequest, ImportRequest
from gallery.leases import EXPIRY
from gallery.records.jobs import JobRecord
from gallery.surveys.seen import Unreadable
from tests.gallery.support import Clock
from tests.homes import database_of

pytestmark = pytest.mark.on_both


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def board(make_home: Callable[[str], Path], clock: Clock) -> JobBoard:
    return JobBoard(open_engine(database_of(make_home("home"))), clock=clock)


def ask(board: JobBoard, gallery: str = "g") -> int:
    return board.ask(ImportRequest(sources=["/r"]), gallery=gallery, by="curator").id


def hold_by_the_dead(board: JobBoard, job_id: int) -> None:
    """As if its worker had been killed: of this machine, with a number that no process has."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    with writing(board.engine) as connection:
        held = update(JobRecord).where(JobRecord.id == job_id)
        connection.execute(held.values(process_id=dead.pid))


def test_a_job_is_queued_then_runs_then_is_done_with_what_came_of_it(board: JobBoard) -> None:
    job_id = ask(board)
    assert (board.get(job_id).state, board.get(job_id).asked_by) == ("queued", "curator")
    claimed = claim(board)
    assert claimed is not None and board.get(job_id).state == "running"
    with claimed:
        claimed.tell(JobProgress("indexing", 3, 4, {"embedded": 3}, 1.5, 0.7))
        claimed.done({"build": 1}, [Unreadable("/r/a", None, "it is empty")])
    job = board.get(job_id)
    assert (job.state, job.outcome, job.errors, job.attempts) == ("done", {"build": 1}, 1, 1)
    assert job.progress is not None and job.progress.counts == {"embedded": 3}
    assert [(each.place, each.uri, each.reason) for each in board.errors(job_id)] == [
        (1, "/r/a", "it is empty")
    ]


def test_jobs_of_one_gallery_are_done_one_after_the_other_in_their_order(board: JobBoard) -> None:
    first, _, other = ask(board), ask(board), ask(board, "other")
    claims = [claim(board) for _ in range(3)]
    assert [each.job.id if each else None for each in claims] == [first, other, None]


def test_a_job_whose_worker_was_killed_is_taken_over_and_the_dead_one_may_write_no_more(
    board: JobBoard,
) -> None:
    job_id = ask(board)
    dead = claim(board)
    assert dead is not None and claim(board) is None
    hold_by_the_dead(board, job_id)
    heir = claim(board)
    assert heir is not None and heir.job.id == job_id
    dead.done({"build": 666})
    dead._look()
    with pytest.raises(JobTakenOver):
        dead.tell(JobProgress("indexing"))
    heir.done({"build": 1})
    assert (board.get(job_id).outcome, board.get(job_id).attempts) == ({"build": 1}, 2)


def test_a_silent_worker_of_another_machine_counts_as_dead_after_a_while(
    board: JobBoard, clock: Clock
) -> None:
    job_id = ask(board)
    assert claim(board)
    with writing(board.engine) as connection:
        connection.execute(update(JobRecord).values(host="elsewhere", process_id=1))
    assert claim(board) is None
    clock.pass_by(EXPIRY + timedelta(seconds=1))
    heir = claim(board)
    assert heir is not None and heir.job.id == job_id


def test_a_job_that_ends_each_of_its_workers_fails_with_a_sentence(board: JobBoard) -> None:
    job_id = ask(board)
    for _ in range(MOST_ATTEMPTS):
        assert claim(board)
        hold_by_the_dead(board, job_id)
    assert claim(board) is None
    job = board.get(job_id)
    assert (job.state, job.reason) == ("failed", "Its worker has ended 3 times while it did this job.")


def test_a_job_whose_end_cannot_be_written_is_tried_a_few_times_and_then_has_failed(board: JobBoard) -> None:
    job_id = ask(board)
    for _ in range(MOST_ATTEMPTS):
        claimed = claim(board)
        assert claimed is not None
        with pytest.raises(Exception, match="JSON"), claimed:
            claimed.done({"build": object()})
    assert claim(board) is None
    job = board.get(job_id)
    assert job.state == "failed" and "could not be written" in str(job.reason)


def test_a_job_ends_whatever_texts_its_files_and_reasons_hold(board: JobBoard) -> None:
    first, second = ask(board), ask(board)
    for end in (
        lambda each: each.failed("it \ud800 is \0 broken"),
        lambda each: each.done({"name": "\ud800"}, [Unreadable("/r/\udcff\0", None, "\ud800")]),
    ):
        with claim(board) as claimed:  # type: ignore[union-attr]
            end(claimed)
    assert (board.get(first).state, board.get(first).reason) == ("failed", "it ? is  broken")
    assert board.get(second).state == "done"
    assert [(each.uri, each.reason) for each in board.errors(second)] == [("/r/?", "?")]


def test_a_job_that_is_given_back_waits_as_if_nobody_had_had_it(board: JobBoard) -> None:
    job_id = ask(board)
    claimed = claim(board)
    assert claimed
    with pytest.raises(SystemExit), claimed:
        raise SystemExit
    assert (board.get(job_id).state, board.get(job_id).attempts) == ("queued", 0)


def test_a_job_whose_gallery_is_busy_waits_a_while_and_says_for_what(board: JobBoard, clock: Clock) -> None:
    job_id = ask(board)
    claimed = claim(board)
    assert claimed
    with claimed:
        claimed.postponed("The gallery is being written.")
    assert board.get(job_id).reason == "The gallery is being written." and claim(board) is None
    clock.pass_by(timedelta(seconds=3))
    assert claim(board) and board.get(job_id).reason is None


def test_cancelling_ends_what_waits_at_once_and_what_runs_where_it_next_tells(board: JobBoard) -> None:
    running, waiting = ask(board), ask(board)
    claimed = claim(board)
    assert claimed
    assert board.cancel(waiting).state == "cancelled" and board.cancel(waiting).state == "cancelled"
    assert board.cancel(running).is_ending and board.cancel(running).state == "running"
    claimed._look()
    with claimed:
        with pytest.raises(JobCancelled):
            claimed.tell(JobProgress("indexing"))
        claimed.cancelled()
    assert board.get(running).state == "cancelled"


def test_a_cancelled_job_that_was_given_back_is_not_done_any_more(board: JobBoard) -> None:
    job_id = ask(board)
    claimed = claim(board)
    assert claimed
    board.cancel(job_id)
    with claimed:
        pass
    assert claim(board) is None and board.get(job_id).state == "cancelled"


def test_what_is_done_or_failed_is_not_cancelled(board: JobBoard) -> None:
    job_id = ask(board)
    claimed = claim(board)
    assert claimed
    claimed.failed("There is no image below /r.")
    with pytest.raises(JobEnded, match=f"Job {job_id} is failed since"):
        board.cancel(job_id)
    with pytest.raises(JobNotFound, match="no job 77"):
        board.cancel(77)


def test_the_same_small_thing_is_asked_for_once(board: JobBoard) -> None:
    first = board.ask_once(AmendRequest(), gallery="g")
    assert board.ask_once(AmendRequest(), gallery="g").id == first.id
    assert board.ask_once(AmendRequest(), gallery="other").id != first.id
    assert claim(board)
    assert board.ask_once(AmendRequest(), gallery="g").id != first.id, (
        "what runs has not seen what was said since"
    )


def test_a_deletion_that_runs_is_not_asked_for_again_and_nothing_else_is_meanwhile(board: JobBoard) -> None:
    first = board.ask_once(DeleteRequest(), gallery="g").id
    with claim(board) as claimed:  # type: ignore[union-attr]
        assert board.ask_once(DeleteRequest(), gallery="g").id == first
        for ask_for in (board.ask, board.ask_once):
            with pytest.raises(WriteToDoomed, match=f"being deleted, by job {first}"):
                ask_for(AmendRequest(), gallery="g")
        claimed.done({})
    assert board.ask(AmendRequest(), gallery="g").state == "queued"
    assert board.ask_once(DeleteRequest(), gallery="g").id != first


def test_jobs_are_listed_from_the_newest_on_page_by_page(board: JobBoard) -> None:
    ids = [ask(board, gallery) for gallery in ("g", "h", "g")]
    assert [each.id for each in board.list(limit=2)] == [ids[2], ids[1]]
    assert [each.id for each in board.list(limit=2, before=ids[1])] == [ids[0]]
    assert [each.id for each in board.list(gallery="g", states=["queued"], limit=9)] == [ids[2], ids[0]]


def test_jobs_that_ended_long_ago_are_forgotten_with_their_errors(board: JobBoard, clock: Clock) -> None:
    job_id = ask(board)
    claimed = claim(board)
    assert claimed
    claimed.done({}, [Unreadable("/r/a", None, "it is empty")])
    waiting = ask(board)
    clock.pass_by(timedelta(days=31))
    assert board.forget(timedelta(days=30)) == 1
    assert board.get(waiting).state == "queued"
    with pytest.raises(JobNotFound):
        board.errors(job_id)


def test_many_claim_at_once_and_each_job_has_one_worker(board: JobBoard) -> None:
    ids = {ask(board, f"g{number}") for number in range(12)}
    with ThreadPoolExecutor(6) as pool:
        claims = list(pool.map(lambda _: claim(board), range(18)))
    assert sorted(each.job.id for each in claims if each) == sorted(ids)
    assert board.get(min(ids)).attempts == 1
