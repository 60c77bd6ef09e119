"""Hostile files against the public ways into lamina, each tried in a process of its own that is watched."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SECONDS = 10.0
"""Of processor time. A machine that does other things too may take six times as long."""
SLACK, PER_BYTE = 64 << 20, 16
"""What loading a file of n bytes may cost in memory: SLACK + PER_BYTE * n."""

CHILD = Path(__file__).with_name("child.py")


@dataclass
class Outcome:
    """What came of one load."""

    outcome: str
    kinds: list[str] = field(default_factory=list)
    message: str = ""
    seconds: float = 0.0
    memory: int = 0
    events: list[list[str]] = field(default_factory=list)

    def outside(self, folder: Path) -> list[list[str]]:
        """Events that loading what lies in a folder does not need."""
        return [event for event in self.events if not _is_needed(*event, folder)]


def _is_needed(name: str, what: str, folder: Path) -> bool:
    if name in ("open", "os.open"):
        # A relative path is one below the descriptor of the folder; nothing is opened relative to the working folder.
        place = os.path.normpath(os.path.join(folder, what))
        return place.startswith((str(folder), *filter(None, sys.path[1:]), sys.prefix, sys.base_prefix))
    if name == "import":
        return what.split(".")[0].startswith(("lamina", "numpy")) or what.split(".")[0] in sys.stdlib_module_names
    if name in ("exec", "compile"):
        return what.startswith(("<frozen", "<string>", "<attrs", "/")) or what.endswith(".py")
    return False


class Child:
    """The process that loads; started anew when it has died or hung."""

    def __init__(self, good: Sequence[Path]) -> None:
        self._good = [str(path) for path in good]
        self._process: subprocess.Popen[str] | None = None

    def load(self, path: Path, **job: Any) -> Outcome:
        """What comes of loading a path."""
        if self._process is None or self._process.poll() is not None:
            self._start()
        try:
            return Outcome(**self._ask({"path": str(path), **job}, 6 * SECONDS))
        except queue.Empty:
            self.close()
            return Outcome("hung", seconds=SECONDS)
        except EOFError:
            assert self._process is not None
            status = self._process.wait()
            self._process = None
            return Outcome("died", message=f"the process ended with the status {status}")

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _start(self) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, str(CHILD)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        assert self._ask(self._good, 60.0) == "ready"

    def _ask(self, question: Any, seconds: float) -> Any:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        answers: queue.Queue[str] = queue.Queue()
        reader = threading.Thread(target=lambda out=self._process.stdout: answers.put(out.readline()), daemon=True)
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise EOFError from error
        reader.start()
        line = answers.get(timeout=seconds)
        if not line:
            raise EOFError
        return json.loads(line)


def bytes_of(path: Path) -> int:
    """The bytes of a file, or of all ordinary files in a folder."""
    if path.is_dir():
        return sum(p.lstat().st_size for p in path.rglob("*") if p.is_file() and not p.is_symlink())
    return path.lstat().st_size


def check_refused(found: Outcome, path: Path, allowed: Sequence[str] = ("ModelFileError",)) -> None:
    """Asserts that loading was refused by an error of ours, at once, within its memory, and did nothing else."""
    assert found.outcome == "raised", f"{found.outcome}: {found.message}"
    assert set(allowed) & set(found.kinds), f"{found.kinds[0]}: {found.message}"
    check_harmless(found, path)


def check_harmless(found: Outcome, path: Path) -> None:
    """Asserts that loading, whatever came of it, took little time and memory and reached nothing outside."""
    assert found.outcome in ("raised", "loaded"), f"{found.outcome}: {found.message}"
    assert found.seconds <= SECONDS
    assert found.memory <= SLACK + PER_BYTE * bytes_of(path), f"{found.memory >> 20} MiB"
    outside = found.outside(path if path.is_dir() else path.parent)
    assert outside == []
