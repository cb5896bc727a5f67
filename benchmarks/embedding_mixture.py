"""Embeddings by the million that are distributed like real ones: a mixture fitted to real embeddings.

    python benchmarks/embedding_mixture.py REAL.npy OUT.npy --count 1000000 [--components 160]
    python benchmarks/embedding_mixture.py REAL.npy --embed CHECKPOINT FOLDER [FOLDER ...]

The second form makes REAL.npy (n, D), the embeddings of the pictures below the folders.  The mixture has a
Gaussian of full covariance for each k-means cluster; a cluster's covariance is estimated by Ledoit and Wolf
and drawn to the pooled one, the more the smaller the cluster; what is drawn is normalised.  The number of
components is the one of 5, 10, 20, 40, 80, 160, 320 that gives a held-out fifth of the real embeddings the
greatest likelihood, unless it is given.  The first form also prints how hard the drawn ones are beside the
real ones, at the same count: the distance to the 10th neighbour over the median distance, and the recall@10
of one small compressed index (IVF64,PQ64x4fsr, 4 lists, 10 candidates, not re-scored).  Drawn ones that were
easier to search than real ones would make every figure that is measured on them worthless.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

import faiss
import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.covariance import LedoitWolf

COMPONENTS = (5, 10, 20, 40, 80, 160, 320)
PRIOR = 32  # members by which a cluster's covariance is drawn to the pooled one
FEWEST = 3  # members of a cluster below which it has no covariance of its own
BLOCK = 100_000  # embeddings drawn at a time
QUERIES = 300  # of the comparison with the real ones
JITTER = 1e-9


class Component(NamedTuple):
    """One Gaussian: its share, mean (D,), covariance (D, D) and the covariance's root."""

    share: float
    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    root: NDArray[np.float64]


def fitted(real: NDArray[np.float32], components: int, *, seed: int = 0) -> list[Component]:
    """The mixture that these embeddings (n, D) are drawn from."""
    clusters = KMeans(components, n_init=2, random_state=seed).fit(real)
    pooled = LedoitWolf().fit(real - clusters.cluster_centers_[clusters.labels_]).covariance_
    made = []
    for number in range(components):
        members = real[clusters.labels_ == number]
        own = LedoitWolf().fit(members).covariance_ if len(members) > FEWEST else pooled
        weight = len(members) / (len(members) + PRIOR)
        covariance = weight * own + (1 - weight) * pooled + JITTER * np.eye(real.shape[1])
        mean = members.mean(axis=0, dtype=np.float64)
        made.append(Component(len(members) / len(real), mean, covariance, np.linalg.cholesky(covariance)))
    return made


def likelihood(mixture: list[Component], held_out: NDArray[np.float32]) -> float:
    """The mean logarithm of the density at the held-out embeddings, less a constant."""
    logs = []
    for share, mean, covariance, root in mixture:
        away = held_out - mean
        squared = np.einsum("nd,nd->n", away @ np.linalg.inv(covariance), away)
        logs.append(np.log(share) - 0.5 * squared - np.log(np.diag(root)).sum())
    return float(np.logaddexp.reduce(logs, axis=0).mean())


def best(real: NDArray[np.float32], *, seed: int = 0) -> int:
    """The number of components that a held-out fifth speaks for."""
    shuffled = real[np.random.default_rng(seed).permutation(len(real))]
    kept = len(real) * 4 // 5
    return max(COMPONENTS, key=lambda count: likelihood(fitted(shuffled[:kept], count), shuffled[kept:]))


def drawn(mixture: list[Component], count: int, generator: np.random.Generator) -> NDArray[np.float32]:
    """Embeddings (count, D) float32 of unit length, in random order."""
    counts = generator.multinomial(count, [each.share for each in mixture])
    parts = [
        each.mean + generator.standard_normal((own, len(each.mean))) @ each.root.T
        for each, own in zip(mixture, counts, strict=True)
    ]
    numbers = np.concatenate(parts)[generator.permutation(count)]
    return (numbers / np.linalg.norm(numbers, axis=1, keepdims=True)).astype(np.float32)


def hardness(embeddings: NDArray[np.float32], queries: NDArray[np.float32]) -> tuple[float, float]:
    """The distance to the 10th neighbour over the median distance, and the recall@10 of a small index."""
    squared, nearest = faiss.knn(queries, embeddings, 10)
    median = np.median(np.sqrt(faiss.pairwise_distances(queries, embeddings)), axis=1)
    index = faiss.index_factory(embeddings.shape[1], "IVF64,PQ64x4fsr")
    index.train(embeddings)
    index.add(embeddings)
    _, found = index.search(queries, 10, params=faiss.SearchParametersIVF(nprobe=4))
    shared = [len(set(a) & set(b)) / 10 for a, b in zip(found.tolist(), nearest.tolist(), strict=True)]
    return float(np.median(np.sqrt(squared[:, -1]) / median)), float(np.mean(shared))


def write(path: Path, mixture: list[Component], count: int, *, seed: int) -> None:
    """Draw so many into a file, block by block: it may be larger than the memory."""
    generator = np.random.default_rng(seed)
    file = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(count, len(mixture[0].mean)))
    for start in range(0, count, BLOCK):
        own = min(BLOCK, count - start)
        file[start : start + own] = drawn(mixture, own, generator)
    file.flush()


def main() -> int:
    """Embed pictures, or fit, compare and draw."""
    chosen = _arguments()
    if chosen.embed:
        np.save(chosen.real, _embedded(chosen.embed[0], chosen.embed[1:]))
        return 0
    real = np.load(chosen.real)
    components = chosen.components or best(real)
    mixture = fitted(real, components)
    shuffled = real[np.random.default_rng(chosen.seed).permutation(len(real))]
    same = drawn(mixture, len(real), np.random.default_rng(chosen.seed))
    print(f"{len(real)} real embeddings of {real.shape[1]} numbers, {components} components")
    print("                    10th neighbour / median distance   recall@10 of a small index")
    for name, numbers in (("real", shuffled), ("drawn, as many", same)):
        ratio, recall = hardness(numbers[QUERIES:], numbers[:QUERIES])
        print(f"{name:20}{ratio:10.3f}{recall:40.3f}")
    if chosen.out:
        write(chosen.out, mixture, chosen.count, seed=chosen.seed)
        queries = drawn(mixture, chosen.queries, np.random.default_rng(chosen.seed + 1))
        np.save(chosen.out.with_suffix(".queries.npy"), queries)
    return 0


def _embedded(checkpoint: Path, folders: list[Path]) -> NDArray[np.float32]:
    from gallery.sources.scanning import scan
    from siamese.decoding import decode_for
    from siamese.encoder import Encoder

    encoder = Encoder.load(checkpoint, device="cpu")
    found = []
    for file in scan(folders, leave_out=print):
        prepared = encoder.prepare(decode_for(file.path.read_bytes(), encoder.preprocessing))
        found.append(encoder.embed([prepared]).embeddings[0])
    return np.stack(found)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("real", type=Path)
    parser.add_argument("out", type=Path, nargs="?")
    parser.add_argument("--embed", type=Path, nargs="+", metavar="CHECKPOINT FOLDER")
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=10_000)
    parser.add_argument("--components", type=int)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
