"""`whyalike compare`: how near pictures are, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from whyalike.options import (
    Device,
    EvidenceFolder,
    Explained,
    ExplainedChoice,
    Json,
    PublishedGallery,
    Runtime,
    Scorer,
    ScorerChoice,
)

if TYPE_CHECKING:  # loaded by the time that a picture is compared, not for --help
    from gallery.builds.build import Build
    from search_api.schemas.base import ScorerName
    from search_api.search import Searcher
    from siamese.encoder import Encoder
    from whyalike.computing import Computing
    from whyalike.settings import Settings


def compare(
    pictures: Annotated[
        list[Path],
        typer.Argument(
            metavar="QUERY IMAGE…", help="One picture, and those to compare it with; or a folder for --pairs."
        ),
    ],
    checkpoint: Annotated[
        Path | None, typer.Option("--checkpoint", help="Judge by this encoder instead of a gallery's.")
    ] = None,
    gallery: PublishedGallery = None,
    pairs: Annotated[
        int | None,
        typer.Option(
            "--pairs", metavar="N", min=1, help="Compare N random pairs of the images below one folder."
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Draws the pairs; by default 0.")] = None,
    grid: Annotated[
        Path | None,
        typer.Option("--grid", metavar="FILE", help="Write one picture of everything that was compared."),
    ] = None,
    scorer: Scorer = ScorerChoice.distance,
    explained: Explained = None,
    evidence: EvidenceFolder = None,
    what_if: Annotated[
        bool,
        typer.Option("--what-if", help="Hide what speaks for the verdict in the query; say what is left."),
    ] = False,
    faithfulness: Annotated[
        bool, typer.Option("--faithfulness", help="Test both maps by hiding regions; takes seconds.")
    ] = False,
    device: Device = None,
    runtime: Runtime = None,
    json: Json = False,
) -> None:
    """Say how near pictures are by an encoder, and why.

    A query and one picture, a query and several (the nearest first), or with --pairs a folder's random pairs.
    The threshold is fitted on balanced pairs; that of `search` is another, fitted on what a search shows.
    """
    from whyalike.computing import choose_computing
    from whyalike.grids import checked_picture
    from whyalike.searching import open_local_searcher
    from whyalike.settings import read_settings

    _refuse_misused(pictures, checkpoint, gallery, pairs, seed, evidence, explained)
    _refuse_hiding_of_many(pictures, pairs, what_if=what_if, faithfulness=faithfulness)
    wanted = Wanted(evidence, checked_picture(grid), json, what_if, faithfulness)
    settings = read_settings()
    computing = choose_computing(settings, device=device, runtime=runtime)
    with closing(open_local_searcher(settings, device=device, runtime=runtime)) as searcher:
        judge = Judge(searcher, checkpoint, gallery, scorer.value, computing)
        if pairs is None:
            _compare(judge, pictures, explained, wanted, settings)
        else:
            _sample(judge, pictures[0], pairs, seed or 0, wanted, settings)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is written and printed."""

    evidence: Path | None
    grid: Path | None
    json: bool
    what_if: bool
    faithfulness: bool


@dataclass(frozen=True, slots=True)
class Judge:
    """Who judges: the encoder of a checkpoint, or that of a gallery."""

    searcher: Searcher
    checkpoint: Path | None
    gallery: str | None
    scorer: ScorerName
    computing: Computing

    def own_encoder(self) -> Encoder | None:
        """The checkpoint's."""
        return self.computing.load(self.checkpoint) if self.checkpoint else None

    @contextmanager
    def lend(self) -> Iterator[tuple[Encoder, Build | None]]:
        """The encoder, and the build that it belongs to, if any."""
        if own := self.own_encoder():
            yield own, None
            return
        with self.searcher.builds.lend(self.gallery) as (build, _):
            yield self.computing.load(build.checkpoint), build


def _compare(
    judge: Judge, paths: Sequence[Path], explained: ExplainedChoice | None, wanted: Wanted, settings: Settings
) -> None:
    from search_api.evidence.accounts import Extras, HidingWanted
    from whyalike.comparison_tables import print_comparison
    from whyalike.comparisons import compare_pictures
    from whyalike.console import say
    from whyalike.hiding_tables import write_what_if
    from whyalike.pictures import readable_uploads, upload
    from whyalike.summaries import say_unreadable
    from whyalike.tables import print_json

    query = upload(paths[0], limits=settings.limits)
    images, unreadable = readable_uploads(paths[1:], limits=settings.limits)
    say_unreadable(unreadable)
    searcher = judge.searcher
    drawn = wanted.evidence is not None
    hiding = HidingWanted(wanted.what_if, wanted.faithfulness, pictures=drawn)
    comparison = compare_pictures(
        searcher,
        query,
        images,
        encoder=judge.own_encoder(),
        gallery=judge.gallery,
        scorer=judge.scorer,
        of=explained.value if explained else None,
        extras=Extras(correspondences=drawn, hiding=hiding),
        unreadable=unreadable,
    )
    if judge.checkpoint is None and judge.gallery is None:
        say(f"judged by the gallery {comparison.answers[0].gallery}; --gallery or --checkpoint names another")
    written = {
        "evidence": comparison.write_evidence(wanted.evidence, searcher) if wanted.evidence else None,
        "what if": write_what_if(wanted.evidence, comparison.answers[0]) if wanted.evidence else None,
        "grid": comparison.write_grid(wanted.grid, settings.limits) if wanted.grid else None,
    }
    if wanted.json:
        print_json(comparison.response)
    else:
        print_comparison(comparison.answers, written)


def _sample(judge: Judge, folder: Path, count: int, seed: int, wanted: Wanted, settings: Settings) -> None:
    from whyalike.comparison_tables import print_sampled_pairs
    from whyalike.console import progress, say
    from whyalike.grids import write_montage
    from whyalike.sampled_pairs import judge_sampled_pairs
    from whyalike.summaries import say_unreadable
    from whyalike.tables import print_json

    limits, shown = settings.limits, progress()
    with judge.lend() as (encoder, build):
        sampled = judge_sampled_pairs(
            encoder,
            folder,
            count=count,
            seed=seed,
            scorer=judge.scorer,
            build=build,
            limits=limits,
            progress=shown,
        )
    say_unreadable(sampled.unreadable)
    if sampled.counts.pairs < count:
        say(f"{sampled.counts.pairs} pairs instead of {count}: there are no more below {folder}")
    preprocessing = encoder.preprocessing
    grid = wanted.grid and write_montage(wanted.grid, sampled, preprocessing=preprocessing, limits=limits)
    if wanted.json:
        print_json(sampled)
    else:
        print_sampled_pairs(sampled, grid)


def _refuse_hiding_of_many(pictures: Sequence[Path], pairs: int | None, **wanted: bool) -> None:
    """Hiding regions takes seconds a pair; raises UsageError where there are several."""
    from whyalike.errors import UsageError

    asked = [f"--{name.replace('_', '-')}" for name, value in wanted.items() if value]
    if asked and (pairs is not None or len(pictures) > 2):
        tested = f"{asked[0]} tests" if len(asked) == 1 else f"{' and '.join(asked)} test"
        raise UsageError(f"{tested} one pair: name one query and one image")


def _refuse_misused(
    pictures: Sequence[Path],
    checkpoint: Path | None,
    gallery: str | None,
    pairs: int | None,
    seed: int | None,
    evidence: Path | None,
    explained: ExplainedChoice | None,
) -> None:
    """Options that do not go together; raises UsageError."""
    from whyalike.errors import UsageError

    if checkpoint and gallery:
        raise UsageError(
            "a checkpoint or a gallery judges a pair, not both: leave out --checkpoint or --gallery"
        )
    if pairs is None and len(pictures) < 2:
        raise UsageError(
            f"a comparison needs a query and at least one image beside {pictures[0]}; "
            "--pairs N compares random pairs of a folder"
        )
    if pairs is None and seed is not None:
        raise UsageError("--seed draws the pairs of --pairs N: leave it out, or ask for pairs")
    if pairs is not None and len(pictures) > 1:
        raise UsageError(f"--pairs draws from one folder, and {len(pictures)} paths are given")
    if pairs is not None and evidence:
        raise UsageError("--evidence explains one query: leave it out, or --pairs")
    if pairs is not None and explained:
        raise UsageError("--explained says what the heatmaps of a query add up to: leave it out, or --pairs")
