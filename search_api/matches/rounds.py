"""The middle of a search: candidates are proposed, re-scored, ranked and chosen from until they suffice."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gallery.builds.build import Build
from gallery.filters.conditions import Condition, Operand, Where
from gallery.index.candidates import WIDENING, Candidate
from gallery.index.narrowing import labelled
from search_api.evidence.explaining import Judging
from search_api.matches.candidates import narrow
from search_api.matches.choosing import Bar, bar
from search_api.matches.cursors import group_digest
from search_api.matches.ranking import Group, Ranking, Wish
from search_api.matches.rescoring import Match, rescore
from search_api.queries.subjects import Subject
from search_api.scoring import Floats, Scorer
from search_api.stopwatch import Stopwatch


def rank(
    asked: Subject,
    build: Build,
    judging: Judging,
    wish: Wish,
    clock: Stopwatch,
    *,
    count: int,
    wrong: Collection[str] = (),
) -> Ranking:
    """What the gallery has nearest to the query among `count` candidates, or more where these are too few.

    `wrong` are the contents that were judged to be no match of the query. Raises what `narrow` raises,
    EncoderMismatch, InvalidFilter, and InvalidQuestion where a least probability is asked of a scorer that
    gives none.
    """
    must = bar(wish.choice, judging, same_only=wish.same_only)
    with clock.stage("search"):
        narrowed = narrow(asked, build, judging.checkpoint, labels=wish.labels, prefilter=wish.prefilter)
        where = wish.where if narrowed.labels is None else (*labelled(narrowed.labels), *wish.where)
        left_out = build.narrowing.images_showing(wrong, where)
    search = _Search(asked, build, judging, wish, clock, where, must, left_out)
    found = search.grouped(count) if wish.choice.group_by else search.ungrouped(count)
    with clock.stage("search"):
        total = search.total()
    more = found.more and (total is None or found.shown[-1].rank < total)
    return replace(found, prefilter=narrowed.prefilter, count=count, total=total, more=more, wrong=left_out)


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """One search while it goes on."""

    asked: Subject
    build: Build
    judging: Judging
    wish: Wish
    clock: Stopwatch
    where: Where
    bar: Bar
    wrong: Mapping[int, str]

    def total(self) -> int | None:
        """How many matches there are on all pages; None where only looking at all of them would tell."""
        choice, narrowing = self.wish.choice, self.build.narrowing
        wrong = {} if choice.include_judged else self.wrong
        if self.bar or (choice.group_by and wrong):
            return None
        if choice.group_by:
            return narrowing.count_groups(choice.group_by, self.where)
        if choice.fold:
            allowed = narrowing.allowed(self.where)
            contents = self.build.manifest.contents if allowed is None else len(allowed)
            return contents - len(set(wrong.values()))
        images = narrowing.count(self.where) if self.where else len(self.build)
        return images - len(wrong)

    def ungrouped(self, count: int) -> Ranking:
        """The matches after the cursor, and whether more follow."""
        after = self.wish.choice.after
        width = count + len(self.wrong)
        if not self.judging.scorer.reorders and after is not None:
            width += after.shown
        while True:
            ranking = self._round(width, self.where)
            ahead = [each for each in ranking.matches if self._is_ahead(each)]
            shown = [each for each in ahead if self._is_shown(each)]
            ended = self._is_all(ranking, width)
            if len(shown) >= self.wish.k or ended:
                break
            width *= WIDENING
        page = shown[: self.wish.k]
        more = len(shown) > len(page) or not ended
        first = after.shown if after else 0
        return replace(
            ranking,
            shown=[replace(each, rank=first + place) for place, each in enumerate(page, start=1)],
            left_out=self._left_out(ahead, page, more=more),
            more=more,
        )

    def grouped(self, count: int) -> Ranking:
        """The best of each of k groups that were not shown before, however many images the first have."""
        choice, width = self.wish.choice, count * self.wish.choice.group_size + len(self.wrong)
        before = choice.after.groups if choice.after else ()
        groups: dict[str, list[Match]] = {}
        rounds: list[Ranking] = []
        while True:
            known = len(groups)
            ranking = self._round(width, (*self.where, self._beyond(groups)))
            rounds.append(ranking)
            self._sort_into(groups, ranking)
            new = [name for name in groups if group_digest(name) not in before]
            if len(new) > self.wish.k or self._is_all(ranking, width) or len(groups) == known:
                break  # a round that found no new group would be the same again
        best = sorted(new, key=lambda name: key_of(groups[name][0], self.judging.scorer))
        page = [self._filled(name, groups[name], rounds) for name in best[: self.wish.k]]
        return self._of_groups(page, rounds, more=len(best) > len(page))

    def _of_groups(self, page: Sequence[Group], rounds: Sequence[Ranking], *, more: bool) -> Ranking:
        by, after = str(self.wish.choice.group_by), self.wish.choice.after
        sizes = self.build.narrowing.group_sizes([each.name for each in page], by=by, where=self.where)
        groups = [replace(each, images=sizes[each.name]) for each in page]
        shown = [
            replace(each.members[0], rank=place)
            for place, each in enumerate(groups, start=1 + (after.shown if after else 0))
        ]
        joined = _joined(rounds)
        left_out = self._left_out(joined.matches, shown, more=more)
        return replace(joined, where=self.where, shown=shown, groups=groups, left_out=left_out, more=more)

    def _round(self, count: int, where: Where) -> Ranking:
        with self.clock.stage("search"):
            found = self.build.propose(
                self.asked.embedding,
                count=count,
                where=where,
                fold=self.wish.choice.fold,
                fingerprint=self.asked.fingerprint,
            )
        with self.clock.stage("rescore"):
            exact = self.build.embeddings([each.image_id for each in found.candidates])
            matches = rescore(self.asked.embedding, found.candidates, exact, self.judging.scorer)
        return Ranking(where, None, count, found.candidates, exact, matches, found.exhaustive)

    def _is_all(self, ranking: Ranking, width: int) -> bool:
        """Whether asking for more candidates would show nothing else."""
        if len(ranking.proposed) < width:
            return True
        if self.judging.scorer.reorders:  # its candidates are what was asked to be re-scored
            return not self.wish.choice.group_by
        return not self.bar.passes(ranking.matches[-1])  # and so does nothing that is farther

    def _is_ahead(self, match: Match) -> bool:
        after = self.wish.choice.after
        return self.bar.passes(match) and (after is None or key_of(match, self.judging.scorer) > after.last)

    def _is_shown(self, match: Match) -> bool:
        return match.image_id not in self.wrong or self.wish.choice.include_judged

    def _left_out(self, ahead: Sequence[Match], page: Sequence[Match], *, more: bool) -> int:
        """How many that were judged wrong come before the last shown, or at all on the last page."""
        if self.wish.choice.include_judged:
            return 0
        last = max((key_of(each, self.judging.scorer) for each in page), default=None) if more else None
        wrong = [each for each in ahead if each.image_id in self.wrong and self.bar.passes(each)]
        return len([each for each in wrong if last is None or key_of(each, self.judging.scorer) < last])

    def _beyond(self, groups: Collection[str]) -> Condition:
        """That an image is in a group, and in none of these."""
        by = str(self.wish.choice.group_by)
        if not groups:
            return Condition(by, "exists")
        return Condition(by, "not in", tuple(Operand(name) for name in sorted(groups)))

    def _sort_into(self, groups: dict[str, list[Match]], ranking: Ranking) -> None:
        shown = [each for each in ranking.matches if self.bar.passes(each) and self._is_shown(each)]
        with self.clock.stage("search"):
            named = self.build.narrowing.groups_of(
                [each.image_id for each in shown], by=str(self.wish.choice.group_by)
            )
        for match in shown:
            groups.setdefault(named[match.image_id], []).append(match)

    def _filled(self, name: str, found: Sequence[Match], rounds: list[Ranking]) -> Group:
        """The best members of a group: looked for among its images alone where too few were candidates."""
        size = self.wish.choice.group_size
        if len(found) < size:
            own = Condition(str(self.wish.choice.group_by), "=", (Operand(name),))
            width = size + len(self.wrong)
            rounds.append(self._round(width, (*self.where, own)))
            found = [each for each in rounds[-1].matches if self.bar.passes(each) and self._is_shown(each)]
        return Group(name, tuple(found[:size]))


def _joined(rounds: Sequence[Ranking]) -> Ranking:
    """All that was proposed, each image once; the matches of the first round come first."""
    proposed: dict[int, Candidate] = {}
    rows: list[Floats] = []
    matches: dict[int, Match] = {}
    for ranking in rounds:
        for row, each in enumerate(ranking.proposed):
            if each.image_id not in proposed:
                proposed[each.image_id] = each
                rows.append(ranking.exact[row])
        for match in ranking.matches:
            matches.setdefault(match.image_id, match)
    exact = np.stack(rows) if rows else rounds[0].exact
    exhaustive = all(each.exhaustive for each in rounds)
    return replace(
        rounds[0],
        proposed=list(proposed.values()),
        exact=exact,
        matches=list(matches.values()),
        exhaustive=exhaustive,
    )


def key_of(match: Match, scorer: Scorer) -> tuple[float, ...]:
    """What ranks a match among all: the smallest comes first, and no two images have the same."""
    return (*scorer.order(match.scored), float(match.image_id))
