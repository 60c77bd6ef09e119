"""``python -m benchmarks``: measures, prints the tables, and keeps the timings in ``benchmarks/results``."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path

from benchmarks import implementations, machine, rates, report, workloads
from benchmarks.coordinator import measure


def arguments() -> argparse.Namespace:
    """What to measure, from the command line."""
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    names = ", ".join(w.name for w in workloads.WORKLOADS)
    told = f"all by default; names, or starts of names such as train, predict, build. There are {names}"
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=told)
    parser.add_argument("--only", nargs="+", default=None, metavar="NAME", help="implementations to run")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2], help="numbers of threads (default 1 2)")
    parser.add_argument("--rounds", type=int, default=11, help="rounds that are timed (default 11)")
    parser.add_argument(
        "--results", type=Path, default=Path(__file__).parent / "results", help="folder of the JSON file"
    )
    return parser.parse_args()


def main() -> None:
    """Measures what was asked for."""
    asked = arguments()
    chosen = workloads.chosen(asked.workloads)
    who = [implementations.find(n) for n in asked.only] if asked.only else list(implementations.IMPLEMENTATIONS)
    here = machine.describe()
    speeds = {count: rates.measure(count) for count in dict.fromkeys(asked.threads)}
    here["rates"] = {count: dataclasses.asdict(found) for count, found in speeds.items()}
    results = measure(chosen, who, speeds, asked.rounds, lambda said: print(said, file=sys.stderr, flush=True))
    print(report.text(here, results))
    asked.results.mkdir(parents=True, exist_ok=True)
    print(f"\nAll timings: {report.save(asked.results, report.document(here, results, asked.rounds)).name}")


if __name__ == "__main__":
    main()
