"""Which clustering finds the labels of a gallery again that were hidden from it.

    python benchmarks/clustering.py GALLERY…

Each gallery must have labels and be embedded by an encoder that never saw them (`whyalike index` without a
checkpoint). Reported: clusters found, adjusted mutual information and adjusted Rand index with the labels
(1 = the same parts, 0 = chance), the share of images that were put into no cluster, and seconds.
"""

import argparse
import time
import warnings
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import HDBSCAN, AgglomerativeClustering, KMeans
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score, silhouette_score

from gallery.clustering import clusters
from whyalike.home import open_galleries
from whyalike.settings import read_settings

CHUNK = 2000
SILHOUETTE_SAMPLE = 2000
Embeddings = NDArray[np.float32]
Found = NDArray[np.int64]


def read_gallery(name: str) -> tuple[Embeddings, NDArray[np.str_]]:
    """The embeddings and labels of a gallery's labelled images."""
    build = open_galleries(read_settings()).open(name)
    images = [image for image in build if image.label is not None]
    ids = [image.image_id for image in images]
    parts = [build.embeddings(ids[start : start + CHUNK]) for start in range(0, len(ids), CHUNK)]
    return np.concatenate(parts), np.array([image.label for image in images])


def contenders(count: int) -> Iterator[tuple[str, Callable[[Embeddings], Found]]]:
    """Every method by its name; `count` is the number of labels, which only some are told."""
    yield "ours (k-means, count by BIC)", lambda each: clusters(each).members
    yield "k-means, count by silhouette", by_silhouette
    for size in (5, 10, 20):
        yield f"HDBSCAN, at least {size}", lambda each, size=size: HDBSCAN(size, copy=True).fit_predict(each)
    yield "ours, told the count", lambda each: clusters(each, count=count).members
    for linkage in ("ward", "average"):
        yield (
            f"agglomerative ({linkage}), told the count",
            lambda each, linkage=linkage: AgglomerativeClustering(count, linkage=linkage).fit_predict(each),
        )


def by_silhouette(embeddings: Embeddings) -> Found:
    """K-means with the count of the best mean silhouette of a sample."""
    sample = np.random.default_rng(0).choice(len(embeddings), SILHOUETTE_SAMPLE, replace=False)
    best, found = -1.0, np.zeros(len(embeddings), np.int64)
    for count in (3, 5, 8, 12, 18, 27, 40, 60, 90, 135, 200, 300, 450):
        labels = KMeans(count, n_init=1, random_state=0).fit_predict(embeddings)
        score = silhouette_score(embeddings[sample], labels[sample])
        if score > best:
            best, found = score, labels
    return found


def main() -> None:
    """Run all contenders on all galleries."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("gallery", nargs="+")
    warnings.filterwarnings("ignore")
    for name in parser.parse_args().gallery:
        embeddings, labels = read_gallery(name)
        count = len(set(labels.tolist()))
        print(f"\n{name}: {len(labels)} images, {count} labels\n")
        print("| method | clusters | AMI | ARI | in none | seconds |\n|---|---|---|---|---|---|")
        for method, find in contenders(count):
            started = time.perf_counter()
            found = find(embeddings)
            seconds = time.perf_counter() - started
            agreement = adjusted_mutual_info_score(labels, found), adjusted_rand_score(labels, found)
            print(
                f"| {method} | {len(set(found[found >= 0].tolist()))} | {agreement[0]:.3f} | "
                f"{agreement[1]:.3f} | {np.mean(found < 0):.0%} | {seconds:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
