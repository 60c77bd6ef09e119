"""``python -m benchmarks.convolutions``: convolution and pooling of the NumPy backend beside PyTorch on the processor.

Forward, the gradient for the image and the gradient for the kernel of eight convolutions; forward, and forward with
gradient, of four pools. PyTorch takes its own layout, channels first, and channels last, and the faster one counts.
All take turns, so that what disturbs the machine disturbs all; the lowest turn of each counts. With one thread the
processor time of that thread is measured, which leaves out what other processes take; with more the time of day.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

import lamina
from benchmarks import machine
from benchmarks.table import aligned, number
from lamina.ops.conv import convolution_input_gradient, convolution_kernel_gradient

Work = Callable[[], Any]


class Convolution(NamedTuple):
    """A convolution of images that are as wide as high."""

    name: str
    batch: int
    size: int
    channels: int
    filters: int
    window: int = 3
    stride: int = 1
    padding: int = 1
    groups: int = 1


class Pool(NamedTuple):
    """A pool of images that are as wide as high."""

    name: str
    kind: str
    batch: int
    size: int
    channels: int
    window: int
    stride: int


CONVOLUTIONS = (
    Convolution("3x3, 28x28x1 -> 32, batch 64", 64, 28, 1, 32, padding=0),
    Convolution("3x3, 14x14x32 -> 64, batch 64", 64, 14, 32, 64),
    Convolution("3x3, 32x32x16 -> 16, batch 32", 32, 32, 16, 16),
    Convolution("3x3, 56x56x64 -> 64, batch 8", 8, 56, 64, 64),
    Convolution("1x1, 28x28x128 -> 128, batch 16", 16, 28, 128, 128, window=1, padding=0),
    Convolution("3x3 stride 2, 32x32x32 -> 64, batch 32", 32, 32, 32, 64, stride=2),
    Convolution("7x7 stride 2, 112x112x3 -> 32, batch 8", 8, 112, 3, 32, window=7, stride=2, padding=3),
    Convolution("depthwise 3x3, 28x28x64, batch 32", 32, 28, 64, 64, groups=64),
)

POOLS = (
    Pool("max 2x2, 26x26x32, batch 64", "max", 64, 26, 32, 2, 2),
    Pool("max 3x3 stride 2, 56x56x64, batch 8", "max", 8, 56, 64, 3, 2),
    Pool("average 2x2, 26x26x32, batch 64", "average", 64, 26, 32, 2, 2),
    Pool("average 3x3 stride 2, 56x56x64, batch 8", "average", 8, 56, 64, 3, 2),
)


class Trial(NamedTuple):
    """One computation by lamina, and by PyTorch in each layout."""

    name: str
    part: str
    lamina: Work
    torch: Sequence[Work]


def _images(*shape: int, seed: int) -> tuple[Any, list[Any]]:
    """Random images as lamina takes them, and as PyTorch does: channels first in memory, and channels last."""
    import torch

    values = np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)
    view = torch.from_numpy(values).permute(0, 3, 1, 2)
    return lamina.tensor(values), [view.contiguous(), view]


def of_convolution(c: Convolution) -> Iterator[Trial]:
    """The three trials of a convolution."""
    import torch

    x, images = _images(c.batch, c.size, c.size, c.channels, seed=1)
    output = (c.size + 2 * c.padding - c.window) // c.stride + 1
    dy, gradients = _images(c.batch, output, output, c.filters, seed=2)
    shape = (c.window, c.window, c.channels // c.groups, c.filters)
    values = np.random.default_rng(3).standard_normal(shape, dtype=np.float32)
    kernel, weights = lamina.tensor(values), torch.from_numpy(values).permute(3, 2, 0, 1).contiguous()
    strides, pads, around = (c.stride,) * 2, ((c.padding,) * 2,) * 2, (c.padding,) * 2

    def back(image: Any, given: Any, wanted: list[bool]) -> Work:
        settings = (None, strides, around, (1, 1), False, (0, 0), c.groups, wanted)
        return lambda: torch.ops.aten.convolution_backward(given, image, weights, *settings)

    def forth(image: Any) -> Work:
        return lambda: torch.nn.functional.conv2d(image, weights, None, c.stride, c.padding, 1, c.groups)

    settings = (strides, pads, (1, 1), c.groups)
    pairs = list(zip(images, gradients, strict=True))
    yield Trial(
        c.name, "forward", lambda: lamina.conv2d(x, kernel, c.stride, c.padding, groups=c.groups), [*map(forth, images)]
    )
    yield Trial(
        c.name, "gradient for x", lambda: convolution_input_gradient(dy, kernel, (c.size, c.size), *settings),
        [back(image, given, [True, False, False]) for image, given in pairs],
    )  # fmt: skip
    yield Trial(
        c.name, "gradient for kernel", lambda: convolution_kernel_gradient(x, dy, shape[:2], *settings),
        [back(image, given, [False, True, False]) for image, given in pairs],
    )  # fmt: skip


def of_pool(p: Pool) -> Iterator[Trial]:
    """The two trials of a pool."""
    import torch

    x, images = _images(p.batch, p.size, p.size, p.channels, seed=1)
    output = (p.size - p.window) // p.stride + 1
    dy, gradients = _images(p.batch, output, output, p.channels, seed=2)
    ours = lamina.max_pool if p.kind == "max" else lamina.avg_pool
    theirs = torch.nn.functional.max_pool2d if p.kind == "max" else torch.nn.functional.avg_pool2d

    def pooled(image: Any) -> Any:
        return ours(image, p.window, p.stride)

    def back(image: Any, given: Any) -> Work:
        watched = image.detach().requires_grad_()
        return lambda: torch.autograd.grad(theirs(watched, p.window, p.stride), watched, given)

    yield Trial(p.name, "forward", lambda: pooled(x), [lambda i=i: theirs(i, p.window, p.stride) for i in images])
    yield Trial(
        p.name, "forward and gradient", lambda: lamina.grad(pooled)(x, dy=dy),
        [back(image, given) for image, given in zip(images, gradients, strict=True)],
    )  # fmt: skip


def measure(trial: Trial, rounds: int, clock: Callable[[], float]) -> tuple[float, float]:
    """Seconds of lamina and of PyTorch in its better layout: the lowest of the rounds."""
    works = [trial.lamina, *trial.torch]
    lowest = [float("inf")] * len(works)
    for i in range(rounds + 1):
        for place, work in enumerate(works):
            start = clock()
            work()
            lowest[place] = min(lowest[place], clock() - start) if i else lowest[place]
    return lowest[0], min(lowest[1:])


def lines(threads: int, rounds: int) -> list[Sequence[str]]:
    """The rows of the table for a number of threads."""
    import torch

    from lamina_numpy.threads import blas_threads

    torch.set_num_threads(threads)
    blas_threads()[1](threads)
    clock = time.thread_time if threads == 1 else time.perf_counter
    trials = [t for c in CONVOLUTIONS for t in of_convolution(c)] + [t for p in POOLS for t in of_pool(p)]
    found = []
    for trial in trials:
        ours, theirs = measure(trial, rounds, clock)
        times = [number(1e3 * seconds) for seconds in (ours, theirs)]
        found.append([trial.name, trial.part, str(threads), *times, number(ours / theirs)])
    return found


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser("python -m benchmarks.convolutions", description=__doc__)
    parser.add_argument("--rounds", type=int, default=21, help="turns of each (default 21)")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2], help="numbers of threads (default 1 2)")
    asked = parser.parse_args()
    print(machine.line(machine.describe()), end="\n\n")
    with lamina.backend_scope("numpy"):
        rows = [row for threads in asked.threads for row in lines(threads, asked.rounds)]
    print(aligned([["computation", "part", "threads", "lamina ms", "PyTorch ms", "lamina / PyTorch"], *rows]))


if __name__ == "__main__":
    main()
