"""Conversion, devices and loading on torch."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import torch

from lamina.contract import Backend, Executable
from lamina.errors import BackendNotAvailableError
from lamina.program import Program
from lamina.shapes import Spec
from lamina_torch import graphs
from lamina_torch.dtypes import TORCH_DTYPES
from lamina_torch.executable import TorchExecutable
from lamina_torch.kernels import kernels, kernels_on
from lamina_torch.memory import side_by_side

_EXHAUSTION = ("can't allocate memory", "not enough memory", "Storage size calculation overflowed")
"""How torch says on a CPU that memory does not suffice: there it has no class of errors for it."""


class TorchBackend(Backend):
    """Plain tensors of torch, without its autograd, on a CPU or one device of any kind that torch has."""

    name = "torch"
    kernels = kernels

    def __init__(self, device: str | None = None) -> None:
        self._device = find_device(device)
        self._away = self._device.type != "cpu"
        super().__init__(str(self._device))
        self.kernels = kernels_on(self._device, type(self).kernels)

    def from_host(self, array: np.ndarray[Any, Any]) -> Any:
        return self.adopt_host(np.array(array, dtype=array.dtype.newbyteorder("="), order="C"))

    def adopt_host(self, array: np.ndarray[Any, Any]) -> Any:
        if not array.flags.carray:
            return self.from_host(array)
        try:
            tensor = torch.from_numpy(array)
        except (TypeError, ValueError):  # what torch does not read: bfloat16, foreign byte orders, negative strides
            return self._adopt_other(array)
        return tensor.to(self._device) if self._away else tensor

    def _adopt_other(self, array: np.ndarray[Any, Any]) -> Any:
        if not array.dtype.isnative or (array.strides and min(array.strides) < 0):
            return self.from_host(array)
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16).to(self._device)

    def to_host(self, array: Any) -> np.ndarray[Any, Any]:
        tensor = array.detach().cpu()
        if tensor.dtype is torch.bfloat16:
            import ml_dtypes

            bits: np.ndarray[Any, Any] = tensor.contiguous().view(torch.int16).numpy()
            return bits.view(ml_dtypes.bfloat16)
        found: np.ndarray[Any, Any] = tensor.resolve_conj().resolve_neg().numpy()
        return found

    def shape_of(self, array: Any) -> tuple[int, ...]:
        return tuple(array.shape)

    def copy(self, array: Any) -> Any:
        return array.clone(memory_format=torch.contiguous_format)

    def overwrite(self, target: Any, source: Any) -> Any:
        return target.copy_(source)

    def allocate(self, specs: Sequence[Spec]) -> Sequence[Any]:
        return side_by_side(specs, self._device)

    def from_dlpack(self, tensor: Any) -> Any:
        found = _taken(tensor)
        return self.copy(found) if found.device == self._device else found.to(self._device).contiguous()

    def share_dlpack(self, tensor: Any) -> Any:
        return _taken(tensor).to(self._device)

    def supports(self, dtype: str) -> str | None:
        if dtype not in TORCH_DTYPES:
            return "torch has no strings: they stay on the backend 'numpy'."
        if dtype == "bfloat16":
            return _missing_bfloat16()
        return None

    def buffer_of(self, array: Any) -> tuple[Hashable, int]:
        storage = array.untyped_storage()
        return storage.data_ptr() or id(array), storage.nbytes()

    def allocated(self) -> int | None:
        if self._device.type != "cuda":
            return None
        found: int = torch.cuda.memory_allocated(self._device)
        return found

    def is_exhaustion(self, error: Exception) -> bool:
        if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
            return True
        return isinstance(error, RuntimeError) and any(words in str(error) for words in _EXHAUSTION)

    def load(self, program: Program) -> Executable:
        normal = TorchExecutable(program, self.kernels, self.from_host, self._device)
        if not graphs.are_wanted(self._device):
            return normal
        return graphs.GraphExecutable(normal, graphs.CudaCapture(self._device))

    def load_compiled(self, program: Program) -> Executable:
        from lamina_torch.compiled import CompiledExecutable  # torch's compiler takes long to import

        return CompiledExecutable(program, self.kernels, self.from_host, self._device, lambda: self.load(program))

    def synchronize(self) -> None:
        if self._device.type not in ("cpu", "meta"):
            torch.get_device_module(self._device).synchronize()


def _taken(tensor: Any) -> Any:
    """Another library's array as a tensor without a graph, in its memory, and without lazy signs."""
    try:
        found = tensor.detach() if isinstance(tensor, torch.Tensor) else torch.from_dlpack(tensor)
    except AssertionError as error:  # how a torch without CUDA refuses the memory of a CUDA device
        raise BufferError(str(error)) from error
    return found.resolve_conj().resolve_neg()


def find_device(name: str | None) -> torch.device:
    """The device of a name, in torch's words; None takes the first CUDA device, or the CPU without one.

    Raises BackendNotAvailableError, which lists the devices that are there.
    """
    if name is None:
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    try:
        return torch.empty(1, device=torch.device(name)).device  # with its number, if there can be several
    except (RuntimeError, AssertionError, NotImplementedError) as error:  # whatever its library says
        present = present_devices()
        raise BackendNotAvailableError(
            f"the backend 'torch' has no device {name!r}: {str(error).splitlines()[0]}",
            expected=f"one of {', '.join(present)}.",
            fix="check LAMINA_DEVICE or the argument"
            + ("." if len(present) > 1 else "; a GPU needs its driver and a torch that was built for it."),
        ) from error


def present_devices() -> list[str]:
    """The CPU and the devices of this machine that torch can use."""
    found = ["cpu"]
    for kind in ("cuda", "xpu", "mps"):
        module = getattr(torch, kind, None)
        if module is not None and module.is_available():
            found += [f"{kind}:{i}" for i in range(module.device_count())]
    return found


def _missing_bfloat16() -> str | None:
    """Values come and go through NumPy, which has bfloat16 from a package of its own only."""
    try:
        import ml_dtypes  # noqa: F401
    except ImportError:
        return "NumPy's side needs the package ml_dtypes: pip install 'lamina[bfloat16]'."
    return None
