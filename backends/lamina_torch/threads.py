"""When more threads help.

Torch and MKL start all threads even for products of a microsecond, and the threads wait for each other by spinning: on
a machine that does something else too, a product of 50 microseconds can then take milliseconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from lamina.program import Instruction
from lamina.shapes import Spec
from lamina_torch.calls import ADDMM, LSTM, LSTM_BACKWARD, MM, MV

PRODUCTS = 1 << 22  # multiplications, about 0.1 ms on one thread; below, little is won and much can be lost
ELEMENTS = 1 << 16

_MATRIX = {"matmul": 0, MM: 0, ADDMM: 1, MV: 0}
_RECURRENT = {"lstm": 0, LSTM: 0, "lstm_gradient": 2, LSTM_BACKWARD: 3}
_IMAGE = ("convolution", "convolution_input_gradient", "convolution_kernel_gradient")


def wants_threads(instruction: Instruction, slots: Sequence[Spec]) -> bool | None:
    """True if a call is faster with all threads, False if with one, None if it takes only one by itself."""
    given = [slots[s] for s in (*instruction.inputs, *instruction.outputs)]
    if instruction.op in _MATRIX:
        left = given[_MATRIX[instruction.op]]
        return given[-1].size * left.shape[-1] >= PRODUCTS
    if instruction.op in _IMAGE:
        return _products(instruction, slots) >= PRODUCTS
    if instruction.op in _RECURRENT:
        return _of_one_step(given[_RECURRENT[instruction.op] :]) >= PRODUCTS
    if instruction.op.endswith("_update"):
        return sum(s.size for s in given) >= 4 * ELEMENTS
    return True if max((s.size for s in given), default=0) >= ELEMENTS else None


def _of_one_step(given: Sequence[Spec]) -> int:
    """The multiplications of a step, which are what threads would share."""
    inputs, recurrent_kernel = given[0], given[2]
    return inputs.shape[0] * recurrent_kernel.size


def _products(instruction: Instruction, slots: Sequence[Spec]) -> int:
    """The multiplications of a convolution or of one of its gradients: a kernel at each place of the result."""
    specs = [slots[s] for s in (*instruction.inputs, *instruction.outputs)]
    image, kernel = {
        "convolution": (specs[2], specs[1]),
        "convolution_input_gradient": (specs[0], specs[1]),
        "convolution_kernel_gradient": (specs[1], specs[2]),
    }[instruction.op]
    return math.prod(image.shape[:-1]) * kernel.size
