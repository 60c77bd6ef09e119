"""How long imports take: each in a fresh process, timed inside it, so that the interpreter's own start is left out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence

from benchmarks.summary import Series
from benchmarks.workloads import Statement

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


def measure_imports(
    statements: Sequence[Statement], repeats: int, goes_on: Callable[[int], bool] = lambda rounds: True
) -> list[Series]:
    """Times each statement as often as asked and as time allows, in turns, after one run that fills the caches.

    Bytecode is kept, also where the environment forbids it: what pip installed has its own, a checkout else has none.
    """
    series = [Series(s.name, s.role == "ours", is_floor=s.role == "floor") for s in statements]
    for one in statements:
        _run(one)
    for number in range(repeats):
        if not goes_on(number):
            break
        for one, statement in zip(series, statements, strict=True):
            one.values.append(_run(statement)[0])
    return series


def loaded_too_much(statement: Statement) -> list[str]:
    """The unwanted modules that a statement loads."""
    return unwanted(_run(statement)[1])


def unwanted(modules: Sequence[str]) -> list[str]:
    """Those of the modules that are or belong to something unwanted."""
    tops = sorted({module.partition(".")[0] for module in modules})
    return [top for top in tops if any(top == u or (u.endswith("_") and top.startswith(u)) for u in UNWANTED)]


def _run(statement: Statement) -> tuple[float, list[str]]:
    program = PROGRAM.format(statement=statement.text)
    environment = {**os.environ, **dict(statement.environment)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    run = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    seconds, modules = json.loads(run.stdout)
    return seconds, modules
