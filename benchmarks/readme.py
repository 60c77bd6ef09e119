"""The figures of the README by one command: all training steps, one-row ``predict`` and import, on one core and two.

``python -m benchmarks.readme`` measures for twelve minutes or so on a quiet machine, keeps the timings and prints the
tables; with ``--write`` it puts them into the README too, and ``--of FILE.json`` takes timings that are there.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import implementations, machine, rates, report
from benchmarks.coordinator import measure
from benchmarks.table import SCALES, aligned, number
from benchmarks.workloads import SUBJECTS, chosen, find

HERE = Path(__file__).resolve().parent
README = HERE.parent / "README.md"
FURTHER = HERE.parent / "docs" / "performance.md"
"""Where the tables of more than one core are written to."""

MARKS = ("<!-- figures: made by benchmarks/readme.py of ", "<!-- end of figures -->")

COLUMNS = {
    "lamina-numpy": "lamina, NumPy",
    "lamina-torch": "lamina, Torch",
    "plain-jax": "JAX `jit`",
    "plain-torch": "PyTorch",
    "compiled-torch": "`torch.compile`",
    "keras-jax": "Keras on JAX",
    "keras-torch": "Keras on Torch",
}
KERAS = ("keras-jax", "keras-torch")
MEASURED = ("import", *(f"{kind}-{s.name}" for kind in ("train", "predict") for s in SUBJECTS))
ROUNDS = 15
MINUTES = 11.0
SECONDS = 10.0
"""What a one-row ``predict`` may take in all of its rounds."""


def tables(document: Mapping[str, Any], file: str) -> str:
    """Markdown: the tables of one core, the imports in a line, and what was not run."""
    by_name = {w["name"]: w for w in document["workloads"]}
    parts = [_origin(document, file), *_of_cores(by_name, [1])]
    if "import" in by_name:
        parts.append(_imports(by_name["import"]))
    missing = [f"{who} in {name} ({why})" for name, w in by_name.items() for who, why in w["not_run"].items()]
    if missing:
        parts.append(f"Not run: {', '.join(missing)}.")
    return "\n\n".join(parts)


def further_tables(document: Mapping[str, Any]) -> str:
    """Markdown: the tables of more than one core."""
    by_name = {w["name"]: w for w in document["workloads"]}
    counts = sorted({r["threads"] for w in by_name.values() for r in w["rows"] if r["threads"]} - {1})
    return "\n\n".join(_of_cores(by_name, counts))


def _of_cores(by_name: Mapping[str, Any], counts: Sequence[int]) -> list[str]:
    """For each number of cores a table of training steps and one of one-row predict."""
    parts = []
    for threads in counts:
        cores = "One core" if threads == 1 else f"{threads} cores"
        lines = [line for s in SUBJECTS if (line := _training(by_name.get(f"train-{s.name}"), threads, s))]
        if lines:
            parts.append(aligned([[f"{cores}: training step, Adam", *COLUMNS.values()], *lines]))
        lines = [line for s in SUBJECTS if (line := _prediction(by_name.get(f"predict-{s.name}"), threads, s))]
        if lines:
            shown = [COLUMNS[name] for name in ("lamina-numpy", "lamina-torch", *KERAS)]
            parts.append(aligned([[f"{cores}: `predict` of one row, to the best of Keras", *shown], *lines]))
    return parts


def _origin(document: Mapping[str, Any], file: str) -> str:
    here = document["machine"]
    versions = ", ".join(f"{k} {v}" for k, v in here["versions"].items() if k != "lamina")
    return (
        f"{here['date'][:10]}, {here['cores']} cores of {here['processor']}, Python {here['python']}, {versions}, "
        f"load at the start {here['load']}; all timings: [{file}](benchmarks/results/{file})."
    )


def _training(workload: Mapping[str, Any] | None, threads: int, subject: Any) -> list[str]:
    """One line: what each took, divided by the best that is not lamina."""
    rows = _rows(workload, threads)
    if not rows:
        return []
    return [f"{subject.name}, batch {subject.batch}", *(_cell(rows.get(name), None) for name in COLUMNS)]


def _prediction(workload: Mapping[str, Any] | None, threads: int, subject: Any) -> list[str]:
    rows = _rows(workload, threads)
    best = min((rows[name]["median"] for name in KERAS if name in rows), default=None)
    if best is None:
        return []
    names = ("lamina-numpy", "lamina-torch", *KERAS)
    return [subject.name, *(_cell(rows.get(name), best) for name in names)]


def _rows(workload: Mapping[str, Any] | None, threads: int) -> dict[str, Any]:
    return {r["implementation"]: r for r in (workload or {"rows": ()})["rows"] if r["threads"] == threads}


def _cell(row: Mapping[str, Any] | None, best: float | None) -> str:
    """A ratio; of the best and of lamina the time too, of lamina in training the spread of the rounds' ratios."""
    if row is None:
        return ""
    ratio = row["ratio"] if best is None else row["median"] / best
    if ratio is None:
        return f"({duration(row['median'])})"
    ours = row["implementation"].startswith("lamina")
    shown = number(ratio) if ratio < 10 else f"{ratio:.0f}"
    if not ours and ratio != 1:
        return shown
    lowest, highest = row["ratio_spread"]
    spread = f"; {number(lowest)}-{number(highest)}" if ours and best is None else ""
    return f"{shown} ({duration(row['median'])}{spread})"


def duration(seconds: float) -> str:
    """Seconds in the unit that suits.

    >>> duration(5.1e-5), duration(0.0123), duration(2.5)
    ('51 us', '12.3 ms', '2.5 s')
    """
    unit = next((u for u, least in (("s", 1.0), ("ms", 1e-3)) if seconds >= least), "us")
    return f"{number(seconds * SCALES[unit])} {unit}"


def _imports(workload: Mapping[str, Any]) -> str:
    told = ", ".join(f"`{r['implementation']}` {duration(r['median'])}" for r in workload["rows"])
    keras = [r["median"] for r in workload["rows"] if r["implementation"].endswith("import keras")]
    ours = [r["median"] for r in workload["rows"] if r["implementation"] == "import lamina"]
    if not (keras and ours):
        return f"Imports: {told}."
    return f"Imports: {told}. That is {number(ours[0] / min(keras))} of Keras's best."


def kept_to(text: str, made: str, file: str) -> str:
    """A page with the tables between the marks. Raises ValueError if they are not there.

    >>> print(kept_to(f"before {MARKS[0]}old --> gone {MARKS[1]} after", "the tables", "new.json"))
    before <!-- figures: made by benchmarks/readme.py of new.json -->
    <BLANKLINE>
    the tables
    <BLANKLINE>
    <!-- end of figures --> after
    """
    start, end = text.index(MARKS[0]), text.index(MARKS[1])
    return f"{text[:start]}{MARKS[0]}{file} -->\n\n{made}\n\n{text[end:]}"


def _measured(asked: argparse.Namespace) -> Path:
    """Measures, keeps the timings, and says where."""
    who = [implementations.find(name) for name in COLUMNS]
    here = machine.describe()
    speeds = {count: rates.measure(count) for count in asked.threads}
    here["rates"] = {count: dataclasses.asdict(found) for count, found in speeds.items()}
    results = []
    end = time.monotonic() + 60.0 * asked.minutes
    for names, able in sorted(_groups(asked.workloads, who), key=lambda group: len(group[1])):  # the quick ones first
        left = end - time.monotonic()
        share = left if len(able) == len(who) else min(left, SECONDS * len(names) * len(asked.threads))
        results += measure([find(name) for name in names], able, speeds, asked.rounds, _tell, share)
    asked.results.mkdir(parents=True, exist_ok=True)
    return report.save(asked.results, report.document(here, results, asked.rounds))


def _groups(names: Sequence[str], who: Sequence[Any]) -> Iterator[tuple[list[str], list[Any]]]:
    """What is measured together; one-row predict is compared with Keras alone."""
    predictions = [name for name in names if name.startswith("predict")]
    others = [name for name in names if name not in predictions]
    if others:
        yield others, list(who)
    if predictions:
        yield predictions, [i for i in who if i.ours or i.name in KERAS]


def _tell(said: str) -> None:
    print(said, file=sys.stderr, flush=True)


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """What to do, from the command line."""
    parser = argparse.ArgumentParser("python -m benchmarks.readme", description=__doc__)
    parser.add_argument("workloads", nargs="*", default=list(MEASURED), help="those of the README by default")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="how long to measure, about (default 11)")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2], help="numbers of cores (default 1 2)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="rounds at most (default 15)")
    parser.add_argument("--results", type=Path, default=HERE / "results", help="folder of the JSON file")
    parser.add_argument("--of", type=Path, default=None, metavar="FILE", help="timings that are there")
    parser.add_argument("--write", action="store_true", help="put the tables into the README and docs/performance.md")
    asked = parser.parse_args(given)
    asked.workloads = [w.name for w in chosen(asked.workloads)]
    return asked


def main(given: Sequence[str] | None = None) -> None:
    """Measures what was asked for, or takes what is there, and shows the tables."""
    asked = arguments(given)
    path = asked.of or _measured(asked)
    document = json.loads(path.read_text(encoding="utf-8"))
    pages = {README: tables(document, path.name), FURTHER: further_tables(document)}
    print("\n\n".join(pages.values()))
    for page, made in pages.items() if asked.write else ():
        page.write_text(kept_to(page.read_text(encoding="utf-8"), made, path.name), encoding="utf-8")
    print(f"\nAll timings: {path.name}", file=sys.stderr)


if __name__ == "__main__":
    main()
