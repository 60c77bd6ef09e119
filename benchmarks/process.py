"""The coordinator's end of a worker: starts it with a fixed number of threads, asks, and waits for answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from typing import Any

from benchmarks.implementations import Implementation

PATIENCE = 600.0
"""Seconds after which a worker that does not answer is ended."""

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What OpenMP, OpenBLAS and MKL read their number of threads from. XLA goes by the cores it may use."""


class WorkerFailedError(RuntimeError):
    """A worker ended or did not answer; the message is the end of what it said."""


def thread_variables(threads: int) -> dict[str, str]:
    """The environment variables that say how many threads libraries may use."""
    return dict.fromkeys(THREAD_VARIABLES, str(threads))


def environment(implementation: Implementation, threads: int) -> dict[str, str]:
    """The environment variables of a worker."""
    made = {**os.environ, **implementation.environment, **thread_variables(threads)}
    if threads == 1:
        made["XLA_FLAGS"] = f"{made.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen=false".strip()
    return made


def last_error(said: str) -> str:
    """The first line of the last exception in what a process said, else its last line."""
    lines = said.rpartition("Traceback")[2].splitlines()[1:] if "Traceback" in said else []
    raised = [line for line in lines or said.splitlines()[::-1] if line.strip() and not line.startswith(" ")]
    return raised[0].strip() if raised else ""


class WorkerProcess:
    """A running worker."""

    def __init__(self, implementation: Implementation, threads: int) -> None:
        self.name = implementation.name
        self.implementation = implementation
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - until close
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", implementation.name, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment(implementation, threads),
            text=True,
        )

    def ask(self, request: str, *arguments: Any) -> dict[str, Any]:
        """Sends a request and returns the answer. Raises WorkerFailedError."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        timer = threading.Timer(PATIENCE, self._process.kill)
        timer.start()
        try:
            self._process.stdin.write(json.dumps([request, *arguments]) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            timer.cancel()
        if not line:
            raise WorkerFailedError(self._last_words())
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _last_words(self) -> str:
        code = self._process.wait()
        self._errors.seek(0)
        return last_error(self._errors.read()) or f"ended with code {code}"

    def close(self) -> None:
        """Ends the worker."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            try:
                self._process.stdin.close()
            except BrokenPipeError:
                self._process.kill()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._errors.close()
