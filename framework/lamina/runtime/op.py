"""Ops: a public function with its result rule, its gradients and its documentation in one place."""

from __future__ import annotations

import functools
import inspect
import reprlib
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final, Generic, ParamSpec, TypeVar, overload

from lamina.contract import Backend
from lamina.dtypes import ALL, BOOL, INTEGER, canonical_dtype, promote_dtypes, weak_dtype
from lamina.errors import ArgumentTypeError, DTypeError, ShapeError
from lamina.program import Effect
from lamina.runtime.backends import get_backend
from lamina.runtime.convert import SCALARS, scalar, to_tensor
from lamina.runtime.dispatch import run_kernel
from lamina.runtime.listeners import KernelCall, hidden_from_tapes, listeners
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec

TensorLike = Any
"""What an op takes for a tensor: a Tensor, a Variable, a NumPy array, a number, nested lists of numbers."""

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])
Rule = Callable[..., Any]

_MISSING: Final = object()

OPS: Final[dict[str, Op[Any, Any]]] = {}
"""Every op by name: what the conformance kit, the docs and the tests walk over."""


class Gradient:
    """The rule for the gradient with respect to some of an op's inputs, and the names of what it needs kept."""

    __slots__ = ("function", "needs", "targets")

    def __init__(self, function: Callable[..., Any], targets: tuple[str, ...]) -> None:
        self.function = function
        self.targets = targets
        code = function.__code__
        self.needs = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]


class Op(Generic[P, R]):
    """A primitive op. Calling it converts and promotes the arguments and sends one kernel call over the wire.

    The parameters annotated ``TensorLike`` are its tensors (``*name: TensorLike`` takes any number), the others its
    settings. The function itself has no body: the meaning is the backends' kernels.
    """

    __wrapped__: Callable[..., Any]
    algorithm: Callable[..., Any] | None = None
    """What a host op computes with NumPy arrays; None for ops that are computed by kernels."""

    def __init__(
        self,
        function: Callable[P, R],
        *,
        result: Rule,
        dtypes: Collection[str] | dict[str, Collection[str]] = ALL,
        promote: Sequence[str] | bool = True,
        effect: Effect = "pure",
        shape_from_values: bool = False,
        outputs: tuple[str, ...] = ("y",),
        integers: str | None = None,
        public: bool = True,
    ) -> None:
        functools.update_wrapper(self, function)
        self.name = function.__name__
        names, self.variadic, defaults = _parameters(function)
        self.inputs = tuple(n for n in names if function.__annotations__.get(n) == "TensorLike")
        self.defaults = {n: defaults.get(n, _MISSING) for n in names if n not in self.inputs}
        self.result = result
        self.effect: Effect = effect
        self.shape_from_values = shape_from_values
        self.outputs = outputs
        self.public = public
        self._integers = integers
        self.gradients: dict[str, Gradient] = {}
        self._settings: Callable[..., dict[str, Any]] | None = None
        self._dtypes = dtypes if isinstance(dtypes, dict) else dict.fromkeys(self.inputs, dtypes)
        self._promoted = self.inputs if promote is True else tuple(promote or ())
        optional = not self.variadic and _MISSING not in self.defaults.values()
        self._count = len(self.inputs) if optional else -1  # so many arguments are the tensors and nothing else
        self._fitting = self._dtypes_that_fit()
        self._scalar_dtypes: dict[tuple[type, str | None, str], str] = {}
        if self.name in OPS:
            raise ValueError(f"the op {self.name!r} exists already")
        if set(self.inputs) & set(outputs):
            raise ValueError(f"the op {self.name!r} has an input and an output of one name: its gradients name both")
        OPS[self.name] = self

    @overload
    def gradient(self, function: F, /) -> F: ...
    @overload
    def gradient(self, *targets: str) -> Callable[[F], F]: ...
    def gradient(self, *targets: Any) -> Any:
        """Decorator for a rule ``(dy, *, names...) -> gradient``, written in ops.

        Bare, it is the rule of the only input; with names, of those inputs (a tuple if there are several). The
        keyword-only names say what the tape must keep: inputs, outputs (``y``) and settings by their names.
        """
        if len(targets) == 1 and callable(targets[0]):
            return self._add_gradient(targets[0], self.inputs[:1])
        return lambda function: self._add_gradient(function, targets or self.inputs)

    def _add_gradient(self, function: Callable[..., Any], targets: tuple[str, ...]) -> Callable[..., Any]:
        rule = Gradient(function, targets)
        self.gradients.update(dict.fromkeys(targets, rule))
        return function

    def settings(self, function: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
        """Decorator for ``(*tensors, **settings) -> settings``: checks the settings and gives them their one form."""
        self._settings = function
        return function

    def _dtypes_that_fit(self) -> frozenset[str]:
        """The dtypes that tensors may all have for nothing to be converted."""
        accepted = [set(self._dtypes.get(name, ())) for name in self.inputs]
        common = set.intersection(*accepted) if accepted else set()
        return frozenset(common if self._integers is None else common.difference(BOOL, INTEGER))

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        tensors, attrs = self._arguments(args, kwargs)
        return run_kernel(self, tensors, attrs)  # type: ignore[no-any-return]

    def _arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Tensor, ...], dict[str, Any]]:
        """The tensors of a call and its settings, both checked and in their one form."""
        if kwargs or len(args) != self._count:
            values, attrs = self._bind(args, kwargs)
        else:
            values, attrs = args, self.defaults.copy()
        tensors = self._tensors(values)
        if self._settings is not None:
            attrs = self._settings(*tensors, **attrs)
        return tensors, attrs

    def _bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Splits a call into tensors and settings; settings may also follow the tensors by position."""
        count = len(args) if self.variadic else len(self.inputs)
        values, rest = args[:count], args[count:]
        attrs = dict(self.defaults)
        names = iter(self.defaults)
        for value in rest:
            name = next(names, None)
            if name is None or name in kwargs:
                raise self._wrong_call(
                    f"got {len(args)} positional arguments" if name is None else f"{name} is given twice"
                )
            attrs[name] = value
        if kwargs:
            if len(values) < count and not self.variadic:
                missing = [n for n in self.inputs[len(values) :] if n not in kwargs]
                if missing:
                    raise self._wrong_call(f"{missing[0]} is missing")
                values += tuple(kwargs.pop(n) for n in self.inputs[len(values) :])
            unknown = [n for n in kwargs if n not in attrs]
            if unknown:
                raise self._wrong_call(f"there is no argument {unknown[0]!r}")
            attrs.update(kwargs)
        if len(values) < count:
            raise self._wrong_call(f"{self.inputs[len(values)]} is missing")
        for name, value in attrs.items():
            if value is _MISSING:
                raise self._wrong_call(f"{name} is missing")
        return values, attrs

    def _wrong_call(self, what: str) -> ArgumentTypeError:
        return ArgumentTypeError(f"{self.name}: {what}.", expected=f"{self.name}{inspect.signature(self.__wrapped__)}.")

    def _tensors(self, values: tuple[Any, ...]) -> tuple[Tensor, ...]:
        """The arguments as tensors: weak scalars beside them, promoted to one dtype where the op asks for it."""
        first = values[0] if values else None
        if type(first) is Tensor and (dtype := first.dtype) in self._fitting:
            for value in values:
                if type(value) is not Tensor or value.dtype != dtype:
                    break
            else:
                return values
        tensors = self._with_scalars(values)
        if tensors is not None:
            return tensors
        tensors = self._promote(self._from_arguments(values))
        self._check_dtypes(tensors)
        return tensors

    def _with_scalars(self, values: tuple[Any, ...]) -> tuple[Tensor, ...] | None:
        """The usual case made quick: tensors of one dtype, and Python scalars that take it on; None for any other."""
        some = next((v for v in values if type(v) is Tensor), None)
        if some is None or some.dtype not in self._fitting or self._promoted is not self.inputs:
            return None
        dtype, backend = some.dtype, some._backend
        tensors = []
        for value in values:
            kind = type(value)
            if kind is Tensor:
                if value.dtype != dtype or value._backend is not backend:
                    return None
                tensors.append(value)
            elif kind not in SCALARS or backend is None or self._scalar_dtype(kind, dtype, self.inputs[0]) != dtype:
                return None
            else:
                tensors.append(scalar(value, dtype, backend))
        return tuple(tensors)

    def _from_arguments(self, values: tuple[Any, ...]) -> tuple[Tensor, ...]:
        found = [None if type(v) in SCALARS else self._converted(i, v) for i, v in enumerate(values)]
        strong = [t for t in found if t is not None]
        if len(strong) == len(values):
            return tuple(strong)
        backend = _home([t for t in strong if t._backend is not None])
        beside = [t.dtype for i, t in enumerate(found) if t is not None and self._name(i) in self._promoted]
        dtype = self._common(beside)
        return tuple(
            scalar(v, self._scalar_dtype(type(v), dtype, self._name(i)), backend) if t is None else t
            for i, (t, v) in enumerate(zip(found, values, strict=True))
        )

    def _converted(self, index: int, value: Any) -> Tensor | None:
        """One argument as a tensor; None for a Python scalar, whose dtype depends on the others."""
        if type(value) is Tensor:
            return value
        if isinstance(value, SCALARS) and not hasattr(value, "dtype"):
            return None
        try:
            return to_tensor(value)
        except (ArgumentTypeError, ShapeError, DTypeError) as error:
            name = f"{self._name(index)}[{index}]" if self.variadic else self._name(index)
            why = "." if isinstance(error, ArgumentTypeError) else f": {error.what}"
            raise type(error)(
                f"{self._signature}: {name} is {_shown(value)}{why}",
                expected=error.expected,
                fix=error.fix,
            ) from error

    def _scalar_dtype(self, kind: type, beside: str | None, name: str) -> str:
        key = (kind, beside, name)
        found = self._scalar_dtypes.get(key)
        if found is None:
            dtype = canonical_dtype(kind)
            if beside is not None and name in self._promoted:
                dtype = weak_dtype(kind, beside)
            accepted = self._dtypes[name]
            plain = dtype not in accepted and dtype in BOOL + INTEGER and "float32" in accepted
            found = self._scalar_dtypes[key] = "float32" if plain else dtype
        return found

    def _name(self, index: int) -> str:
        return self.inputs[0] if self.variadic else self.inputs[index]

    def _promote(self, tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        if not self._promoted or (len(tensors) < 2 and self._integers is None):
            return tensors
        chosen = [self._name(i) in self._promoted for i in range(len(tensors))]
        dtype = self._common([t.dtype for t, c in zip(tensors, chosen, strict=True) if c])
        if self._integers is not None and dtype in BOOL + INTEGER:
            dtype = self._integers
        return tuple(
            t if not c or dtype is None or t.dtype == dtype else OPS["cast"](t, dtype=dtype)
            for t, c in zip(tensors, chosen, strict=True)
        )

    def _common(self, dtypes: Sequence[str]) -> str | None:
        try:
            return functools.reduce(promote_dtypes, dtypes) if dtypes else None
        except DTypeError as error:
            raise DTypeError(f"{self._signature}: {error.what}", expected=error.expected, fix=error.fix) from error

    @property
    def _signature(self) -> str:
        """The op as messages begin: its name and its tensors."""
        return f"{self.name}({', '.join(self.inputs)})"

    def _check_dtypes(self, tensors: tuple[Tensor, ...]) -> None:
        for i, tensor in enumerate(tensors):
            name = self._name(i)
            accepted = self._dtypes[name]
            if tensor.dtype not in accepted:
                usual = "float32" if "float32" in accepted else next(iter(accepted))
                raise DTypeError(
                    f"{self._signature}: {name} has dtype {tensor.dtype}.",
                    expected=f"{name} to be one of {', '.join(accepted)}.",
                    fix=f"convert it first, for example {name}.cast({usual!r}).",
                )

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """As a method, an op takes the object it is called on as its first argument, as functions do."""
        return self if instance is None else functools.partial(self, instance)

    def __repr__(self) -> str:
        return f"<op {self.name}{inspect.signature(self.__wrapped__)}>"


class CompositeOp(Op[P, R]):
    """An op that is defined by other ops; a backend may bring a kernel of its own for it.

    With a gradient of its own it is one step for the tape, else it is taped as its parts.
    """

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        tensors, attrs = self._arguments(args, kwargs)
        heard = listeners()
        whole = not heard or bool(self.gradients) or not any(x.wants_parts(tensors) for x in heard)
        if whole and self.name in _home([t for t in tensors if t._backend is not None]).kernels.functions:
            return run_kernel(self, tensors, attrs)  # type: ignore[no-any-return]
        self.result(*tensors, **attrs)
        if not self.gradients or not heard:
            return self.__wrapped__(*tensors, **attrs)  # type: ignore[no-any-return]
        return self._with_own_gradient(tensors, attrs)  # type: ignore[no-any-return]

    def _with_own_gradient(self, tensors: tuple[Tensor, ...], attrs: dict[str, Any]) -> Any:
        with hidden_from_tapes():
            outputs = self.__wrapped__(*tensors, **attrs)
        call = KernelCall(self, tensors, attrs, outputs if isinstance(outputs, tuple) else (outputs,))
        for listener in listeners():
            listener.on_gradient(call)
        return outputs


class HostOp(Op[P, R]):
    """An op whose body is an algorithm on NumPy arrays, one for every backend: for strings and ragged things.

    Its arrays go to the host and back, and a step that uses it is not replayed.
    """

    def __init__(self, function: Callable[P, R], **options: Any) -> None:
        super().__init__(function, shape_from_values=True, **options)
        self.algorithm = function


def _parameters(function: Callable[..., Any]) -> tuple[tuple[str, ...], bool, dict[str, Any]]:
    """Names of all parameters, whether one is ``*name``, and the defaults: read off the code, for it is done often."""
    code = function.__code__
    count = code.co_argcount + code.co_kwonlyargcount
    variadic = bool(code.co_flags & inspect.CO_VARARGS)
    names = code.co_varnames[: count + variadic]
    if variadic:  # the interpreter keeps *name last; users see it first
        names = (names[-1], *names[:-1])
    positional = code.co_varnames[: code.co_argcount]
    given = function.__defaults__ or ()
    defaults = dict(zip(positional[len(positional) - len(given) :], given, strict=True))
    return names, variadic, {**defaults, **(function.__kwdefaults__ or {})}


def _shown(value: Any) -> str:
    """A value in a message: itself, shortened, if it is plain Python data, else its kind."""
    plain = value is None or isinstance(value, (str, bytes, list, tuple, dict, set, frozenset))
    return reprlib.repr(value) if plain else f"of type {type(value).__name__}"


def _home(tensors: Sequence[Tensor]) -> Backend:
    """The backend a call will run on: the tensors' own if they agree, else the active one."""
    if tensors and all(t._backend is tensors[0]._backend for t in tensors):
        return tensors[0].backend
    return get_backend()


def op(*, result: Rule, **options: Any) -> Callable[[Callable[P, R]], Op[P, R]]:
    """Decorator: makes a primitive op of a function that has a signature and a docstring, but no body.

    ``result`` maps the inputs' specs and the settings to the result's spec, and raises before any backend runs.
    ``dtypes`` says what is accepted (for all inputs, or by name), ``promote`` which inputs are brought to one dtype,
    ``integers`` the dtype that integer inputs are converted to, ``effect`` what passes over recorded programs must
    respect, ``shape_from_values`` that the rule cannot know the shape, ``public`` False that users need not see it.
    """

    def decorate(function: Callable[P, R]) -> Op[P, R]:
        return Op(function, result=result, **options)

    return decorate


def composite_op(*, result: Rule, **options: Any) -> Callable[[Callable[P, R]], CompositeOp[P, R]]:
    """Decorator: makes an op of a function written in other ops. Options as for ``op``."""

    def decorate(function: Callable[P, R]) -> CompositeOp[P, R]:
        return CompositeOp(function, result=result, **options)

    return decorate


def host_op(*, result: Rule, **options: Any) -> Callable[[Callable[P, R]], HostOp[P, R]]:
    """Decorator: makes an op of a function that takes and returns NumPy arrays. Options as for ``op``.

    ``result`` gives size 0 for what it cannot know.
    """

    def decorate(function: Callable[P, R]) -> HostOp[P, R]:
        return HostOp(function, result=result, **options)

    return decorate


def same_as(index: int = 0, dtype: str | None = None) -> Rule:
    """Result rule: the shape of one input, and its dtype unless another is given."""

    def rule(*inputs: Any, **_: Any) -> Spec:
        given = inputs[index]
        return Spec(given.shape, dtype or given.dtype)

    return rule
