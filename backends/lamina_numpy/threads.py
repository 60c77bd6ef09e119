"""When the threads of the matrix library help.

OpenBLAS starts all threads even for products of a microsecond, and they wait for each other by spinning: on a machine
that does something else too, a product of 50 microseconds can then take milliseconds.
"""

from __future__ import annotations

import functools
import math
import threading
from collections.abc import Callable, Sequence
from typing import Final

from lamina.program import Instruction, Program
from lamina.shapes import Spec

MANY_PRODUCTS = 1 << 22
"""Multiplications, about 0.1 ms on one thread; below, little is won by a second one and much can be lost."""


@functools.lru_cache(maxsize=1)
def blas_threads() -> tuple[Callable[[], int], Callable[[int], None]]:
    """What tells and what sets the number of threads of the matrix library."""
    import threadpoolctl

    libraries = [c for c in threadpoolctl.ThreadpoolController().lib_controllers if c.user_api == "blas"]

    def limit(count: int) -> None:
        for library in libraries:
            library.set_num_threads(count)

    return (libraries[0].get_num_threads if libraries else lambda: 1), limit


class _OneThread:
    """``with ONE_THREAD:`` holds the matrix library to one thread while anyone is inside, whoever leaves first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holders = 0
        self._before = 1

    def __enter__(self) -> None:
        with self._lock:
            if not self._holders:
                count, limit = blas_threads()
                self._before = count()
                limit(1)
            self._holders += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._holders -= 1
            if not self._holders:
                blas_threads()[1](self._before)

    def usual(self) -> int:
        """How many threads the matrix library has when nobody holds it."""
        with self._lock:
            return self._before if self._holders else blas_threads()[0]()


ONE_THREAD: Final = _OneThread()


def wants_one_thread(program: Program) -> bool:
    """Whether a program is faster if the matrix library keeps to one thread throughout.

    So it is if every matrix product and convolution is too small for a second thread, and if convolutions have the
    most multiplications: they are shared among threads of Python, which those of the library, waiting, would hold up.
    """
    heavy = [(i.op, n) for i in program.instructions if (n := products(i, program.slots)) >= MANY_PRODUCTS]
    convolved = sum(n for op, n in heavy if op.startswith("convolution"))
    return 2 * convolved >= sum(n for _, n in heavy)


def products(instruction: Instruction, slots: Sequence[Spec]) -> int:
    """The multiplications of a matrix product or a convolution, 0 for other instructions."""
    specs = [slots[s] for s in (*instruction.inputs, *instruction.outputs)]
    if instruction.op == "matmul":
        return specs[2].size * specs[0].shape[-1]
    if instruction.op.startswith("convolution"):
        image, kernel = {
            "convolution": (specs[2], specs[1]),
            "convolution_input_gradient": (specs[0], specs[1]),
            "convolution_kernel_gradient": (specs[1], specs[2]),
        }[instruction.op]
        return math.prod(image.shape[:-1]) * kernel.size
    return 0
