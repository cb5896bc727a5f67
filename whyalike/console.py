"""What people read while a command works: progress and remarks, on stderr; stdout stays for results."""

import sys
import time
from collections.abc import Iterable, Iterator, Sized
from dataclasses import dataclass, field
from typing import TextIO, TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars
from rich.text import Text

T = TypeVar("T")

PLAIN_INTERVAL_S = 5.0
"""Seconds between two plain lines of one loop: enough to see that it lives, few enough for a log."""

SMALLEST_S = 1e-6
SLOW = 1.0  # steps per second: of slower ones it is said what each takes
"""Of any time that is divided by: clocks differ in how finely they tick."""

BARS_INTERVAL_S = 0.1
"""Seconds between two steps of a bar: drawing each of 100,000 files that have not changed takes seconds."""

PLAIN_WIDTH = 200
"""Columns of a table where there is no terminal to ask: wide enough for a path."""


def say(text: str) -> None:
    """Writes one remark to stderr."""
    sys.stderr.write(printable(text) + "\n")
    sys.stderr.flush()


def printable(text: str) -> str:
    """The text with what does not show as itself escaped: a file's name may hold commands to a terminal."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def out() -> Console:
    """The console of results: stdout, as wide as the terminal."""
    terminal = sys.stdout.isatty()
    return Console(file=sys.stdout, width=None if terminal else PLAIN_WIDTH, highlight=False)


def progress() -> "TerminalProgress | PlainProgress":
    """The progress that fits stderr: bars on a terminal, plain lines in a file or a pipe."""
    return TerminalProgress() if sys.stderr.isatty() else PlainProgress()


class TerminalProgress:
    """Bars with rate and time left; loops inside loops share one display."""

    def __init__(self) -> None:
        self._bars: Bars | None = None

    def track(self, iterable: Iterable[T], *, description: object, total: int | None = None) -> Iterator[T]:
        """Yields what `iterable` yields and shows how far it is."""
        outermost = self._bars is None
        if self._bars is None:
            self._bars = _bars()
            self._bars.start()
        bars = self._bars
        task = bars.add_task(printable(str(description)), total=_total(iterable, total))
        try:
            waiting, shown = 0, time.monotonic()
            for value in iterable:
                yield value
                waiting += 1
                if time.monotonic() - shown >= BARS_INTERVAL_S:
                    bars.update(task, advance=waiting, description=printable(str(description)))
                    waiting, shown = 0, time.monotonic()
            bars.update(task, advance=waiting, description=printable(str(description)))
        finally:
            if outermost:
                bars.stop()
                self._bars = None
            else:
                bars.remove_task(task)

    def say(self, line: str) -> None:
        """Writes one remark above the bars."""
        if self._bars is None:
            say(line)
        else:
            self._bars.console.print(printable(line), markup=False, highlight=False)


@dataclass(slots=True)
class PlainProgress:
    """One line now and then, and one at the end of every loop."""

    stream: TextIO = field(default_factory=lambda: sys.stderr)
    interval_s: float = PLAIN_INTERVAL_S

    def track(self, iterable: Iterable[T], *, description: object, total: int | None = None) -> Iterator[T]:
        """Yields what `iterable` yields and says how far it is."""
        total = _total(iterable, total)
        started = said = time.monotonic()
        done = 0
        for value in iterable:
            yield value
            done += 1
            now = time.monotonic()
            if now - said >= self.interval_s:
                said = now
                self.say(f"{description}: {_pace(done, total, now - started)}")
        self.say(f"{description}: {done} in {_duration(time.monotonic() - started)}")

    def say(self, line: str) -> None:
        """Writes one line."""
        self.stream.write(printable(line) + "\n")
        self.stream.flush()


class _RateColumn(ProgressColumn):
    """Steps per second."""

    def render(self, task: Task) -> Text:
        """The rate, or nothing while there is none."""
        rate = task.finished_speed or task.speed
        return Text(_rate(rate) if rate else "", style="progress.data.speed")


def _bars() -> Bars:
    """Bars on stderr that vanish when they are done."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
    )
    times = (_RateColumn(), TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
    return Bars(*columns, *times, console=Console(stderr=True), transient=True)


def _total(iterable: Iterable[object], total: int | None) -> int | None:
    """The number of steps, where it is known."""
    if total is not None:
        return total
    return len(iterable) if isinstance(iterable, Sized) else None


def _pace(done: int, total: int | None, seconds: float) -> str:
    """How far, how fast, how long still."""
    rate = done / max(seconds, SMALLEST_S)
    if not total:
        return f"{done}, {_rate(rate)}"
    left = _duration(max(total - done, 0) / rate)
    return f"{done} of {total} ({100 * done // total} %), {_rate(rate)}, {left} left"


def _rate(per_second: float) -> str:
    """Steps per second, or what a slow step takes."""
    return f"{per_second:.1f}/s" if per_second >= SLOW else f"{_duration(1 / per_second)} each"


def _duration(seconds: float) -> str:
    """Seconds in words that fit a line."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
