"""Who is measured. A new library is one module here and one entry in ``IMPLEMENTATIONS``.

A module has a function for each kind of workload that it can run, such as ``training(workload)``: it makes everything
ready and returns a task, a function without arguments that runs ``workload.steps`` steps and returns one number: the
mean loss of its last epoch, the first number of a prediction, how many weights were made. Those numbers show that all
did the same work. Nothing but the modules of this folder imports the libraries, and a process imports only one.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Implementation:
    """A library in one way of using it: its module here, what must be installed, and its environment variables."""

    name: str
    module: str
    needs: tuple[str, ...]
    kinds: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    ours: bool = False
    compiles_long: bool = False

    def missing(self) -> list[str]:
        """The libraries that are not installed."""
        return [library for library in self.needs if importlib.util.find_spec(library) is None]


_BY_HAND = ("training", "prediction", "first_step", "eager")
_ALL = (*_BY_HAND, "building")

IMPLEMENTATIONS = (
    Implementation(
        "lamina-numpy", "lamina_fit", ("lamina", "lamina_numpy"), _ALL, {"LAMINA_BACKEND": "numpy"}, ours=True
    ),
    Implementation(
        "lamina-torch", "lamina_fit", ("lamina", "lamina_torch", "torch"), _ALL, {"LAMINA_BACKEND": "torch"}, ours=True
    ),
    Implementation(
        "lamina-torch-jit", "lamina_fit", ("lamina", "lamina_torch", "torch"), ("training", "first_step"),
        {"LAMINA_BACKEND": "torch", "BENCHMARKS_JIT": "1", "TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1"}, ours=True,
        compiles_long=True,
    ),
    Implementation("plain-numpy", "plain_numpy", ("numpy",), ("eager",)),
    Implementation("plain-torch", "plain_torch", ("torch",), _ALL),
    Implementation(
        "compiled-torch", "compiled_torch", ("torch",), ("training", "prediction", "first_step"),
        {"TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1"}, compiles_long=True,
    ),
    Implementation("plain-jax", "plain_jax", ("jax",), _BY_HAND),
    Implementation("keras-jax", "keras_fit", ("keras", "jax"), _ALL, {"KERAS_BACKEND": "jax"}),
    Implementation("keras-torch", "keras_fit", ("keras", "torch"), _ALL, {"KERAS_BACKEND": "torch"}),
)  # fmt: skip

_ON_CUDA = {"BENCHMARKS_DEVICE": "cuda"}

ON_A_GPU = (
    Implementation(
        "lamina-torch-cuda", "lamina_fit", ("lamina", "lamina_torch", "torch"), _ALL,
        {"LAMINA_BACKEND": "torch", "LAMINA_DEVICE": "cuda"}, ours=True,
    ),
    Implementation(
        "lamina-torch-cuda-graphs", "lamina_fit", ("lamina", "lamina_torch", "torch"), ("training",),
        {"LAMINA_BACKEND": "torch", "LAMINA_DEVICE": "cuda", "LAMINA_TORCH_GRAPHS": "1"}, ours=True,
    ),
    Implementation(
        "lamina-cupy", "lamina_fit", ("lamina", "lamina_cupy", "cupy"), _ALL,
        {"LAMINA_BACKEND": "cupy", "LAMINA_DEVICE": "cuda"}, ours=True,
    ),
    Implementation("plain-torch-cuda", "plain_torch", ("torch",), ("training",), _ON_CUDA),
    Implementation("compiled-torch-cuda", "compiled_torch", ("torch",), ("training",), _ON_CUDA),
)  # fmt: skip
"""Who runs on a GPU: for ``python -m benchmarks.gpu``."""


def find(name: str) -> Implementation:
    """The implementation of a name. Raises KeyError that lists the names."""
    known = (*IMPLEMENTATIONS, *ON_A_GPU)
    for implementation in known:
        if implementation.name == name:
            return implementation
    raise KeyError(f"no implementation {name!r}; there are {', '.join(i.name for i in known)}")
