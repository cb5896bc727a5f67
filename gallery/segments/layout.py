"""What the files of a segment are called.

embeddings.npy        (n, D) float32, unit vectors
content_ids.npy       (n,) int64, whose they are
local_embeddings.npy  (n, h, w, D) int8 with scales.npy; or as float16, or none: see local_embeddings.py
detail.npy            (n, h, w) uint8, not in segments of old
index.faiss           in segments of old: the same embeddings again under their content ids
thumbnails.bin        JPEG after JPEG
thumbnails.npy        (n + 1,) int64, where each JPEG begins in it
"""

EMBEDDINGS = "embeddings.npy"
CONTENT_IDS = "content_ids.npy"
DETAIL = "detail.npy"
OLD_INDEX = "index.faiss"
THUMBNAILS = "thumbnails.bin"
THUMBNAIL_STARTS = "thumbnails.npy"
