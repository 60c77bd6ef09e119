"""Weights to bytes and back."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from lamina.contract.io import WeightSpec
from lamina.errors import DTypeError, UnsafeModelError
from lamina.io import decode_weights, decode_weights_stream, encode_weights

ARRAYS = {
    "float32": (np.array([[1.5, -0.0], [np.nan, np.inf]], "float32"), "float32"),
    "float32 without elements": (np.zeros((0, 3), "float32"), "float32"),
    "float32 scalar": (np.float32(2.5), "float32"),
    "float32 of big-endian": (np.array([1.0, 2.0], ">f4"), "float32"),
    "float32 transposed": (np.arange(6, dtype="float32").reshape(2, 3).T, "float32"),
    "float64": (np.array([0.5, np.inf]), "float32"),
    "float16": (np.array([0.25, 65504], "float16"), "float32"),
    "bfloat16": (np.array([1.5, -2], ml_dtypes.bfloat16), "float32"),
    "int32": (np.array([-(2**31), 2**31 - 1], "int32"), "int32"),
    "int64": (np.array([2**31 - 1]), "int32"),
    "int16": (np.array([-5, 5], "int16"), "int32"),
    "int8": (np.array([-128], "int8"), "int32"),
    "uint8": (np.array([255], "uint8"), "int32"),
    "bool": (np.array([[True], [False]]), "bool"),
    "complex64": (np.array([1 + 3j, 2 + 4j], "complex64"), "complex64"),
    "complex128": (np.array([1 + 3j]), "complex64"),
    "string": (np.array([["é", ""], ["日本", "a\0b"]], dtype=object), "string"),
    "string of fixed width": (np.array(["a", "bcd"]), "string"),
    "string without elements": (np.array([], dtype=object), "string"),
}


@pytest.mark.parametrize(("array", "dtype"), ARRAYS.values(), ids=list(ARRAYS))
def test_every_dtype_comes_back(array, dtype):
    specs, data = encode_weights([("layer/kernel", array, None)])
    assert specs == (WeightSpec("layer/kernel", np.shape(array), dtype),)
    [(spec, found)] = decode_weights(specs, data)
    assert spec == specs[0]
    assert found.shape == np.shape(array)
    assert found.dtype == (object if dtype == "string" else dtype)
    np.testing.assert_array_equal(found, np.asarray(array).astype(found.dtype))


def test_decoded_arrays_are_fresh_and_aligned():
    specs, data = encode_weights([("a", np.array([True]), None), ("b", np.ones(3, "float32"), None)])
    kept = bytes(data)
    for _, array in decode_weights(specs, data):
        assert array.flags.aligned
        assert array.flags.writeable
        array[...] = 0
    assert data == kept


EXAMPLE = [
    ("s", np.array(["é", ""]), None),
    ("b", np.array([True, False]), None),
    ("c", np.array([1 + 3j, 2 + 4j], "complex64"), None),
    ("i", np.array([5], "int32"), "optimizer"),
    ("f", np.float32(1.5), None),
]
EXAMPLE_HEX = "02000000c3a9 00000000 0100 0000803f 00004040 00000040 00008040 05000000 0000c03f"


def test_the_layout_is_that_of_tensorflow_js():
    specs, data = encode_weights(EXAMPLE)
    assert data == bytes.fromhex(EXAMPLE_HEX)
    assert [spec.group for spec in specs] == [None, None, None, "optimizer", None]
    for (_, expected, _), (_, found) in zip(EXAMPLE, decode_weights(specs, data), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("dtype", "rules", "data", "expected"),
    [
        ("float32", {"dtype": "uint8", "scale": 0.5, "min": -1}, b"\x00\x02\xff", [-1.0, 0.0, 126.5]),
        ("float32", {"dtype": "uint16", "scale": 0.1, "min": 0.0}, b"\x01\x00\x00\x01\xff\xff", [0.1, 25.6, 6553.5]),
        ("float32", {"dtype": "float16"}, b"\x00\x3c\x00\xc0\x00\x7c", [1.0, -2.0, np.inf]),
        ("int32", {"dtype": "uint8", "scale": 0.5, "min": -1}, b"\x00\x01\x03", [-1, 0, 1]),
    ],
)  # fmt: skip
def test_quantized_weights_are_expanded(dtype, rules, data, expected):
    [(_, found)] = decode_weights([WeightSpec("w", (3,), dtype, None, rules)], data)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, np.array(expected, dtype))


REFUSED_ON_SAVE = {
    "int64 that does not fit": (
        [("w", np.array([2**31]), None)],
        DTypeError,
        """the weight 'w' has int64 values that do not fit int32.
  Expected values that int32 can hold, for saved models know no wider dtype.
  Fix: convert the weight to int32 before saving.""",
    ),
    "float64 that does not fit": (
        [("w", np.array([1e300]), None)],
        DTypeError,
        """the weight 'w' has float64 values that do not fit float32.
  Expected values that float32 can hold, for saved models know no wider dtype.
  Fix: convert the weight to float32 before saving.""",
    ),
    "unknown dtype": (
        [("w", np.array([0], "datetime64[s]"), None)],
        DTypeError,
        """dtype('<M8[s]') is not a dtype of lamina.
  Expected one of bool, uint8, int8, int16, int32, int64, float16, bfloat16, float32, float64, complex64, complex128, \
string.
  Fix: convert the array first, for example with array.astype('float32').""",
    ),
    "objects": (
        [("w", np.array([None]), None)],
        DTypeError,
        """the weight 'w' holds None.
  Expected an array of numbers or of text.""",
    ),
    "two of one name": (
        [("w", np.ones(1), None), ("w", np.ones(1), None)],
        UnsafeModelError,
        """the weights to save: two weights are named 'w'.
  Expected each name once.""",
    ),
    "a name that leads up": (
        [("../x", np.ones(1), None)],
        UnsafeModelError,
        """the weights to save: the name '../x' is not allowed.
  Expected printable characters, and none of '..', '__proto__', 'prototype', 'constructor' between slashes.""",
    ),
    "no name": (
        [("", np.ones(1), None)],
        UnsafeModelError,
        """the weights to save: '' is not a name.
  Expected text of 1 to 1024 characters.""",
    ),
    "unknown group": (
        [("w", np.ones(1), "other")],
        UnsafeModelError,
        """the weights to save: the weight 'w' has the group 'other'.
  Expected 'model' or 'optimizer'.""",
    ),
}


@pytest.mark.parametrize(("weights", "error", "message"), REFUSED_ON_SAVE.values(), ids=list(REFUSED_ON_SAVE))
def test_what_cannot_be_encoded(weights, error, message):
    with pytest.raises(error) as caught:
        encode_weights(weights)
    assert str(caught.value) == message


REFUSED_ON_LOAD = {
    "too few bytes": (
        [WeightSpec("w", (4,), "float32")],
        b"\0" * 15,
        """the weights: the weights take 16 bytes, but 15 are stored: 1 are missing.
  Fix: copy the model again: its files are cut short, or belong to different models.""",
    ),
    "too many bytes": (
        [WeightSpec("w", (4,), "float32")],
        b"\0" * 17,
        """the weights: the weights take 16 bytes, but 17 are stored: 1 are left over.
  Fix: copy the model again: its files are cut short, or belong to different models.""",
    ),
    "text past the end": (
        [WeightSpec("w", (1,), "string")],
        b"\xff\xff\xff\xffab",
        """the weights: the text of the weight 'w' goes on past the stored bytes.
  Expected 1 strings within 6 bytes.""",
    ),
    "very many strings": (
        [WeightSpec("w", (2**31,), "string")],
        b"\0" * 8,
        """the weights: the weights take at least 8589934592 bytes, but 8 are stored: 8589934584 are missing.
  Fix: copy the model again: its files are cut short, or belong to different models.""",
    ),
    "bytes after the text": (
        [WeightSpec("w", (1,), "string")],
        b"\1\0\0\0a..",
        "the weights: the weights take 5 bytes, but 7 are stored.",
    ),
    "text that is not UTF-8": (
        [WeightSpec("w", (1,), "string")],
        b"\1\0\0\0\xff",
        "the weights: the weight 'w' holds text that is not UTF-8.",
    ),
}


@pytest.mark.parametrize(("specs", "data", "message"), REFUSED_ON_LOAD.values(), ids=list(REFUSED_ON_LOAD))
def test_what_cannot_be_decoded(specs, data, message):
    with pytest.raises(UnsafeModelError) as caught:
        decode_weights(specs, data)
    assert str(caught.value) == message


class TestStreams:
    WEIGHTS = [
        ("text", np.array(["é", "", "long " * 20], dtype=object), None),
        ("none", np.zeros((0, 3), np.float32), None),
        ("real", np.arange(6, dtype=np.float32).reshape(2, 3), None),
        ("empty text", np.zeros((0,), dtype=object), None),
        ("flags", np.array([True, False]), "optimizer"),
    ]

    @pytest.mark.parametrize("length", [1, 3, 7, 64, 1000])
    def test_pieces_of_any_length(self, length):
        specs, data = encode_weights(self.WEIGHTS)
        pieces = [data[start : start + length] for start in range(0, len(data), length)]
        found = list(decode_weights_stream(specs, pieces))
        assert [spec.name for spec, _ in found] == [name for name, _, _ in self.WEIGHTS]
        for (_, array), (_, expected, _) in zip(found, self.WEIGHTS, strict=True):
            assert array.tolist() == expected.tolist()

    def test_a_weight_is_given_when_it_is_there(self):
        specs, data = encode_weights(self.WEIGHTS[2:3] + self.WEIGHTS[4:])
        taken = []

        def pieces():
            for byte in data:
                taken.append(byte)
                yield bytes([byte])

        stream = decode_weights_stream(specs, pieces())
        assert next(stream)[0].name == "real"
        assert len(taken) == 24

    def test_too_few_and_too_many_bytes(self):
        specs, data = encode_weights(self.WEIGHTS)
        for length in range(len(data)):
            with pytest.raises(UnsafeModelError, match="end within the weight"):
                list(decode_weights_stream(specs, [data[:length]]))
        with pytest.raises(UnsafeModelError, match="go on after the last weight"):
            list(decode_weights_stream(specs, [data, b"", b"1"]))
        with pytest.raises(UnsafeModelError):
            list(decode_weights_stream(specs, [b"\xff\xff\xff\xff" + data]))
