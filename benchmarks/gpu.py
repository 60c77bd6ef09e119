"""``python -m benchmarks.gpu``: all there is to know of a GPU, in one JSON file: conformance, then training steps.

Needs nothing beside what is installed: the conformance kit runs where pytest is, a backend where its library is. Where
no CUDA device is found it says why and writes nothing. ``--targets torch:cpu`` goes through the same motions without
one; its file says that it is a rehearsal.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from benchmarks import implementations, machine, report
from benchmarks.coordinator import measure
from benchmarks.workloads import WORKLOADS, Training, Workload, find
from lamina.errors import LaminaError
from lamina.runtime.backends import find_backend

TARGETS = ("torch:cuda", "cupy:cuda")
RUNS = {
    "torch:cuda": ("lamina-torch-cuda", "lamina-torch-cuda-graphs", "plain-torch-cuda", "compiled-torch-cuda"),
    "cupy:cuda": ("lamina-cupy",),
    "torch:cpu": ("lamina-torch", "plain-torch"),
    "numpy:cpu": ("lamina-numpy",),
}
"""Which implementations are timed for a target, a backend and a device."""
SHOWN_FAILURES = 200
PATIENCE = 5400.0
"""Seconds for the conformance kit on one target: a device's compiler builds thousands of kernels the first time."""


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """What to run, from the command line."""
    parser = argparse.ArgumentParser("python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("--targets", nargs="+", default=list(TARGETS), choices=sorted(RUNS), metavar="BACKEND:DEVICE")
    parser.add_argument(
        "--workloads", nargs="+", default=None, metavar="NAME", help="training workloads, all by default"
    )
    parser.add_argument("--rounds", type=int, default=11, help="rounds that are timed (default 11)")
    parser.add_argument(
        "--cases", default=None, metavar="EXPRESSION", help="only these conformance tests, as for pytest -k"
    )
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results", help="folder of the file")
    return parser.parse_args(given)


def missing(target: str) -> str | None:
    """Why a target does not work here; None if it does."""
    backend, _, device = target.partition(":")
    try:
        find_backend(backend, device)
    except LaminaError as error:
        return " ".join(str(error).split())
    return None


def conformance(target: str, cases: str | None) -> dict[str, Any]:
    """The counts of the conformance kit on a target, and the tests that failed with the ends of their messages."""
    if importlib.util.find_spec("pytest") is None:
        return {"not_run": "pytest is not installed"}
    backend, _, device = target.partition(":")
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "report.xml"
        command = [
            sys.executable,
            "-m",
            "pytest",
            "--pyargs",
            "lamina.testing",
            "-q",
            "--tb=line",
            "-p",
            "no:cacheprovider",
        ]
        command += ["-p", "lamina.testing.report", f"--junitxml={told}", *(["-k", cases] if cases else [])]
        paths = os.pathsep.join(str(Path(place).resolve()) for place in sys.path)
        environment = {**os.environ, "PYTHONPATH": paths}
        environment.update(LAMINA_TESTED_BACKEND=backend, LAMINA_TESTED_DEVICE=device)
        try:
            run = subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE
            )
        except subprocess.TimeoutExpired:
            return {"not_run": f"not done after {PATIENCE:.0f} seconds"}
        if not told.exists():
            return {"not_run": (run.stdout + run.stderr).strip()[-2000:]}
        return counted(told.read_text(encoding="utf-8"))


def counted(xml: str) -> dict[str, Any]:
    """What pytest's report in JUnit's XML says."""
    counts = {"passed": 0, "failed": 0, "limited": 0, "skipped": 0}
    failures = []
    for case in ElementTree.fromstring(xml).iter("testcase"):
        problem = next((c for c in case if c.tag in ("failure", "error")), None)
        skipped = case.find("skipped")
        if problem is not None:
            counts["failed"] += 1
            failures.append({"test": case.get("name"), "message": (problem.get("message") or "")[-500:]})
        elif skipped is not None:
            counts["limited" if skipped.get("type") == "pytest.xfail" else "skipped"] += 1
        else:
            counts["passed"] += 1
    return {
        **counts,
        "failures": failures[:SHOWN_FAILURES],
        "failures_left_out": max(0, len(failures) - SHOWN_FAILURES),
    }


def hardware() -> list[dict[str, str]]:
    """The GPUs as the driver names them."""
    wanted = ("name", "driver_version", "memory.total", "compute_cap", "clocks.max.sm", "power.limit")
    try:
        run = subprocess.run(
            ["nvidia-smi", f"--query-gpu={','.join(wanted)}", "--format=csv,noheader"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return []
    return [dict(zip(wanted, map(str.strip, line.split(",")), strict=False)) for line in run.stdout.splitlines()]


def chosen(names: list[str] | None) -> list[Workload]:
    """The training workloads that were asked for."""
    return [find(name) for name in names] if names else [w for w in WORKLOADS if isinstance(w, Training)]


def document(asked: argparse.Namespace, reasons: dict[str, str | None]) -> tuple[dict[str, Any], str]:
    """Runs everything: the document for JSON, and the same as text."""
    targets = [t for t in asked.targets if reasons[t] is None]
    here = {**machine.describe(), "gpus": hardware()}
    kit = {t: {"not_run": reasons[t]} if reasons[t] else conformance(t, asked.cases) for t in asked.targets}
    runs = [implementations.find(name) for t in targets for name in RUNS[t]]
    results = measure(chosen(asked.workloads), runs, {os.cpu_count() or 1: None}, asked.rounds, _tell)
    described = {
        "rehearsal": not all(t.endswith(":cuda") for t in targets),
        **report.document(here, results, asked.rounds),
        "conformance": kit,
    }
    lines = [f"{t}: {json.dumps({k: v for k, v in found.items() if k != 'failures'})}" for t, found in kit.items()]
    return described, "\n".join([*lines, "", report.text(here, results)])


def _tell(said: str) -> None:
    print(said, file=sys.stderr, flush=True)


def main(given: list[str] | None = None) -> int:
    """Runs what was asked for; 1 if a conformance test failed, or, with nothing written, if no target works here."""
    asked = arguments(given)
    reasons = {target: missing(target) for target in asked.targets}
    for target, reason in reasons.items():
        _tell(f"{target}: {reason or 'is there'}")
    if all(reasons.values()):
        _tell("no CUDA device: nothing was run, and nothing was written.")
        return 1
    described, text = document(asked, reasons)
    print(text)
    asked.results.mkdir(parents=True, exist_ok=True)
    path = report.save(asked.results, described, "-gpu-rehearsal" if described["rehearsal"] else "-gpu")
    print(f"\nAll of it: {path.name}")
    return int(any(found.get("failed") for found in described["conformance"].values()))


if __name__ == "__main__":
    sys.exit(main())
