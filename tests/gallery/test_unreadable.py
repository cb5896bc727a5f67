from gallery.builds.history import history
from gallery.surveys.pages import LONGEST, mark_of, unreadable_page
from gallery.surveys.seen import Unreadable
from tests.gallery.support import NAME, Trial

LENGTHS = 0, LONGEST - 64 - 3, LONGEST - 4, LONGEST - 3, LONGEST, 3 * LONGEST
ALIKE = sorted("/r/" + "x" * length + ending for length in LENGTHS for ending in ("", "/", "aZ", "é", "😀"))


def leave_out(trial: Trial, uris: list[str]) -> None:
    trial.run({"/r/a/1.jpg": b"a"}, unreadable=[Unreadable(uri, None, "It has no bytes.") for uri in uris])


def test_pages_of_what_could_not_be_read_tell_every_file_once_however_long_its_uri_is(trial: Trial) -> None:
    leave_out(trial, ALIKE)
    site = trial.galleries.site(NAME)
    assert history(site).unreadable == len(ALIKE)
    with site.engine.connect() as connection:
        for limit in (1, 2, 7, len(ALIKE)):
            told: list[str] = []
            after: str | None = None
            while not told or after is not None:
                page = unreadable_page(connection, site.gallery_id, after=after, limit=limit)
                told += [each.uri for each in page.files]
                after = page.next_after
                assert page.total == len(ALIKE) and len(after or "") <= LONGEST
            assert told == ALIKE


def test_a_mark_of_what_was_read_meanwhile_leaves_nothing_out(trial: Trial) -> None:
    gone, *rest = ("/r/" + "x" * LONGEST + ending for ending in "abc")
    leave_out(trial, rest)
    site = trial.galleries.site(NAME)
    with site.engine.connect() as connection:
        page = unreadable_page(connection, site.gallery_id, after=mark_of(gone), limit=5)
    assert [each.uri for each in page.files] == rest
