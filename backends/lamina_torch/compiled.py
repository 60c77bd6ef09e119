"""A recorded program handed to ``torch.compile``: forward pass, gradients and update in one graph.

On a CUDA device torch captures that graph and launches it as a whole. Where torch's compiler cannot take the program,
or lacks a compiler of its own for this device, the normal executable runs instead, with one warning.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from lamina.contract import Executable, KernelTable
from lamina.notices import warn
from lamina.program import Program
from lamina.program.passes import view_bases
from lamina.program.source import compile_source
from lamina_torch.executable import fold


def _cross_entropy(labels: Any, logits: Any) -> Any:
    lowest = torch.finfo(logits.dtype).min
    return -(labels * torch.log_softmax(logits, -1).clamp_min(lowest)).sum(-1)


def _cross_entropy_gradient(dy: Any, labels: Any, logits: Any) -> Any:
    return (torch.softmax(logits, -1) * labels.sum(-1, keepdim=True) - labels) * dy.unsqueeze(-1)


PLAIN: dict[str, Callable[..., Any]] = {
    "softmax": lambda x, axis: torch.softmax(x, axis),
    "log_softmax": lambda x, axis: torch.log_softmax(x, axis),
    "softmax_cross_entropy": _cross_entropy,
    "softmax_cross_entropy_gradient": _cross_entropy_gradient,
}
"""In the tensors' own dtype, as recorded steps compute them, and in calls that the compiler fuses."""


class CompiledExecutable:
    """Runs a program as one compiled function; ``normal`` makes the executable that stands in if there is none."""

    updates_in_place = True

    def __init__(
        self,
        program: Program,
        kernels: KernelTable,
        from_host: Callable[[Any], Any],
        device: torch.device,
        normal: Callable[[], Executable],
    ) -> None:
        functions = {**kernels.functions, **PLAIN}
        constants = {slot: from_host(array) for slot, array in program.constants.items()}
        whole = functools.partial(_whole, program, functions, fold(program, constants, functions))
        mode = "reduce-overhead" if device.type == "cuda" else "default"
        self._step: Any = torch.compile(whole(), fullgraph=True, dynamic=False, mode=mode)
        self._device = device
        self._normal = normal
        self._instead: Executable | None = None
        self._state: Sequence[Any] | None = None
        self._lock = threading.Lock()

    def __call__(self, inputs: Sequence[Any], state: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        with self._lock:
            if self._instead is None:
                try:
                    return self._run(inputs, state), []
                except _REFUSALS as error:  # before anything ran
                    self._instead = self._normal()
                    warn(_refusal(error))
        return self._instead(inputs, state)

    def _run(self, inputs: Sequence[Any], state: Sequence[Any]) -> list[Any]:
        if state is not self._state and self._device.type == "cuda":
            for tensor in state:  # a captured graph then writes to them where they lie
                torch._dynamo.mark_static_address(tensor)
        self._state = state
        with torch.no_grad():
            found = self._step(list(inputs), list(state))
        return [x.clone() for x in found] if self._device.type == "cuda" else found


def _whole(program: Program, functions: Mapping[str, Any], constants: Mapping[int, Any]) -> Any:
    """A function of inputs and state that writes the new state over the old and returns the outputs."""
    live = program.with_instructions([i for i in program.instructions if not set(i.outputs) <= set(constants)])
    run = compile_source(live, functions, constants)
    bases = view_bases(program)
    given = {*program.inputs, *program.state, *constants}

    def own(slot: int, value: Any) -> Any:
        """A value that shares no memory with what is given or written."""
        return value.clone() if bases.get(slot, slot) in given else value

    # torch counts how often a code object is compiled, and refuses the ninth time: each program has one of its own.
    def step(inputs: list[Any], state: list[Any]) -> list[Any]:
        outputs, written = run(inputs, state)
        outputs = [own(slot, value) for slot, value in zip(program.outputs, outputs, strict=True)]
        values = [own(slot, value) for (_, slot), value in zip(program.writes, written, strict=True)]
        for (index, _), value in zip(program.writes, values, strict=True):
            state[index].copy_(value)
        return outputs

    step.__code__ = step.__code__.replace()
    return step


def _refusal(error: Exception) -> str:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return (
        f"torch.compile does not take this step ({type(error).__name__}: {reason}); it runs as without jit_compile. "
        "On a CPU torch needs a C++ compiler such as g++ (or CXX that names one), on CUDA the package triton."
    )


_REFUSALS: tuple[type[Exception], ...] = (torch._dynamo.exc.TorchDynamoException,)
