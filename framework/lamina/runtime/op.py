"""Ops: a public function with its result rule, its gradients and its documentation in one place."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final, Generic, ParamSpec, TypeVar, overload

from lamina.dtypes import ALL
from lamina.errors import ArgumentTypeError
from lamina.program import Effect
from lamina.runtime.arguments import Arguments, home_of
from lamina.runtime.dispatch import run_kernel
from lamina.runtime.documentation import raised_by, refused_dtypes, with_errors
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
_COPIED: Final = ("__module__", "__name__", "__qualname__", "__annotations__")

OPS: Final[dict[str, Op[Any, Any]]] = {}
"""Every op by name: what the conformance kit, the docs and the tests walk over."""


class Gradient:
    """The rule for the gradient with respect to some of an op's inputs, and the names of what it needs kept."""

    __slots__ = ("function", "needs", "targets")

    def __init__(self, function: Callable[..., Any], targets: tuple[str, ...]) -> None:
        self.function: Callable[..., Any] = function
        self.targets: tuple[str, ...] = targets
        code = function.__code__
        self.needs: tuple[str, ...] = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]


class _Documentation:
    """An op's ``__doc__``: its function's, and what is raised. Made when it is asked for, which spares the import."""

    def __init__(self, of_the_class: str | None) -> None:
        self._of_the_class = of_the_class

    def __get__(self, op: Op[Any, Any] | None, owner: type) -> str | None:
        if op is None:
            return self._of_the_class
        rules = [op.result] if op._settings is None else [op.result, op._settings]
        return with_errors(
            op.__wrapped__.__doc__, refused_dtypes(op._dtypes, op._integers), *(raised_by(rule) for rule in rules)
        )


class Op(Arguments, Generic[P, R]):
    """A primitive op. Calling it converts and promotes the arguments and sends one kernel call over the wire.

    The parameters annotated ``TensorLike`` are its tensors (``*name: TensorLike`` takes any number), the others its
    settings. The function itself has no body: the meaning is the backends' kernels.
    """

    __wrapped__: Callable[..., Any]
    algorithm: Callable[..., Any] | None = None
    """What a host op computes with NumPy arrays; None for ops that are computed by kernels."""

    def __init_subclass__(cls) -> None:
        cls.__doc__ = _Documentation(cls.__doc__)  # type: ignore[assignment]

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
        without_gradient: str | None = None,
    ) -> None:
        functools.update_wrapper(self, function, _COPIED)
        self.name: str = function.__name__
        names, variadic, defaults = _parameters(function)
        self.variadic: bool = variadic
        self.inputs: tuple[str, ...] = tuple(n for n in names if function.__annotations__.get(n) == "TensorLike")
        self.defaults: dict[str, Any] = {n: defaults.get(n, _MISSING) for n in names if n not in self.inputs}
        self.result = result
        self.effect: Effect = effect
        self.shape_from_values = shape_from_values
        self.outputs = outputs
        self.public = public
        self.without_gradient = without_gradient
        self.gradients: dict[str, Gradient] = {}
        self._settings: Callable[..., dict[str, Any]] | None = None
        self._expect(dtypes, promote, integers)
        optional = not self.variadic and _MISSING not in self.defaults.values()
        self._count = len(self.inputs) if optional else -1  # so many arguments are the tensors and nothing else
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

    def _cast(self, tensor: Tensor, dtype: str) -> Tensor:
        found: Tensor = OPS["cast"](tensor, dtype=dtype)
        return found

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """As a method, an op takes the object it is called on as its first argument, as functions do."""
        return self if instance is None else functools.partial(self, instance)

    def __repr__(self) -> str:
        return f"<op {self.name}{inspect.signature(self.__wrapped__)}>"


Op.__doc__ = _Documentation(Op.__doc__)  # type: ignore[assignment]


class CompositeOp(Op[P, R]):
    """An op that is defined by other ops; a backend may bring a kernel of its own for it.

    With a gradient of its own it is one step for the tape, else it is taped as its parts.
    """

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        tensors, attrs = self._arguments(args, kwargs)
        heard = listeners()
        whole = not heard or bool(self.gradients) or not any(x.wants_parts(tensors) for x in heard)
        if whole and self.is_kernel_for(tensors):
            return run_kernel(self, tensors, attrs)  # type: ignore[no-any-return]
        self.result(*tensors, **attrs)
        if not self.gradients or not heard:
            return self.__wrapped__(*tensors, **attrs)  # type: ignore[no-any-return]
        return self._with_own_gradient(tensors, attrs)  # type: ignore[no-any-return]

    def is_kernel_for(self, tensors: Sequence[Tensor]) -> bool:
        """Whether the backend of a call with these tensors has a kernel of its own for this op."""
        return self.name in home_of([t for t in tensors if t._backend is not None]).kernels.functions

    def runs_as_one(self, tensors: Sequence[Tensor]) -> bool:
        """Whether a call is worth more than the same done step by step: to the backend, or to a listener."""
        return self.is_kernel_for(tensors) or any(x.keeps_whole(self) for x in listeners())

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
        self.algorithm: Callable[..., Any] = function


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


def op(*, result: Rule, **options: Any) -> Callable[[Callable[P, R]], Op[P, R]]:
    """Decorator: makes a primitive op of a function that has a signature and a docstring, but no body.

    ``result`` maps the inputs' specs and the settings to the result's spec, and raises before any backend runs.
    ``dtypes`` says what is accepted (for all inputs, or by name), ``promote`` which inputs are brought to one dtype,
    ``integers`` the dtype that integer inputs are converted to, ``effect`` what passes over recorded programs must
    respect, ``shape_from_values`` that the rule cannot know the shape, ``public`` False that users need not see it,
    ``without_gradient`` why floating results have none.
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
