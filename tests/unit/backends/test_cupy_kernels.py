"""The CuPy backend's kernels in CUDA's language: what they compute, and that NVIDIA's compiler takes them.

They run on the host's processor, thread by thread, over the stand-in for CuPy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from cupy_standin import ledger, nvrtc, raw
from cupy_standin.backend import loaded
from cupy_standin.namespace import modules
from lamina.runtime.backends import find_backend

pytestmark = pytest.mark.skipif(raw.COMPILER is None, reason="no C++ compiler to build the kernels for the host")

SOURCES = sorted(name for name, module in loaded.items() if ".cuda." in name and hasattr(module, "kernels"))
GEOMETRIES = [
    {"window": (3,), "strides": (2,), "pads": ((1, 2),), "dilations": (2,)},
    {"window": (2, 3), "strides": (1, 2), "pads": ((0, 1), (2, 0)), "dilations": (2, 1)},
    {"window": (3, 1, 2), "strides": (3, 1, 2), "pads": ((1, 1), (0, 0), (1, 0)), "dilations": (1, 1, 1)},
]
SIZES = (7, 6, 5)


def both(op: str, *arrays: np.ndarray, **attrs: Any) -> tuple[np.ndarray, np.ndarray, ledger.Ledger]:
    """What NumPy's kernel and CuPy's give, and what CuPy's did."""
    mine, reference = find_backend("cupy_standin"), find_backend("numpy")
    given = [mine.from_host(a) for a in arrays]
    with ledger.watched() as seen:
        found = mine.kernels[op](*given, **attrs)
    return mine.to_host(found), np.asarray(reference.kernels[op](*arrays, **attrs)), seen


@pytest.mark.skipif(nvrtc.library() is None, reason="NVRTC is not installed: pip install nvidia-cuda-nvrtc-cu12")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", SOURCES)
def test_the_compiler_of_nvidia_takes_every_source(name: str, dtype: str) -> None:
    launching = loaded["lamina_cupy.cuda.launching"]
    options = (*launching.EXACT, "-std=c++17", "--gpu-architecture=compute_75")
    text = nvrtc.compiled(loaded[name].kernels.code(dtype), options)
    for kernel in raw.parameters(loaded[name].kernels.code(dtype)):
        assert f".entry {kernel}(".encode() in text


@pytest.mark.parametrize(
    ("op", "attrs"),
    [
        ("random_uniform", {"dtype": "float32"}),
        ("random_uniform", {"dtype": "float64"}),
        ("random_uniform", {"dtype": "float16"}),
        ("random_normal", {"dtype": "float32"}),
        ("random_normal", {"dtype": "float64"}),
        ("random_integers", {"low": -7, "high": 1000}),
        ("random_integers", {"low": -(2**31), "high": 2**31 - 1}),
    ],
)
@pytest.mark.parametrize("seed", [(0, 0), (123, 456), (-5, 2**31 - 1)])
def test_random_numbers_are_numpys_bit_for_bit(op: str, attrs: dict[str, Any], seed: tuple[int, int]) -> None:
    for shape in ((3001,), (4, 5), (1,), (), (0, 3)):
        found, expected, seen = both(op, np.array(seed, np.int32), shape=shape, **attrs)
        assert found.dtype == expected.dtype
        assert found.shape == shape
        assert found.tobytes() == expected.tobytes()
        assert (seen.waits, seen.uploads) == ([], [])


@pytest.mark.parametrize("groups", [1, 3])
@pytest.mark.parametrize("geometry", GEOMETRIES, ids=lambda g: f"{len(g['window'])} axes")
def test_convolution_is_one_product_over_columns(geometry: dict[str, Any], groups: int, monkeypatch: Any) -> None:
    """Also where the images are done in several blocks."""
    settings = {key: geometry[key] for key in ("strides", "pads", "dilations")} | {"groups": groups}
    size, window, random = SIZES[: len(geometry["window"])], geometry["window"], np.random.default_rng(1)
    x, kernel = random.standard_normal((5, *size, 6)), random.standard_normal((*window, 6 // groups, 9))
    for block_bytes in (2**27, 1):
        monkeypatch.setattr(loaded["lamina_cupy.kernels.conv"], "BLOCK_BYTES", block_bytes)
        y, expected, seen = both("convolution", x, kernel, **settings)
        np.testing.assert_allclose(y, expected, 1e-12, 1e-12)
        assert seen.launches.count("im2col") == (1 if block_bytes > 1 else len(x))
        dy = random.standard_normal(y.shape)
        dx, expected, seen = both("convolution_input_gradient", dy, kernel, size=size, **settings)
        np.testing.assert_allclose(dx, expected, 1e-12, 1e-12)
        assert seen.launches.count("col2im") == (1 if block_bytes > 1 else len(x))
        dk, expected, seen = both("convolution_kernel_gradient", x, dy, size=window, **settings)
        np.testing.assert_allclose(dk, expected, 1e-12, 1e-12)
        assert (seen.waits, seen.uploads) == ([], [])


@pytest.mark.parametrize("filters", [1, 2])
@pytest.mark.parametrize("geometry", GEOMETRIES, ids=lambda g: f"{len(g['window'])} axes")
def test_convolution_of_each_channel_by_itself_is_one_pass(
    geometry: dict[str, Any], filters: int, monkeypatch: Any
) -> None:
    """Also where a thread adds several windows."""
    settings = {key: geometry[key] for key in ("strides", "pads", "dilations")} | {"groups": 3}
    size, window, random = SIZES[: len(geometry["window"])], geometry["window"], np.random.default_rng(1)
    x, kernel = random.standard_normal((5, *size, 3)), random.standard_normal((*window, 1, 3 * filters))
    y, expected, seen = both("convolution", x, kernel, **settings)
    np.testing.assert_allclose(y, expected, 1e-12, 1e-12)
    assert "depthwise" in seen.launches
    dy = random.standard_normal(y.shape)
    dx, expected, seen = both("convolution_input_gradient", dy, kernel, size=size, **settings)
    np.testing.assert_allclose(dx, expected, 1e-12, 1e-12)
    assert "depthwise_input" in seen.launches
    for shares in (1024, 7):
        monkeypatch.setattr(loaded["lamina_cupy.kernels.depthwise"], "MOST_SHARES", shares)
        dk, expected, seen = both("convolution_kernel_gradient", x, dy, size=window, **settings)
        np.testing.assert_allclose(dk, expected, 1e-12, 1e-12)
        assert "depthwise_kernel" in seen.launches


def test_a_convolution_of_single_elements_is_a_product_as_it_stands() -> None:
    settings = {"strides": (1, 1), "pads": ((0, 0), (0, 0)), "dilations": (1, 1), "groups": 1}
    x, kernel = np.ones((2, 3, 4, 5), np.float32), np.ones((1, 1, 5, 6), np.float32)
    y, expected, seen = both("convolution", x, kernel, **settings)
    np.testing.assert_array_equal(y, expected)
    dx, expected, more = both("convolution_input_gradient", y, kernel, size=(3, 4), **settings)
    np.testing.assert_array_equal(dx, expected)
    assert not {"im2col", "col2im"} & {*seen.launches, *more.launches}


def test_other_dtypes_and_no_elements_take_the_shared_kernels() -> None:
    settings = {"strides": (1,), "pads": ((1, 1),), "dilations": (1,), "groups": 1}
    for x in (np.ones((2, 5, 3), np.float16), np.ones((0, 5, 3), np.float32), np.ones((2, 5, 3), np.complex64)):
        y, expected, seen = both("convolution", x, np.ones((2, 3, 4), x.dtype), **settings)
        np.testing.assert_array_equal(y, expected)
        assert "im2col" not in seen.launches


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("geometry", GEOMETRIES, ids=lambda g: f"{len(g['window'])} axes")
def test_pooling_is_numpys_to_the_last_bit(geometry: dict[str, Any], dtype: Any) -> None:
    """Among equal elements, NaN and infinities too."""
    size, random = SIZES[: len(geometry["window"])], np.random.default_rng(2)
    x = random.integers(-2, 3, (3, *size, 4)).astype(dtype)
    x[random.random(x.shape) < 0.3] = -np.inf
    x[random.random(x.shape) < 0.03] = np.nan
    y, expected, seen = both("window_max", x, **geometry)
    np.testing.assert_array_equal(y, expected)
    assert "largest" in seen.launches
    dy = random.standard_normal(y.shape).astype(dtype)
    found, expected, seen = both("window_max_pick", random.standard_normal(x.shape).astype(dtype), x, **geometry)
    np.testing.assert_array_equal(found, expected)
    assert "from_largest" in seen.launches
    found, expected, seen = both("window_max_gradient", dy, x, y, **geometry)
    np.testing.assert_allclose(found, expected, 1e-6)
    assert "to_largest" in seen.launches
    plain = random.standard_normal(x.shape).astype(dtype)
    found, expected, seen = both("window_mean", plain, **geometry)
    np.testing.assert_allclose(found, expected, 1e-5, 1e-6)
    assert "mean" in seen.launches
    found, expected, seen = both("window_mean_gradient", dy, size=size, **geometry)
    np.testing.assert_allclose(found, expected, 1e-5, 1e-6)
    assert "mean_gradient" in seen.launches
    assert (seen.waits, seen.uploads) == ([], [])


def test_parameters_that_lie_side_by_side_are_updated_in_one_launch() -> None:
    mine, specs = find_backend("cupy_standin"), [lamina.shapes.Spec(s, "float32") for s in ((3, 5), (7,), ())]
    p, g, m, v = (mine.allocate(specs) for _ in range(4))
    for number, arrays in enumerate((p, g, m, v)):
        for array in arrays:
            array.fill(0.1 * (number + 1))
    alpha, settings = mine.from_host(np.float32(0.1)[None][0:1].reshape(())), {"beta_1": 0.9, "beta_2": 0.99}
    with ledger.watched() as seen:
        mine.kernels["adam_update"](alpha, *p, *g, *m, *v, count=3, epsilon=1e-7, out=(*p, *m, *v), **settings)
    assert seen.launches.count("adam") == 1
    with ledger.watched() as seen:
        apart = mine.kernels["adam_update"](alpha, *p, *g, *m, *v, count=3, epsilon=1e-7, **settings)
    assert seen.launches.count("adam") == 3
    with lamina.backend_scope("numpy"):
        first = lamina.ops.adam_update(0.1, [0.1], [0.2], [0.3], [0.4], count=1, epsilon=1e-7, **settings)
        second = lamina.ops.adam_update(0.1, first[0], [0.2], *first[1:], count=1, epsilon=1e-7, **settings)
    for i, (mine_first, mine_second) in enumerate(zip((p, m, v), (apart[:3], apart[3:6], apart[6:]), strict=True)):
        for array in mine_first:
            np.testing.assert_allclose(array.get(), np.full(array.shape, first[i].numpy()[0]), 1e-6)
        for array in mine_second:
            np.testing.assert_allclose(array.get(), np.full(array.shape, second[i].numpy()[0]), 1e-6)


def test_a_wrong_kernel_is_found() -> None:
    """What a device would let pass: it is the stand-in's duty to see it."""
    cupy = modules()["cupy"]
    code = 'extern "C" __global__ void f(const float* x, float* y, int n) { y[n] = x[0]; }'
    f, x, y = cupy.RawModule(code=code).get_function("f"), cupy.ones(4, "float32"), cupy.zeros(4, "float32")
    f((1,), (1,), (x, y, np.int32(3)))
    assert y.get().tolist() == [0.0, 0.0, 0.0, 1.0]
    for wrong in (
        (x, y, np.int32(4)),
        (x, y, np.int64(3)),
        (x, y, 3),
        (x, y),
        (x.astype("float64"), y, np.int32(3)),
        (cupy.ones((2, 2), "float32").T[:1], y, np.int32(0)),
        (y[:3], y[1:], np.int32(0)),
    ):
        with pytest.raises(AssertionError):
            f((1,), (1,), wrong)
