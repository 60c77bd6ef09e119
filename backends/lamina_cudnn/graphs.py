"""Graphs of one convolution, built once for their sizes and run on CuPy's stream.

What runs is exact and repeatable: engines that round float32 to TF32, that compute in another dtype, or whose result
depends on the order of threads are left out.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final

import cudnn
import cupy

from lamina_cudnn.geometry import Tensor, Windows

DTYPES: Final = {"float16": "HALF", "float32": "FLOAT"}
"""Those with engines for channels-last tensors, by cuDNN's names. Both are summed in float32."""

KEPT: Final = 256
"""Graphs that a thread keeps, those that were used last."""

_CALLS: Final = {
    "forward": ("conv_fprop", "image", "weight"),
    "input_gradient": ("conv_dgrad", "loss", "filter"),
    "kernel_gradient": ("conv_wgrad", "image", "loss"),
}


@dataclass(frozen=True)
class Key:
    """All that a graph depends on: which convolution, its two arguments, its result, and where."""

    kind: str
    dtype: str
    first: Tensor
    second: Tensor
    result: Tensor
    windows: Windows
    device: int


class Graph:
    """A convolution that cuDNN has built. Raises cudnnGraphNotSupportedError where it has none that will do."""

    def __init__(self, key: Key, handle: Any) -> None:
        number = getattr(cudnn.data_type, DTYPES[key.dtype])
        self._graph = cudnn.pygraph(
            handle=handle,
            io_data_type=number,
            intermediate_data_type=cudnn.data_type.FLOAT,
            compute_data_type=cudnn.data_type.FLOAT,
        )
        call, *names = _CALLS[key.kind]
        self._tensors = [
            self._graph.tensor(name=name, dim=list(t.dim), stride=list(t.stride), data_type=number)
            for name, t in zip(names, (key.first, key.second), strict=True)
        ]
        result = getattr(self._graph, call)(**dict(zip(names, self._tensors, strict=True)), **key.windows.settings())
        result.set_output(True).set_data_type(number).set_dim(list(key.result.dim)).set_stride(list(key.result.stride))
        self._tensors.append(result)
        self._build(key.dtype)
        self._workspace: int = self._graph.get_workspace_size()

    def _build(self, dtype: str) -> None:
        note = cudnn.numerical_note
        self._graph.validate()
        self._graph.build_operation_graph()
        self._graph.create_execution_plans([cudnn.heur_mode.A, cudnn.heur_mode.FALLBACK])
        refused = [note.DOWN_CONVERT_INPUTS, note.REDUCED_PRECISION_REDUCTION, note.NONDETERMINISTIC]
        self._graph.deselect_numeric_notes([*refused, note.TENSOR_CORE] if dtype == "float32" else refused)
        self._graph.check_support()
        self._graph.build_plans()

    def __call__(self, first: Any, second: Any, result: Any, handle: Any) -> None:
        """Computes from two dense arrays into a third."""
        places = {t: a.data.ptr for t, a in zip(self._tensors, (first, second, result), strict=True)}
        workspace = cupy.empty(max(1, self._workspace), cupy.uint8)
        self._graph.execute(places, workspace.data.ptr, handle=handle)


class _Kept(threading.local):
    """What one thread keeps: cuDNN's handles may not be shared between threads."""

    def __init__(self) -> None:
        self.handles: dict[int, Any] = {}
        self.graphs: OrderedDict[Key, Graph | None] = OrderedDict()

    def handle(self, device: int) -> Any:
        if device not in self.handles:
            self.handles[device] = cudnn.create_handle()
        handle = self.handles[device]
        cudnn.set_stream(handle=handle, stream=cupy.cuda.get_current_stream().ptr)
        return handle

    def graph(self, key: Key, handle: Any) -> Graph | None:
        if key not in self.graphs:
            try:
                self.graphs[key] = Graph(key, handle)
            except cudnn.cudnnGraphNotSupportedError:
                self.graphs[key] = None
            while len(self.graphs) > KEPT:
                self.graphs.popitem(last=False)
        self.graphs.move_to_end(key)
        return self.graphs[key]


_kept: Final = _Kept()


def run(
    kind: str, first: Any, second: Any, result: Any, tensors: tuple[Tensor, Tensor, Tensor], windows: Windows
) -> bool:
    """Computes a convolution into ``result`` and says so, or says that cuDNN has none of that kind.

    The arrays are dense, of one dtype of DTYPES, and lie on the current device.
    """
    device = cupy.cuda.runtime.getDevice()
    handle = _kept.handle(device)
    graph = _kept.graph(Key(kind, result.dtype.name, *tensors, windows, device), handle)
    if graph is None:
        return False
    graph(first, second, result, handle)
    return True
