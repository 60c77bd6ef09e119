"""On what was measured: processor, Python, versions, load, and the state of the source."""

from __future__ import annotations

import datetime
import importlib
import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

MATRIX_LIBRARY_VARIABLES = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "MKL_ENABLE_INSTRUCTIONS")
LIBRARIES = ("lamina", "numpy", "torch", "jax", "jaxlib", "keras", "cupy-cuda12x", "cupy-cuda13x", "cupy")


def describe() -> dict[str, Any]:
    """All of it, ready for JSON."""
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="minutes"),
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": versions(),
        "matrix_library": matrix_library(),
        "revision": revision(),
        "load": load(),
    }


def line(machine: dict[str, Any]) -> str:
    """The machine in one line."""
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    rates = "".join(
        f", {count} {'thread' if count == 1 else 'threads'} copying {found['bytes'] / 1e9:.1f} GB/s and multiplying "
        f"{found['operations'] / 1e9:.0f} Gflop/s"
        for count, found in machine.get("rates", {}).items()
    )
    load = "unknown" if machine["load"] is None else machine["load"]
    library = f", {machine['matrix_library']}" if "matrix_library" in machine else ""
    return (
        f"{machine['date']}: {machine['cores']} cores of {machine['processor']}, {machine['system']}, "
        f"Python {machine['python']}, {versions}{library}, source {machine['revision']}, "
        f"load at the start {load}{rates}"
    )


def processor() -> str:
    """The processor's name."""
    described = Path("/proc/cpuinfo")
    if described.exists():
        for text in described.read_text(encoding="utf-8").splitlines():
            if text.startswith("model name"):
                return text.partition(":")[2].strip()
    return platform.processor() or "an unknown processor"


def versions() -> dict[str, str]:
    """The versions of the installed libraries."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def matrix_library() -> str:
    """NumPy's matrix library and the kernels that it took, with the variables that told it to, if any.

    ``OPENBLAS_CORETYPE=Haswell``, say, keeps it to AVX2 where the processor has AVX-512 and others use that.
    """
    import threadpoolctl

    importlib.import_module("numpy")  # only a library that is loaded can be asked
    found = [c for c in threadpoolctl.threadpool_info() if c["user_api"] == "blas"]
    named = [f"{c['internal_api']} {c['version']} ({c.get('architecture', 'unknown')})" for c in found]
    told = [f"{name}={os.environ[name]}" for name in MATRIX_LIBRARY_VARIABLES if name in os.environ]
    return " ".join([" and ".join(named) or "no matrix library known", *told])


def revision() -> str:
    """The commit that is checked out, with a plus if files differ from it."""
    here = Path(__file__).parent
    try:
        commit = _git("rev-parse", "--short", "HEAD", at=here)
        changed = _git("status", "--porcelain", "--untracked-files=no", at=here)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return commit + ("+" if changed else "")


def _git(*arguments: str, at: Path) -> str:
    run = subprocess.run(["git", *arguments], cwd=at, capture_output=True, text=True, check=True)
    return run.stdout.strip()


def load() -> float | None:
    """How many processes wanted to run during the last minute; None where it is not known."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
