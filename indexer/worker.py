"""The worker: takes one job after the other, on this machine as on any other that shares the records."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from gallery.errors import GalleryError, GalleryInUse, GalleryLocked, JobCancelled, JobTakenOver
from gallery.jobs.board import JobBoard
from gallery.jobs.claim import Claim, claim
from indexer.errors import IndexerError
from indexer.job_progress import ToldProgress
from indexer.performing import Performer
from indexer.settings import JobSettings
from siamese.errors import SiameseError

log = logging.getLogger(__name__)

FORGETTING_SECONDS = 3600.0
"""How often old jobs are forgotten."""


class Worker:
    """Does the jobs of a board until it is told to stop; any number of workers may share one board."""

    def __init__(
        self,
        board: JobBoard,
        performer: Performer,
        settings: JobSettings,
        *,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._board = board
        self._performer = performer
        self._settings = settings
        self._tell = tell
        self._forgotten = float("-inf")

    def run(self, stop: threading.Event) -> None:
        """Do jobs until `stop` is set; one that is being done then ends first."""
        while not stop.is_set():
            try:
                did = self.do_one()
            except Exception:  # a database that is away comes back; what failed is in the log
                log.exception("The worker could not take a job")
                did = False
            if not did:
                stop.wait(self._settings.poll_seconds)

    def do_one(self) -> bool:
        """Do one job, if there is one that can be done now; whether there was."""
        self._forget_now_and_then()
        claimed = claim(self._board)
        if claimed is None:
            return False
        with claimed:
            self._tell(f"job {claimed.job.id}: {claimed.job.kind} of {claimed.job.gallery}")
            self._do(claimed)
        return True

    def _do(self, claimed: Claim) -> None:
        progress = ToldProgress(claimed.tell)
        try:
            result = self._performer.perform(claimed.job, progress)
            with suppress(JobCancelled, JobTakenOver):  # what is done is done
                progress.conclude()
        except JobTakenOver as lost:
            self._tell(str(lost))
        except JobCancelled:
            claimed.cancelled()
        except (GalleryLocked, GalleryInUse) as busy:
            claimed.postponed(str(busy))
        except (GalleryError, IndexerError, SiameseError) as refusal:
            claimed.failed(str(refusal))
        except OSError as error:
            log.exception("Job %s failed", claimed.job.id)
            claimed.failed(f"The system refused: {error.strerror or error}.")
        except Exception as error:
            log.exception("Job %s failed", claimed.job.id)
            claimed.failed(f"An unforeseen {type(error).__name__} ended it; the worker's log says more.")
        else:
            claimed.done(result.outcome, result.errors)

    def _forget_now_and_then(self) -> None:
        if time.monotonic() - self._forgotten >= FORGETTING_SECONDS:
            self._board.forget(timedelta(days=self._settings.kept_days))
            self._forgotten = time.monotonic()
