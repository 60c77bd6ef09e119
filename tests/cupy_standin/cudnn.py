"""A stand-in for NVIDIA's package ``cudnn``: its graphs of one convolution, computed by NumPy from the definition.

It takes the calls in the package's order with its parameters, reads and writes memory by address and by the strides
that were declared, and refuses handles of other threads. Like cuDNN, it may have no engine for a graph.
"""

from __future__ import annotations

import ctypes
import enum
import itertools
import math
import threading
from types import ModuleType
from typing import Any

import numpy as np

from cupy_standin import ledger

STEPS = ("validate", "build_operation_graph", "create_execution_plans", "deselect_numeric_notes", "check_support",
         "build_plans")  # fmt: skip

data_type = enum.Enum("data_type", "HALF FLOAT DOUBLE")
heur_mode = enum.Enum("heur_mode", "A B FALLBACK")
numerical_note = enum.Enum(
    "numerical_note", "TENSOR_CORE DOWN_CONVERT_INPUTS REDUCED_PRECISION_REDUCTION FFT NONDETERMINISTIC WINOGRAD"
)
NUMPY = {data_type.HALF: np.float16, data_type.FLOAT: np.float32}


class cudnnGraphNotSupportedError(Exception):
    """No engine for a graph."""


class Handle:
    """Belongs to one thread and runs on one stream."""

    def __init__(self) -> None:
        self.thread, self.stream = threading.get_ident(), None


class Tensor:
    """A tensor of a graph, by what was declared."""

    def __init__(self, dim: list[int] | None, stride: list[int] | None, data_type: Any) -> None:
        self.dim, self.stride, self.data_type, self.is_output = dim, stride, data_type, False

    def set_output(self, value: bool) -> Tensor:
        self.is_output = value
        return self

    def set_data_type(self, value: Any) -> Tensor:
        self.data_type = value
        return self

    def set_dim(self, value: list[int]) -> Tensor:
        self.dim = value
        return self

    def set_stride(self, value: list[int]) -> Tensor:
        self.stride = value
        return self

    def at(self, address: int) -> np.ndarray:
        """The memory at an address as this tensor."""
        dtype = np.dtype(NUMPY[self.data_type])
        extent = 1 + sum((d - 1) * s for d, s in zip(self.dim, self.stride, strict=True))
        assert extent == math.prod(self.dim), "dense arrays only"
        memory = (ctypes.c_char * (extent * dtype.itemsize)).from_address(address)
        strides = [s * dtype.itemsize for s in self.stride]
        return np.lib.stride_tricks.as_strided(np.frombuffer(memory, dtype), self.dim, strides, writeable=True)


def create_handle() -> Handle:
    return Handle()


def set_stream(handle: Handle, stream: int) -> None:
    assert handle.thread == threading.get_ident()
    handle.stream = stream


class pygraph:
    """A graph of one convolution."""

    engines = 1
    """How many there are for each graph; tests take them away."""

    def __init__(self, handle: Handle, io_data_type: Any, intermediate_data_type: Any, compute_data_type: Any) -> None:
        assert handle.thread == threading.get_ident()
        assert compute_data_type is intermediate_data_type is data_type.FLOAT
        self.done: list[str] = []
        self.refused: list[Any] = []

    def tensor(self, name: str, dim: list[int], stride: list[int], data_type: Any) -> Tensor:
        assert all(type(n) is int for n in (*dim, *stride))
        assert len(dim) == len(stride) in (4, 5)
        return Tensor(dim, stride, data_type)

    def conv_fprop(self, image: Tensor, weight: Tensor, **settings: list[int]) -> Tensor:
        return self._convolution(settings, image=image, weight=weight)

    def conv_dgrad(self, loss: Tensor, filter: Tensor, **settings: list[int]) -> Tensor:
        return self._convolution(settings, result=loss, weight=filter)

    def conv_wgrad(self, image: Tensor, loss: Tensor, **settings: list[int]) -> Tensor:
        return self._convolution(settings, image=image, result=loss)

    def _convolution(self, settings: dict[str, list[int]], **tensors: Tensor) -> Tensor:
        assert set(settings) == {"pre_padding", "post_padding", "stride", "dilation"}
        self.settings, self.parts, self.result = settings, tensors, Tensor(None, None, None)
        (self.missing,) = {"image", "weight", "result"} - set(tensors)
        self.parts[self.missing] = self.result
        return self.result

    def _step(self, name: str) -> None:
        assert name == STEPS[len(self.done)]
        self.done.append(name)

    def validate(self) -> None:
        self._step("validate")
        assert self.result.is_output
        image, weight, result = (self.parts[name].dim for name in ("image", "weight", "result"))
        assert image[1] % weight[1] == 0
        assert weight[0] % (image[1] // weight[1]) == 0
        for axis, (size, window) in enumerate(zip(image[2:], weight[2:], strict=True)):
            before, after, stride, dilation = (self.settings[key][axis] for key in
                                               ("pre_padding", "post_padding", "stride", "dilation"))  # fmt: skip
            assert result[2 + axis] == (size + before + after - dilation * (window - 1) - 1) // stride + 1

    def build_operation_graph(self) -> None:
        self._step("build_operation_graph")

    def create_execution_plans(self, heuristics: list[Any]) -> None:
        self._step("create_execution_plans")

    def deselect_numeric_notes(self, notes: list[Any]) -> None:
        self._step("deselect_numeric_notes")
        self.refused = notes

    def check_support(self) -> None:
        self._step("check_support")
        if not self.engines:
            raise cudnnGraphNotSupportedError("no engine")

    def build_plans(self) -> None:
        self._step("build_plans")

    def get_workspace_size(self) -> int:
        assert self.done == list(STEPS)
        return 16

    def execute(self, tensor_dict: dict[Tensor, int], workspace: int, handle: Handle) -> None:
        assert self.done == list(STEPS)
        assert (handle.thread, handle.stream) == (threading.get_ident(), 0)
        assert workspace
        found = {name: tensor.at(tensor_dict[tensor]) for name, tensor in self.parts.items()}
        ledger.launch(f"cudnn {self.missing}")
        sums = np.zeros(self.result.dim, np.float32)
        self._sum(found["image"], found["weight"], found["result"], {self.missing: sums})
        found[self.missing][...] = sums

    def _sum(self, image: np.ndarray, weight: np.ndarray, result: np.ndarray, sums: dict[str, np.ndarray]) -> None:
        """Over the places of the window: image (n, g*c, ...), weight (g*k, c, ...), result (n, g*k, ...)."""
        settings, wide = self.settings, np.float32
        pads = [(0, 0), (0, 0), *zip(settings["pre_padding"], settings["post_padding"], strict=True)]
        padded = np.pad(np.zeros_like(image, wide) if "image" in sums else image.astype(wide), pads)
        groups = image.shape[1] // weight.shape[1]
        for place in itertools.product(*(range(size) for size in weight.shape[2:])):
            cut = tuple(
                slice(p * d, p * d + s * (n - 1) + 1, s)
                for p, d, s, n in zip(place, settings["dilation"], settings["stride"], result.shape[2:], strict=True)
            )
            at = (slice(None), slice(None), *cut)
            x = padded[at].reshape(len(image), groups, weight.shape[1], -1)
            tap = weight[(slice(None), slice(None), *place)].reshape(groups, -1, weight.shape[1]).astype(wide)
            y = result.reshape(len(image), groups, tap.shape[1], -1).astype(wide)
            if "result" in sums:
                sums["result"] += np.einsum("ngcp,gkc->ngkp", x, tap).reshape(result.shape)
            elif "image" in sums:
                padded[at] += np.einsum("ngkp,gkc->ngcp", y, tap).reshape(padded[at].shape)
            else:
                part = np.einsum("ngcp,ngkp->gkc", x, y).reshape(weight.shape[:2])
                sums["weight"][(slice(None), slice(None), *place)] += part
        if "image" in sums:
            inside = [slice(before, before + size) for (before, _), size in zip(pads, image.shape, strict=True)]
            sums["image"][...] = padded[tuple(inside)]


def module() -> ModuleType:
    """The module ``cudnn``."""
    found = ModuleType("cudnn")
    found.__version__ = "1.32.0"
    for thing in (cudnnGraphNotSupportedError, create_handle, set_stream, pygraph):
        setattr(found, thing.__name__, thing)
    found.data_type, found.heur_mode, found.numerical_note = data_type, heur_mode, numerical_note
    return found
