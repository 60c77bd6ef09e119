"""Charts, painted by matplotlib where it is installed: training histories, confusion matrices, weights."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from lamina.errors import ArgumentError, ArgumentTypeError, DataError
from lamina.models.drawing.painting import new_figure

_WIDTH, _HEIGHT, _COLUMNS = 4.0, 3.0, 3
_MOST_CLASSES_WITH_NUMBERS: Final = 20


class Chart:
    """A chart: ``figure`` is matplotlib's, to change what one likes; ``save`` writes it; notebooks show it."""

    def __init__(self, figure: Any) -> None:
        self.figure = figure

    def save(self, path: Any) -> None:
        """Writes the chart to a file; its ending says the format, such as ``.png``, ``.svg`` or ``.pdf``."""
        ending = os.path.splitext(os.fspath(path))[1].lower().removeprefix(".")
        known = self.figure.canvas.get_supported_filetypes()
        if ending not in known:
            raise ArgumentError(f"the file {os.fspath(path)!r}.", expected=f"an ending of {', '.join(sorted(known))}.")
        self.figure.savefig(path)

    def _repr_png_(self) -> bytes:
        made = io.BytesIO()
        self.figure.savefig(made, format="png")
        return made.getvalue()


def history_chart(epochs: Sequence[int], history: Mapping[str, Sequence[Any]], names: Sequence[str] | None) -> Chart:
    """A line for each number that training told, those of validation beside those of training.

    Raises ArgumentError for a name that training did not tell, DataError if there is nothing to show.
    """
    told = [name for name in history if not name.startswith("val_") and np.ndim(history[name][-1]) == 0]
    unknown = [name for name in names or () if name not in told]
    if unknown:
        raise ArgumentError(f"there is no {unknown[0]!r} in the history.", expected=f"names of {told}.")
    shown = list(names or told)
    if not shown:
        raise DataError("the history is empty.", fix="fit the model first.")
    figure, panels = _panels(len(shown), "a chart of the history")
    numbers = [epoch + 1 for epoch in epochs]
    for axes, name in zip(panels, shown, strict=True):
        for key, style in ((name, "-"), (f"val_{name}", "--")):
            values = history.get(key, ())
            if values:
                axes.plot(numbers[-len(values) :], values, style, marker="." if len(values) < 30 else "", label=key)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.set_xlabel("epoch")
        axes.set_title(name, parse_math=False)
        axes.legend()
    return Chart(figure)


def _panels(count: int, what: str) -> tuple[Any, list[Any]]:
    columns = min(count, _COLUMNS)
    rows = math.ceil(count / columns)
    figure = new_figure(_WIDTH * columns, _HEIGHT * rows, what, dpi=100)
    figure.set_layout_engine("constrained")
    return figure, [figure.add_subplot(rows, columns, place + 1) for place in range(count)]


def plot_confusion_matrix(
    y_true: Any, y_pred: Any, class_names: Sequence[str] | None = None, normalize: bool = False, to_file: Any = None
) -> Chart:
    """Which class was taken for which: a row for each true class, a column for each predicted one.

    ``y_true`` holds class numbers, ``y_pred`` class numbers or what ``predict`` gives, a row of scores for each
    example. Both may be one-hot. ``normalize`` divides each row by its sum. ``class_names`` stand at the axes.
    ``to_file`` also writes the chart; its ending says the format.

    Raises MissingLibraryError without matplotlib, ArgumentError if numbers, lengths or names do not fit.
    """
    true, predicted = _classes(y_true, "y_true"), _classes(y_pred, "y_pred")
    if len(true) != len(predicted):
        raise ArgumentError(f"y_true has {len(true)} examples and y_pred {len(predicted)}.", expected="as many.")
    count = int(max(true.max(), predicted.max())) + 1 if class_names is None else len(class_names)
    if max(true.max(), predicted.max()) >= count:
        raise ArgumentError(f"there are {count} class names.", expected="one for each class number.")
    matrix = np.bincount(true * count + predicted, minlength=count * count).reshape(count, count).astype(np.float64)
    if normalize:
        matrix /= np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    chart = _matrix_chart(matrix, list(class_names or map(str, range(count))), ".2f" if normalize else ".0f")
    if to_file is not None:
        chart.save(to_file)
    return chart


def _classes(values: Any, name: str) -> np.ndarray[Any, Any]:
    array = np.asarray(values)
    if array.ndim == 2 and array.shape[1] > 1:
        array = array.argmax(axis=1)
    array = array.reshape(-1) if array.ndim == 2 else array
    if array.ndim != 1 or not array.size or (array != array.astype(np.int64)).any() or (array < 0).any():
        raise ArgumentError(f"{name} has shape {array.shape}.", expected="class numbers, or a row of scores each.")
    return array.astype(np.int64)


def _matrix_chart(matrix: np.ndarray[Any, Any], names: list[str], form: str) -> Chart:
    longest = max(map(len, names))
    turned = longest > 3
    side, label = max(3.0, 0.5 * len(names)), 0.09 * longest
    figure = new_figure(
        side + label + 1.2, side + (0.7 * label if turned else 0.0) + 0.6, "a confusion matrix", dpi=100
    )
    figure.set_layout_engine("constrained")
    axes = figure.add_subplot()
    figure.colorbar(axes.imshow(matrix, cmap="Blues", vmin=0), ax=axes)
    slanted = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if turned else {}
    axes.set_xticks(range(len(names)), names, parse_math=False, **slanted)
    axes.set_yticks(range(len(names)), names, parse_math=False)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    if len(names) <= _MOST_CLASSES_WITH_NUMBERS:
        for (row, column), value in np.ndenumerate(matrix):
            color = "white" if value > matrix.max() / 2 else "black" if value else "0.7"
            axes.text(column, row, format(value, form), ha="center", va="center", color=color)
    return Chart(figure)


def plot_weights(model: Any, bins: int = 40, to_file: Any = None) -> Chart:
    """How the values of each weight of a model or layer are distributed: one histogram for each.

    ``bins`` is the most bars of one; a weight of few values has fewer, about twice the root of their number. Values
    that are not finite are counted in the title. ``to_file`` also writes the chart; its ending says the format.

    Raises MissingLibraryError without matplotlib, DataError if there are no weights yet.
    """
    if not hasattr(model, "weights"):
        raise ArgumentTypeError(f"plot_weights got {model!r}.", expected="a model or layer.")
    found = [(variable.name, variable.numpy()) for variable in model.weights]
    if not found:
        raise DataError(f"{model.name} has no weights.", fix="build the model first: call it, or give an input_shape.")
    figure, panels = _panels(len(found), "histograms of weights")
    for axes, (name, values) in zip(panels, found, strict=True):
        finite = values[np.isfinite(values)]
        bad = values.size - finite.size
        axes.hist(finite.ravel(), bins=min(bins, math.ceil(2 * math.sqrt(finite.size)) or 1))
        axes.yaxis.get_major_locator().set_params(integer=True)
        axes.set_title(f"{name} {values.shape}{f', {bad} not finite' if bad else ''}", fontsize=9, parse_math=False)
    chart = Chart(figure)
    if to_file is not None:
        chart.save(to_file)
    return chart
