"""What visitors ask, a function for each kind: it sends one question, and knows what the answer must be."""

from __future__ import annotations

import itertools
import random
from collections.abc import Awaitable, Callable
from typing import Any

from search_api.calls import asking, managing
from tests.indexer.hostile import hostile_files
from tests.search_api.load.asking import GALLERY, Visit, ids_of
from tests.search_api.load.drawn import SHAPES, drawn, label_of

UNKNOWN = range(1_000_000, 1_000_500)
"""Numbers of pictures that are in no gallery."""
REPEATED = UNKNOWN[:20]
"""Of those, what is asked again and again."""
K = 10
CROP = "0.2,0.2,0.8,0.8"
PROBLEMS = (400, 413, 415, 422)
"""What a bad picture may be refused with."""

_fresh = itertools.count()


async def known(visit: Visit) -> None:
    """A picture of the gallery finds itself at distance 0, unless it was removed: then never."""
    number = visit.ledger.some()
    was_gone = visit.ledger.core[number] in visit.ledger.gone
    answer = await visit.search(asking.search(("a", drawn(number)), gallery=GALLERY, k=K))
    if not was_gone and number not in visit.ledger.doomed:
        visit.require_first(answer, visit.ledger.core[number], f"picture {number}")


async def unknown(visit: Visit, **wish: Any) -> None:
    """A picture that nobody knows, with bytes of its own, has the ten nearest."""
    answer = await visit.search(asking.search(("b", _unknown(visit)), gallery=GALLERY, k=K, **wish))
    visit.require(
        answer is not None and len(answer["matches"]) == K, "an unknown picture has not ten matches"
    )


async def repeated(visit: Visit) -> None:
    """The same picture has the same answer as long as the build is the same and nothing is removed."""
    number, removals = visit.ledger.chance.choice(REPEATED), visit.ledger.removals
    answer = await visit.search(asking.search(("c", drawn(number)), gallery=GALLERY, k=K))
    if answer is None or removals != visit.ledger.removals or removals % 2:
        return
    found = [(each["image_id"], each["distance"]) for each in answer["matches"]]
    same = visit.ledger.answered_before(number, answer["build"], found)
    visit.require(same, f"picture {number} has another answer in the same build {answer['build']}")


async def stored(visit: Visit) -> None:
    """An image of the gallery finds itself; one that was removed is not there to ask with."""
    number = visit.ledger.some()
    image_id = visit.ledger.core[number]
    was_gone = image_id in visit.ledger.gone
    answer = await visit.search(asking.search(image_id=image_id, gallery=GALLERY, k=K), 404)
    if was_gone:
        visit.require(answer is None, f"image {image_id} was removed, and can be asked with")
    elif number not in visit.ledger.doomed:
        visit.require_first(answer, image_id, f"image {image_id}")


async def filtered(visit: Visit) -> None:
    """Only images of one label."""
    label = label_of(visit.ledger.chance.randrange(len(SHAPES)))
    call = asking.search(("d", _unknown(visit)), gallery=GALLERY, k=K, label=[label])
    answer = await visit.search(call)
    labels = {each["label"] for each in answer["matches"]} if answer else set()
    visit.require(labels == {label}, f"{label} was asked for, and {labels} came")


async def crop(visit: Visit) -> None:
    """A part of a picture."""
    picture = ("e", drawn(visit.ledger.some()))
    await visit.search(asking.search(picture, gallery=GALLERY, k=K, crop=CROP))


async def overlays(visit: Visit) -> None:
    """With heatmaps painted over both pictures, and the spots that answer each other."""
    call = asking.search(("f", _unknown(visit)), gallery=GALLERY, k=3, overlays=True, correspondences=True)
    answer = await visit.search(call)
    painted = all(each.get("overlays") for each in answer["matches"]) if answer else False
    visit.require(painted, "overlays were asked for, and are not there")


async def pages(visit: Visit) -> None:
    """The second page goes on in the build of the first, and repeats nothing."""
    picture = ("g", _unknown(visit))
    first = await visit.search(asking.search(picture, gallery=GALLERY, k=K))
    if first is None:
        return
    gone = frozenset(visit.ledger.gone)
    call = asking.search(picture, gallery=GALLERY, k=K, cursor=first["next_cursor"])
    second = await visit.ask(call, 410)
    if second is not None:
        visit.require_true(second, least=first["build"], gone=gone)
        visit.require(second["build"] == first["build"], "the second page is of another build")
        visit.require(not set(ids_of(first)) & set(ids_of(second)), "the second page repeats the first")


async def batch(visit: Visit) -> None:
    """Four searches at once, each answered as alone."""
    number = visit.ledger.live()
    image_id = visit.ledger.core[number]
    least, gone = visit.ledger.build, frozenset(visit.ledger.gone)
    searches = [
        {"upload": 0, "gallery": GALLERY},
        {"image_id": image_id, "gallery": GALLERY},
        {"upload": 1, "gallery": GALLERY},
        {"upload": 0, "gallery": GALLERY, "k": 3},
    ]
    sent = [("h", drawn(number)), ("i", _unknown(visit))]
    told = await visit.ask(asking.search_batch(searches, sent))
    if number in visit.ledger.doomed or number in visit.ledger.judged:
        return
    for place, each in enumerate(told["answers"]):
        answer = each.get("search")
        visit.require(answer is not None, f"search {place} of a batch: {each.get('problem')}")
        if answer is not None:
            visit.require_true(answer, least=least, gone=gone)
            if place != 2:
                visit.require_first(answer, image_id, f"search {place} of a batch")


async def compare(visit: Visit) -> None:
    """A picture and the image that it is are at distance 0."""
    number = visit.ledger.live()
    call = asking.compare(("j", drawn(number)), b_image_id=visit.ledger.core[number], gallery=GALLERY)
    answer = await visit.ask(call, 404)
    if number not in visit.ledger.doomed:
        visit.require(answer is not None and answer["distance"] == 0, f"picture {number} is not itself")


async def look(visit: Visit) -> None:
    """What a page shows around its matches."""
    number = visit.ledger.live()
    image_id = visit.ledger.core[number]
    for call in (
        asking.get_thumbnail(image_id, gallery=GALLERY),
        asking.get_image(image_id, gallery=GALLERY),
        visit.ledger.chance.choice((managing.list_jobs(limit=5), asking.get_gallery(GALLERY))),
    ):
        answer = await visit.ask(call, 404)
        visit.require(answer is not None or number in visit.ledger.doomed, f"{call.path} is not there")


async def listed(visit: Visit) -> None:
    """A page of the gallery's images names no image that was removed."""
    gone = set(visit.ledger.gone)
    after = visit.ledger.core[visit.ledger.some()]
    answer = await visit.ask(managing.list_images(GALLERY, after=after, limit=50))
    ids = {each["image_id"] for each in answer["images"]}
    visit.require(not ids & gone, f"removed images are listed: {sorted(ids & gone)}")


async def drawn_map(visit: Visit) -> None:
    """The map of the gallery."""
    least = visit.ledger.build
    answer = await visit.ask(asking.get_map(GALLERY))
    visit.require(answer["build"] >= least, f"stale: a map of build {answer['build']} after {least}")


class Bad:
    """Hostile pictures, one after the other."""

    def __init__(self, count: int, seed: int) -> None:
        files = list(hostile_files(count, seed=seed))
        random.Random(seed).shuffle(files)
        self._files = itertools.cycle(files)

    async def __call__(self, visit: Visit) -> None:
        """An answer, or a refusal that says why."""
        name, data = next(self._files)
        called = name.encode("ascii", "replace").decode()
        if visit.ledger.chance.random() < 0.5:
            await visit.ask(asking.search((called, data), gallery=GALLERY), *PROBLEMS)
        else:
            await visit.ask(
                asking.compare(("k", drawn(UNKNOWN[0])), (called, data), gallery=GALLERY), *PROBLEMS
            )


Question = Callable[[Visit], Awaitable[None]]

SHARES: dict[str, tuple[float, Question]] = {
    "known": (14, known),
    "unknown": (30, unknown),
    "repeated": (10, repeated),
    "stored": (10, stored),
    "filtered": (8, filtered),
    "crop": (4, crop),
    "overlays": (3, overlays),
    "pages": (3, pages),
    "batch": (3, batch),
    "compare": (4, compare),
    "look": (6, look),
    "listed": (1, listed),
    "map": (0.2, drawn_map),
}
"""Of a hundred requests, or nearly; bad uploads come besides."""
BAD_SHARE = 4.0


def _unknown(visit: Visit) -> bytes:
    """A picture with bytes of its own behind it, so that no gallery knows it."""
    return drawn(visit.ledger.chance.choice(UNKNOWN)) + next(_fresh).to_bytes(8, "big")
