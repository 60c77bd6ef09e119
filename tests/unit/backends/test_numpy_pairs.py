"""Convolutions by pairs of rows against the shared ones: whole, in tiles, on threads, and of what is not finite."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lamina_arrayapi.kernels import conv as shared
from lamina_numpy.gathering import Geometry
from lamina_numpy.kernels import conv, pairs

PLAIN = shared.make(np)

# image, kernel, pads
GEOMETRIES: list[tuple[tuple[int, ...], tuple[int, ...], Any]] = [
    ((4, 32, 12, 8), (3, 3, 8, 9), ((1, 1), (1, 1))),
    ((16, 9, 11, 9), (3, 3, 9, 8), ((0, 0), (0, 0))),
    ((20, 6, 5, 8), (3, 2, 8, 8), ((2, 0), (1, 0))),
    ((1, 70, 9, 8), (3, 5, 8, 8), ((1, 3), (0, 4))),
    ((40, 2, 5, 8), (3, 3, 8, 8), ((3, 3), (2, 2))),
]


@pytest.fixture(params=["one tile", "small tiles", "threads"])
def cut(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How the work is cut up; and small work is done by pairs, too."""
    monkeypatch.setattr(pairs, "_FEWEST_PRODUCTS", 0)
    if request.param != "one tile":
        monkeypatch.setattr(pairs, "_BYTES", 512)
        monkeypatch.setattr(pairs, "_FEW_ROWS", 3)
        monkeypatch.setattr(pairs, "_MANY_ROWS", 3)
        monkeypatch.setattr(pairs, "_GRADIENT_BYTES", 50000)
    if request.param == "threads":
        monkeypatch.setattr(pairs, "workers", lambda products: 3)


def _geometry(x: Any, kernel: Any, pads: Any) -> Geometry:
    return Geometry.of(x, kernel.shape[:-2], (1, 1), pads, (1, 1))


@pytest.mark.usefixtures("cut")
@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_the_results_are_those_of_the_shared_kernels(geometry: Any) -> None:
    image, window, pads = geometry
    generator = np.random.default_rng(0)
    x, kernel = generator.standard_normal(image), generator.standard_normal(window)
    settings = (1, 1), pads, (1, 1), 1
    y = PLAIN["convolution"](x, kernel, *settings)
    dy = generator.standard_normal(y.shape)
    g = _geometry(x, kernel, pads)
    assert pairs.pays(len(x), g, kernel.shape[-1], x.dtype)
    found, gradient = np.empty_like(y), np.empty_like(kernel)
    assert pairs.convolve(x, kernel, g, found)
    assert pairs.kernel_gradient(x, dy, g, gradient)
    np.testing.assert_allclose(found, y, atol=1e-11)
    np.testing.assert_allclose(
        gradient, PLAIN["convolution_kernel_gradient"](x, dy, window[:-2], *settings), atol=1e-11
    )
    back = PLAIN["convolution_input_gradient"](dy, kernel, image[1:-1], *settings)
    np.testing.assert_allclose(conv.convolution_input_gradient(dy, kernel, image[1:-1], *settings), back, atol=1e-11)


@pytest.mark.usefixtures("cut")
@pytest.mark.parametrize("number", [np.inf, np.nan, 3e38])
def test_what_is_not_finite_stays_where_it_is_met(number: float) -> None:
    x = np.ones((4, 32, 12, 8), np.float32)
    x[1, 7, 4, 2] = number
    kernel, settings = np.ones((3, 3, 8, 8), np.float32), ((1, 1), ((1, 1), (1, 1)), (1, 1), 1)
    dy = np.ones((4, 32, 12, 8), np.float32)
    with np.errstate(all="ignore"):
        y = PLAIN["convolution"](x, kernel, *settings)
        gradient = PLAIN["convolution_kernel_gradient"](x, dy, (3, 3), *settings)
    np.testing.assert_allclose(conv.convolution(x, kernel, *settings), y, rtol=1e-5)
    found = conv.convolution_kernel_gradient(x, dy, (3, 3), *settings)
    np.testing.assert_allclose(found, gradient, rtol=1e-5)


def test_what_a_pair_would_not_spare_goes_the_plain_way() -> None:
    x, kernel = np.ones((64, 32, 32, 8), np.float32), np.ones((3, 3, 8, 8), np.float32)
    usual = _geometry(x, kernel, ((1, 1), (1, 1)))
    assert pairs.pays(64, usual, 8, x.dtype)
    for other in (
        usual._replace(strides=(2, 1)),
        usual._replace(dilations=(1, 2)),
        usual._replace(window=(5, 3)),
        usual._replace(window=(3, 1)),
        usual._replace(channels=3),
        usual._replace(channels=100_000),
        usual._replace(output=(3, 32)),
        usual._replace(output=(32, 32, 32), window=(3, 3, 3)),
    ):
        assert not pairs.pays(64, other, 8, x.dtype), other
    assert not pairs.pays(64, usual, 3, x.dtype)
    assert not pairs.pays(64, usual, 8, np.dtype(np.float16))
    assert not pairs.pays(1, usual, 8, x.dtype)
