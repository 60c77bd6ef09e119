"""The tape: keeps what the gradients named, and walks back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from lamina import ops
from lamina.dtypes import INEXACT
from lamina.errors import GradientError, ShapeError
from lamina.runtime.convert import scalar
from lamina.runtime.listeners import KernelCall, TapeListener
from lamina.runtime.op import Gradient, Op
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable
from lamina.shapes import Spec, broadcast_axes


class _Source(NamedTuple):
    """An input that a gradient may flow to."""

    uid: int
    spec: Spec


class _Step(NamedTuple):
    """One taped call: which inputs matter, and for each gradient rule what it needs."""

    op: Op[Any, Any]
    sources: dict[int, _Source]
    rules: tuple[tuple[Callable[..., Any], dict[str, Any], tuple[int, ...]], ...]
    outputs: tuple[_Source, ...]


class Tape(TapeListener):
    """Hears kernel calls and keeps, for those that depend on something watched, what their gradients name.

    Tensors are watched with ``watch``; trainable Variables are watched when they are read. ``variables`` are those
    whose gradients are wanted, None for all trainable ones. Raises nothing by itself; ``lamina.grad`` and its like are
    what is usually called.

    >>> import lamina
    >>> from lamina.runtime.listeners import listening
    >>> tape, x = Tape(variables=()), lamina.tensor(3.0)
    >>> tape.watch(x)
    >>> with listening(tape):
    ...     y = x * x
    >>> tape.gradients([y], [lamina.tensor(1.0)], [x])[0].item()
    6.0
    """

    def __init__(self, variables: Iterable[Variable] | None = None) -> None:
        self._steps: list[_Step] = []
        self._known: set[int] = set()
        self._kept: list[Tensor] = []
        self._only = None if variables is None else {id(v) for v in variables}
        self.variables: dict[int, tuple[Variable, Tensor]] = {}

    def watch(self, tensor: Tensor) -> None:
        """Lets gradients flow to a tensor."""
        self._known.add(tensor.uid)
        self._kept.append(tensor)

    def on_read(self, variable: Variable, value: Tensor) -> None:
        wanted = variable.trainable if self._only is None else id(variable) in self._only
        if wanted and id(variable) not in self.variables and variable.dtype in INEXACT:
            self.variables[id(variable)] = (variable, value)
            self.watch(value)

    def wants_parts(self, inputs: tuple[Tensor, ...]) -> bool:
        return any(t._uid in self._known for t in inputs)

    def on_call(self, call: KernelCall) -> None:
        known = self._known
        op = call.op
        sources = {
            i: _Source(t._uid, t.spec) for i, t in enumerate(call.inputs) if t._uid in known and t.dtype in INEXACT
        }
        if not sources or not any(t.dtype in INEXACT for t in call.outputs):
            return
        rules = tuple(_rules(call, sources))
        outputs = tuple(_Source(t.uid, t.spec) for t in call.outputs)
        self._steps.append(_Step(op, sources, rules, outputs))
        known.update(output.uid for output in outputs)

    def on_gradient(self, call: KernelCall) -> None:
        self.on_call(call)

    def gradients(
        self, targets: Sequence[Tensor], cotangents: Sequence[Tensor], sources: Sequence[Tensor]
    ) -> list[Any]:
        """The gradients of ``sum(target * cotangent)`` with respect to each source; None where nothing connects.

        Call it when the tape no longer listens, unless gradients of gradients are wanted from the same tape.
        Raises GradientError if an op on the way has no gradient.
        """
        collected: dict[int, Tensor] = {}
        for target, cotangent in zip(targets, cotangents, strict=True):
            _collect(collected, target.uid, cotangent)
        wanted = {source.uid for source in sources}
        for step in reversed(self._steps):
            self._walk_back(step, collected, wanted)
        return [collected.get(source.uid) for source in sources]

    def _walk_back(self, step: _Step, collected: dict[int, Tensor], wanted: set[int]) -> None:
        if not any(output.uid in collected for output in step.outputs):
            return
        some = next(collected[o.uid] for o in step.outputs if o.uid in collected)
        arriving = [collected[o.uid] if o.uid in collected else _zeros(o.spec, some) for o in step.outputs]
        for output in step.outputs:
            if output.uid not in wanted:
                collected.pop(output.uid, None)
        dy = arriving[0] if len(arriving) == 1 else tuple(arriving)
        reached: set[int] = set()
        for function, needed, targets in step.rules:
            found = function(dy, **needed)
            for index, gradient in zip(targets, found if isinstance(found, (tuple, list)) else (found,), strict=True):
                reached.add(index)
                if index in step.sources and gradient is not None:
                    source = step.sources[index]
                    _collect(collected, source.uid, _fitted(step.op, gradient, source.spec))
        if len(reached.intersection(step.sources)) < len(step.sources):
            name = next(step.op.inputs[0 if step.op.variadic else i] for i in step.sources if i not in reached)
            raise GradientError(
                f"the op {step.op.name!r} has no gradient with respect to {name!r}.",
                fix="compute it with other ops, or give it a gradient with lamina.custom_gradient.",
            )


def _rules(
    call: KernelCall, sources: dict[int, _Source]
) -> Iterable[tuple[Callable[..., Any], dict[str, Any], tuple[int, ...]]]:
    """For each gradient rule that is needed, what it needs and the positions of the inputs it serves."""
    op = call.op
    if op.variadic:
        rule = op.gradients.get(op.inputs[0])
        if rule is not None:
            values = {**call.attrs, op.inputs[0]: call.inputs, **dict(zip(op.outputs, call.outputs, strict=True))}
            yield rule.function, _needed(op, rule, values), tuple(range(len(call.inputs)))
        return
    values = {
        **call.attrs,
        **dict(zip(op.inputs, call.inputs, strict=True)),
        **dict(zip(op.outputs, call.outputs, strict=False)),  # an op with any number of results names none
    }
    done: list[Gradient] = []
    for index in sources:
        rule = op.gradients.get(op.inputs[index])
        if rule is not None and rule not in done:
            done.append(rule)
            yield rule.function, _needed(op, rule, values), tuple(op.inputs.index(name) for name in rule.targets)


def _needed(op: Op[Any, Any], rule: Gradient, values: dict[str, Any]) -> dict[str, Any]:
    try:
        return {name: values[name] for name in rule.needs}
    except KeyError as error:
        raise GradientError(f"the gradient of {op.name!r} names {error}, which the op does not have.") from error


def _fitted(op: Op[Any, Any], gradient: Tensor, spec: Spec) -> Tensor:
    """Undoes broadcasting: sums over the axes along which the input was repeated."""
    if gradient.shape != spec.shape:
        axes = broadcast_axes(spec.shape, gradient.shape)
        gradient = ops.sum(gradient, axis=axes) if axes else gradient
        gradient = gradient if gradient.shape == spec.shape else ops.reshape(gradient, spec.shape)
    if gradient.shape != spec.shape:
        raise ShapeError(f"the gradient of {op.name!r} has shape {gradient.shape}, its input {spec.shape}.")
    if gradient.dtype != spec.dtype:
        gradient = ops.cast(
            ops.real(gradient) if spec.dtype.startswith("float") and gradient.dtype.startswith("complex") else gradient,
            dtype=spec.dtype,
        )
    return gradient


def _collect(collected: dict[int, Tensor], uid: int, gradient: Tensor) -> None:
    present = collected.get(uid)
    collected[uid] = gradient if present is None else ops.add(present, gradient)


def _zeros(spec: Spec, beside: Tensor) -> Tensor:
    return ops.broadcast_to(scalar(0, spec.dtype, beside.backend), spec.shape)
