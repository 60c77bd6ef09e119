"""A recorded program in the words of torch: products that add, sums as products, transposes as views.

Pure functions from a Program to a Program. The names with a dot are calls that only the executable knows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from lamina.dtypes import LARGEST
from lamina.program import Instruction, Program, drop_dead, share_common
from lamina.shapes import Spec
from lamina_torch.calls import (
    ADAM,
    ADDCMUL,
    ADDMM,
    CLAMP_MIN,
    DENSE,
    LOG_SOFTMAX_BACKWARD,
    LSTM,
    LSTM_BACKWARD,
    MM,
    MV,
    SUBCMUL,
    THRESHOLD,
    TURN,
)
from lamina_torch.narrow import turn_narrow

IDLE = ("reshape", "broadcast_to", "identity", "split")
"""Views that show their argument as it is if the shape is the same."""

_BLAS = ("float32", "float64")
_LONGEST_SUM = 1024  # beyond it a product with ones rounds worse than torch's own sum
_FEW = range(3, 16)  # classes: torch takes such rows one number at a time, and columns many at once
_SOME_ROWS = 16


def lower(program: Program, own: Collection[str], device: str = "cpu") -> Program:
    """The program for torch. Only ops in ``own`` are rewritten: the others have kernels of someone else."""
    lowered = _without_idle_views(_Lowering(program, own, device).run())
    if device != "cpu":  # on a CPU the bias is copied before the product, and adding it after is cheaper
        return drop_dead(share_common(_with_sums_in_products(lowered, own)))
    return _with_products_in_sums(drop_dead(share_common(turn_narrow(share_common(lowered), own))), own)


class _Lowering:
    """Replaces instructions one by one; new slots come at the end."""

    def __init__(self, program: Program, own: Collection[str], device: str) -> None:
        self.program = program
        self.device = device
        self.own = own
        self.slots = list(program.slots)
        self.instructions: list[Instruction] = []
        self.filled: dict[tuple[Spec, float], int] = {}
        self.trained = {i.inputs[2:] for i in program.instructions if i.op == "lstm_gradient"}
        self.backward: dict[tuple[int, ...], int] = {}
        self.made = {slot: i for i in program.instructions for slot in i.outputs}

    def run(self) -> Program:
        rules: dict[str, Callable[[Instruction], bool]] = {
            "matmul": self._matmul,
            "sum": self._sum,
            "mean": self._mean,
            "softmax_cross_entropy": self._cross_entropy,
            "softmax_cross_entropy_gradient": self._cross_entropy_gradient,
            "relu_gradient": self._relu_gradient,
            "softmax": self._softmax,
            "log_softmax": self._softmax,
            "adam_update": self._adam_update,
            "lstm": self._lstm,
            "lstm_gradient": self._lstm_gradient,
        }
        for instruction in self.program.instructions:
            rule = rules.get(instruction.op) if instruction.op in self.own else None
            if rule is None or not rule(instruction):
                self.instructions.append(instruction)
        return replace(self.program, slots=tuple(self.slots), instructions=tuple(self.instructions))

    def _new(self, spec: Spec) -> int:
        self.slots.append(spec)
        return len(self.slots) - 1

    def _add(self, op: str, inputs: tuple[int, ...], output: int, **attrs: Any) -> int:
        view = op in (TURN, "transpose", "reshape")
        self.instructions.append(Instruction(op, inputs, (output,), attrs, "view" if view else "pure"))
        return output

    def _transposed(self, slot: int) -> int:
        *batch, rows, columns = self.slots[slot].shape
        turned = self._new(Spec((*batch, columns, rows), self.slots[slot].dtype))
        if not batch:
            return self._add(TURN, (slot,), turned)
        return self._add("transpose", (slot,), turned, axes=(*range(len(batch)), len(batch) + 1, len(batch)))

    def _matmul(self, instruction: Instruction) -> bool:
        flags = instruction.attrs["transpose_a"], instruction.attrs["transpose_b"]
        a, b = (self._transposed(s) if flag else s for s, flag in zip(instruction.inputs, flags, strict=True))
        (y,) = instruction.outputs
        if self.slots[a].ndim == self.slots[b].ndim == 2 and self.slots[y].dtype in _BLAS:
            self._add(MM, (a, b), y)
        else:
            self._add("matmul", (a, b), y, transpose_a=False, transpose_b=False)
        return True

    def _sum(self, instruction: Instruction) -> bool:
        """A matrix summed along one side, as its product with ones."""
        (x,), (y,), axis = instruction.inputs, instruction.outputs, instruction.attrs["axis"]
        spec = self.slots[x]
        if spec.ndim != 2 or len(axis) != 1 or not self._adds_up(x, axis[0]):
            return False
        ones = self._filled(Spec((spec.shape[axis[0]],), spec.dtype), 1.0)
        matrix = self._transposed(x) if axis == (0,) else x
        if not instruction.attrs["keepdims"]:
            self._add(MV, (matrix, ones), y)
        else:
            flat = self._add(MV, (matrix, ones), self._new(Spec((spec.shape[1 - axis[0]],), spec.dtype)))
            self._add("reshape", (flat,), y, shape=self.slots[y].shape)
        return True

    def _adds_up(self, matrix: int, axis: int) -> bool:
        """Whether sums along an axis are well done as a product with ones."""
        spec = self.slots[matrix]
        return spec.dtype in _BLAS and spec.size > 0 and spec.shape[axis] <= _LONGEST_SUM

    def _mean(self, instruction: Instruction) -> bool:
        """The mean of a vector, as the product of a matrix of one row with equal weights."""
        (x,), (y,) = instruction.inputs, instruction.outputs
        spec = self.slots[x]
        if spec.ndim != 1 or instruction.attrs["axis"] != (0,) or instruction.attrs["keepdims"]:
            return False
        if spec.dtype not in _BLAS or not 0 < spec.size <= _LONGEST_SUM:
            return False
        row = self._add("reshape", (x,), self._new(Spec((1, spec.size), spec.dtype)), shape=(1, spec.size))
        one = self._add(MV, (row, self._filled(spec, 1.0 / spec.size)), self._new(Spec((1,), spec.dtype)))
        self._add("reshape", (one,), y, shape=())
        return True

    def _filled(self, spec: Spec, value: float) -> int:
        key = (spec, value)
        if key not in self.filled:
            attrs = {"shape": spec.shape, "fill_value": value, "dtype": spec.dtype}
            self.filled[key] = self._add("constant", (), self._new(spec), **attrs)
        return self.filled[key]

    def _cross_entropy(self, instruction: Instruction) -> bool:
        """Its parts, so that each has a buffer."""
        labels, logits = instruction.inputs
        spec, last = self.slots[logits], len(self.slots[logits].shape) - 1
        products = self._add("multiply", (labels, self._finite_logs(logits)), self._new(spec))
        if spec.ndim == 2 and self._adds_up(products, 1):
            weights = self._filled(Spec((spec.shape[1],), spec.dtype), -1.0)
            self._add(MV, (products, weights), instruction.outputs[0])
            return True
        total = self._new(Spec(spec.shape[:-1], spec.dtype))
        self.instructions.append(Instruction("sum", (products,), (total,), {"axis": (last,), "keepdims": False}))
        self._add("negative", (total,), instruction.outputs[0])
        return True

    def _finite_logs(self, logits: int) -> int:
        """Logarithms of the classes' shares; of those that have none, the lowest number there is."""
        spec = self.slots[logits]
        return self._add(CLAMP_MIN, (self._log_softmax(logits),), self._new(spec), lowest=-LARGEST[spec.dtype])

    def _log_softmax(self, logits: int) -> int:
        """Along the last axis."""
        spec = self.slots[logits]
        made = Instruction("log_softmax", (logits,), (self._new(spec),), {"axis": spec.ndim - 1})
        if "log_softmax" not in self.own or not self._softmax(made):
            self.instructions.append(made)
        return made.outputs[0]

    def _cross_entropy_gradient(self, instruction: Instruction) -> bool:
        """That of the logarithms, which are there from the forward pass, for labels * -dy."""
        dy, labels, logits = instruction.inputs
        spec = self.slots[logits]
        column = Spec((*spec.shape[:-1], 1), spec.dtype)
        upright = self._add("reshape", (dy,), self._new(column), shape=column.shape)
        weights = self._add("negative", (upright,), self._new(column))
        d_logs = self._add("multiply", (labels, weights), self._new(spec))
        given = (d_logs, self._finite_logs(logits))  # e to the lowest number is 0 as well
        self._add(LOG_SOFTMAX_BACKWARD, given, instruction.outputs[0], axis=spec.ndim - 1)
        return True

    def _softmax(self, instruction: Instruction) -> bool:
        """Few classes: along the columns of a transposed copy. A result that goes to the caller stays as it is."""
        (x,), (y,), spec = instruction.inputs, instruction.outputs, self.slots[instruction.inputs[0]]
        if self.device != "cpu" or spec.ndim != 2 or instruction.attrs["axis"] != 1 or spec.dtype != "float32":
            return False
        rows, classes = spec.shape
        if classes not in _FEW or rows < _SOME_ROWS or y in self.program.outputs:
            return False
        turned = Spec((classes, rows), spec.dtype)
        dense = self._add(DENSE, (self._transposed(x),), self._new(turned))
        self._add(TURN, (self._add(instruction.op, (dense,), self._new(turned), axis=0),), y)
        return True

    def _relu_gradient(self, instruction: Instruction) -> bool:
        specs = {self.slots[s] for s in (*instruction.inputs, *instruction.outputs)}
        if len(specs) > 1:
            return False
        self._add(THRESHOLD, instruction.inputs, instruction.outputs[0])
        return True

    def _adam_update(self, instruction: Instruction) -> bool:
        """On a CPU the step size is a number, which needs no tensor."""
        size = self.made.get(instruction.inputs[0])
        if self.device != "cpu" or size is None or size.op != "multiply" or "multiply" not in self.own:
            return False
        for rate, factor in (size.inputs, size.inputs[::-1]):
            correction = self.made.get(factor)
            if correction is not None and correction.op == "bias_correction" and "bias_correction" in self.own:
                numbers = (rate, *correction.inputs)
                if any(self.slots[s].ndim for s in numbers):
                    return False
                betas = correction.attrs["beta_1"], correction.attrs["beta_2"]
                inputs, attrs = (*numbers, *instruction.inputs[1:]), {**instruction.attrs, "correction": betas}
                self.instructions.append(replace(instruction, op=ADAM, inputs=inputs, attrs=attrs))
                return True
        return False

    def _lstm(self, instruction: Instruction) -> bool:
        """Of a step that asks for its gradient too: what that needs is kept."""
        if instruction.inputs not in self.trained:
            return False
        kept = self._new(Spec((), "bool"))  # a function, in truth
        self.backward[instruction.inputs] = kept
        self.instructions.append(Instruction(LSTM, instruction.inputs, (*instruction.outputs, kept), {}, "pure", True))
        return True

    def _lstm_gradient(self, instruction: Instruction) -> bool:
        kept = self.backward.get(instruction.inputs[2:])
        if kept is None:
            return False
        found = [self._new(self.slots[s]) for s in instruction.outputs]
        inputs = (kept, *instruction.inputs)
        self.instructions.append(Instruction(LSTM_BACKWARD, inputs, tuple(found), {}, "pure", True))
        for raw, slot in zip(found, instruction.outputs, strict=True):
            self._add(DENSE, (raw,), slot)
        return True


def _without_idle_views(program: Program) -> Program:
    """Without views that show the same shape in the same order."""
    renamed: dict[int, int] = {}
    kept: list[Instruction] = []
    for instruction in program.instructions:
        inputs = tuple(renamed.get(s, s) for s in instruction.inputs)
        if (
            instruction.op in IDLE
            and len(instruction.outputs) == 1
            and (program.slots[inputs[0]].shape == program.slots[instruction.outputs[0]].shape)
        ):
            renamed[instruction.outputs[0]] = inputs[0]
        else:
            kept.append(instruction.reading(inputs))
    return replace(
        program.with_instructions(kept),
        outputs=tuple(renamed.get(s, s) for s in program.outputs),
        writes=tuple((index, renamed.get(s, s)) for index, s in program.writes),
    )


def _with_sums_in_products(program: Program, own: Collection[str]) -> Program:
    """A product to which nothing but one row is added becomes one call."""
    reads = Counter(s for i in program.instructions for s in i.inputs)
    reads.update(program.results())
    products = {i.outputs[0]: i for i in program.instructions if i.op == MM and reads[i.outputs[0]] == 1}
    merged: set[int] = set()
    kept: list[Instruction] = []
    for instruction in program.instructions:
        pair = _product_and_row(program, instruction, products) if "add" in own else None
        if pair is not None:
            product, row = pair
            merged.add(product)
            instruction = Instruction(ADDMM, (row, *products[product].inputs), instruction.outputs)
        kept.append(instruction)
    return program.with_instructions([i for i in kept if not merged.intersection(i.outputs)])


def _with_products_in_sums(program: Program, own: Collection[str]) -> Program:
    """A product of elements that goes into one sum or difference only becomes one call with it."""
    if not {"add", "subtract", "multiply"}.issubset(own):
        return program
    reads = Counter(s for i in program.instructions for s in i.inputs)
    reads.update(program.results())
    products = {i.outputs[0]: i for i in program.instructions if i.op == "multiply" and reads[i.outputs[0]] == 1}
    kept: list[Instruction] = []
    for instruction in program.instructions:
        if instruction.op in ("add", "subtract"):
            a, b = instruction.inputs
            pairs = ((a, b), (b, a)) if instruction.op == "add" else ((a, b),)
            for other, product in pairs:
                inputs = (other, *products[product].inputs) if product in products else ()
                if inputs and _goes_in_one(program, inputs, product, instruction.outputs[0]):
                    op = ADDCMUL if instruction.op == "add" else SUBCMUL
                    instruction = replace(instruction, op=op, inputs=inputs)
                    break
        kept.append(instruction)
    return drop_dead(program.with_instructions(kept))


def _goes_in_one(program: Program, inputs: tuple[int, ...], product: int, total: int) -> bool:
    """Whether torch reads the arguments in long runs: it takes columns beside matrices number by number."""
    result = program.slots[total]
    if result.dtype not in _BLAS or program.slots[product] != result:
        return False
    return all(program.slots[s].shape[-1:] in ((), result.shape[-1:]) for s in inputs)


def _product_and_row(
    program: Program, instruction: Instruction, products: dict[int, Instruction]
) -> tuple[int, int] | None:
    if instruction.op != "add":
        return None
    a, b = instruction.inputs
    for product, row in ((a, b), (b, a)):
        if product in products and row != product:
            columns = program.slots[product].shape[1]
            if program.slots[row].shape in ((columns,), (1, columns)):
                return product, row
    return None
