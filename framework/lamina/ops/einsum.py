"""Sums of products over named axes, brought down to transposes and matrix products."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lamina.errors import ArgumentError, ShapeError
from lamina.ops.elementwise import multiply
from lamina.ops.indexing import getitem
from lamina.ops.matmul import matmul
from lamina.ops.reduction import sum
from lamina.ops.shaping import reshape, transpose
from lamina.runtime.convert import to_tensor
from lamina.runtime.op import TensorLike
from lamina.runtime.tensor import Tensor

Labels = tuple[str, ...]


@dataclass(frozen=True)
class _Operand:
    """A tensor and the names of its axes, each name once."""

    tensor: Tensor
    labels: Labels

    def sizes(self) -> dict[str, int]:
        return dict(zip(self.labels, self.tensor.shape, strict=True))


def einsum(equation: str, *tensors: TensorLike) -> Tensor:
    """Sum of products over named axes: in "ij,jk->ik" each letter is an axis, and those not in the result are summed.

    A letter twice in one term takes the diagonal; "..." stands for any axes, which broadcast; without "->" the result
    has the letters that occur once, in alphabetic order. Any number of tensors; each pair is one matrix product,
    smallest first. As ``numpy.einsum``. Raises ArgumentError for an equation that is not well formed or another number
    of tensors, ShapeError if sizes differ.

    >>> einsum("ij,jk->ik", [[1.0, 2.0]], [[3.0], [4.0]]).tolist(), einsum("ii", [[1.0, 2.0], [3.0, 4.0]]).item()
    ([[11.0]], 5.0)
    """
    given = [to_tensor(t) for t in tensors]
    terms, result = _parsed(equation, given)
    operands = [_prepared(t, labels) for t, labels in zip(given, terms, strict=True)]
    _check_sizes(equation, operands)
    operands = _without_repeats(operands)
    while len(operands) > 1:
        i, j = _cheapest(operands, result)
        first, second = operands[i], operands[j]
        rest = [o for k, o in enumerate(operands) if k not in (i, j)]
        kept = {*result, *(label for o in rest for label in o.labels)}
        operands = [*rest, _contracted(_summed(first, kept, second), _summed(second, kept, first), kept)]
    last = _summed(operands[0], set(result))
    return transpose(last.tensor, [last.labels.index(label) for label in result])


def _wrong(equation: Any, expected: str) -> ArgumentError:
    return ArgumentError(f"einsum: equation is {equation!r}.", expected=expected)


def _parsed(equation: Any, tensors: Sequence[Tensor]) -> tuple[list[Labels], Labels]:
    """The names of the axes of each tensor and of the result, with names in place of dots."""
    if not isinstance(equation, str) or equation.count("->") > 1:
        raise _wrong(equation, "terms joined by commas, then at most one '->' and the result's axes.")
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(tensors):
        raise _wrong(equation, f"as many terms as tensors, {len(tensors)}.")
    most = 0
    for term, tensor in zip(terms, tensors, strict=True):
        most = max(most, _dots(equation, term, tensor.ndim))
    named = [_named(term, t.ndim, most) for term, t in zip(terms, tensors, strict=True)]
    if not arrow:
        return named, _implied(terms, most)
    result = _named(right, len(right.replace("...", "")) + most, most)
    _check_letters(equation, right)
    unknown = [label for label in result if label not in set(itertools.chain(*named))]
    if unknown or len(set(result)) != len(result):
        raise _wrong(equation, "each axis of the result once, and each in some term.")
    return named, result


def _check_letters(equation: str, term: str) -> str:
    letters = term.replace("...", "", 1)
    if letters and not (letters.isalpha() and letters.isascii()):
        raise _wrong(equation, "letters, at most one '...' in a term, commas and '->'.")
    return letters


def _dots(equation: str, term: str, ndim: int) -> int:
    """How many axes the dots of a term stand for."""
    count = ndim - len(_check_letters(equation, term))
    if count < 0 or (count and "..." not in term):
        raise _wrong(equation, f"a letter for each axis of the tensors; the term {term!r} is for {ndim} axes.")
    return count


def _named(term: str, ndim: int, most: int) -> Labels:
    before, dots, after = term.partition("...")
    count = ndim - len(before) - len(after) if dots else 0
    return (*before, *(f".{i}" for i in range(most - count, most)), *after)


def _implied(terms: Sequence[str], most: int) -> Labels:
    counts = Counter("".join(terms).replace(".", ""))
    return (*(f".{i}" for i in range(most)), *sorted(letter for letter, count in counts.items() if count == 1))


def _prepared(x: Tensor, labels: Labels) -> _Operand:
    """A term with each of its names once: a name that comes twice takes the diagonal of its axes."""
    while True:
        twice = next((label for label in labels if labels.count(label) > 1), None)
        if twice is None:
            return _Operand(x, labels)
        i = labels.index(twice)
        j = labels.index(twice, i + 1)
        size = x.shape[i]
        if x.shape[j] != size:
            raise ShapeError(f"einsum: {twice!r} names axes of size {size} and {x.shape[j]}.", expected="one size.")
        rest = [a for a in range(x.ndim) if a not in (i, j)]
        x = reshape(transpose(x, (i, j, *rest)), (size * size, *(x.shape[a] for a in rest)))
        x = getitem(x, slice(None, None, size + 1))
        labels = (twice, *(labels[a] for a in rest))


def _check_sizes(equation: str, operands: Sequence[_Operand]) -> None:
    """Raises ShapeError if a letter names axes of different sizes; axes of dots may have size 1."""
    sizes: dict[str, int] = {}
    for operand in operands:
        for label, size in operand.sizes().items():
            known = sizes.setdefault(label, size)
            if label[0] == "." and 1 in (known, size):
                sizes[label] = size if known == 1 else known
            elif known != size:
                raise ShapeError(f"einsum({equation!r}): {label!r} has sizes {known} and {size}.", expected="one size.")


def _without_repeats(operands: Sequence[_Operand]) -> list[_Operand]:
    """Axes of dots that have size 1 here and are longer elsewhere are dropped: the product repeats them."""
    longest: dict[str, int] = {}
    for operand in operands:
        for label, size in operand.sizes().items():
            longest[label] = size if longest.get(label, 1) == 1 else longest[label]
    found = []
    for operand in operands:
        labels = tuple(label for label, size in operand.sizes().items() if size == longest[label])
        if labels != operand.labels:
            operand = _Operand(reshape(operand.tensor, tuple(longest[label] for label in labels)), labels)
        found.append(operand)
    return found


def _cheapest(operands: Sequence[_Operand], result: Labels) -> tuple[int, int]:
    """The pair whose product takes the fewest multiplications."""
    if len(operands) == 2:
        return 0, 1

    def cost(pair: tuple[int, int]) -> int:
        return math.prod({**operands[pair[0]].sizes(), **operands[pair[1]].sizes()}.values())

    return min(itertools.combinations(range(len(operands)), 2), key=cost)


def _summed(operand: _Operand, kept: set[str], other: _Operand | None = None) -> _Operand:
    """Without the axes that neither the rest nor the other factor has."""
    needed = kept if other is None else kept | set(other.labels)
    gone = tuple(i for i, label in enumerate(operand.labels) if label not in needed)
    if not gone:
        return operand
    return _Operand(sum(operand.tensor, gone), tuple(label for label in operand.labels if label in needed))


def _contracted(a: _Operand, b: _Operand, kept: set[str]) -> _Operand:
    """The product of two factors, summed over the axes that both have and nothing else needs."""
    batch = tuple(label for label in a.labels if label in b.labels and label in kept)
    inner = tuple(label for label in a.labels if label in b.labels and label not in kept)
    free = [tuple(label for label in o.labels if label not in (*batch, *inner)) for o in (a, b)]
    sizes = {**a.sizes(), **b.sizes()}
    shapes = [tuple(sizes[label] for label in labels) for labels in (batch, free[0], free[1])]
    labels = (*batch, *free[0], *free[1])
    if not inner:
        ones = [(*shapes[0], *shapes[1], *(1,) * len(free[1])), (*shapes[0], *(1,) * len(free[0]), *shapes[2])]
        factors = [reshape(_arranged(o, (*batch, *f)), shape) for o, f, shape in zip((a, b), free, ones, strict=True)]
        return _Operand(multiply(*factors), labels)
    left, first = _as_matrix(a, batch, free[0], inner)
    right, second = _as_matrix(b, batch, inner, free[1])
    product = matmul(left, right, transpose_a=first, transpose_b=second)
    return _Operand(reshape(product, tuple(sizes[label] for label in labels)), labels)


def _arranged(operand: _Operand, labels: Labels) -> Tensor:
    if labels == operand.labels:
        return operand.tensor
    return transpose(operand.tensor, [operand.labels.index(label) for label in labels])


def _as_matrix(operand: _Operand, batch: Labels, rows: Labels, columns: Labels) -> tuple[Tensor, bool]:
    """A batch of matrices, and whether they are stored transposed, which saves moving the elements."""
    stored = operand.labels == (*batch, *columns, *rows) and bool(columns)
    order = (columns, rows) if stored else (rows, columns)
    sizes = operand.sizes()
    shape = [math.prod(sizes[label] for label in part) for part in (batch, *order)]
    return reshape(_arranged(operand, (*batch, *order[0], *order[1])), shape), stored
