"""The formats and stores in which a model lies somewhere: what the tests of faults go through, one by one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple

from faults.savers import MEDIA
from lamina.errors import ModelNotFoundError


class Format(NamedTuple):
    """How models are saved (one of ``savers.MEDIA``), and what the address is called."""

    medium: str
    name: str

    def address(self, folder: Path) -> str:
        return self.name if "://" in self.name else str(folder / self.name)

    def save(self, folder: Path, number: int) -> None:
        MEDIA[self.medium].save(self.address(folder), number)

    def load(self, folder: Path) -> int:
        return int(MEDIA[self.medium].load(self.address(folder)))

    def number(self, folder: Path) -> int | None:
        """Which model is there, if there is one."""
        try:
            return self.load(folder)
        except ModelNotFoundError:
            return None


FOLDERS = [Format("artifacts", "m"), Format("files", "layers"), Format("backups", "backup")]
SINGLE_FILES = [Format("files", "m.safetensors"), Format("weights", "w.safetensors")]
STORES = [Format("artifacts", "localstorage://m"), Format("artifacts", "indexeddb://m")]
ALL = [*FOLDERS, *SINGLE_FILES, *STORES]


def by_name(found: Format) -> str:
    return found.name


def files_below(folder: Path) -> dict[str, bytes]:
    """All files below a folder with their bytes."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def untidy(folder: Path) -> list[str]:
    """The files below a folder that are neither whole models of one file nor what a model.json names."""
    found = set(files_below(folder))
    for path in list(found):
        if os.path.basename(path) == "model.json":
            document = json.loads((folder / path).read_bytes())
            found -= {
                os.path.join(os.path.dirname(path), one) for g in document["weightsManifest"] for one in g["paths"]
            }
            found.discard(path)
    return sorted(found - {f.name for f in SINGLE_FILES})
