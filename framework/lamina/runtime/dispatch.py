"""``run_kernel``: the one place where a kernel is called eagerly."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from lamina.contract import Backend
from lamina.errors import KernelMissingError
from lamina.notices import note
from lamina.runtime.backends import get_backend
from lamina.runtime.convert import meet
from lamina.runtime.exhaustion import check_memory
from lamina.runtime.listeners import KernelCall, StartingCall, listeners
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec

if TYPE_CHECKING:
    from lamina.runtime.op import Op

_array = attrgetter("_array")


def run_kernel(op: Op[Any, Any], inputs: tuple[Tensor, ...], attrs: dict[str, Any]) -> Any:
    """Checks by the op's result rule, calls the backend's kernel, wraps the result, tells the listeners.

    Returns a Tensor, or a tuple of them for an op with several results. Inputs without values give results without.
    """
    result = op.result(*inputs, **attrs)
    backend = inputs[0]._backend if inputs else get_backend()
    for tensor in inputs:
        if tensor._backend is not backend:
            inputs = meet(inputs)
            backend = None if any(t._backend is None for t in inputs) else inputs[0]._backend
            break
    if backend is None:
        return _without_values(op, result)
    kernel = backend.kernels.functions.get(op.name)
    if kernel is None:
        kernel = _on_host(op, backend)
    heard = listeners()
    if heard:
        starting = StartingCall(op, inputs, attrs, result)
        for listener in heard:
            listener.before_call(backend, starting)
    try:
        raw = kernel(*map(_array, inputs), **attrs)
    except Exception as error:
        check_memory(error, backend, f"the op {op.name!r}", result)
        given = ", ".join(f"{x.dtype} {x.shape}" for x in inputs) or "no tensors"
        note(error, f"In the op {op.name!r} on the backend {backend.name!r}: {given}.")
        raise
    if type(result) is Spec:
        if op.shape_from_values:
            result = Spec(backend.shape_of(raw), result.dtype)
        wrapped: Any = Tensor(raw, result, backend)
    else:
        if op.shape_from_values:
            result = tuple(Spec(backend.shape_of(a), s.dtype) for a, s in zip(raw, result, strict=True))
        wrapped = tuple(Tensor(a, s, backend) for a, s in zip(raw, result, strict=True))
    if heard:
        call = KernelCall(op, inputs, attrs, wrapped if type(wrapped) is tuple else (wrapped,))
        for listener in heard:
            listener.on_call(call)
    return wrapped


def _on_host(op: Op[Any, Any], backend: Backend) -> Callable[..., Any]:
    """A host op's algorithm between the copies from a backend and back; an error for any other op."""
    algorithm = op.algorithm
    if algorithm is None:
        raise missing_kernel(op, backend)

    def kernel(*arrays: Any, **attrs: Any) -> Any:
        found = algorithm(*[backend.to_host(array) for array in arrays], **attrs)
        if isinstance(found, tuple):
            return tuple(backend.from_host(array) for array in found)
        return backend.from_host(found)

    return kernel


def _without_values(op: Op[Any, Any], result: Any) -> Any:
    if type(result) is Spec:
        return Tensor(None, result, None)
    return tuple(Tensor(None, spec, None) for spec in result)


def missing_kernel(op: Op[Any, Any], backend: Backend) -> KernelMissingError:
    """The error for an op that a backend does not have."""
    return KernelMissingError(
        f"the backend {backend.name!r} has no kernel for the op {op.name!r}.",
        fix="use another backend, or add one through the hook lamina_kernels.",
    )
