"""Finds and reads the recorded calls of TensorFlow.js and Keras."""

from __future__ import annotations

import functools
import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_SHARED = Path(__file__).resolve().parents[3] / "shared" / "vectors"


def default_folder() -> Path:
    """The folder that LAMINA_VECTORS names, else ``shared/vectors`` beside the project."""
    return Path(os.environ.get("LAMINA_VECTORS") or _SHARED)


@functools.cache
def loader(folder: Path) -> Any:
    """The reader that comes with the recordings; a folder without one is read by that of the usual ones."""
    places = [place / "load_vectors.py" for place in (folder, default_folder(), _SHARED)]
    path = next((place for place in places if place.exists()), places[-1])
    spec = importlib.util.spec_from_file_location(f"load_vectors_{folder.name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def records(folder: Path, kind: str) -> Iterator[dict[str, Any]]:
    """The records of one file, such as "ops"; none if the folder lacks it."""
    path = folder / f"{kind}.jsonl.gz"
    if path.exists():
        yield from loader(folder).records(str(path))


def artifacts(folder: Path) -> Iterator[dict[str, Any]]:
    """The saved models of a folder, each with its name, its path and what ``io.json`` says of it."""
    places = folder / "artifacts"
    for place in sorted(places.iterdir()) if places.is_dir() else ():
        if place.is_dir():
            found = loader(folder).load_artifact(str(place))
            topology = found["model_json"]["modelTopology"]
            yield {"id": place.name, "name": place.name, "path": place, "topology": topology, **found["io"]}
