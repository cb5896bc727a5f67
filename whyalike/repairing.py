"""A repair from one end to the other: mend, embed what was lost again, and look at what is left."""

from dataclasses import dataclass

from gallery.builds.improvement import improve_index
from gallery.galleries import Galleries
from gallery.proof.repair import RepairReport, mend
from gallery.proof.verification import Verification, verify
from indexer.encoders import EncoderChoice
from indexer.indexing import index
from indexer.options import IndexingOptions
from indexer.report import IndexingReport
from siamese.progress import Progress
from whyalike.checkpoint_faults import checkpoint_fault
from whyalike.computing import Computing
from whyalike.index_wishes import index_wish
from whyalike.settings import Settings


@dataclass(frozen=True, slots=True)
class Repaired:
    """What was mended, what the run came to that embedded again (null where none did), and what is left."""

    mended: RepairReport
    indexed: IndexingReport | None
    left: Verification


def repair_gallery(
    galleries: Galleries,
    name: str,
    *,
    settings: Settings,
    computing: Computing,
    with_index: bool,
    progress: Progress,
) -> Repaired:
    """Repair a gallery; raises what indexing its sources again raises, where that is needed."""
    with galleries.tenure(name) as tenure:
        mended = mend(tenure)
    indexed = None
    wish = index_wish(settings.gallery.index, kind=None, recall=None, memory_mib=None)
    if mended.to_embed and with_index:
        choice = EncoderChoice(device=computing.device, runtime=computing.runtime, graphs=computing.graphs)
        indexed = index(
            galleries,
            name,
            galleries.sources(name),
            choice,
            options=IndexingOptions(
                settings=settings.indexing,
                limits=settings.limits,
                fetching=settings.fetching,
                progress=progress,
                wish=wish,
            ),
        )
    if mended.indexes and indexed is None and with_index:
        with galleries.tenure(name) as tenure:
            improve_index(tenure, wish)
    with galleries.writer(name, create=False):
        pass  # removes what nobody names
    return Repaired(mended, indexed, verify(galleries.site(name), checkpoint_fault=checkpoint_fault))
