from __future__ import annotations

import numpy as np

from search_api.queries.subjects import Upload
from search_api.stopwatch import Stopwatch
from tests.search_api.conftest import Workshop
from tests.toys import noise, plain, png


def test_query_and_matched_image_tell_the_same_detail(workshop: Workshop) -> None:
    folder = workshop.publish("default", {"a/noise.png": noise(1), "a/plain.png": plain("red")})
    searcher = workshop.searcher()
    with searcher.builds.lend(None) as (build, checkpoint):
        preprocessing = checkpoint.record.preprocessing
        unknown = Upload(png(noise(1, size=(65, 65)).crop((0, 0, 64, 64))))
        known = Upload((folder / "a/noise.png").read_bytes())
        by_upload = searcher.reader.subject(unknown, build, preprocessing, Stopwatch())
        by_checksum = searcher.reader.subject(known, build, preprocessing, Stopwatch())
        found = build.search(by_checksum.embedding, count=2, fingerprint=build.fingerprint)
        stored = searcher.reader.stored([each.image_id for each in found], build)
    assert by_upload.detail is not None and by_checksum.detail is not None
    details = {subject.uri: subject.detail for subject in stored}
    lively, flat = details[str(folder / "a/noise.png")], details[str(folder / "a/plain.png")]
    assert lively is not None and flat is not None
    assert np.array_equal(lively, by_checksum.detail)
    assert lively.min() > 10 and not flat.any()
