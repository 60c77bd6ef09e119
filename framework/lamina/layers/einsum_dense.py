"""A dense layer whose product is an einsum equation."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar, Final, NamedTuple

from lamina import activations, ops
from lamina.errors import ArgumentError, ArgumentTypeError, ShapeError
from lamina.layers.arguments import positive
from lamina.layers.checks import check_one
from lamina.layers.kernel import KernelSettings
from lamina.layers.plain_weights import PlainWeights
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_entries

_FORM: Final = re.compile(r"(\.{3})?([A-Za-z]+)(\.{3})?,([A-Za-z]+)->(\.{3})?([A-Za-z]*)(\.{3})?")


class Terms(NamedTuple):
    """The letters of an equation, and where further axes are: "before", "behind" or nowhere."""

    given: str
    kernel: str
    result: str
    dots: str | None


class EinsumDense(KernelSettings, PlainWeights):
    """Densely connected layer of any number of axes: y = activation(einsum(equation, x, kernel) + bias).

    In ``equation`` the first term names the axes of the input, batch included, the second those of the kernel, the
    last those of the output; "..." before or behind the first and the last stands for further axes, which stay.
    ``output_shape`` are the sizes of the axes of the output without the batch and without those of "..."; None where a
    size is that of the input. ``bias_axes`` names the axes of the output along which the bias has values of its own;
    None for no bias.

    Weights: ``kernel``, of the shape that the equation says; ``bias``, of the output's shape from its first axis of
    ``bias_axes`` on, with 1 for axes that are not in them. Their settings are those of ``KernelSettings``.

    Raises ArgumentError for an equation that is not of that form, ShapeError if sizes do not fit it. ``lora_rank`` and
    the like are those of ``PlainWeights``, the settings of the weights those of ``KernelLayer``.

    >>> layer = EinsumDense("abc,cd->abd", (None, 2), bias_axes="d", kernel_initializer="ones")
    >>> layer(ops.ones((1, 4, 3))).shape, [v.shape for v in layer.weights]
    ((1, 4, 2), [(3, 2), (2,)])
    """

    kept_as: ClassVar[dict[str, str]] = {"output_shape": "partial_output_shape"}

    def __init__(
        self,
        equation: str,
        output_shape: Any,
        activation: Any = None,
        bias_axes: str | None = None,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        self.equation = equation
        self._terms = _parsed(equation)
        self.partial_output_shape: tuple[int | None, ...] = tuple(
            None if size is None else positive(size, "output_shape")
            for size in as_entries(output_shape, "output_shape")
        )
        self.activation: Callable[..., Any] = activations.get(activation)
        self.bias_axes: str | None = _checked_axes(bias_axes, self._terms)
        self.use_bias: bool = bool(bias_axes)

    def check_input(self, input_shape: Any) -> None:
        check_one(self, input_shape)
        self._sizes(input_shape)

    def _sizes(self, input_shape: Any) -> dict[str, int | None]:
        """The size of each letter of the equation."""
        given, _, result, dots = self._terms
        further = len(input_shape) - len(given)
        if further < 0 or (further and dots is None):
            raise self._misfit(input_shape, f"an axis for each letter of {given!r}.")
        inner = input_shape[further:] if dots == "before" else input_shape[: len(given)]
        sizes = dict(zip(given, inner, strict=True))
        if self.built:
            self._check_kernel(input_shape, sizes)
        # Without the batch, which the result's first axis is, unless it is one of those of the dots.
        letters = result if dots == "before" and further else result[1:]
        if len(letters) != len(self.partial_output_shape):
            raise self._misfit(input_shape, f"a size in output_shape for each letter of {letters!r}.")
        for letter, size in zip(letters, self.partial_output_shape, strict=True):
            known = sizes.get(letter)
            if None not in (known, size) and known != size:
                raise self._misfit(input_shape, f"{letter!r} to have one size, in the input and in output_shape.")
            sizes[letter] = size if known is None else known
        return sizes

    def _check_kernel(self, input_shape: Any, sizes: dict[str, int | None]) -> None:
        for letter, own in zip(self._terms.kernel, self.kernel.shape, strict=True):
            if sizes.get(letter, own) not in (None, own):
                raise self._misfit(input_shape, f"a size of {own} for {letter!r}, as in the input it was built for.")

    def _misfit(self, input_shape: Any, expected: str) -> ShapeError:
        return ShapeError(
            f"EinsumDense({self.equation!r}, output_shape={self.partial_output_shape}) got an input of shape "
            f"{input_shape}.",
            expected=expected,
        )

    def build(self, input_shape: Any) -> None:
        sizes = self._sizes(input_shape)
        _, kernel, result, dots = self._terms
        self.add_kernel(tuple(sizes[letter] for letter in kernel))  # type: ignore[misc]
        if self.bias_axes:
            first = min(result.index(letter) for letter in self.bias_axes)
            shape = [sizes[letter] if letter in self.bias_axes else 1 for letter in result[first:]]
            further = len(input_shape) - len(self._terms.given) if dots == "behind" else 0
            self.add_bias((*shape, *(1,) * further))  # type: ignore[arg-type]

    def call(self, x: Tensor) -> Tensor:
        y: Tensor = self.activation(self.with_bias(ops.einsum(self.equation, x, self.kernel)))
        return y


def _parsed(equation: Any) -> Terms:
    found = _FORM.fullmatch(equation.replace(" ", "")) if isinstance(equation, str) else None
    if found is None or found[1] != found[5] or found[3] != found[7] or (found[1] and found[3]):
        raise ArgumentError(
            f"equation is {equation!r}.",
            expected="the form 'ab,bc->ac', with '...' before or behind both the first and the last term, or without.",
        )
    given, kernel, result = found[2], found[4], found[6]
    unknown = [letter for letter in kernel if letter not in given + result]
    unknown += [letter for letter in result if letter not in given + kernel or result.count(letter) > 1]
    if unknown:
        raise ArgumentError(
            f"equation is {equation!r}.",
            expected="each letter of the kernel in the input or the output, each of the output once and in one of the "
            "others.",
        )
    return Terms(given, kernel, result, "before" if found[1] else "behind" if found[3] else None)


def _checked_axes(bias_axes: Any, terms: Terms) -> str | None:
    if bias_axes is not None and not isinstance(bias_axes, str):
        raise ArgumentTypeError(f"bias_axes is {bias_axes!r}.", expected="letters of the output, or None.")
    unknown = [letter for letter in bias_axes or "" if letter not in terms.result]
    if unknown:
        raise ArgumentError(f"bias_axes is {bias_axes!r}.", expected=f"letters of the output, {terms.result!r}.")
    return bias_axes
