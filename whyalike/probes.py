"""Probing a gallery with images of its own, and what that says."""

import random

from gallery.builds.build import Build
from gallery.builds.probing import Drift, drift, probe
from search_api.schemas.galleries import WatchSchema
from whyalike.console import say
from whyalike.tables import UNKNOWN, print_facts


def drift_of_sample(build: Build, *, sample: int, seed: int) -> Drift | None:
    """Probe a build with so many of its images; None where it has too few for the ten nearest."""
    ids = [image.image_id for image in build]
    drawn = random.Random(seed).sample(ids, min(sample, len(ids)))
    probes = [probe(build, embedding) for embedding in build.embeddings(drawn)]
    return drift(build, [each for each in probes if each is not None])


def print_watch(told: WatchSchema) -> None:
    """The recall now and then; warnings go to stderr."""
    expected = "exact search" if told.expected is None else f"{told.expected:.4f}"
    shift = UNKNOWN if told.shift is None else f"{told.shift:.3f}"
    print_facts(
        [
            ("searches", str(told.searches)),
            ("recall@10", f"{told.recall:.4f} [{told.low:.4f}, {told.high:.4f}]"),
            ("when it was built", expected),
            ("shift of the distances", shift),
        ]
    )
    for warning in told.warnings:
        say(warning)
