"""What the case table does not say of signals: inverses, methods, dtypes, windows of one's own."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from backends_here import scope
from lamina import signal


@pytest.fixture(params=["numpy", "torch"], autouse=True)
def backend(request):
    with scope(request.param) as found:
        yield found


@pytest.mark.parametrize("length", [1, 2, 7, 8])
def test_transforms_and_their_inverses(length: int) -> None:
    x = lamina.random.normal((3, length))
    z = lamina.complex(x, lamina.random.normal((3, length)))
    np.testing.assert_allclose(signal.irfft(signal.rfft(x), length).numpy(), x.numpy(), atol=1e-6)
    np.testing.assert_allclose(signal.ifft(signal.fft(z)).numpy(), z.numpy(), atol=1e-6)


def test_single_precision_stays_single() -> None:
    z = lamina.complex([1.0, 2.0, 3.0], [0.0, 1.0, 0.0])
    assert (z.dtype, z.fft().dtype, z.ifft().dtype, z.irfft().dtype) == (
        "complex64",
        "complex64",
        "complex64",
        "float32",
    )
    assert lamina.tensor([1.0, 2.0]).rfft().dtype == "complex64"


def test_parts_do_not_touch_each_other() -> None:
    z = lamina.complex([np.inf, np.nan, 1.0], [0.0, 1.0, -np.inf])
    np.testing.assert_array_equal(lamina.real(z).numpy(), np.float32([np.inf, np.nan, 1.0]))
    np.testing.assert_array_equal(lamina.imag(z).numpy(), np.float32([0.0, 1.0, -np.inf]))


def test_a_spectrum_can_be_fitted() -> None:
    """Gradient descent through the transform finds the signal that has a spectrum."""
    wanted = lamina.tensor([1.0, -2.0, 0.5, 3.0, 0.0])
    spectrum = signal.rfft(wanted)

    def loss(x: lamina.Tensor) -> lamina.Tensor:
        return lamina.sum(lamina.square(lamina.abs(signal.rfft(x) - spectrum)))

    x = lamina.zeros((5,))
    for _ in range(100):
        x = x - 0.1 * lamina.grad(loss)(x)
    np.testing.assert_allclose(x.numpy(), wanted.numpy(), atol=1e-4)


def test_a_window_of_ones_own_is_called_with_length_and_dtype() -> None:
    asked = []

    def window(length: int, dtype: str) -> lamina.Tensor:
        asked.append((length, dtype))
        return lamina.full((length,), 2.0, dtype)

    x = lamina.tensor(np.arange(8.0))
    found = signal.stft(x, 4, 2, window_fn=window)
    np.testing.assert_allclose(found.numpy(), 2 * signal.stft(x, 4, 2, window_fn=None).numpy())
    assert asked == [(4, "float64")]


@pytest.mark.parametrize("value", [1, 2, 3, 64, 65, 2**40 + 1])
def test_enclosing_power_of_two(value: int) -> None:
    found = signal.enclosing_power_of_two(value)
    assert found >= value > found // 2
    assert found & (found - 1) == 0
