"""Numbers as the ranges they fall into."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina import ops
from lamina.errors import ArgumentError, ArgumentTypeError, DataError, NotBuiltError
from lamina.layers.adapting import batches
from lamina.layers.arguments import choice, flag, number, positive
from lamina.layers.layer import Layer
from lamina.layers.preprocessing.encoding import MODES, encoded
from lamina.runtime.tensor import Tensor


class Discretization(Layer):
    """The range that each number falls into: i where boundary i - 1 <= x < boundary i, counted from 0.

    ``bin_boundaries`` are ascending numbers, n of them for n + 1 ranges; or ``num_bins`` ranges that hold equally many
    numbers are learned by ``adapt``. ``output_mode`` 'int' gives int32; 'one_hot', 'multi_hot' and 'count' are those of
    ``CategoryEncoding``. Boundaries are learned exactly, while Keras approximates them to ``epsilon``; ``sparse`` can
    only be False. Raises ArgumentError if neither or both are given, NotBuiltError for a call before ``adapt``.

    >>> Discretization([0.0, 1.0])(ops.tensor([-0.5, 0.0, 3.0])).tolist()
    [0, 1, 2]
    """

    def __init__(
        self,
        bin_boundaries: Any = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        self.num_bins: int | None = None if num_bins is None else positive(num_bins, "num_bins")
        self.bin_boundaries: Any = None if bin_boundaries is None else _ascending(bin_boundaries)
        if (self.num_bins is None) == (self.bin_boundaries is None):
            raise ArgumentError(
                f"num_bins is {num_bins!r} and bin_boundaries is {bin_boundaries!r}.", expected="one of them."
            )
        self.epsilon: float = number(epsilon, "epsilon", minimum=0.0)
        self.output_mode: str = choice(output_mode, "output_mode", ("int", *MODES))
        if flag(sparse, "sparse"):
            raise ArgumentError("sparse is True.", expected="False: sparse results are not supported.")
        self.sparse = False

    def adapt(self, data: Any) -> None:
        """Learns boundaries between ``num_bins`` ranges that hold equally many of the numbers in ``data``.

        ``data`` are an array, a tensor, nested lists, or an iterable of batches of these. What was learned before is
        forgotten. Raises ArgumentError if the boundaries were given, DataError if there are no numbers.

        >>> layer = Discretization(num_bins=2)
        >>> layer.adapt([1.0, 2.0, 10.0, 20.0])
        >>> layer.bin_boundaries
        [2.0]
        """
        if self.num_bins is None:
            raise ArgumentError("adapt was called on a Discretization with bin_boundaries given.", expected="num_bins.")
        numbers = np.sort(np.concatenate([batch.ravel() for batch in batches(data)] or [np.zeros(0)]))
        if not numbers.size or not np.isfinite(numbers).all():
            raise DataError(f"adapt got {numbers.size} numbers.", expected="at least one, and all of them finite.")
        shares = np.arange(1, numbers.size + 1) / numbers.size
        wanted = np.arange(1, self.num_bins) / self.num_bins
        self.bin_boundaries = np.interp(wanted, shares, numbers).tolist()

    def call(self, x: Tensor) -> Tensor:
        if self.bin_boundaries is None:
            raise NotBuiltError("a Discretization without boundaries was called.", fix="call adapt on data first.")
        numbers = ops.reshape(ops.cast(x, self.dtype), (-1,))
        places = ops.searchsorted(ops.tensor(self.bin_boundaries, dtype=self.dtype), numbers, side="right")
        found = ops.reshape(places, x.shape)
        if self.output_mode == "int":
            return found
        return encoded(found, len(self.bin_boundaries) + 1, self.output_mode, self.dtype)

    def get_config(self) -> dict[str, Any]:
        """With boundaries that were learned, no num_bins: they are what the same layer needs."""
        config = super().get_config()
        return {**config, "num_bins": None} if self.bin_boundaries is not None else config


def _ascending(values: Any) -> list[float]:
    """Finite numbers, each at least the one before."""
    given = values.tolist() if hasattr(values, "tolist") else values
    if not isinstance(given, (list, tuple)):
        raise ArgumentTypeError(f"bin_boundaries is {values!r}.", expected="a list of numbers.")
    found = [number(value, "bin_boundaries") for value in given]
    if sorted(found) != found:
        raise ArgumentError(f"bin_boundaries is {found}.", expected="ascending numbers.")
    return found
