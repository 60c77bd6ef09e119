"""``.keras`` files from strangers: each recipe is refused with our error, at once, and runs and imports nothing."""

from __future__ import annotations

import io
import json
import struct
import sys
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import layers
from lamina.errors import LaminaError, ModelFileError, SerializationError, UnknownNameError, UnsafeModelError
from lamina_keras.archive import KerasFile
from lamina_keras.zip_reading import read_archive
from lamina_keras.zip_writing import write_archive

NAMES = ("metadata.json", "config.json", "model.weights.h5")


def saved() -> bytes:
    model = lamina.Sequential([lamina.Input((3,)), layers.Dense(2, name="d")])
    return b"".join(map(bytes, KerasFile().save_model(model, "m.keras", include_optimizer=True, fingerprint=True)))


GOOD = saved()


def members(data: bytes = GOOD) -> dict[str, bytes]:
    return {name: bytes(member.read(1 << 20)) for name, member in read_archive(memoryview(data), "m.keras").items()}


def archive(found: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as written:
        for name, data in found.items():
            written.writestr(name, data)
    return target.getvalue()


def load(data: bytes) -> Any:
    return KerasFile().load_model(memoryview(data), "'m.keras'", compile=True, fingerprint=True)


def refused(data: bytes, match: str = ".", kind: type[LaminaError] = UnsafeModelError) -> None:
    """Asserts that loading is refused, quickly, with the file's name, and without imports or much memory."""
    loaded = set(sys.modules)
    start = time.process_time()
    tracemalloc.start()
    try:
        with pytest.raises(kind, match=match) as caught:
            load(data)
        assert tracemalloc.get_traced_memory()[1] < (16 << 20) + 16 * len(data)
    finally:
        tracemalloc.stop()
    assert time.process_time() - start < 2
    assert isinstance(caught.value, LaminaError)
    assert {name for name in set(sys.modules) - loaded if not name.startswith("lamina")} == set()


def test_the_recipe_itself_loads() -> None:
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        assert load(archive(members(), method)).count_params() == 8
    assert load(archive({**members(), "assets/layers/x/words.txt": b"a"})).count_params() == 8


# -- the archive ---------------------------------------------------------------------------------------------------


def test_what_is_written_is_a_zip_as_others_read_it() -> None:
    with zipfile.ZipFile(io.BytesIO(GOOD)) as found:
        assert found.testzip() is None
        assert tuple(found.namelist()) == NAMES
        assert {info.date_time for info in found.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {info.compress_type for info in found.infolist()} == {zipfile.ZIP_STORED}
    for member in read_archive(memoryview(GOOD), "m.keras").values():
        start = np.frombuffer(member.stored, np.uint8).ctypes.data - np.frombuffer(GOOD, np.uint8).ctypes.data
        assert start % 64 == 0


@pytest.mark.parametrize(
    "name",
    ["../../evil", "/abs", "C:\\x", "assets\\..\\..\\w", "assets/../x", "assets/", "assets//x", "assets/a b", "x.py",
     "./assets/x", "assets", "Config.json", "model.weights.npz", "variables.h5", "", "assets/NUL", "assets/x\0y"],
)  # fmt: skip
def test_members_that_no_model_has(name: str) -> None:
    refused(b"".join(map(bytes, write_archive([*((n, [d]) for n, d in members().items()), (name, [b"{}"])]))))


def test_a_link() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as written:
        for name, data in members().items():
            written.writestr(name, data)
        link = zipfile.ZipInfo("assets/link")
        link.external_attr = 0o120777 << 16
        written.writestr(link, "/etc/hostname")
    refused(target.getvalue(), "is a link or a folder")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_twice() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as written:
        for name, data in [*members().items(), ("config.json", b"{}")]:
            written.writestr(name, data)
    refused(target.getvalue(), "two members are named 'config.json'")


def test_a_bomb() -> None:
    for name, size in (("config.json", 65 << 20), ("model.weights.h5", 200 << 20)):
        refused(archive({**members(), name: b" " * size}, zipfile.ZIP_DEFLATED), f"{size} bytes")


def directory_field(data: bytes, name: bytes, offset: int, form: str, value: int) -> bytes:
    """The archive with a field of a member's line in the directory changed; 46 bytes stand before the name."""
    changed = bytearray(data)
    struct.pack_into(form, changed, data.rfind(name) - 46 + offset, value)
    return bytes(changed)


def header_field(data: bytes, name: bytes, offset: int, form: str, value: int) -> bytes:
    """The same with a member's own header, in which 30 bytes stand before the name."""
    changed = bytearray(data)
    struct.pack_into(form, changed, data.find(name) - 30 + offset, value)
    return bytes(changed)


@pytest.mark.parametrize(
    ("offset", "form", "value"),
    [(24, "<I", 100), (20, "<I", 100), (16, "<I", 1), (8, "<H", 1), (8, "<H", 8), (10, "<H", 14), (10, "<H", 93),
     (10, "<H", 99), (34, "<H", 1), (42, "<I", 5), (42, "<I", 0), (24, "<I", 2**32 - 1), (6, "<H", 63), (32, "<H", 9),
     (30, "<H", 9), (28, "<H", 3), (38, "<I", 0x10)],
)  # fmt: skip
def test_lies_in_the_directory(offset: int, form: str, value: int) -> None:
    """Sizes, checksum, flags, method, disk, start, version, lengths and attributes."""
    refused(directory_field(GOOD, b"config.json", offset, form, value))
    packed = archive(members(), zipfile.ZIP_DEFLATED)
    if (offset, value) != (10, 8):
        refused(directory_field(packed, b"config.json", offset, form, value))


@pytest.mark.parametrize(
    ("offset", "form", "value"), [(22, "<I", 9), (18, "<I", 9), (14, "<I", 9), (6, "<H", 1), (8, "<H", 8)]
)
def test_headers_that_differ_from_the_directory(offset: int, form: str, value: int) -> None:
    refused(header_field(GOOD, b"config.json", offset, form, value), "config.json")


def test_both_headers_lie() -> None:
    """A size that both give is counted while unpacking, and the checksum is taken."""
    packed = archive(members(), zipfile.ZIP_DEFLATED)
    lying = header_field(directory_field(packed, b"config.json", 24, "<I", 100), b"config.json", 22, "<I", 100)
    refused(lying, "does not hold the 100 bytes")
    wrong = header_field(directory_field(GOOD, b"config.json", 16, "<I", 7), b"config.json", 14, "<I", 7)
    refused(wrong, "its checksum does not fit")


def end_field(offset: int, form: str, value: int) -> bytes:
    changed = bytearray(GOOD)
    struct.pack_into(form, changed, len(GOOD) - 22 + offset, value)
    return bytes(changed)


@pytest.mark.parametrize(
    ("offset", "form", "value"),
    [(4, "<H", 1), (6, "<H", 1), (8, "<H", 2), (10, "<H", 4), (10, "<H", 65_535), (12, "<I", 7), (16, "<I", 0),
     (16, "<I", 2**32 - 1), (20, "<H", 9)],
)  # fmt: skip
def test_lies_at_the_end(offset: int, form: str, value: int) -> None:
    refused(end_field(offset, form, value))


@pytest.mark.parametrize(
    "change",
    [
        lambda data: b"GIF89a" + data,
        lambda data: data + b"\0",
        lambda data: data[:-1],
        lambda data: data[: len(data) // 2],
        lambda data: data[:-2] + b"\x05\x00hello",
        lambda data: data[:30],
        lambda data: b"PK\x03\x04",
        lambda data: b"",
    ],
)
def test_bytes_before_and_behind(change: Callable[[bytes], bytes]) -> None:
    refused(change(GOOD))


def test_many_members() -> None:
    refused(archive({f"assets/{i}": b"" for i in range(10_001)}), "it has 10001 members")


def test_a_large_end_that_lies() -> None:
    count = struct.pack("<4sQ2H2I4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 3, 3, 2**63, 2**63)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, len(GOOD) - 22, 1)
    refused(GOOD[:-22] + count + locator + GOOD[-22:])


@pytest.mark.parametrize("missing", NAMES)
def test_a_member_that_is_missing(missing: str) -> None:
    found = {name: data for name, data in members().items() if name != missing}
    refused(archive(found), f"has no {missing}", ModelFileError)


def test_bits_that_fell_over() -> None:
    """Whatever bit is changed, the model loads as it was or our error comes."""
    generator = np.random.default_rng(0)
    for position in generator.integers(0, len(GOOD), 300):
        changed = bytearray(GOOD)
        changed[position] ^= 1 << int(generator.integers(8))
        try:
            load(bytes(changed))
        except LaminaError:
            continue


# -- the config ----------------------------------------------------------------------------------------------------


def with_config(change: Callable[[Any], Any], name: str = "config.json") -> bytes:
    found = members()
    config = json.loads(found[name])
    changed = change(config)
    return archive({**found, name: json.dumps(config if changed is None else changed).encode()})


def with_layer(entry: Mapping[str, Any]) -> bytes:
    def change(config: Any) -> None:
        config["config"]["layers"].append({"registered_name": None, **entry})

    return with_config(change)


def with_setting(key: str, value: Any) -> bytes:
    def change(config: Any) -> None:
        config["config"]["layers"][1]["config"][key] = value

    return with_config(change)


CODE = ["4wEAAAAAAAAAAAAAAAEAAAACAAAAQwAAAHMEAAAAfABTAA==", None, None]
REFUSED = (UnsafeModelError, UnknownNameError, SerializationError, ModelFileError)


@pytest.mark.parametrize(
    "entry",
    [
        {"module": "subprocess", "class_name": "run", "config": {"args": ["id"]}},
        {"module": "subprocess", "class_name": "Dense", "config": {"units": 1}},
        {"module": "keras.models", "class_name": "Model", "config": {"layers": [
            {"module": "subprocess", "class_name": "run", "config": {}, "name": "x", "inbound_nodes": []}]}},
        {"module": "keras.layers", "class_name": "Lambda", "config": {"name": "l", "function": CODE}},
        {"module": "keras.layers", "class_name": "Lambda", "config": {"name": "l", "function": {
            "class_name": "__lambda__", "config": {"value": CODE}}}},
        {"module": "keras.layers", "class_name": "Lambda", "config": {"name": "l", "arguments": {"origin": "http://x"},
            "function": {"class_name": "function", "module": "keras.utils", "config": "get_file"}}},
        {"module": "keras.config", "class_name": "enable_unsafe_deserialization", "config": {}},
        {"module": "keras.layers", "class_name": "TFSMLayer", "config": {"filepath": "/tmp/x"}},
        {"module": "keras.layers", "class_name": "TorchModuleWrapper", "config": {"module": "x"}},
        {"module": "keras.layers", "class_name": "StringLookup", "config": {"vocabulary": "/etc/hostname"}},
        {"module": "builtins", "class_name": "exec", "config": {}},
        {"module": "keras.losses", "class_name": "MeanSquaredError", "config": {"name": "x"}},
        {"module": None, "class_name": "Dense", "config": None},
        {"class_name": ["Dense"], "config": {}},
    ],
)  # fmt: skip
def test_layers_that_are_none(entry: Any) -> None:
    data = with_layer(entry)
    refused(data, kind=LaminaError)
    with pytest.raises(REFUSED):
        load(data)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("activation", "os.getcwd"),
        ("activation", {"module": "keras.utils", "class_name": "function", "config": "get_file"}),
        ("activation", {"module": "builtins", "class_name": "function", "config": "eval", "registered_name": "eval"}),
        ("activation", {"class_name": "__lambda__", "config": {"value": CODE}}),
        ("kernel_initializer", {"class_name": "exec", "config": {}}),
        ("kernel_initializer", {"module": "os", "class_name": "Zeros", "config": {}}),
        ("kernel_regularizer", {"module": "keras.losses", "class_name": "Huber", "config": {}}),
        ("units", 10**12), ("units", {"class_name": "__tensor__", "config": {"value": [1], "dtype": "int32"}}),
        ("units", {"class_name": "__typespec__", "config": {}}),
    ],
)  # fmt: skip
def test_settings_that_are_none(key: str, value: Any) -> None:
    refused(with_setting(key, value), kind=LaminaError)


@pytest.mark.parametrize("name", ["../../../x", "..", "/x", "a/b", "a\0b", "x" * 2000, "__proto__", "a\x1b]0;x"])
def test_names_on_load_and_on_save(name: str) -> None:
    refused(with_setting("name", name), kind=LaminaError)
    model = lamina.Sequential([lamina.Input((3,)), layers.Dense(2, name="d")])
    model.layers[0].name = name
    with pytest.raises(LaminaError):
        KerasFile().save_model(model, "m.keras", include_optimizer=True, fingerprint=False)


@pytest.mark.parametrize(
    "text",
    [b"[" * 200_000, b'{"a":1,"a":2}', b"NaN", b"1e999", b"9" * 5000, b'"\\ud800"', b"\xff\xfe{}", b"{} x", b"", b"[]",
     b'"x"', b"null", b"{}", b'{"class_name":"Sequential","config":[]}', b'{"class_name":"Sequential","config":{}}'],
)  # fmt: skip
def test_texts_that_are_no_config(text: bytes) -> None:
    refused(archive({**members(), "config.json": text}), kind=LaminaError)


def test_metadata_that_lies() -> None:
    for value in ([], "x", None, {"lamina": 3}, {"lamina": {"seeds": "x", "fingerprint": None, "metadata": 7}}):
        assert load(archive({**members(), "metadata.json": json.dumps(value).encode()})).count_params() == 8
    for value in ({"lamina": {"fingerprint": 3}}, {"lamina": {"fingerprint": [{"shape": "x"}]}}):
        refused(archive({**members(), "metadata.json": json.dumps(value).encode()}), kind=ModelFileError)


def test_functions_between_layers_that_are_none() -> None:
    entry = {"module": "keras.src.ops.numpy", "class_name": "Fromfile", "config": {"name": "f"}, "name": "f"}
    tensor = {"class_name": "__keras_tensor__", "config": {"keras_history": ["i", 0, 0], "dtype": "float32"}}
    start = {
        "class_name": "InputLayer",
        "config": {"batch_shape": [None, 3], "name": "i"},
        "name": "i",
        "inbound_nodes": [],
    }

    def graph(function: Mapping[str, Any], args: Any) -> bytes:
        called = {**entry, **function, "inbound_nodes": [{"args": args, "kwargs": {}}]}
        config = {"name": "m", "layers": [start, called], "input_layers": [["i", 0, 0]], "output_layers": ["f", 0, 0]}
        return archive(
            {**members(), "config.json": json.dumps({"class_name": "Functional", "config": config}).encode()}
        )

    refused(graph({}, [tensor]), "the function 'numpy.Fromfile'", UnknownNameError)
    for args in (
        [],
        [3],
        [tensor, {"class_name": "x"}],
        "x",
        [tensor, {"class_name": "__slice__", "config": {"start": "a"}}],
    ):
        refused(graph({"class_name": "GetItem"}, args), kind=LaminaError)
    tile = graph({"class_name": "Tile", "config": {"name": "f", "repeats": [10**9, 10**9]}}, [tensor])
    refused(tile, kind=LaminaError)


# -- the weights ---------------------------------------------------------------------------------------------------


def test_weights_that_do_not_belong() -> None:
    other = lamina.Sequential([lamina.Input((3,)), layers.Dense(5, name="d")])
    weights = b"".join(map(bytes, KerasFile().save_model(other, "o", include_optimizer=True, fingerprint=False)))
    swapped = {**members(), "model.weights.h5": members(weights)["model.weights.h5"]}
    refused(archive(swapped), "of shape", ModelFileError)
    refused(archive({**members(), "model.weights.h5": b"PK\x03\x04"}), kind=ModelFileError)
    refused(archive({**members(), "model.weights.h5": b""}), kind=ModelFileError)
