"""Files of safetensors: what this reader takes and writes, beside the safetensors library, and what it refuses."""

from __future__ import annotations

import json
import time
import tracemalloc

import numpy as np
import pytest

import lamina
from lamina import layers
from lamina.errors import ArgumentError, DTypeError, ModelFileError, UnsafeModelError
from lamina_safetensors.layout import decode, encode

DTYPES = ["bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float16", "float32",
          "float64", "complex64"]  # fmt: skip


def arrays():
    """One array of each dtype, and odd shapes; sizes that leave the next one unaligned unless they are sorted."""
    found = {f"layer/{dtype}": np.arange(7).astype(dtype) for dtype in DTYPES}
    return {
        **found,
        "empty": np.zeros((0, 3), "float32"),
        "scalar": np.array(3.5, "float32"),
        "café": np.ones((2, 3)),
    }


def written(tensors, metadata=None):
    return b"".join(encode(tensors.items(), metadata or {}, "a file"))


class TestBesideTheLibrary:
    @pytest.fixture
    def library(self):
        return pytest.importorskip("safetensors.numpy")

    def test_the_same_bytes(self, library):
        assert written(arrays()) == library.save(arrays())
        assert written(arrays(), {"format": "np"}) == library.save(arrays(), {"format": "np"})
        assert written({}) == library.save({})

    def test_the_library_reads_what_is_written(self, library):
        found = library.load(written(arrays(), {"a": "ü"}))
        assert found.keys() == arrays().keys()
        for name, array in arrays().items():
            assert found[name].dtype == array.dtype
            assert np.array_equal(found[name], array)

    def test_what_the_library_writes_is_read(self, library):
        found, metadata = decode(library.save(arrays(), {"a": "ü\n"}), "a file")
        assert metadata == {"a": "ü\n"}
        for name, array in arrays().items():
            assert found[name].dtype == array.dtype
            assert np.array_equal(found[name], array)
            assert found[name].flags.aligned

    def test_a_whole_model_is_a_file_of_weights_to_the_library(self, library, tmp_path):
        one = model()
        one.save(tmp_path / "m.safetensors")
        found = library.load_file(tmp_path / "m.safetensors")
        for weight in one.weights:
            assert np.array_equal(found[weight.name], weight.numpy())
        assert np.array_equal(found["optimizer/iter"], 3)

    def test_weights_from_the_library(self, library, tmp_path):
        one, other = model(), model()
        library.save_file({w.name: w.numpy() for w in one.weights}, tmp_path / "w.safetensors")
        other.load_weights(tmp_path / "w.safetensors")
        assert_same_weights(one, other)


def test_bfloat16():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    array = np.arange(5).astype(ml_dtypes.bfloat16)[::2]
    data = written({"b": array})
    assert b'"BF16"' in data
    found = decode(data, "a file")[0]["b"]
    assert found.dtype == array.dtype
    assert np.array_equal(found, array)


def test_bfloat16_models(tmp_path):
    pytest.importorskip("ml_dtypes")
    one = lamina.Sequential([layers.Dense(3, input_shape=(2,), dtype="bfloat16")])
    one.save(tmp_path / "m.safetensors")
    other = lamina.load_model(tmp_path / "m.safetensors")
    assert [w.dtype for w in other.weights] == ["bfloat16", "bfloat16"]
    assert np.array_equal(one.get_weights()[0], other.get_weights()[0])


def test_arrays_are_views_of_the_file():
    data = np.frombuffer(written(arrays()), np.uint8).copy()
    found, _ = decode(data.data, "a file")
    for name, array in found.items():
        assert not array.size or np.shares_memory(array, data), name
        assert array.flags.writeable or not array.size


def test_parts_are_views_of_the_arrays():
    array = np.ones((4, 4), "float32")
    part = encode([("w", array)], {}, "a file")[1]
    assert np.shares_memory(np.frombuffer(part, "float32"), array)


def test_arrays_in_any_layout():
    wide = np.arange(24.0).reshape(4, 6)
    given = {"t": wide.T, "s": wide[::2, ::-1], "big": wide.astype(">f8"), "f": np.asfortranarray(wide)}
    found, _ = decode(written(given), "a file")
    assert all(np.array_equal(found[name], array) for name, array in given.items())


def test_unaligned_tensors_are_copied():
    header = {
        "b": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]},
        "a": {"dtype": "F32", "shape": [2], "data_offsets": [1, 9]},
    }
    found, _ = decode(file(header, b"\7" + np.float32([1.5, 2.5]).tobytes()), "a file")
    assert found["a"].tolist() == [1.5, 2.5]
    assert found["a"].flags.aligned
    assert list(found) == ["b", "a"]


# Models.


def model(**more):
    found = lamina.Sequential(
        [
            layers.Dense(4, input_shape=(3,), name="dense", **more),
            layers.BatchNormalization(name="norm"),
            layers.Dropout(0.5),
            layers.Dense(1, name="optimizer"),
        ]
    )
    found.compile("adam", "mse")
    x = np.linspace(-1, 1, 36, dtype="float32").reshape(12, 3)
    found.fit(x, x[:, :1], batch_size=4, verbose=0)
    return found


def assert_same_weights(one, other):
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        assert a.dtype == b.dtype
        assert np.array_equal(a, b)


def test_a_whole_model_and_its_training(tmp_path):
    one = model()
    one.set_user_defined_metadata({"author": {"name": "Ada"}})
    saved = one.save(tmp_path / "m.safetensors")
    assert saved.weight_bytes == (tmp_path / "m.safetensors").stat().st_size
    other = lamina.load_model(tmp_path / "m.safetensors")
    assert_same_weights(one, other)
    assert other.get_user_defined_metadata() == {"author": {"name": "Ada"}}
    x = np.ones((4, 3), "float32")
    for found in (one, other):
        found.fit(x, x[:, :1], epochs=3, verbose=0)  # the random stream of Dropout and Adam's state go on
    assert_same_weights(one, other)


def test_without_optimizer(tmp_path):
    one = model()
    one.save(tmp_path / "m.safetensors", include_optimizer=False)
    assert b"optimizer/iter" not in (tmp_path / "m.safetensors").read_bytes()
    assert lamina.load_model(tmp_path / "m.safetensors").optimizer is None
    one.save(tmp_path / "m.safetensors")
    assert lamina.load_model(tmp_path / "m.safetensors", compile=False).optimizer is None


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_weights_keep_their_dtype(dtype, tmp_path):
    one = model(dtype=dtype)
    one.get_layer("dense").set_weights([np.full((3, 4), 1 / 3, dtype), np.full(4, 1e-7, dtype)])
    one.save(tmp_path / "m.safetensors")
    assert_same_weights(one, lamina.load_model(tmp_path / "m.safetensors"))


def test_a_fingerprint_that_is_not_kept(tmp_path):
    place = tmp_path / "m.safetensors"
    model().save(place)
    tensors, metadata = decode(place.read_bytes(), "m")
    tensors = {name: array * 2 if name == "dense/kernel" else array for name, array in tensors.items()}
    place.write_bytes(written(tensors, metadata))
    with pytest.raises(ModelFileError, match="differs by"):
        lamina.load_model(place)
    assert lamina.load_model(place, fingerprint=False).count_params() > 0
    model().save(place, fingerprint=False)
    assert "fingerprint" not in decode(place.read_bytes(), "m")[1]["lamina"]


def test_weights_by_name_and_by_order(tmp_path):
    one = model()
    one.save_weights(tmp_path / "w.safetensors")
    named = lamina.Sequential([layers.Dense(4, input_shape=(3,), name="z"), layers.BatchNormalization(name="y"),
                               layers.Dropout(0.5), layers.Dense(1, name="x")])  # fmt: skip
    named.load_weights(tmp_path / "w.safetensors")
    assert_same_weights(one, named)
    one.save(tmp_path / "m.safetensors")
    other = model()
    other.load_weights(tmp_path / "m.safetensors")
    assert_same_weights(one, other)


def test_weights_of_other_names(tmp_path):
    (tmp_path / "w.safetensors").write_bytes(written({"fc.weight": np.ones((1, 2)), "fc.bias": np.zeros(1)}))
    one = lamina.Sequential([layers.Dense(1, input_shape=(2,), name="fc")])
    before = one.get_weights()
    with pytest.raises(ModelFileError, match=r"no weight 'fc/kernel'.\n.*it has 'fc.bias', 'fc.weight'"):
        one.load_weights(tmp_path / "w.safetensors")
    assert np.array_equal(before[0], one.get_weights()[0])
    tensors, _ = decode((tmp_path / "w.safetensors").read_bytes(), "w")
    one.load_weights({"fc/kernel": tensors["fc.weight"].T, "fc/bias": tensors["fc.bias"]})
    assert one.get_weights()[0].tolist() == [[1], [1]]


def test_some_of_the_weights(tmp_path):
    one = lamina.Sequential([layers.Dense(1, input_shape=(2,), name="fc")])
    (tmp_path / "w.safetensors").write_bytes(written({"fc/bias": np.float32([5]), "other": np.zeros(1)}))
    with pytest.raises(ModelFileError, match="no weight 'fc/kernel'"):
        one.load_weights(tmp_path / "w.safetensors")
    one.load_weights(tmp_path / "w.safetensors", strict=False)
    assert one.get_weights()[1].tolist() == [5]


def test_complex_values_are_not_cut(tmp_path):
    one = lamina.Sequential([layers.PReLU(input_shape=(2,), name="p")])
    (tmp_path / "w.safetensors").write_bytes(written({"p/alpha": np.ones(2, "complex64")}))
    with pytest.raises(ModelFileError, match=r"is complex64 in .*, and float32 in the model"):
        one.load_weights(tmp_path / "w.safetensors")


def test_a_file_of_weights_is_no_model(tmp_path):
    model().save_weights(tmp_path / "w.safetensors")
    with pytest.raises(ModelFileError, match="holds weights only"):
        lamina.load_model(tmp_path / "w.safetensors")
    with pytest.raises(ArgumentError, match="trainable_only"):
        model().save(tmp_path / "w.safetensors", trainable_only=True)


@pytest.mark.parametrize("listed", ["[]", '{"model":[]}', '{"model":[1],"optimizer":[]}', '{"model":{},"optimizer":[]}',
                                    '{"model":["a","a"],"optimizer":[]}', '{"model":[],"optimizer":[]}',
                                    '{"model":["a"],"optimizer":["b"]}', "{", "null"])  # fmt: skip
def test_lists_of_weights_that_are_wrong(listed, tmp_path):
    (tmp_path / "w.safetensors").write_bytes(written({"a": np.zeros(1)}, {"lamina_weights": listed}))
    with pytest.raises(ModelFileError, match=r"w.safetensors"):
        model().load_weights(tmp_path / "w.safetensors")


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"modelTopology":{}}', '{"modelTopology":{},"format":"onnx"}', "NaN"]
)
def test_descriptions_of_models_that_are_wrong(text, tmp_path):
    (tmp_path / "w.safetensors").write_bytes(written({"a": np.zeros(1)}, {"lamina": text}))
    with pytest.raises(ModelFileError):
        lamina.load_model(tmp_path / "w.safetensors")


# What is refused.


def file(header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def tensor(shape, offsets, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


ONE = tensor([1], [0, 4])
TWICE = b'{"a":%s,"a":%s}' % ((json.dumps(ONE).encode(),) * 2)
HOSTILE = {
    "a length of 2^63": file(b"{}", length=2**63),
    "a header over 100 MB": file(b"{}", length=100_000_001),
    "a header past the end": file(b"{}", length=1000),
    "nothing": b"",
    "seven bytes": b"1234567",
    "no header": bytes(8),
    "overlap": file({"a": tensor([2], [0, 8]), "b": tensor([2], [0, 8])}, bytes(8)),
    "partial overlap": file({"a": tensor([2], [0, 8]), "b": tensor([2], [4, 12])}, bytes(12)),
    "a hole": file({"a": tensor([2], [0, 8]), "b": tensor([2], [12, 20])}, bytes(20)),
    "a hole in front": file({"a": tensor([2], [4, 12])}, bytes(12)),
    "trailing bytes": file({"a": tensor([2], [0, 8])}, bytes(16)),
    "trailing bytes and no tensor": file({}, bytes(4)),
    "a byte short": file({"a": tensor([2], [0, 8])}, bytes(7)),
    "more shape than bytes": file({"a": tensor([2, 2], [0, 4])}, bytes(4)),
    "a product that wraps": file({"a": tensor([2, 2**64 - 2], [0, 16])}, bytes(16)),
    "a product of 2^64": file({"a": tensor([2**32, 2**32], [0, 0])}),
    "a negative size": file({"a": tensor([-1], [0, 4])}, bytes(4)),
    "reversed offsets": file({"a": tensor([1], [4, 0])}, bytes(4)),
    "negative offsets": file({"a": tensor([1], [-4, 0])}, bytes(4)),
    "one offset": file({"a": tensor([1], [0])}, bytes(4)),
    "an unknown dtype": file({"a": tensor([1], [0, 4], "O")}, bytes(4)),
    "a dtype of NumPy's": file({"a": tensor([1], [0, 4], "<f4")}, bytes(4)),
    "a dtype that is no text": file({"a": tensor([1], [0, 4], ["F32"])}, bytes(4)),
    "rank 9": file({"a": tensor([1] * 9, [0, 4])}, bytes(4)),
    "a size of 1.0": file(b'{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}', bytes(4)),
    "a size of true": file({"a": tensor([True], [0, 4])}, bytes(4)),
    "a shape that is no list": file({"a": tensor("1", [0, 4])}, bytes(4)),
    "no shape": file({"a": {"dtype": "F32", "data_offsets": [0, 4]}}, bytes(4)),
    "one key more": file({"a": {**ONE, "path": "../x"}}, bytes(4)),
    "a tensor that is a list": file({"a": []}),
    "bytes that are no text": file(b"{\xff}"),
    "half a header": file(b"{"),
    "a list": file(b"[]"),
    "two values": file(b"{}{}"),
    "a space before": file(b" {}"),
    "metadata that is no text": file({"__metadata__": {"a": 1}}),
    "metadata that is a list": file({"__metadata__": []}),
    "metadata within metadata": file({"__metadata__": {"a": {}}}),
    "a deep header": file(b'{"a":' * 70 + b"1" + b"}" * 70),
    "NaN": file(b'{"a":NaN}'),
    "one name twice": file(TWICE, bytes(4)),
    "metadata twice": file(b'{"__metadata__":{},"__metadata__":{}}'),
    "__proto__": file({"__proto__": ONE}, bytes(4)),
    "a path": file({"../x": ONE}, bytes(4)),
    "a path within": file({"a/../../x": ONE}, bytes(4)),
    "no name": file({"": ONE}, bytes(4)),
    "a name of control characters": file({"a\u001b]0;x\u0007": ONE}, bytes(4)),
    "a long name": file({"a" * 2000: ONE}, bytes(4)),
    "a truth value of 7": file({"a": tensor([2], [0, 2], "BOOL")}, b"\1\7"),
    "too many tensors": file({f"{i}": tensor([], [4 * i, 4 * i + 4]) for i in range(100_001)}, bytes(400_004)),
    "a ZIP archive": b"PK\x03\x04" + bytes(100),
    "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(100),
    "a pickle": b"\x80\x04" + bytes(100),
    "an array of NumPy": b"\x93NUMPY" + bytes(100),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files(name, tmp_path):
    place = tmp_path / "w.safetensors"
    place.write_bytes(HOSTILE[name])
    one = lamina.Sequential([layers.PReLU(input_shape=(1,), name="a")])
    for load in (one.load_weights, lamina.load_model):
        start = time.process_time()
        with pytest.raises(UnsafeModelError, match=r"w\.safetensors") as caught:
            load(place)
        assert time.process_time() - start < 5
        assert str(caught.value).isprintable() or "\n" in str(caught.value)
        assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(("start", "kind"), [(b"PK\x03\x04", "a ZIP archive"), (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
                                             (b"\x80\x04", "a pickle"), (b"", "an empty file")])  # fmt: skip
def test_other_files_are_named(start, kind, tmp_path):
    (tmp_path / "w.safetensors").write_bytes(start + bytes(64 if start else 0))
    with pytest.raises(UnsafeModelError, match=f"is {kind}"):
        model().load_weights(tmp_path / "w.safetensors")


@pytest.mark.parametrize("name", ["more shape than bytes", "a product of 2^64", "a hole", "a byte short", "overlap"])
def test_nothing_is_allocated_for_what_is_not_there(name):
    tracemalloc.start()
    try:
        with pytest.raises(UnsafeModelError):
            decode(HOSTILE[name], "a file")
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def test_a_hundred_thousand_tensors():
    start = time.process_time()
    data = file({f"layer/{i}": tensor([], [4 * i, 4 * i + 4]) for i in range(100_000)}, bytes(400_000))
    assert len(decode(data, "a file")[0]) == 100_000
    assert time.process_time() - start < 10


def test_every_cut_and_every_flipped_bit_is_refused_or_read(tmp_path):
    whole = written({"a": np.float32([1, 2]), "b": np.array([True])}, {"format": "np"})
    for length in range(len(whole)):
        with pytest.raises(UnsafeModelError):
            decode(whole[:length], "a file")
    for place in range(8 * (len(whole) - 9)):
        changed = bytearray(whole)
        changed[place // 8] ^= 1 << place % 8
        try:
            decode(bytes(changed), "a file")
        except UnsafeModelError:
            continue


@pytest.mark.parametrize("name", ["../x", "__proto__", "a/constructor", "a\nb", "", "__metadata__"])
def test_names_that_are_not_written(name):
    with pytest.raises(UnsafeModelError):
        written({name: np.zeros(1)})


def test_two_tensors_of_one_name():
    with pytest.raises(UnsafeModelError, match="two tensors are named 'a'"):
        encode([("a", np.zeros(1)), ("a", np.ones(1))], {}, "a file")


@pytest.mark.parametrize("array", [np.zeros(2, "complex128"), np.array(["text"]), np.array([None], object)])
def test_dtypes_that_are_not_written(array):
    with pytest.raises(DTypeError, match="'a' has the dtype"):
        written({"a": array})


def test_saving_where_it_was_loaded(tmp_path):
    """Arrays are not tied to the file: to save over it takes nothing from them."""
    place = tmp_path / "m.safetensors"
    one = model()
    one.save(place)
    loaded = lamina.load_model(place)
    loaded.save(place)
    (tmp_path / "m.safetensors").write_bytes(b"")
    assert_same_weights(one, loaded)


def test_nothing_of_the_machine_is_in_the_file(tmp_path):
    import getpass
    import os
    import socket

    place = tmp_path / "m.safetensors"
    model().save(place)
    for text in (socket.gethostname(), getpass.getuser(), str(tmp_path), os.getcwd()):
        assert text.encode() not in place.read_bytes().split(b"optimizer", 1)[0]
