"""``lamina doctor`` without a model: whether what is installed here works, and how well."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import threadpoolctl

import lamina
from lamina.cli import tensorflowjs
from lamina.cli.tables import printed
from lamina.io.folders import downloads, home
from lamina.plugins import plugins
from lamina.utils.versions import OPTIONAL

Row = list[str]
VARIABLES: Final = (
    "LAMINA_BACKEND", "LAMINA_DEVICE", "LAMINA_DOWNLOADS", "LAMINA_HOME", "LAMINA_LOG", "LAMINA_PLUGINS",
    "LAMINA_REPLAY", "LAMINA_TESTED_BACKEND", "LAMINA_TESTED_DEVICE", "LAMINA_TFJS", "LAMINA_TORCH_GRAPHS",
    "LAMINA_WITHOUT",
)  # fmt: skip
"""The environment variables that lamina looks at."""
BROKEN: Final = "broken"


def examine() -> int:
    """Prints a row for each part; the status is 1 if one is broken. What only makes things slower is "slow"."""
    rows = [
        ["lamina", plugins().records[0].version, f"Python {platform.python_version()}, NumPy {np.__version__}"],
        *_backends(),
        *_mathematics(),
        _bytecode(),
        *_libraries(),
        *_plugins(),
        ["node", *(("found", package) if (package := tensorflowjs.find()) else ("not found", tensorflowjs.HOW_TO_GET))],
        ["store", *_writable(home(), "LAMINA_HOME")],
        ["downloads", *_writable(downloads(), "LAMINA_DOWNLOADS")],
        *_variables(),
    ]
    print(printed(["part", "state", "remark"], rows))
    return int(any(state == BROKEN for _, state, _ in rows))


def _backends() -> Iterator[Row]:
    """Every backend, with its device, or why it does not work here."""
    for name, missing in lamina.list_backends().items():
        if missing:
            yield [f"backend {name}", "not available", missing]
            continue
        with lamina.backend_scope(name):
            yield [f"backend {name}", "works", f"on {lamina.get_backend().device}"]


def _mathematics() -> Iterator[Row]:
    """NumPy's library for products of matrices, and how many threads it has of how many cores."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    found = [each for each in threadpoolctl.threadpool_info() if each["user_api"] == "blas"]
    if not found:
        built = np.show_config(mode="dicts")["Build Dependencies"]["blas"].get("name", "none")
        yield ["BLAS", str(built), f"how many threads it has cannot be seen; cores: {cores}"]
    for each in found:
        threads = each["num_threads"]
        advice = f"; {cores} would be faster: unset OMP_NUM_THREADS and the like" if threads < cores else ""
        if threads > cores:
            advice = f"; they stand in each other's way: set OMP_NUM_THREADS={cores}"
        remark = f"threads: {threads}, cores: {cores}{advice}"
        yield ["BLAS", f"{each['internal_api']} {each['version']}", remark]


def _bytecode() -> Row:
    """Whether Python has lamina compiled, or must compile it at each import."""
    folder = Path(lamina.__file__).parent
    sources = list(folder.rglob("*.py"))
    compiled = sum(os.path.exists(importlib.util.cache_from_source(str(path))) for path in sources)
    if compiled * 2 >= len(sources):  # what is never imported need not be
        return ["bytecode", "works", f"{compiled} of {len(sources)} modules are compiled"]
    return ["bytecode", "slow", f"imports compile anew; run once: python -m compileall -q {folder}"]


def _libraries() -> Iterator[Row]:
    for name, extra in OPTIONAL.items():
        try:
            yield [name, importlib.metadata.version(name), ""]
        except importlib.metadata.PackageNotFoundError:
            yield [name, "not installed", f"pip install '{extra}'"]


def _plugins() -> Iterator[Row]:
    """The plugins of others, and what is wrong with any."""
    clashes = plugins().clashes()
    for record in plugins().records:
        if record.error:
            yield [f"plugin {record.name}", BROKEN, record.error]
        elif record.distribution != "lamina":
            yield [f"plugin {record.name}", "works", f"{record.distribution} {record.version}"]
    for clash in clashes:
        yield [f"name {clash.name}", BROKEN, clash.reason]


def _writable(wanted: str, variable: str) -> tuple[str, str]:
    """Whether a folder may be written to, or made."""
    folder = os.path.abspath(wanted)
    while not os.path.exists(folder):
        folder = os.path.dirname(folder)
    try:
        with tempfile.TemporaryFile(dir=folder):
            return "works", wanted
    except OSError as error:
        return BROKEN, f"{wanted}: {error.strerror}; set {variable} to a folder that may be written to"


def _variables() -> Iterator[Row]:
    """What is set of lamina's variables, and what only looks like one."""
    for name, value in sorted(os.environ.items()):
        if name.startswith("LAMINA_"):
            yield [name, "set", value] if name in VARIABLES else [name, "not known", "lamina does not look at it"]
