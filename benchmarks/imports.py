"""How long imports take: each in a fresh process, timed inside it, so that the interpreter's own start is left out."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence

from benchmarks.summary import Series
from benchmarks.workloads import Import

PROGRAM = """
import time
start = time.perf_counter()
{statement}
seconds = time.perf_counter() - start
import json, sys
print(json.dumps([seconds, sorted(sys.modules)]))
"""

UNWANTED = ("torch", "cupy", "jax", "keras", "lamina_")
"""What importing lamina must not load: libraries of backends, and modules that start so, which are plugins."""


def measure_imports(workload: Import, repeats: int) -> list[Series]:
    """Times each statement as often as asked, in turns, after one run that fills the caches."""
    series = [Series(statement, ours) for statement, ours in workload.statements]
    for one in series:
        _run(one.name)
    for _ in range(repeats):
        for one in series:
            one.seconds.append(_run(one.name)[0])
    return series


def loaded_too_much(statement: str) -> list[str]:
    """The unwanted modules that a statement loads."""
    return unwanted(_run(statement)[1])


def unwanted(modules: Sequence[str]) -> list[str]:
    """Those of the modules that are or belong to something unwanted."""
    tops = sorted({module.partition(".")[0] for module in modules})
    return [top for top in tops if any(top == u or (u.endswith("_") and top.startswith(u)) for u in UNWANTED)]


def _run(statement: str) -> tuple[float, list[str]]:
    program = PROGRAM.format(statement=statement)
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    seconds, modules = json.loads(run.stdout)
    return seconds, modules
