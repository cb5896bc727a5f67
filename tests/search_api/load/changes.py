"""Who changes the gallery: one after the other, each waited for, and then looked at from outside."""

from __future__ import annotations

import asyncio
import io
import itertools
import shutil
import zipfile
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from search_api.calls import asking, managing
from search_api.calls.call import Call
from search_api.schemas.jobs import EncoderWishSchema
from tests.search_api.load.asking import GALLERY, UnansweredError, Visit
from tests.search_api.load.drawn import drawn, number_of, write_drawn
from tests.search_api.load.ledger import Ledger

SLOTS = ("one", "two", "three", "four")
"""Folders whose pictures are replaced by others, in turn, so that the gallery stays as large as it is."""
UPLOADS = "uploads"
MOST_UPLOADED = 40
"""Before the oldest are removed."""
LOOKED_AT = 3
"""Pictures of each folder that are asked for after a change."""
MOST_WITHDRAWN = 50
"""That are remembered."""
POLL_S = 0.25
PATIENCE_S = 120.0
ENDED = frozenset({"done", "failed", "cancelled"})


@dataclass
class Changes:
    """Changes the gallery in the phase of its visit."""

    visit: Visit
    root: Path
    at_once: int
    """Pictures of one import."""
    encoders: tuple[str, str]
    disk: dict[str, set[int]] = field(default_factory=dict)
    """What lies in the folders and is not removed."""
    done: Counter[str] = field(default_factory=Counter)
    fresh: Iterator[int] = field(default_factory=lambda: itertools.count(100_000))
    withdrawn: list[int] = field(default_factory=list)
    """Numbers that were in the gallery and are not at the moment."""

    @property
    def ledger(self) -> Ledger:
        """What must be so."""
        return self.visit.ledger

    async def begin(self) -> None:
        """Every folder is filled once, so that every build that is known has something of each."""
        for _ in SLOTS:
            await self.replace_folder()
        await self.upload()

    async def until(self, deadline: float, pause_s: float) -> None:
        """Changes, one after the other, until then."""
        verbs: tuple[Callable[[], Awaitable[None]], ...] = (
            self.replace_folder,
            self.remove,
            self.go_back,
            self.judge,
            self.upload,
            self.go_back,
            self.replace_folder,
            self.remove,
            self.small_gallery,
            self.rescan,
        )
        clock = asyncio.get_running_loop()
        for verb in itertools.cycle(verbs):
            if clock.time() >= deadline:
                return
            try:
                await verb()
                self.done[verb.__name__] += 1
            except UnansweredError:
                self.done["given up"] += 1
            await asyncio.sleep(pause_s)

    async def replace_folder(self) -> None:
        """Other pictures lie in a folder: once the job is done they are found, and the old ones are not."""
        slot = SLOTS[self.done["replace_folder"] % len(SLOTS)] if len(self.disk) >= len(SLOTS) else ""
        slot = slot or next(each for each in SLOTS if each not in self.disk)
        folder = self.root / "imports" / slot
        shutil.rmtree(folder, ignore_errors=True)
        numbers = [next(self.fresh) for _ in range(self.at_once)]
        write_drawn(folder, numbers)
        self.disk[slot] = set(numbers)
        await self._publish(managing.import_sources(GALLERY, [str(folder)]), {slot: frozenset(numbers)})
        await self._look()

    async def rescan(self) -> None:
        """Everything is read again: what lies there is found, what a person removed is not."""
        call = managing.import_sources(GALLERY)
        await self._publish(call, {slot: frozenset(each) for slot, each in self.disk.items()})
        await self._look()

    async def upload(self) -> None:
        """An archive of pictures and a single one become images."""
        numbers = [next(self.fresh) for _ in range(max(2, self.at_once // 4))]
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as packed:
            for number in numbers[1:]:
                packed.writestr(f"sent/n-{number}.png", drawn(number))
        self.disk.setdefault(UPLOADS, set()).update(numbers)
        held = frozenset(self.disk[UPLOADS])
        await self.visit.ask(managing.upload(GALLERY, [("sent.zip", archive.getvalue())]))
        single = (f"n-{numbers[0]}.png", drawn(numbers[0]))
        await self._publish(managing.add_image(GALLERY, single, label="sent"), {UPLOADS: held})
        await self._look()
        if len(held) > MOST_UPLOADED:
            await self._remove(UPLOADS, sorted(held)[: len(held) - MOST_UPLOADED // 2])

    async def remove(self) -> None:
        """Images of the core and of a folder are found no more from the answer on, in whichever build."""
        number = self.ledger.live()
        self.ledger.doomed.add(number)
        await self._removal(self.ledger.core[number], number)
        slot = self.ledger.chance.choice(SLOTS)
        await self._remove(slot, sorted(self.ledger.slots[slot])[:2])

    async def go_back(self) -> None:
        """The state of another build that is kept, and known, is published again."""
        listed = await self.visit.ask(managing.list_builds(GALLERY))
        kept = [each["build"] for each in listed["builds"] if not each["published"]]
        known = [each for each in kept if each in self.ledger.states]
        if not known:
            return
        number = self.ledger.chance.choice(known)
        state = {slot: self.ledger.states[number].get(slot, frozenset()) for slot in self.ledger.slots}
        await self._publish(managing.activate_build(GALLERY, number), state)
        await self._look()

    async def judge(self) -> None:
        """A pair that is judged wrong is left out, until that is revoked."""
        number = self.ledger.live()
        self.ledger.judged.add(number)
        try:
            await self._judged(asking.search(("l", drawn(number)), gallery=GALLERY, k=5))
        finally:
            self.ledger.judged.discard(number)

    async def small_gallery(self) -> None:
        """A gallery is made, embedded anew by another encoder, and deleted: then it is not there."""
        name, folder = f"small-{self.done['small_gallery']}", self.root / "small"
        shutil.rmtree(folder, ignore_errors=True)
        numbers = [next(self.fresh) for _ in range(6)]
        write_drawn(folder, numbers)
        for encoder in self.encoders:
            wish = EncoderWishSchema(name=encoder)
            call = managing.import_sources(name, [str(folder)], encoder=wish, refit=True)
            await self._job(call)
            answer = await self.visit.ask(asking.search(("m", drawn(numbers[0])), gallery=name, k=3))
            self.visit.require(answer["encoder"]["name"] == encoder, f"{name} is not embedded by {encoder}")
            self.visit.require(answer["matches"][0]["distance"] == 0, f"{name} does not find its own")
        await self._job(managing.delete_gallery(name, confirm=name))
        gone = await self.visit.ask(asking.search(("n", drawn(numbers[0])), gallery=name), 404)
        self.visit.require(gone is None, f"{name} is deleted, and can be searched")

    async def _judged(self, call: Call[Any]) -> None:
        first = await self.visit.search(call)
        if first is None:
            return
        told = {"query_checksum": first["query"]["checksum"], "image_id": first["matches"][1]["image_id"]}
        said = await self.visit.ask(asking.judge(GALLERY, says="wrong", **told))
        without = await self.visit.search(call)
        shown = [each["image_id"] for each in without["matches"]] if without else []
        self.visit.require(told["image_id"] not in shown, "a pair judged wrong is still shown")
        self.visit.require(bool(without and without["left_out"]), "nobody says that a pair was left out")
        await self.visit.ask(asking.revoke_judgement(GALLERY, said["judgement_id"]))
        again = await self.visit.search(call)
        same = bool(again) and again["matches"][1]["image_id"] == told["image_id"]
        self.visit.require(same, "a pair whose judgement was revoked is not shown again")

    async def _remove(self, slot: str, numbers: list[int]) -> None:
        """Pictures that came from this place."""
        for number in numbers:
            found = await self._found(number)
            if found is not None:
                self.disk[slot].discard(number)
                for state in (self.ledger.slots, *self.ledger.states.values()):
                    state[slot] = state.get(slot, frozenset()) - {number}
                await self._removal(found, number)

    async def _removal(self, image_id: int, number: int) -> None:
        self.ledger.removals += 1
        try:
            job = await self.visit.ask(managing.delete_image(GALLERY, image_id))
            self.ledger.gone.add(image_id)
        finally:
            self.ledger.removals += 1
        self.visit.require(await self._found(number) is None, f"picture {number} was removed and is found")
        self._note(await self._ended(job))

    async def _publish(self, call: Call[Any], slots: dict[str, frozenset[int]]) -> None:
        """The job that makes these the pictures of these places."""
        ended = await self._job(call)
        before = self.ledger.shown()
        self.ledger.slots.update(slots)
        shown = self.ledger.shown()
        hidden = [*self.withdrawn, *sorted(before - shown)]
        self.withdrawn = [each for each in hidden if each not in shown][-MOST_WITHDRAWN:]
        self._note(ended)

    def _note(self, ended: dict[str, Any]) -> None:
        if ended["state"] == "done":
            self.ledger.published(ended["outcome"]["build"])

    async def _job(self, call: Call[Any]) -> dict[str, Any]:
        return await self._ended(await self.visit.ask(call))

    async def _ended(self, job: dict[str, Any]) -> dict[str, Any]:
        """The job once it is done; anything else is a fault."""
        clock = asyncio.get_running_loop()
        deadline = clock.time() + PATIENCE_S
        while job["state"] not in ENDED and clock.time() < deadline:
            await asyncio.sleep(POLL_S)
            job = await self.visit.ask(managing.get_job(job["id"]))
        is_done = job["state"] == "done" and not job["errors"]
        self.visit.require(is_done, f"job {job['kind']} is {job['state']}: {job['reason']}, {job['errors']}")
        return job

    async def _look(self) -> None:
        """Some of every place are found at distance 0, and what is not in the gallery is not."""
        for slot, numbers in self.ledger.slots.items():
            for number in sorted(numbers)[-LOOKED_AT:]:
                found = await self._found(number)
                told = f"picture {number} of {slot} is not found in build {self.ledger.build}"
                self.visit.require(found is not None, told)
        for number in self.withdrawn[-LOOKED_AT:]:
            told = f"picture {number} is found, and is none of build {self.ledger.build}"
            self.visit.require(await self._found(number) is None, told)

    async def _found(self, number: int) -> int | None:
        """The image at distance 0 that is this picture; None where there is none."""
        answer = await self.visit.search(asking.search(("o", drawn(number)), gallery=GALLERY, k=2))
        for match in answer["matches"] if answer else ():
            if match["distance"] == 0 and number_of(match["uri"]) == number:
                return int(match["image_id"])
        return None
