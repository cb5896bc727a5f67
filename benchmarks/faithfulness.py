"""The trial of `evaluate --evidence` with the published implementation's maps among the rivals.

    python benchmarks/faithfulness.py CHECKPOINT DATA [--queries DIR] [--pairs 300] [--runtime torch]

Prints the whole table; the published maps (published_maps.py) are those at the last feature map, as they were
published. On the folder that the checkpoint was trained on, the pairs are of its own test part. Of each rival
it then says whether the relevance map is ahead of it on deletion and insertion, on both images, with
intervals that exclude 0. Exits with 1 if it is not ahead of the random map, the centre prior or one of the
published maps, or is behind any rival by more than 0.01.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from published_maps import PUBLISHED_COUNTERFACTUAL, PUBLISHED_FACTUAL, published
from torch import nn

from explain.evidence_trial import PAIRS, EvidenceMeasures, try_evidence
from explain.faithfulness import MapFaithfulness
from explain.named_maps import CENTRE, RANDOM, RELEVANCE, rivals
from siamese.encoder import Encoder
from siamese.evaluation import try_encoder
from siamese.images import DEFAULT_LIMITS
from siamese.onnx_runtime import computed_by
from whyalike.console import progress
from whyalike.evidence_tables import print_evidence_measures
from whyalike.folders import read_folder

TO_BEAT = (RANDOM, CENTRE, PUBLISHED_FACTUAL, PUBLISHED_COUNTERFACTUAL)
WORST = -0.01  # how far the relevance map may be behind any rival
FIGURES = ("deletion", "insertion")


def main() -> int:
    """Try, print, judge."""
    wanted = _arguments()
    shown = progress()
    encoder = Encoder.load(wanted.checkpoint, device="auto" if wanted.runtime == "torch" else "cpu")
    computed = computed_by(wanted.runtime, encoder)
    asked = [each for each in (wanted.data, wanted.queries) if each]
    data, *queries = (read_folder(each, limits=DEFAULT_LIMITS, progress=shown).samples for each in asked)
    trial = try_encoder(computed, data, queries=queries[0] if queries else None, progress=shown)
    bias = encoder.network.linear.bias if isinstance(encoder.network.linear, nn.Linear) else None
    own = published(bias=None if bias is None else bias.detach().cpu().numpy())
    measures = try_evidence(computed, trial, rivals={**rivals(), **own}, count=wanted.pairs, progress=shown)
    print_evidence_measures(measures)
    if wanted.json:
        wanted.json.write_text(json.dumps(measures.model_dump(mode="json"), indent=1), encoding="utf-8")
    return _judged(measures)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("data", type=Path, help="a folder of images in folders by label")
    parser.add_argument("--queries", type=Path, help="ask with these images against DATA")
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--runtime", choices=("torch", "onnx"), default="torch")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every number here, too")
    return parser.parse_args()


def _judged(measures: EvidenceMeasures) -> int:
    """Print how far the relevance map is ahead of each rival; 0 if it is ahead where it must be."""
    failed = False
    for each in measures.maps:
        if each.name == RELEVANCE:
            continue
        leads = _leads(each)
        won = all(low > 0 for _, (low, _) in leads.values())
        behind = min(value for value, _ in leads.values()) < WORST
        failed |= behind or (each.name in TO_BEAT and not won)
        said = ", ".join(
            f"{what} {value:+.3f} [{low:+.3f}, {high:+.3f}]" for what, (value, (low, high)) in leads.items()
        )
        _say(f"ahead of {each.name}: {said}: {'all exclude 0' if won else 'not all exclude 0'}")
    return 1 if failed else 0


def _leads(rival: MapFaithfulness) -> dict[str, tuple[float, tuple[float, float]]]:
    """The lead and its interval, by figure and image."""
    found = {}
    for side in ("query", "matched"):
        for figure in FIGURES:
            measure = getattr(getattr(rival, side).lead, figure)
            if measure.value is None or measure.interval is None:
                raise SystemExit(f"Nothing was measured of {figure} on the {side}: {measure.reason}.")
            found[f"{figure} on the {side}"] = (measure.value, measure.interval)
    return found


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    raise SystemExit(main())
