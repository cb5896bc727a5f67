"""Progress on stderr: bars on a terminal, plain lines elsewhere."""

import io

import pytest

from whyalike.console import PlainProgress, TerminalProgress, _pace, printable, progress, say
from whyalike.tables import print_facts, print_rows


def test_without_a_terminal_progress_is_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    shown = progress()
    assert list(shown.track([1, 2, 3], description="embedding")) == [1, 2, 3]
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("embedding: 3 in 0.") and captured.err.count("\n") == 1
    assert "\x1b" not in captured.err and "\r" not in captured.err


def test_a_long_loop_says_how_far_how_fast_and_how_long_still() -> None:
    stream = io.StringIO()
    list(PlainProgress(stream, interval_s=0).track(range(4), description="embedding"))
    assert stream.getvalue().startswith("embedding: 1 of 4 (25 %), ")
    assert "/s, " in stream.getvalue() and " left\n" in stream.getvalue()


def test_a_slow_loop_says_what_each_step_takes_and_never_a_rate_of_nothing() -> None:
    assert _pace(1, 4, 23.7) == "1 of 4 (25 %), 23.7 s each, 1 min 11 s left"
    assert _pace(10, None, 4.0) == "10, 2.5/s"


def test_a_loop_of_unknown_length_says_no_time_left() -> None:
    stream = io.StringIO()
    list(PlainProgress(stream, interval_s=0).track(iter("ab"), description="reading"))
    assert "left" not in stream.getvalue()


def test_a_loop_that_is_left_early_says_nothing_more() -> None:
    stream = io.StringIO()
    loop = PlainProgress(stream).track(range(9), description="reading")
    next(loop)
    loop.close()
    assert stream.getvalue() == ""


def test_bars_pass_loops_inside_loops_through(capsys: pytest.CaptureFixture[str]) -> None:
    bars = TerminalProgress()
    seen = []
    for epoch in bars.track(range(2), description="epochs"):
        seen += [(epoch, batch) for batch in bars.track(range(2), description="batches")]
        bars.say("a remark")
    assert seen == [(0, 0), (0, 1), (1, 0), (1, 1)]
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("a remark") == 2


@pytest.mark.parametrize("command", ["\x1b[2J", "\r", "\n", "\x9b31m", "\u202e", "\udcff"])
def test_the_name_of_a_file_commands_no_terminal(capsys: pytest.CaptureFixture[str], command: str) -> None:
    name = f"a{command}b.png"
    say(name)
    PlainProgress().say(name)
    TerminalProgress().say(name)
    print_rows(("picture",), [(name,)])
    print_facts([("picture", name)])
    captured = capsys.readouterr()
    shown = f"a{command.encode('unicode_escape').decode()}b.png"
    assert (captured.err.count(shown), captured.out.count(shown)) == (3, 2)


def test_any_language_is_printed_as_it_is() -> None:
    assert printable("Käse – 写真 – צילום – 📷.jpg") == "Käse – 写真 – צילום – 📷.jpg"


def test_brackets_in_a_folder_s_name_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    list(TerminalProgress().track([1], description="reading [/red]"))
