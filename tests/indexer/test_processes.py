"""Decoding in processes of their own: light, exact, and what ends one costs only its file."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sqlalchemy.exc import OperationalError

from gallery.galleries import Galleries
from gallery.sources.scanning import scan
from indexer.decoding import Decoded, Decoding, decoded
from indexer.encoders import EncoderChoice
from indexer.indexing import index
from indexer.options import IndexingOptions
from indexer.processes import DecodingProcesses
from indexer.reading import Reader
from indexer.settings import FEW_FILES, IndexingSettings
from siamese.encoder import Encoder
from siamese.errors import UnreadableImage
from siamese.images import ImageLimits
from siamese.preprocessing import Preprocessing
from tests.toys import noise, plain, png, write_folder

HOW = Decoding(
    preprocessing=Preprocessing(image_size=32), grid=(4, 4), limits=ImageLimits(), thumbnail_quality=90
)


def large() -> bytes:
    """A picture that takes a decoder some tenths of a second."""
    data = io.BytesIO()
    noise(1, size=(3000, 3000)).save(data, "JPEG", quality=95)
    return data.getvalue()


def test_a_decoding_process_loads_neither_torch_nor_faiss_nor_sql() -> None:
    script = (
        "import sys, indexer.decoding_worker; "
        "heavy = {'torch', 'torchvision', 'faiss', 'sqlalchemy', 'cv2', 'scipy'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parents[2], check=True)


def test_a_process_decodes_exactly_as_this_one_does() -> None:
    with DecodingProcesses(HOW, count=1) as processes:
        for picture in (plain("red"), noise(2, size=(70, 33)), noise(3, size=(9, 200))):
            there, here = processes.decoded(png(picture)), decoded(png(picture), HOW)
            assert (there.width, there.height) == (here.width, here.height)
            assert there.thumbnail == here.thumbnail
            for name in ("tensor", "seen", "detail"):
                assert np.array_equal(getattr(there.prepared, name), getattr(here.prepared, name))


def test_what_is_no_picture_is_told_with_the_same_reason_and_the_process_goes_on() -> None:
    with DecodingProcesses(HOW, count=1) as processes:
        for data in (b"", b"no picture", png(noise(1))[:60]):
            with pytest.raises(UnreadableImage) as here:
                decoded(data, HOW)
            with pytest.raises(UnreadableImage) as there:
                processes.decoded(data)
            assert there.value.reason == here.value.reason
        assert processes.decoded(png(plain("red"))).width == 64
        assert len(processes._started) == 1


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="nothing ends a slow process on this system")
def test_a_decoder_that_takes_too_long_is_ended_and_the_next_file_is_decoded_by_another() -> None:
    with DecodingProcesses(HOW, count=1, most_seconds=0.05) as processes:
        with pytest.raises(UnreadableImage) as slow:
            processes.decoded(large())
        assert slow.value.reason == "decoding it takes more than 0.05 s"
        assert decoded_in_the_end(processes, png(plain("red"))).height == 64


def decoded_in_the_end(processes: DecodingProcesses, data: bytes, *, tries: int = 40) -> Decoded:
    """On a busy machine even a small picture may take longer than so short a limit, now and then."""
    for _ in range(tries - 1):
        with contextlib.suppress(UnreadableImage):
            return processes.decoded(data)
    return processes.decoded(data)


def killing(processes: DecodingProcesses, *, every: float, times: int) -> threading.Thread:
    """A thread that kills whatever decodes, so many times."""

    def kill() -> None:
        for _ in range(times):
            time.sleep(every)
            for process in list(processes._started):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process._process.pid, signal.SIGSEGV)

    thread = threading.Thread(target=kill)
    thread.start()
    return thread


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_a_decoder_that_is_killed_costs_no_file() -> None:
    with DecodingProcesses(HOW, count=1) as processes:
        processes.decoded(png(plain("red")))
        thread = killing(processes, every=0.05, times=1)
        assert processes.decoded(large()).width == 3000
        thread.join()
        assert processes.decoded(png(plain("red"))).height == 64


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_a_file_that_ends_every_decoder_costs_itself_alone() -> None:
    with DecodingProcesses(HOW, count=1) as processes:
        thread = killing(processes, every=0.02, times=500)
        with pytest.raises(UnreadableImage) as dead:
            processes.decoded(large())
        assert dead.value.reason == "decoding it ends the decoder (SIGSEGV)"
    thread.join(0)
    with DecodingProcesses(HOW, count=1) as processes:
        assert processes.decoded(png(plain("red"))).height == 64


def test_no_process_is_left_behind() -> None:
    with DecodingProcesses(HOW, count=3) as processes:
        threads = [threading.Thread(target=processes.decoded, args=(png(noise(n)),)) for n in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        started = [each._process for each in processes._started]
        assert 1 <= len(started) <= 3
    assert all(process.returncode is not None for process in started)


def test_a_thread_that_still_waits_when_the_run_is_over_starts_no_process() -> None:
    """What a cancelled run leaves reading: its process is ended, and it would try once more."""
    begun, raised = threading.Event(), list[BaseException]()

    def ask() -> None:
        try:
            while True:
                begun.set()
                processes.decoded(large())
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test looks at it
            raised.append(error)

    with DecodingProcesses(HOW, count=1) as processes:
        thread = threading.Thread(target=ask)
        thread.start()
        begun.wait()
        while not processes._started:
            time.sleep(0.001)
    thread.join(60)
    assert [str(each) for each in raised] == ["these decoding processes have been ended"]
    assert processes._started == set()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_a_process_that_is_killed_as_it_starts_costs_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    started = list[int]()

    class Killed(subprocess.Popen[bytes]):
        """The first one is gone before it is told anything."""

        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            started.append(self.pid)
            if len(started) == 1:
                self.kill()
                self.wait()

    monkeypatch.setattr("indexer.processes.subprocess.Popen", Killed)
    with DecodingProcesses(HOW, count=1) as processes:
        assert processes.decoded(png(plain("red"))).height == 64
    assert len(started) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot kill so")
def test_a_process_ends_by_itself_when_the_run_is_killed() -> None:
    script = (
        "import io, time; from PIL import Image; from indexer.decoding import Decoding; "
        "from indexer.processes import DecodingProcesses; data = io.BytesIO(); "
        "Image.new('RGB', (9, 9)).save(data, 'PNG'); "
        f"processes = DecodingProcesses(Decoding.model_validate_json({HOW.model_dump_json()!r}), count=1); "
        "processes.decoded(data.getvalue()); "
        "print([each._process.pid for each in processes._started][0], flush=True); time.sleep(60)"
    )
    root = Path(__file__).parents[2]
    run = subprocess.Popen([sys.executable, "-c", script], cwd=root, stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    decoder = int(run.stdout.readline())
    run.kill()
    run.communicate()
    for _ in range(100):
        try:
            os.kill(decoder, 0)
        except ProcessLookupError:
            return
        if Path(f"/proc/{decoder}/stat").exists() and " Z " in Path(f"/proc/{decoder}/stat").read_text():
            return  # ended, and nobody in this container has asked how
        time.sleep(0.1)
    raise AssertionError("the process lives on")


def test_a_run_with_processes_and_one_with_threads_give_the_same_gallery(
    galleries: Galleries, tmp_path: Path, toy: EncoderChoice
) -> None:
    root = write_folder(tmp_path / "root", {f"{n}.png": noise(n, size=(40, 30)) for n in range(6)})
    (root / "broken.png").write_bytes(b"broken")
    found = []
    for name, count in (("threads", 0), ("processes", 2)):
        report = index(
            galleries,
            name,
            [root],
            toy,
            options=IndexingOptions(settings=IndexingSettings(decoding_processes=count)),
        )
        build = galleries.open(name)
        ids = [
            each.image_id
            for each in build.search(np.ones(3, np.float32), count=9, fingerprint=build.fingerprint)
        ]
        contents = {
            image.uri: (build.embeddings([image.image_id]).tobytes(), build.thumbnail(image.image_id))
            for image in build.images(ids)
        }
        found.append((report.images, report.unreadable, contents))
    assert found[0] == found[1]


def test_a_run_of_a_few_files_starts_no_process_unless_it_is_told_to() -> None:
    assert IndexingSettings().processes_for(FEW_FILES - 1) == 0
    assert IndexingSettings().processes_for(FEW_FILES) >= 1
    assert IndexingSettings(decoding_processes=3).processes_for(1) == 3


def test_a_picture_of_every_mode_comes_back_whole() -> None:
    with DecodingProcesses(HOW, count=1) as processes:
        for mode in ("L", "P", "CMYK"):
            data = io.BytesIO()
            Image.new(mode, (20, 10)).save(data, "TIFF")
            assert processes.decoded(data.getvalue()).width == 20


def test_what_is_no_fault_of_a_file_ends_the_run_rather_than_call_the_file_unreadable(
    toy: EncoderChoice, tmp_path: Path
) -> None:
    class Gone:
        def __contains__(self, _: object) -> bool:
            raise OperationalError("SELECT", {}, ConnectionError("the server is gone"))

    write_folder(tmp_path / "pictures", {"a/red.png": plain("red")})
    assert toy.checkpoint is not None
    encoder = Encoder.load(toy.checkpoint, device="cpu")
    reader = Reader(encoder, known=Gone(), limits=ImageLimits(), thumbnail_quality=90)
    (file,) = scan([tmp_path / "pictures"])
    with pytest.raises(OperationalError):
        reader.read(file)
