"""NumPy's own convolutions against the shared ones, cut into small tiles and spread over threads."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from lamina_arrayapi.kernels import conv as shared
from lamina_numpy import gathering, parallel
from lamina_numpy.kernels import conv, depthwise, shifting
from lamina_numpy.threads import ONE_THREAD, blas_threads

PLAIN = shared.make(np)
Shape = tuple[int, ...]

# image, kernel, strides, pads, dilations, groups
GEOMETRIES: list[tuple[Shape, Shape, Shape, Any, Shape, int]] = [
    ((5, 9, 8, 3), (3, 3, 3, 4), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    ((5, 9, 8, 3), (3, 2, 3, 4), (2, 3), ((0, 2), (1, 0)), (1, 1), 1),
    ((3, 17, 6, 2), (5, 5, 2, 3), (1, 1), ((9, 9), (2, 3)), (1, 1), 1),
    ((2, 40, 9, 2), (3, 3, 2, 3), (1, 2), ((1, 1), (0, 0)), (3, 1), 1),
    ((2, 12, 11, 2), (3, 3, 2, 3), (2, 1), ((1, 1), (2, 2)), (1, 2), 1),
    ((2, 12, 11, 2), (1, 1, 2, 3), (2, 3), ((0, 0), (0, 0)), (1, 1), 1),
    ((4, 9, 8, 6), (3, 3, 2, 9), (2, 1), ((1, 1), (1, 1)), (1, 1), 3),
    ((4, 9, 8, 6), (3, 3, 1, 6), (1, 1), ((1, 1), (1, 1)), (1, 1), 6),
    ((4, 9, 8, 3), (3, 2, 1, 6), (2, 2), ((1, 1), (0, 1)), (1, 1), 3),
    ((4, 9, 8, 3), (3, 2, 1, 6), (2, 1), ((1, 1), (0, 1)), (2, 1), 3),
    ((3, 25, 3), (4, 3, 5), (2,), ((3, 0),), (1,), 1),
    ((3, 25, 4), (4, 1, 4), (1,), ((3, 0),), (2,), 4),
    ((2, 6, 7, 5, 2), (3, 2, 3, 2, 3), (1, 2, 1), ((1, 1), (0, 1), (1, 1)), (2, 1, 1), 1),
    ((2, 6, 7, 5, 2), (2, 2, 2, 1, 4), (2, 1, 1), ((1, 0), (0, 1), (0, 0)), (1, 1, 1), 2),
    ((4, 9, 8, 1), (3, 2, 1, 3), (2, 1), ((1, 1), (0, 1)), (1, 1), 1),
    ((0, 6, 7, 2), (3, 3, 2, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    ((2, 6, 7, 2), (1, 3, 2, 3), (4, 1), ((0, 0), (1, 1)), (1, 1), 1),
    ((5, 9, 8, 32), (3, 3, 32, 33), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    ((5, 9, 8, 32), (3, 2, 32, 32), (1, 1), ((1, 0), (0, 0)), (2, 2), 1),
]


@pytest.fixture(params=["one tile", "small tiles", "threads"])
def cut(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How the work is cut up: all at once, in tiles of few rows, or also for three threads."""
    if request.param == "one tile":
        return
    for name in ("COLUMNS_BYTES", "ROWS_BYTES"):
        monkeypatch.setattr(gathering, name, 512)
    monkeypatch.setattr(gathering, "_FEWEST_CHANNELS", 2)
    monkeypatch.setattr(gathering, "_FEWEST_ROWS", 4)
    monkeypatch.setattr(depthwise, "_PART_ELEMENTS", 64)
    monkeypatch.setattr(shifting, "_BLOCK_BYTES", 512)
    if request.param == "threads":
        for module in (conv, depthwise, shifting):
            monkeypatch.setattr(module, "workers", lambda products: 3)


@pytest.mark.usefixtures("cut")
@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_the_results_are_those_of_the_shared_kernels(geometry: Any) -> None:
    image, window, *settings = geometry
    generator = np.random.default_rng(0)
    x, kernel = generator.standard_normal(image), generator.standard_normal(window)
    y = PLAIN["convolution"](x, kernel, *settings)
    np.testing.assert_allclose(conv.convolution(x, kernel, *settings), y, atol=1e-12)
    dy = generator.standard_normal(y.shape)
    for name, given in (
        ("convolution_input_gradient", (dy, kernel, image[1:-1])),
        ("convolution_kernel_gradient", (x, dy, window[:-2])),
    ):
        found = conv.kernels[name](*given, *settings)
        np.testing.assert_allclose(found, PLAIN[name](*given, *settings), atol=1e-12, err_msg=name)


@pytest.mark.usefixtures("cut")
def test_infinities_give_no_warning_on_any_thread() -> None:
    x = np.zeros((4, 6, 6, 2), np.float32)
    x[:, 2, 2], x[:, 2, 3] = np.inf, -np.inf
    y = conv.convolution(x, np.ones((3, 3, 2, 1), np.float32), (1, 1), ((1, 1), (1, 1)), (1, 1), 1)
    assert np.isnan(y).any(axis=(1, 2, 3)).all()


@pytest.fixture
def two_threads() -> Iterator[None]:
    count, limit = blas_threads()
    before = count()
    limit(2)
    yield
    limit(before)


@pytest.mark.usefixtures("two_threads")
def test_the_matrix_library_has_one_thread_while_work_is_shared_and_all_again_afterwards() -> None:
    count, _ = blas_threads()
    seen = parallel.in_parallel(lambda part: (part, count(), threading.get_ident()), [0, 1])
    assert [(part, threads) for part, threads, _ in seen] == [(0, 1), (1, 1)]
    assert seen[0][2] == threading.get_ident() != seen[1][2]
    assert count() == 2


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize("wrong", [0, 1])
def test_an_error_on_any_thread_is_raised(wrong: int) -> None:
    def work(part: int) -> None:
        if part == wrong:
            raise ArithmeticError("no")

    with pytest.raises(ArithmeticError):
        parallel.in_parallel(work, [0, 1])
    assert blas_threads()[0]() == 2


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="threads cannot choose their cores here")
def test_other_threads_have_a_core_of_their_own_and_this_one_keeps_all_of_its() -> None:
    before = os.sched_getaffinity(0)
    seen = parallel.in_parallel(lambda part: os.sched_getaffinity(0), [0, 1])
    assert os.sched_getaffinity(0) == before
    if len(before) > 1:
        assert seen[0] == before
        assert len(seen[1]) == 1


def test_a_system_that_lets_nobody_choose_cores_gets_the_work_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_take", lambda cores: False)
    assert parallel.in_parallel(lambda part: part + 1, [0, 1]) == [1, 2]


@pytest.mark.usefixtures("two_threads")
def test_who_leaves_first_does_not_give_threads_back_before_the_last() -> None:
    count, _ = blas_threads()
    with ONE_THREAD:
        with ONE_THREAD:
            assert count() == 1
        assert count() == 1
        assert ONE_THREAD.usual() == 2
    assert count() == ONE_THREAD.usual() == 2


def test_light_work_takes_one_thread() -> None:
    assert parallel.workers(parallel.MANY_PRODUCTS - 1) == 1


@pytest.mark.parametrize(
    ("items", "count", "expected"), [([], 2, [[]]), ([1], 3, [[1]]), ([1, 2, 3], 2, [[1, 2], [3]])]
)
def test_parts_are_of_nearly_equal_length(items: list[int], count: int, expected: list[list[int]]) -> None:
    assert parallel.parts(items, count) == expected
