"""Patterns of paths in storage: `*`, `?` and `[ab]` stand within a name, `**` for any folders."""

import glob
import re
from dataclasses import dataclass, field

from fsspec.utils import glob_translate

ANY_FOLDERS = "**"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A path in which signs of a pattern stand; ValueError where `**` is only a part of a name.

    What fsspec's own `glob` matches is matched; yet that leaves out folders which it cannot list.
    """

    text: str
    _whole: re.Pattern[str] = field(init=False, repr=False)
    _names: tuple[re.Pattern[str] | None, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        names = self.text.strip("/").split("/")
        parts = [None if name == ANY_FOLDERS else re.compile(glob_translate(name)) for name in names]
        object.__setattr__(self, "_whole", re.compile(glob_translate("/".join(names))))
        object.__setattr__(self, "_names", tuple(parts))

    @property
    def folder(self) -> str:
        """The folder that everything which it matches lies in."""
        *folders, _ = self.text.split("/")
        plain = next((at for at, name in enumerate(folders) if glob.has_magic(name)), len(folders))
        return "/".join(folders[:plain])

    def matches(self, path: str) -> bool:
        """Whether it is meant."""
        return self._whole.match(path.strip("/")) is not None

    def leads_to(self, folder: str) -> bool:
        """Whether something that it matches may lie in this folder, or deeper."""
        names = folder.strip("/").split("/")
        for name, pattern in zip(names, self._names, strict=False):
            if pattern is None:
                return True  # whatever comes below
            if not pattern.match(name):
                return False
        return len(names) < len(self._names)
