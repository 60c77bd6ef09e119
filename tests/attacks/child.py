"""A process that loads hostile files for the tests, within limits, and tells what happened to it.

It reads a job a line from standard input, as JSON: what to load, and how. It answers with a line: what came of it, how
long it took, by how much its memory grew at most, and the audit events that a loader has no business to cause. The
modules that loading needs are imported, by loading good files, before anything is watched.
"""

from __future__ import annotations

import functools
import gc
import json
import os
import resource
import sys
import time
from typing import Any

ALLOWANCE = 512 << 20
"""Bytes of address space that the process may take beyond those it has when it is ready."""

_WATCHED = (
    "os.", "socket.", "subprocess.", "ctypes.", "pickle.", "marshal.", "shutil.", "tempfile.", "urllib.", "ftplib.",
    "http.", "smtplib.", "webbrowser.", "mmap.", "pty.", "signal.", "sqlite3.", "glob.", "open", "import", "exec",
    "compile",
)  # fmt: skip
_HARMLESS = ("os.listdir", "os.scandir", "signal.pthread_sigmask")
_OWN_MODULES = ("lamina", "numpy", "_frozen_importlib")

events: list[tuple[str, str]] | None = None


def hook(name: str, arguments: tuple[Any, ...]) -> None:
    if events is None or not name.startswith(_WATCHED) or name in _HARMLESS:
        return
    what = arguments[0] if arguments else ""
    if name == "exec":
        what = getattr(what, "co_filename", what)
    if name == "compile":
        what = arguments[1]
    events.append((name, os.fsdecode(what) if isinstance(what, (str, bytes)) else repr(what)[:200]))


def peak() -> int:
    """The most memory that the process has held since it was last reset, in bytes."""
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) << 10


def reset_peak() -> None:
    with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def limit() -> None:
    with open("/proc/self/statm", encoding="ascii") as file:
        pages = int(file.read().split()[0])
    most = pages * os.sysconf("SC_PAGE_SIZE") + ALLOWANCE
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


@functools.cache
def model_at(path: str) -> Any:
    """A good model, to be given weights."""
    import lamina

    return lamina.load_model(path)


def load(job: dict[str, Any]) -> Any:
    import lamina

    if job.get("weights_of"):
        return model_at(job["weights_of"]).load_weights(job["path"], strict=job.get("strict", True))
    if job.get("uses"):
        made = lamina.load_model(job["path"], compile=job.get("compile", True))
        for use in job["uses"]:
            getattr(made, use)()
        return made
    return lamina.load_model(job["path"], compile=job.get("compile", True))


def run(job: dict[str, Any]) -> dict[str, Any]:
    global events
    if job.get("weights_of"):
        model_at(job["weights_of"])  # before anything is watched
    gc.collect()
    reset_peak()
    before, start = peak(), time.process_time()
    events = []
    try:
        load(job)
        outcome, kinds, message = "loaded", [], ""
    except BaseException as error:
        outcome, kinds, message = "raised", [kind.__name__ for kind in type(error).__mro__], str(error)
        error.__traceback__ = None
        del error
    seen, events = events, None
    return {
        "outcome": outcome,
        "kinds": kinds,
        "message": message[:4000],
        "seconds": time.process_time() - start,
        "memory": peak() - before,
        "events": seen,
    }


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    sys.stdout = sys.stderr
    for path in json.loads(sys.stdin.readline()):
        load({"path": path, "uses": ["summary", "to_mermaid"]})
    sys.addaudithook(hook)
    limit()
    print(json.dumps("ready"), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
