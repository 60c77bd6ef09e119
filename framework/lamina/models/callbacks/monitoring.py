"""What callbacks have in common that watch one number of the logs."""

from __future__ import annotations

import math
from typing import Any, Final

from lamina.errors import ArgumentError, ArgumentTypeError
from lamina.models.callbacks.callback import Callback
from lamina.notices import warn
from lamina.shapes import as_float

_THE_MORE_THE_BETTER: Final = (
    "acc", "auc", "precision", "recall", "f1", "fbeta", "f_score", "fmeasure", "iou", "r2", "sensitivity",
    "specificity", "true_positives", "true_negatives", "cosine_similarity", "pearson", "concordance",
)  # fmt: skip
"""Parts of the names of metrics that should grow."""


def direction(monitor: str, mode: str) -> int:
    """1 if a number should grow, -1 if it should fall; ``mode`` "auto" goes by its name: a loss should fall.

    >>> direction("val_accuracy", "auto"), direction("val_loss", "auto"), direction("val_loss", "max")
    (1, -1, 1)
    """
    if mode not in ("auto", "min", "max"):
        raise ArgumentError(f"mode is {mode!r}.", expected="'auto', 'min' or 'max'.")
    if mode != "auto":
        return 1 if mode == "max" else -1
    name = monitor.lower().removeprefix("val_")
    grows = not name.endswith("loss") and any(part in name for part in _THE_MORE_THE_BETTER)
    return 1 if grows else -1


class Monitor(Callback):
    """Base of callbacks that watch one number: ``monitor`` is its name in the logs of an epoch."""

    def __init__(self, monitor: str, mode: str, min_delta: float = 0.0) -> None:
        if not isinstance(monitor, str):
            raise ArgumentTypeError(f"monitor is {monitor!r}.", expected="the name of a number in the logs.")
        self.monitor = monitor
        self.mode = mode
        self.min_delta: float = abs(as_float(min_delta, "min_delta"))
        self._sign = direction(monitor, mode)
        self.best: float | None = None

    def found(self, logs: Any) -> float | None:
        """The number, or None, with a warning that lists what there is."""
        logs = logs or {}
        value = logs.get(self.monitor)
        if value is None:
            warn(
                f"{type(self).__name__} watches {self.monitor!r}, which is not there: the logs hold "
                f"{', '.join(logs) or 'nothing'}."
            )
        if isinstance(value, list):
            raise ArgumentTypeError(
                f"{type(self).__name__} watches {self.monitor!r}, which is {len(value)} numbers.",
                expected="a single number.",
                fix="give the metric an average over the classes.",
            )
        return None if value is None else float(value)

    def improves(self, value: float, best: float | None) -> bool:
        """Whether a value is better than the best by more than ``min_delta``; any is better than None, but NaN."""
        if math.isnan(value):
            return False
        return best is None or math.isnan(best) or self._sign * (value - best) > self.min_delta
