"""The index that a build is searched with, opened over its segments."""

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from gallery.folders import GalleryFolder
from gallery.index.exact_index import ExactIndex
from gallery.index.faiss_engine import FaissEngine
from gallery.index.gpu_index import GpuIndex, flat_on_gpu, gpus, told_by_faiss
from gallery.index.kinds import FLAT
from gallery.index.main_index import CombinedIndex, Effort, MainIndex
from gallery.manifest import MainIndexClaims, Manifest
from gallery.segments.damage import is_intact
from gallery.segments.embeddings import Embeddings, Part
from gallery.segments.segment import Segment
from gallery.vector_index import VectorIndex

log = logging.getLogger(__name__)


def opened_index(
    folder: GalleryFolder, manifest: Manifest, segments: Mapping[int, Segment], *, on_gpu: bool = False
) -> VectorIndex:
    """What a build is searched with; on a GPU if there is one that FAISS can use.

    An index that is damaged costs time and no answer: it is left out. So does a GPU that has not the memory.
    """
    index = _on_cpu(folder, manifest, segments)
    if not on_gpu:
        return index
    if not gpus():
        log.warning("FAISS has no GPU here (the extra gpu brings it): searches run on the CPU")
        return index
    dimension = manifest.encoder.dimension
    embeddings = Embeddings(dimension, [segment.part for segment in segments.values()])
    try:
        return GpuIndex(embeddings, index, index=flat_on_gpu(dimension))
    except RuntimeError as error:  # whatever FAISS has to say of a GPU
        log.warning(
            "The %d embeddings of %r do not go onto the GPU (%s): searches run on the CPU",
            len(embeddings),
            manifest.gallery,
            told_by_faiss(error),
        )
        return index


def _on_cpu(folder: GalleryFolder, manifest: Manifest, segments: Mapping[int, Segment]) -> VectorIndex:
    dimension, main = manifest.encoder.dimension, manifest.index.main
    if main is None or main.kind == FLAT:
        return ExactIndex(dimension, [segment.part for segment in segments.values()])
    if not is_intact(folder.index(main.name), main.files):
        log.warning("The index %s is damaged: searches are exact, and slow", folder.index(main.name))
        return ExactIndex(dimension, [segment.part for segment in segments.values()])
    covered = {each.id for each in main.segments}
    beside = [segment.part for segment_id, segment in segments.items() if segment_id not in covered]
    opened = _opened(folder.index(main.name), main, segments, dimension)
    return CombinedIndex([opened, ExactIndex(dimension, beside)]) if beside else opened


def _opened(
    folder: Path, main: MainIndexClaims, segments: Mapping[int, Segment], dimension: int
) -> MainIndex:
    parts, missing, start = [], [np.empty(0, np.int64)], 0
    for each in main.segments:
        if each.id in segments:
            parts.append(segments[each.id].part)
        else:
            parts.append(_absent(each.rows, dimension))
            missing.append(np.arange(start, start + each.rows))
        start += each.rows
    effort = Effort(main.probes, main.candidates)
    embeddings = Embeddings(dimension, parts)
    return MainIndex(embeddings, FaissEngine.open(folder), effort, missing=np.concatenate(missing))


def _absent(rows: int, dimension: int) -> Part:
    """What stands for a segment that the build names no more; its ids are nobody's."""
    return Part(np.arange(-rows, 0), np.broadcast_to(np.zeros(1, np.float32), (rows, dimension)))
