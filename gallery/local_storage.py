"""How a gallery keeps local embeddings: in one byte a number, in two, or not at all."""

from typing import Literal

LocalStorage = Literal["int8", "float16", "none"]
DEFAULT: LocalStorage = "int8"
