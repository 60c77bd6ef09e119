"""The checks of a case: value, gradient, replay and result rule, each on one backend."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from lamina import structures
from lamina.contract import Backend, Executable
from lamina.dtypes import STRING
from lamina.errors import DTypeError, LaminaError
from lamina.program import Interpreter, Program, optimize
from lamina.replay.recorder import Recorder
from lamina.runtime.convert import from_numpy, numpy_dtype
from lamina.runtime.listeners import KernelCall, Listener, listening
from lamina.runtime.op import OPS, CompositeOp
from lamina.runtime.tensor import Tensor
from lamina.testing.compare import assert_close, assert_same, tolerance_of, wide
from lamina.testing.differences import Derivative, with_gaps
from lamina.testing.inputs import Array
from lamina.testing.table import Case

_KINDS: Final = {"b": "b", "i": "iu", "u": "iu", "f": "fV", "c": "c", "O": "OU", "U": "OU"}


def check_value(case: Case, backend: Backend) -> None:
    """The result has the reference's values, the rule's shape and dtype; or the expected error comes, and no kernel.

    Inputs are left as they were, and so are results when the op is called again; inputs may have gaps in memory.
    """
    if case.raises is not None:
        _check_error(case, backend)
        return
    for dtype in widths(case, backend):
        check_value_in(case, backend, dtype)
    dtype = widths(case, backend)[0]
    arrays = case.arrays(dtype)
    if _all_supported(case, backend, arrays):
        _assert_any_layout(case, backend, arrays)
        _assert_kept(case, backend, arrays, case.arrays(dtype, salt=1))


def check_value_in(case: Case, backend: Backend, dtype: str) -> None:
    """``check_value`` with floating inputs in one dtype."""
    arrays = case.arrays(dtype)
    if not _all_supported(case, backend, arrays):
        return
    inputs = case.tensors(backend, arrays)
    found = _tensors_of(case.call(inputs))
    _assert_untouched(inputs, arrays, f"{case} in {dtype}")
    expected = case.expected(arrays) if case.reference is not None else [None] * len(found)
    assert len(found) == len(expected), f"{case}: {len(found)} results, expected {len(expected)}"
    for tensor, wanted in zip(found, expected, strict=True):
        native = check_native(tensor, f"{case} in {dtype}")
        if wanted is None:
            continue
        kind = np.asarray(wanted).dtype.kind
        assert native.dtype.kind in _KINDS[kind], f"{case}: dtype {tensor.dtype}, but the reference gives {kind!r}"
        assert_close(native, wanted, tolerance_of(tensor.dtype, case.loose), f"{case} in {dtype}")


def _assert_untouched(inputs: Sequence[Tensor], arrays: Sequence[Array], what: str) -> None:
    for position, (tensor, array) in enumerate(zip(inputs, arrays, strict=True)):
        message = f"{what}: the kernel changed its input {position}"
        np.testing.assert_array_equal(wide(check_native(tensor, what)), wide(array), err_msg=message)


def _assert_any_layout(case: Case, backend: Backend, arrays: Sequence[Array]) -> None:
    """Inputs with gaps between their elements in memory give what those in order give."""
    plain = _tensors_of(case.call([from_numpy(array, backend) for array in arrays]))
    apart = _tensors_of(case.call([with_gaps(array, backend) for array in arrays]))
    for found, wanted in zip(apart, plain, strict=True):
        tolerance = tolerance_of(found.dtype, case.loose)
        assert_close(found.numpy(), wanted.numpy(), tolerance, f"{case}: inputs with gaps in memory")


def _assert_kept(case: Case, backend: Backend, arrays: Sequence[Array], others: Sequence[Array]) -> None:
    """A result stays as it is, and keeps its memory to itself, when the op is called again on other values."""
    first = _tensors_of(case.call(case.tensors(backend, arrays)))
    before = [tensor.numpy() for tensor in first]
    second = _tensors_of(case.call(case.tensors(backend, others)))
    for tensor, values in zip(first, before, strict=True):
        message = f"{case}: a later call changed the result of an earlier one"
        np.testing.assert_array_equal(wide(tensor.numpy()), wide(values), err_msg=message)
    shared = _buffers(first) & _buffers(second)
    assert not shared or case.op not in backend.kernels, f"{case}: the results of two calls lie in the same memory"


def _buffers(tensors: Sequence[Tensor]) -> set[Hashable]:
    """Whose memory tensors with elements and axes lie in; a library's own numbers may be one object for all."""
    known = [t.backend.buffer_of(t.array) for t in tensors if t.size and t.ndim and t.dtype not in STRING]
    return {buffer[0] for buffer in known if buffer is not None}


def check_native(tensor: Tensor, what: str) -> Array:
    """The native array behind a tensor as a NumPy array; its shape and dtype must be those the tensor says."""
    native = np.asarray(tensor.backend.to_host(tensor.array))
    assert native.shape == tensor.shape, f"{what}: the kernel gave shape {native.shape}, the rule says {tensor.shape}"
    if tensor.dtype not in STRING:
        wanted = numpy_dtype(tensor.dtype)
        assert native.dtype == wanted, f"{what}: the kernel gave dtype {native.dtype}, the rule says {tensor.dtype}"
    return native


def widths(case: Case, backend: Backend) -> list[str]:
    """The floating dtypes a case runs in: float32, and float64 where the backend has it."""
    if not case.floating:
        return ["float32"]
    return [dtype for dtype in ("float32", "float64") if backend.supports(dtype) is None]


def check_gradient(case: Case, backend: Backend) -> None:
    """The tape's gradient agrees with differences, and the gradient of the gradient too where there is one.

    In float64, relative error at most 1e-6 (1e-4 for a function with kinks); in float32 at most 2e-2. Inputs that do
    not lie in order in memory give the same.
    """
    precision = "float64" if backend.supports("float64") is None else "float32"
    arrays = case.arrays(precision)
    if not _all_supported(case, backend, arrays):
        return
    tolerance = (1e-6 if case.smooth else 1e-4) if precision == "float64" else 2e-2
    first = Derivative(lambda tensors: _tensors_of(case.call(tensors)), arrays, backend, precision)
    _assert_derivative(first, tolerance, f"the gradient of {case}")
    second = first.second() if case.smooth else None
    if second is not None:
        _assert_derivative(second, tolerance, f"the second gradient of {case}")


def _assert_derivative(derivative: Derivative, tolerance: float, what: str) -> None:
    taped, measured = derivative.by_tape(), derivative.by_differences()
    scale = max(abs(taped), abs(measured), 1e-3)
    error = abs(taped - measured) / scale
    assert error <= tolerance, f"{what}: {taped!r} by the tape, {measured!r} by differences (relative {error:.1e})"
    spread = derivative.by_tape(spread=True)
    error = abs(taped - spread) / scale
    assert error <= tolerance, f"{what}: {taped!r}, but {spread!r} with gaps in memory (relative {error:.1e})"


def check_replay(case: Case, backend: Backend) -> None:
    """The eager run, the reference interpreter and the backend's executable agree; results stay the caller's.

    Both executables run twice, on other values the second time, so that a buffer that is handed out or used again
    too early shows.
    """
    dtype = widths(case, backend)[0]
    arrays = case.arrays(dtype)
    if not _all_supported(case, backend, arrays):
        return
    inputs = case.tensors(backend, arrays)
    if any(t.backend is not backend for t in inputs):  # strings that this backend leaves to the host
        return
    recorder = Recorder(inputs)
    with listening(recorder):
        eager = _tensors_of(case.call(inputs))
    if not case.replayed:
        assert recorder.not_replayable is not None, f"{case}: the recorder did not see that the shape depends on values"
        return
    assert recorder.not_replayable is None, f"{case}: {recorder.not_replayable}"
    program = optimize(recorder.program(eager))
    first = _Run(inputs, arrays, [t.numpy() for t in eager])
    second = _second_run(case, backend, dtype)
    plain = Interpreter(program, backend.kernels, backend.from_host)
    for name, executable in (("interpreter", plain), ("executable", backend.load(program))):
        _assert_runs(program, executable, backend, first, second, f"{case} by the {name}")


class _Run(NamedTuple):
    """Inputs, their values, and what an eager call gave for them."""

    inputs: Sequence[Tensor]
    arrays: Sequence[Array]
    expected: Sequence[Array]


def _second_run(case: Case, backend: Backend, dtype: str) -> _Run:
    arrays = case.arrays(dtype, salt=1)
    inputs = case.tensors(backend, arrays)
    return _Run(inputs, arrays, [t.numpy() for t in _tensors_of(case.call(inputs))])


def _assert_runs(
    program: Program, executable: Executable, backend: Backend, first: _Run, second: _Run, what: str
) -> None:
    kept, _ = executable([t.array for t in first.inputs], [])
    _assert_outputs(program, kept, first, backend, f"{what}, first run")
    later, _ = executable([t.array for t in second.inputs], [])
    _assert_outputs(program, later, second, backend, f"{what}, second run")
    _assert_outputs(program, kept, first, backend, f"{what}, the first run's results after the second run")
    for run in (first, second):
        _assert_untouched(run.inputs, run.arrays, what)


def _assert_outputs(program: Program, arrays: Sequence[Any], run: _Run, backend: Backend, what: str) -> None:
    assert len(arrays) == len(run.expected), f"{what}: {len(arrays)} results, expected {len(run.expected)}"
    for array, slot, wanted in zip(arrays, program.outputs, run.expected, strict=True):
        spec = program.slots[slot]
        assert_same(check_native(Tensor(array, spec, backend), what), wanted, spec.dtype, what)


def check_result_rule(case: Case, backend: Backend) -> None:
    """Every kernel call keeps its op's rule, a composite's parts give what its rule says, and specs give the same."""
    dtype = widths(case, backend)[0]
    arrays = case.arrays(dtype)
    if case.raises is not None or not _all_supported(case, backend, arrays):
        return
    inputs = case.tensors(backend, arrays)
    calls = _Calls()
    with listening(calls):
        found = _tensors_of(case.call(inputs))
    for call in calls.heard:
        for output in call.outputs:
            check_native(output, f"{case}: {call.op.name}")
    if case.replayed:
        _assert_specs(case, dtype, found)
    op = OPS.get(case.op)
    if isinstance(op, CompositeOp):
        _assert_parts(op, case, inputs, found)


def _assert_specs(case: Case, dtype: str, found: Sequence[Tensor]) -> None:
    shaped = _tensors_of(case.call(case.spec_tensors(dtype)))
    specs, wanted = [t.spec for t in shaped], [t.spec for t in found]
    assert specs == wanted, f"{case}: {wanted} with values, {specs} on tensors without values"


def _assert_parts(op: CompositeOp[Any, Any], case: Case, inputs: Sequence[Tensor], found: Sequence[Tensor]) -> None:
    arguments, settings = op._bind(tuple(case.arguments(inputs)), dict(case.attrs))
    tensors = op._tensors(arguments)
    if op._settings is not None:
        settings = op._settings(*tensors, **settings)
    rule = op.result(*tensors, **settings)
    expected = list(rule) if isinstance(rule, tuple) and not hasattr(rule, "_fields") else [rule]
    parts = _tensors_of(op.__wrapped__(*tensors, **settings))
    assert [t.spec for t in parts] == expected, f"{case}: its parts give {[t.spec for t in parts]}, its rule {expected}"
    for part, whole in zip(parts, found, strict=True):
        tolerance = tolerance_of(part.dtype, case.loose)
        assert_close(part.numpy(), whole.numpy(), tolerance, f"{case}: its parts against its kernel")


class _Calls(Listener):
    """Keeps the kernel calls it hears."""

    def __init__(self) -> None:
        self.heard: list[KernelCall] = []

    def on_call(self, call: KernelCall) -> None:
        self.heard.append(call)


def _check_error(case: Case, backend: Backend) -> None:
    """The error comes on tensors without values too, so that layers are refused when they are built."""
    _assert_raises(case, case.spec_tensors("float32"), "without values")
    arrays = case.arrays("float32")
    if _all_supported(case, backend, arrays):
        _assert_raises(case, case.tensors(backend, arrays), "with values")


def _assert_raises(case: Case, tensors: Sequence[Tensor], how: str) -> None:
    calls = _Calls()
    try:
        with listening(calls):
            case.call(tensors)
    except LaminaError as error:
        assert type(error) is case.raises, f"{case} {how}: {type(error).__name__}: {error}"  # noqa: PT017
    else:
        raise AssertionError(f"{case} {how}: nothing was raised, expected {case.raises}")
    ran = [call.op.name for call in calls.heard if call.op.name == case.op]
    assert not ran, f"{case} {how}: the kernel ran before the error"


def _all_supported(case: Case, backend: Backend, arrays: Sequence[Array]) -> bool:
    """False if an input has a dtype that the backend lacks; then it must say so clearly. Strings work everywhere."""
    missing = [a for a in arrays if a.dtype.kind != "O" and backend.supports(str(a.dtype)) is not None]
    for array in missing:
        try:
            from_numpy(array, backend)
        except DTypeError as error:
            assert backend.name in str(error), f"{case}: the error does not name the backend: {error}"  # noqa: PT017
        else:
            raise AssertionError(f"the backend {backend.name!r} says it lacks {array.dtype}, but takes it")
    return not missing


def _tensors_of(result: Any) -> list[Tensor]:
    return [leaf for leaf in structures.flatten(result) if isinstance(leaf, Tensor)]
