"""Who keeps an image_id: by hand for the cases people meet, by hypothesis for all others."""

from hypothesis import given
from hypothesis import strategies as st

from gallery.difference import Difference, EndedPlace, OldPlace, Place, difference

URIS = [f"/{folder}/{name}" for folder in "rst" for name in "xyz"]
CONTENTS = "abc"


def old(image_id: int, uri: str, content: str, label: str | None = "l") -> OldPlace:
    return OldPlace(image_id, uri, label, content)


def new(uri: str, content: str, label: str | None = "l") -> Place:
    return Place(uri, label, content)


def counts(found: Difference) -> dict[str, int]:
    names = ("unchanged", "moved", "relabelled", "changed", "added", "removed")
    return {name: value for name in names if (value := getattr(found, name))}


def kept_ids(found: Difference) -> dict[str, int]:
    return {place.uri: before.image_id for before, place in found.kept} | {
        place.uri: image_id for image_id, place in found.restored
    }


def test_nothing_is_no_difference() -> None:
    assert difference([], []).is_empty
    assert difference([old(1, "/x", "a")], [new("/x", "a")]).is_empty


def test_a_label_alone_may_change() -> None:
    found = difference([old(1, "/x", "a", "cat")], [new("/x", "a", "dog")])
    assert counts(found) == {"relabelled": 1}
    assert not found.is_empty


def test_files_of_the_same_name_are_paired_before_others() -> None:
    found = difference(
        [old(1, "/r/x", "a"), old(2, "/r/y", "a")], [new("/s/a", "a"), new("/s/y", "a"), new("/s/x", "a")]
    )
    assert kept_ids(found) == {"/s/x": 1, "/s/y": 2}
    assert counts(found) == {"moved": 2, "added": 1}


def test_the_rest_is_paired_in_the_order_of_uris() -> None:
    found = difference([old(2, "/r/2", "a"), old(1, "/r/1", "a")], [new("/s/b", "a"), new("/s/a", "a")])
    assert kept_ids(found) == {"/s/a": 1, "/s/b": 2}


def test_content_that_moves_over_another_ends_that_one() -> None:
    found = difference([old(1, "/x", "a"), old(2, "/y", "b")], [new("/y", "a")])
    assert kept_ids(found) == {"/y": 1}
    assert [place.image_id for place in found.ended] == [2]
    assert counts(found) == {"moved": 1, "removed": 1}


def test_a_changed_file_that_equals_what_another_was_is_that_one_moved() -> None:
    found = difference([old(1, "/x", "a"), old(2, "/y", "b")], [new("/x", "b"), new("/y", "c")])
    assert kept_ids(found) == {"/x": 2}
    assert [place.uri for place in found.new] == ["/y"]
    assert counts(found) == {"moved": 1, "added": 1, "removed": 1}


def test_a_copy_over_another_file_changes_that_one() -> None:
    found = difference([old(1, "/x", "a"), old(2, "/y", "b")], [new("/x", "a"), new("/y", "a")])
    assert kept_ids(found) == {"/x": 1}
    assert counts(found) == {"unchanged": 1, "changed": 1}


def test_a_move_comes_before_a_restoration() -> None:
    found = difference([old(1, "/x", "a")], [new("/y", "a")], [EndedPlace(7, "/y", "a", 3)])
    assert kept_ids(found) == {"/y": 1}


def test_of_several_ids_that_a_place_had_the_latest_is_restored() -> None:
    earlier = [EndedPlace(1, "/x", "a", 2), EndedPlace(5, "/x", "a", 6), EndedPlace(3, "/x", "a", 4)]
    assert kept_ids(difference([], [new("/x", "a")], earlier)) == {"/x": 5}


def test_an_id_that_was_at_two_places_is_restored_at_the_later_one() -> None:
    earlier = [EndedPlace(1, "/x", "a", 2), EndedPlace(1, "/y", "a", 4)]
    found = difference([], [new("/x", "a"), new("/y", "a")], earlier)
    assert kept_ids(found) == {"/y": 1}
    assert [place.uri for place in found.new] == ["/x"]


def test_other_content_at_a_place_restores_nothing() -> None:
    found = difference([], [new("/x", "b")], [EndedPlace(1, "/x", "a", 2)])
    assert counts(found) == {"added": 1}
    assert not found.restored


def test_restored_bytes_where_others_were_count_as_changed() -> None:
    found = difference([old(2, "/x", "b")], [new("/x", "a")], [EndedPlace(1, "/x", "a", 2)])
    assert kept_ids(found) == {"/x": 1}
    assert counts(found) == {"changed": 1}


@st.composite
def situations(draw: st.DrawFn) -> tuple[list[OldPlace], list[Place], list[EndedPlace]]:
    contents = st.sampled_from(CONTENTS)
    labels = st.sampled_from(["l", "m", None])
    before = draw(st.dictionaries(st.sampled_from(URIS), st.tuples(contents, labels)))
    after = draw(st.dictionaries(st.sampled_from(URIS), st.tuples(contents, labels)))
    ended = draw(
        st.lists(st.tuples(st.sampled_from(URIS), contents, st.integers(1, 9), st.integers(100, 104)))
    )
    return (
        [
            OldPlace(number, uri, label, content)
            for number, (uri, (content, label)) in enumerate(before.items())
        ],
        [Place(uri, label, content) for uri, (content, label) in after.items()],
        # an id belongs to one content
        [
            EndedPlace(1000 * (1 + CONTENTS.index(content)) + image, uri, content, b)
            for uri, content, b, image in ended
        ],
    )


@given(situations(), st.randoms(use_true_random=False))
def test_every_place_has_one_fate_and_the_order_of_arguments_decides_nothing(situation, random) -> None:  # type: ignore[no-untyped-def]
    before, after, earlier = situation
    found = difference(before, after, earlier)

    begun = [place for _, place in found.kept] + [place for _, place in found.restored] + list(found.new)
    assert sorted(begun, key=lambda place: place.uri) == sorted(after, key=lambda place: place.uri)
    ended = [place for place, _ in found.kept] + list(found.ended)
    assert sorted(ended, key=lambda place: place.image_id) == sorted(before, key=lambda place: place.image_id)

    given_ids = [place.image_id for place, _ in found.kept] + [image_id for image_id, _ in found.restored]
    assert len(given_ids) == len(set(given_ids)), "no id is at two places"
    assert all(was.checksum == place.checksum for was, place in found.kept), "an id keeps its content"
    assert {(image_id, place.uri, place.checksum) for image_id, place in found.restored} <= {
        (each.image_id, each.uri, each.checksum) for each in earlier
    }

    assert found.changed + found.added == len(found.new) + len(found.restored)
    assert found.changed + found.removed == len(found.ended)
    assert found.unchanged + len(found.displaced) == len(found.kept)
    assert len(found.displaced) <= found.moved + found.relabelled

    shuffled = [random.sample(part, len(part)) for part in situation]
    assert difference(*shuffled) == found


@given(situations())
def test_as_many_images_of_a_content_keep_their_ids_as_can(situation) -> None:  # type: ignore[no-untyped-def]
    before, after, earlier = situation
    found = difference(before, after, earlier)
    for content in CONTENTS:
        kept = sum(place.checksum == content for place, _ in found.kept)
        assert kept == min(
            sum(place.checksum == content for place in before),
            sum(place.checksum == content for place in after),
        )


@given(situations())
def test_a_place_with_the_same_content_is_never_paired_with_another(situation) -> None:  # type: ignore[no-untyped-def]
    before, after, earlier = situation
    known = {(place.uri, place.checksum): place.image_id for place in before}
    kept = kept_ids(difference(before, after, earlier))
    for place in after:
        if (place.uri, place.checksum) in known:
            assert kept[place.uri] == known[place.uri, place.checksum]
