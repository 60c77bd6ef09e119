"""The promotion lattice and the names of dtypes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from lamina.dtypes import ALL, ARITHMETIC, canonical_dtype, promote_dtypes, real_dtype, weak_dtype
from lamina.errors import DTypeError

INTEGERS = ("uint8", "int8", "int16", "int32", "int64")


@pytest.mark.parametrize(("a", "b"), list(itertools.combinations_with_replacement(ARITHMETIC, 2)))
def test_promotion_is_commutative_and_an_upper_bound(a: str, b: str) -> None:
    both = promote_dtypes(a, b)
    assert both == promote_dtypes(b, a)
    assert promote_dtypes(both, a) == both
    assert promote_dtypes(both, b) == both


def test_promotion_is_associative() -> None:
    for a, b, c in itertools.product(ARITHMETIC, repeat=3):
        assert promote_dtypes(promote_dtypes(a, b), c) == promote_dtypes(a, promote_dtypes(b, c))


@pytest.mark.parametrize(("a", "b"), list(itertools.combinations(("bool", *INTEGERS), 2)))
def test_integers_promote_as_in_numpy(a: str, b: str) -> None:
    assert promote_dtypes(a, b) == np.result_type(a, b).name


@pytest.mark.parametrize("floating", ["float16", "bfloat16", "float32", "float64", "complex64", "complex128"])
def test_integers_take_the_width_of_the_float(floating: str) -> None:
    for integer in ("bool", *INTEGERS):
        assert promote_dtypes(integer, floating) == floating


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("float16", "bfloat16", "float32"), ("float16", "float32", "float32"), ("float32", "float64", "float64"),
        ("float32", "complex64", "complex64"), ("float64", "complex64", "complex128"),
        ("bfloat16", "complex64", "complex64"), ("complex64", "complex128", "complex128"),
    ],
)  # fmt: skip
def test_floats_promote(a: str, b: str, expected: str) -> None:
    assert promote_dtypes(a, b) == expected


def test_strings_do_not_mix_with_numbers() -> None:
    assert promote_dtypes("string", "string") == "string"
    with pytest.raises(DTypeError, match="cannot combine dtypes string and int32"):
        promote_dtypes("string", "int32")


@pytest.mark.parametrize(
    ("kind", "beside", "expected"),
    [
        (bool, "uint8", "uint8"), (bool, "float16", "float16"), (int, "uint8", "uint8"), (int, "bool", "int32"),
        (int, "float16", "float16"), (float, "int64", "float32"), (float, "float64", "float64"),
        (float, "complex64", "complex64"), (complex, "float64", "complex128"), (complex, "float16", "complex64"),
        (complex, "int32", "complex64"), (str, "string", "string"),
    ],
)  # fmt: skip
def test_python_scalars_are_weak(kind: type, beside: str, expected: str) -> None:
    assert weak_dtype(kind, beside) == expected


@pytest.mark.parametrize("name", ALL)
def test_names_are_their_own_canonical_form(name: str) -> None:
    assert canonical_dtype(name) == name


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (bool, "bool"), (int, "int32"), (float, "float32"), (complex, "complex64"), (str, "string"),
        (np.float64, "float64"), (np.dtype("int8"), "int8"), (np.bool_, "bool"), (np.dtype(">f4"), "float32"),
    ],
)  # fmt: skip
def test_dtypes_of_others_are_recognised(given: object, expected: str) -> None:
    assert canonical_dtype(given) == expected


@pytest.mark.parametrize("given", ["float31", np.dtype("uint16"), np.dtype("M8[s]"), None, 3])
def test_unknown_dtypes_are_errors(given: object) -> None:
    with pytest.raises(DTypeError, match="is not a dtype of lamina"):
        canonical_dtype(given)


def test_real_parts() -> None:
    assert [real_dtype(d) for d in ("complex64", "complex128", "int8")] == ["float32", "float64", "int8"]
