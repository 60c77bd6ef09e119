"""A recorded step as a CUDA graph: captured while it runs once more, then launched as a whole.

Python's calls are what a small step on a device waits for; a launch is one call. A graph reads and writes fixed
addresses, so inputs are copied to where they were at the capture, and outputs are copied out.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

import torch

from lamina.notices import warn
from lamina_torch.executable import TorchExecutable

Result = tuple[list[Any], list[Any]]

VARIABLE: Final = "LAMINA_TORCH_GRAPHS"
"""The environment variable that asks for graphs."""


def are_wanted(device: torch.device) -> bool:
    """Whether steps on a device become graphs."""
    return device.type == "cuda" and os.environ.get(VARIABLE, "") not in ("", "0")


class Capture(Protocol):
    """What captures calls: torch's own for CUDA, or one that tests bring."""

    def aside(self, function: Callable[[], Result]) -> Result:
        """Calls a function as it must be called before it can be captured."""

    def take(self, function: Callable[[], Result]) -> tuple[Callable[[], object], Result]:
        """What does a function's work once more, and its result, which is not computed before that."""


class CudaCapture:
    """torch's: a stream of its own for what goes before, and ``torch.cuda.graph``."""

    def __init__(self, device: torch.device) -> None:
        self._stream = torch.cuda.Stream(device)

    def aside(self, function: Callable[[], Result]) -> Result:
        current = torch.cuda.current_stream(self._stream.device)
        self._stream.wait_stream(current)
        with torch.cuda.stream(self._stream):
            outputs, written = function()
        current.wait_stream(self._stream)
        for x in outputs:
            x.record_stream(current)  # its memory is not given away while the caller's stream reads it
        return outputs, written

    def take(self, function: Callable[[], Result]) -> tuple[Callable[[], object], Result]:
        graph = torch.cuda.CUDAGraph()
        # Other threads, such as one that copies the next batch, may go on meanwhile.
        with torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):
            result = function()
        return graph.replay, result


class GraphExecutable:
    """Runs an executable plainly at the first call for a set of Variables, captures it at the second, then launches it.

    If its calls cannot be captured, because one waits for the device, it runs plainly from then on, with one warning;
    nothing is lost, for a capture computes nothing.
    """

    updates_in_place = True

    def __init__(self, normal: TorchExecutable, capture: Capture) -> None:
        self._normal, self._capture = normal, capture
        self._state: Sequence[Any] | None = None
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []
        self._launch: Callable[[], object] | None = None
        self._is_refused = False
        self._lock = threading.Lock()

    def __call__(self, inputs: Sequence[Any], state: Sequence[Any]) -> Result:
        with self._lock:
            if state is not self._state and not self._is_refused:  # a graph belongs to its Variables' memory
                self._launch, self._inputs, self._outputs, self._state = None, [], [], state
                return self._capture.aside(lambda: self._normal(inputs, state))
            if self._launch is None and not self._is_refused:
                self._take(inputs, state)
            if self._launch is None:
                return self._normal(inputs, state)
            for own, given in zip(self._inputs, inputs, strict=True):
                own.copy_(given)
            self._launch()
            return [x.clone() for x in self._outputs], []

    def _take(self, inputs: Sequence[Any], state: Sequence[Any]) -> None:
        own = [x.clone() for x in inputs]
        try:
            self._launch, (outputs, _) = self._capture.take(lambda: self._normal(own, state))
        except RuntimeError as error:
            self._is_refused = True
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            warn(f"this step cannot be a CUDA graph ({reason}); it runs as without {VARIABLE}.")
        else:
            self._inputs, self._outputs = own, outputs

    def explain(self) -> str:
        """Whether it is a graph, and what the normal executable says."""
        told = "one CUDA graph" if self._launch is not None else "no CUDA graph"
        return f"{told}\n{self._normal.explain()}"
