"""What users call: gradients of functions with respect to arguments or Variables."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from lamina import ops
from lamina.autodiff.tape import Tape
from lamina.dtypes import ARITHMETIC, COMPLEX, INEXACT
from lamina.errors import ArgumentError, ArgumentTypeError, DTypeError, GradientError, ShapeError
from lamina.runtime.convert import to_tensor
from lamina.runtime.listeners import KernelCall, hidden_from_tapes, listeners, listening
from lamina.runtime.op import Op
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable
from lamina.shapes import Spec

Function = Callable[..., Any]


def grad(f: Function) -> Callable[..., Tensor]:
    """The gradient of ``f(x)`` as a function ``g(x, dy=None)`` of the same x.

    ``dy`` has the shape of ``f(x)`` and weighs its elements; None means ones, that is the gradient of the sum.
    Raises GradientError if nothing leads from x to the result, or that is no tensor; DTypeError if x is not floating;
    ShapeError or DTypeError if dy does not fit; ArgumentTypeError if f cannot be called.

    >>> grad(lambda x: x * x * x)(2.0).item()
    12.0
    >>> grad(grad(lambda x: x * x * x))(2.0).item()
    12.0
    """
    both = value_and_grad(f)

    def gradient(x: Any, dy: Any = None) -> Tensor:
        return both(x, dy)[1]

    return gradient


def grads(f: Function) -> Callable[..., list[Tensor]]:
    """The gradients of ``f(*xs)`` as a function ``g(xs, dy=None)`` that takes and gives a list. Raises as ``grad``.

    >>> [g.item() for g in grads(lambda a, b: a * b)([2.0, 3.0])]
    [3.0, 2.0]
    """
    together = value_and_grads(f)

    def gradient(xs: Sequence[Any], dy: Any = None) -> list[Tensor]:
        return together(xs, dy)[1]

    return gradient


def value_and_grad(f: Function) -> Callable[..., tuple[Tensor, Tensor]]:
    """Like ``grad``, but ``g(x, dy=None)`` returns ``(f(x), gradient)``. Raises as ``grad``.

    >>> y, dx = value_and_grad(lambda x: x * x)(3.0)
    >>> y.item(), dx.item()
    (9.0, 6.0)
    """
    together = value_and_grads(f)

    def both(x: Any, dy: Any = None) -> tuple[Tensor, Tensor]:
        value, found = together([x], dy)
        return value, found[0]

    return both


def value_and_grads(f: Function) -> Callable[..., tuple[Tensor, list[Tensor]]]:
    """Like ``grads``, but ``g(xs, dy=None)`` returns ``(f(*xs), gradients)``. Raises as ``grad``.

    >>> y, (da, db) = value_and_grads(lambda a, b: a * b)([2.0, 3.0])
    >>> y.item(), da.item(), db.item()
    (6.0, 3.0, 2.0)
    """
    _check_callable(f)

    def both(xs: Sequence[Any], dy: Any = None) -> tuple[Tensor, list[Tensor]]:
        if not isinstance(xs, (list, tuple)):
            raise ArgumentTypeError(f"xs is a {type(xs).__name__}.", expected="a list of tensors, one per argument.")
        if not xs:
            raise ArgumentError("xs is empty.", expected="a tensor for each argument of f.")
        sources = [ops.identity(_differentiable(x, f"xs[{i}]")) for i, x in enumerate(xs)]
        tape = Tape(variables=())
        for source in sources:
            tape.watch(source)
        with listening(tape):
            value = _result(f(*sources))
        found = tape.gradients([value], [_cotangent(value, dy)], sources)
        for i, gradient in enumerate(found):
            if gradient is None:
                raise GradientError(
                    f"nothing connects the result of {_name(f)} to xs[{i}].",
                    expected="f to compute its result from every x with ops of lamina.",
                    fix="leave that argument out, or check for numpy() or a cast to an integer dtype on the way.",
                )
        return value, found

    return both


def variable_grads(f: Function, var_list: Sequence[Variable] | None = None) -> tuple[Tensor, dict[str, Tensor | None]]:
    """The value of ``f()``, a scalar, and its gradients with respect to Variables, by name.

    ``var_list`` None means every trainable Variable that ``f`` reads. A listed Variable that is not trainable, or
    that nothing connects, gets None. Raises GradientError if there is no Variable at all, ShapeError if the value is no
    scalar, ArgumentTypeError if ``var_list`` holds something else, ArgumentError if two Variables have one name.

    >>> import lamina
    >>> w = lamina.Variable(3.0, name="w")
    >>> value, gradients = variable_grads(lambda: w * w)
    >>> value.item(), gradients["w"].item()
    (9.0, 6.0)
    """
    value, pairs = gradients_of_variables(f, var_list)
    names = [variable.name for variable, _ in pairs]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ArgumentError(
            f"two Variables are named {twice!r}.", expected="names of their own: the gradients come by name."
        )
    return value, {variable.name: gradient for variable, gradient in pairs}


def gradients_of_variables(
    f: Function, var_list: Sequence[Variable] | None = None
) -> tuple[Tensor, list[tuple[Variable, Tensor | None]]]:
    """Like ``variable_grads``, but the gradients come as pairs in the order of ``var_list``, or of reading."""
    _check_callable(f)
    _check_variables(var_list)
    if var_list is not None and not any(v.trainable for v in var_list):
        raise GradientError(
            f"none of the {len(var_list)} Variables is trainable.", expected="at least one trainable Variable."
        )
    tape = Tape(None if var_list is None else [v for v in var_list if v.trainable])
    with listening(tape):
        value = _result(f())
    if value.shape not in ((), (1,)):
        raise ShapeError(
            f"{_name(f)} returned a tensor of shape {value.shape}.",
            expected="a scalar.",
            fix="reduce it, for example with .mean() or .sum().",
        )
    return value, tape_gradients(tape, value, var_list)


def tape_gradients(
    tape: Tape, value: Tensor, var_list: Sequence[Variable] | None
) -> list[tuple[Variable, Tensor | None]]:
    """Walks a tape back from a scalar to the Variables it has seen."""
    read = tape.variables
    if not read:
        raise GradientError(
            "the function read no trainable Variable.",
            expected="a result computed from at least one.",
            fix="pass Variables themselves to ops, not their numpy() values.",
        )
    found = tape.gradients([value], [_cotangent(value, None)], [tensor for _, tensor in read.values()])
    by_variable = dict(zip(read, found, strict=True))
    if all(gradient is None for gradient in found):
        raise GradientError(
            "nothing connects the result to the Variables that were read.",
            fix="check for numpy() or a cast to an integer dtype on the way.",
        )
    variables = [v for v, _ in read.values()] if var_list is None else list(var_list)
    return [(v, by_variable.get(id(v))) for v in variables]


def custom_gradient(f: Function) -> Function:
    """A function with a gradient of its own.

    ``f(*xs, save)`` returns ``(value, gradient)``, where ``gradient(dy, saved)`` gives one tensor per x (or the only
    one), and ``save(tensors)`` keeps what it needs; without a parameter named ``save``, f gets only the tensors and
    ``gradient`` only ``dy``. The ops inside f are not taped. Raises GradientError if f returns anything else, or
    gradients that are not one tensor of its shape for each x.

    >>> @custom_gradient
    ... def clipped(x, save):
    ...     save([x])
    ...     return x, lambda dy, saved: dy.clip(-1.0, 1.0)
    >>> grad(lambda x: clipped(x) * 5.0)(2.0).item()
    1.0
    """
    _check_callable(f)
    takes_save = "save" in inspect.signature(f).parameters

    @functools.wraps(f)
    def wrapped(*args: Any) -> Tensor:
        xs = tuple(_converted(x, f"{_name(f)}: argument {i}") for i, x in enumerate(args))
        saved: list[Tensor] = []

        def save(tensors: Any) -> None:
            if not isinstance(tensors, (list, tuple)) or not all(isinstance(t, Tensor) for t in tensors):
                raise ArgumentTypeError("save(tensors): tensors is something else.", expected="a list of tensors.")
            saved.extend(tensors)

        with hidden_from_tapes():
            returned = f(*xs, save) if takes_save else f(*xs)
            value, rule = _checked_pair(returned, f)
            value = ops.identity(value) if any(value is x for x in xs) else value
        call = KernelCall(_op_for(f, rule, saved if takes_save else None, xs), xs, {}, (value,))
        for listener in listeners():
            listener.on_gradient(call)
        return value

    return wrapped


def _checked_pair(returned: Any, f: Function) -> tuple[Tensor, Function]:
    if not (isinstance(returned, tuple) and len(returned) == 2 and callable(returned[1])):
        raise GradientError(
            f"{_name(f)} returned {type(returned).__name__}.", expected="a pair (value, gradient function)."
        )
    return _result(returned[0]), returned[1]


class _CustomOp(Op[Any, Any]):
    """What a tape sees of a custom gradient: an op that is in no registry and has one rule for all inputs."""

    def __init__(self, name: str, rule: Function) -> None:
        self.name = name
        self.variadic = True
        self.inputs = ("xs",)
        self.outputs = ("y",)
        self.gradients = {}
        self._add_gradient(rule, ("xs",))


def _op_for(f: Function, rule: Function, saved: list[Tensor] | None, xs: Sequence[Tensor]) -> _CustomOp:
    def checked(dy: Tensor) -> tuple[Tensor, ...]:
        found = rule(dy) if saved is None else rule(dy, saved)
        found = tuple(found) if isinstance(found, (list, tuple)) else (found,)
        if len(found) != len(xs):
            raise GradientError(
                f"the gradient of {_name(f)} returned {len(found)} tensors.", expected=f"{len(xs)}, one for each input."
            )
        for i, (gradient, spec) in enumerate(zip(found, specs, strict=True)):
            _check_gradient(gradient, spec, f"the gradient of {_name(f)} with respect to input {i}")
        return found

    specs = [x.spec for x in xs]

    return _CustomOp(_name(f), checked)


def _check_gradient(gradient: Any, spec: Spec, what: str) -> None:
    """A gradient is a tensor of its input's shape, or None where nothing connects."""
    if gradient is None:
        return
    if not isinstance(gradient, Tensor):
        raise GradientError(f"{what} is of type {type(gradient).__name__}.", expected="a Tensor.")
    if gradient.shape != spec.shape or gradient.dtype not in INEXACT:
        raise GradientError(
            f"{what} has shape {gradient.shape} and dtype {gradient.dtype}.",
            expected=f"the shape of the input, {spec.shape}, and a floating or complex dtype.",
        )


def _check_callable(f: Any) -> None:
    if not callable(f):
        raise ArgumentTypeError(f"f is of type {type(f).__name__}.", expected="a function of tensors.")


def _check_variables(var_list: Any) -> None:
    if var_list is None:
        return
    if not isinstance(var_list, (list, tuple)):
        raise ArgumentTypeError(f"var_list is of type {type(var_list).__name__}.", expected="a list of Variables.")
    for i, variable in enumerate(var_list):
        if not isinstance(variable, Variable):
            raise ArgumentTypeError(f"var_list[{i}] is of type {type(variable).__name__}.", expected="a Variable.")


def _converted(value: Any, name: str, dtype: str | None = None) -> Tensor:
    """A tensor of an argument; the error for what cannot be one begins with its name."""
    try:
        return to_tensor(value, dtype)
    except (ArgumentTypeError, ShapeError, DTypeError) as error:
        raise type(error)(f"{name}: {error.what}", expected=error.expected, fix=error.fix) from error


def _differentiable(x: Any, name: str) -> Tensor:
    tensor = _converted(float(x) if isinstance(x, int) else x, name)
    if tensor.dtype not in INEXACT:
        raise DTypeError(
            f"{name} has dtype {tensor.dtype}, for which there is no gradient.",
            expected="a floating or complex dtype.",
            fix="cast it: x.cast('float32').",
        )
    return tensor


def _result(value: Any) -> Tensor:
    if not isinstance(value, Tensor):
        raise GradientError(f"the function returned {type(value).__name__}.", expected="a Tensor.")
    return value


def _cotangent(value: Tensor, dy: Any) -> Tensor:
    if dy is None:
        return ops.ones_like(value)
    tensor = _converted(dy, "dy", value.dtype)
    if tensor.dtype not in ARITHMETIC or (tensor.dtype in COMPLEX and value.dtype not in COMPLEX):
        raise DTypeError(f"dy has dtype {tensor.dtype}.", expected=f"the dtype of the result, {value.dtype}.")
    if tensor.shape != value.shape:
        raise ShapeError(f"dy has shape {tensor.shape}.", expected=f"the shape of the result, {value.shape}.")
    return tensor


def _name(f: Function) -> str:
    return getattr(f, "__name__", type(f).__name__)
