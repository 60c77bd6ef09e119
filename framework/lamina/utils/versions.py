"""What is installed, for reports of mistakes."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from typing import Final

import lamina
from lamina.plugins import plugins

OPTIONAL: Final = {
    "httpx": "lamina[http]",
    "fsspec": "lamina[remote]",
    "ml_dtypes": "lamina[bfloat16]",
    "matplotlib": "lamina[plots]",
    "tensorboardX": "lamina[tensorboard]",
}
"""Libraries that only some functions need, and the extra that brings them."""

_NEEDED: Final = ("numpy", "pluggy", "threadpoolctl", "tqdm")
_BACKENDS: Final = ("torch", "cupy", "jax")


def versions() -> dict[str, str]:
    """Versions by name: of Python, the system, lamina, the libraries it can use, its plugins; and its variables.

    Nothing is imported for it. A library that is missing has "-". Raises nothing.

    >>> import numpy
    >>> versions()["numpy"] == numpy.__version__
    True
    """
    found = {"lamina": lamina.__version__, "Python": platform.python_version(), "executable": sys.executable}
    found["system"] = f"{platform.platform()}, {os.cpu_count()} cores"
    found |= {name: _version(name) for name in (*_NEEDED, *_BACKENDS, *OPTIONAL)}
    for record in plugins().records:
        if record.distribution != "lamina" and record.name not in found:
            found[f"plugin {record.name}"] = f"{record.version}{' (broken)' if record.error else ''}"
    return found | {name: value for name, value in sorted(os.environ.items()) if name.startswith("LAMINA_")}


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "-"


def show_versions() -> None:
    """Prints what ``versions`` gives, for a report of a mistake.

    Raises nothing.

    >>> show_versions()  # doctest: +ELLIPSIS
    lamina ...
    """
    found = versions()
    width = max(map(len, found))
    for name, version in found.items():
        print(f"{name:<{width}}  {version}")
