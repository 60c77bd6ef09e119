"""Functions of Keras between the layers of its files: as NumPy has them, written and read again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lamina
from lamina.errors import LaminaError, SerializationError
from lamina_keras.functions import KerasFunction

X = np.random.default_rng(0).uniform(0.1, 0.9, (2, 3, 4)).astype(np.float32)
Y = np.random.default_rng(1).uniform(-0.9, -0.1, (2, 3, 4)).astype(np.float32)
INDICES = np.array([[2, 0], [1, 1]], np.int32)
T = {"tensor": 0}, {"tensor": 1}


def both(*settings: Any) -> Any:
    return [X, Y], *settings


CASES: dict[str, tuple[Any, dict[str, Any], Callable[..., Any]]] = {
    "nn.OneHot": (INDICES, {"num_classes": 3, "axis": 1}, lambda i: np.moveaxis(np.eye(3)[i], -1, 1)),
    "nn.MultiHot": (INDICES, {"num_classes": 3}, lambda i: np.eye(3)[i].max(1)),
    "nn.Normalize": (X, {"axis": -1, "order": 2}, lambda x: x / np.linalg.norm(x, axis=-1, keepdims=True)),
    "nn.RMSNorm": (X, {"axis": -1}, lambda x: x / np.sqrt(np.mean(x**2, -1, keepdims=True) + 1e-7)),
    "nn.LayerNorm": (X, {}, lambda x: (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-7)),
    "nn.MaxPool": (X, {"pool_size": [3], "strides": None}, lambda x: x.max(1, keepdims=True)),
    "nn.AveragePool": (X, {"pool_size": 3}, lambda x: x.mean(1, keepdims=True)),
    "math.TopK": (X, {"k": 1}, lambda x: (x.max(-1, keepdims=True), x.argmax(-1)[..., None])),
    "math.Erfc": (X * 0, {}, lambda x: x + 1.0),
    "numpy.Append": (*both({"axis": 1}), lambda x, y: np.append(x, y, 1)),
    "numpy.Arctan2": (*both({}), np.arctan2),
    "numpy.Argsort": (X, {"axis": 1}, lambda x: np.argsort(x, 1)),
    "numpy.Average": (*both({"axis": 1}), lambda x, y: np.average(x, 1, y)),
    "numpy.Cbrt": (Y, {}, np.cbrt),
    "numpy.CountNonzero": (X, {"axis": 1}, lambda x: np.count_nonzero(x, 1)),
    "numpy.Cumprod": (X, {"axis": -1}, lambda x: np.cumprod(x, -1)),
    "numpy.Cumsum": (X, {"axis": None}, np.cumsum),
    "numpy.Diagonal": (X, {"offset": 1, "axis1": 2, "axis2": 0}, lambda x: np.diagonal(x, 1, 2, 0)),
    "numpy.Diff": (X, {"n": 2, "axis": 1}, lambda x: np.diff(x, 2, 1)),
    "numpy.Dot": ([X[0], X[0].T], {}, np.dot),
    "numpy.Hypot": (*both({}), np.hypot),
    "numpy.Isclose": ([X, X + np.float32(0.002)], {"rtol": 0.004}, lambda x, y: np.isclose(x, y, 0.004)),
    "numpy.Log2": (X, {}, np.log2),
    "numpy.Logaddexp": (*both({}), np.logaddexp),
    "numpy.Median": (X, {"axis": [1, 2], "keepdims": True}, lambda x: np.median(x, (1, 2), keepdims=True)),
    "numpy.Moveaxis": (X, {"source": [0, 1], "destination": [2, 0]}, lambda x: np.moveaxis(x, [0, 1], [2, 0])),
    "numpy.NanToNum": (np.array([np.nan, np.inf], np.float32), {"posinf": 7.0}, lambda x: np.nan_to_num(x, posinf=7.0)),
    "numpy.Outer": (*both({}), np.outer),
    "numpy.Pad": (X, {"pad_width": [[0, 0], [1, 2], [0, 1]], "mode": "reflect"}, lambda x: np.pad(
        x, [[0, 0], [1, 2], [0, 1]], "reflect")),
    "numpy.Repeat": (X, {"repeats": 2, "axis": 1}, lambda x: np.repeat(x, 2, 1)),
    "numpy.Roll": (X, {"shift": [1, -2], "axis": [1, 2]}, lambda x: np.roll(x, [1, -2], [1, 2])),
    "numpy.Rot90": (X, {"k": 3, "axes": [2, 1]}, lambda x: np.rot90(x, 3, (2, 1))),
    "numpy.Sort": (X, {"axis": 1}, lambda x: np.sort(x, 1)),
    "numpy.TakeAlongAxis": ([X, X.argsort(1).astype(np.int32)], {"axis": 1}, lambda x, i: np.take_along_axis(x, i, 1)),
    "numpy.Tensordot": (*both({"axes": [[1, 2], [1, 2]]}), lambda x, y: np.tensordot(x, y, [[1, 2], [1, 2]])),
    "numpy.Trace": (X, {"offset": -1, "axis1": 1, "axis2": 2}, lambda x: np.trace(x, -1, 1, 2)),
    "numpy.Tril": (X, {"k": -1}, lambda x: np.tril(x, -1)),
    "numpy.Triu": (X, {"k": 1}, lambda x: np.triu(x, 1)),
    "numpy.Trunc": (Y * 3, {}, np.trunc),
    "numpy.Vstack": ([X, Y], {}, lambda x, y: np.vstack([x, y])),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_as_numpy(name: str) -> None:
    given, settings, function = CASES[name]
    several = isinstance(given, list)
    arguments = [list(T)] if name.endswith("stack") else list(T[: 2 if several else 1])
    keywords = {"weights": arguments.pop()} if name == "numpy.Average" else {}
    found = KerasFunction(name, arguments, keywords, settings)(given)
    expected = function(*given) if several else function(given)
    pairs = zip(found, expected, strict=True) if isinstance(expected, tuple) else [(found, expected)]
    for one, other in pairs:
        assert one.shape == other.shape
        np.testing.assert_allclose(one.numpy(), other, rtol=1e-5, atol=1e-6)


def test_images_get_another_size_and_grey() -> None:
    image = np.random.default_rng(0).uniform(size=(1, 4, 6, 3)).astype(np.float32)
    settings = {"size": [2, 3], "interpolation": "bilinear", "data_format": None}
    expected = lamina.layers.Resizing(2, 3)(image).numpy()
    np.testing.assert_array_equal(KerasFunction("image.Resize", [T[0]], {}, settings)(image).numpy(), expected)
    grey = KerasFunction("image.RGBToGrayscale", [T[0]])(image).numpy()
    np.testing.assert_allclose(grey[..., 0], image @ [0.2989, 0.587, 0.114], rtol=1e-5)


def test_written_and_read(tmp_path: Path) -> None:
    x = lamina.Input((3, 4))
    y = KerasFunction("numpy.Pad", [T[0]], {"constant_values": 2.0}, {"pad_width": [[0, 0], [1, 1], [0, 0]]})(x)
    model = lamina.Model(x, KerasFunction("numpy.Roll", [T[0]], {}, {"shift": 1, "axis": 1})(y))
    model.save(tmp_path / "m.keras")
    again = lamina.models.load_model(tmp_path / "m.keras")
    padded = np.pad(X, [[0, 0], [1, 1], [0, 0]], constant_values=2.0)
    np.testing.assert_array_equal(again(X).numpy(), np.roll(padded, 1, 1))


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("numpy.Pad", {"pad_width": [[0, 0], [1, 1], [0, 0]], "mode": "wrap"}),
        ("numpy.Pad", {"pad_width": "x"}),
        ("numpy.Repeat", {"repeats": [1, 2, 0], "axis": 1}),
        ("numpy.Roll", {"shift": 1, "axis": "x"}),
        ("numpy.Diff", {"n": 10**9}),
        ("numpy.Sort", {"axis": 7}),
        ("image.Resize", {"size": 3}),
        ("nn.OneHot", {"num_classes": 3, "sparse": True}),
    ],
)
def test_refused(name: str, settings: dict[str, Any]) -> None:
    with pytest.raises(LaminaError):
        KerasFunction(name, [T[0]], {}, settings)(X)


def test_products_of_many_axes_are_refused() -> None:
    with pytest.raises(SerializationError, match="Dot"):
        KerasFunction("numpy.Dot", list(T))([X, X])
