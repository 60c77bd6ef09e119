"""Models from strangers: each recipe is refused with our error, at once, and nothing outside the folder is opened."""

from __future__ import annotations

import json
import os
import time
import tracemalloc

import pytest

from lamina.errors import ModelFileError, ModelNotFoundError, UnsafeModelError
from lamina.io import decode_model_json, decode_weights, filesystem, load_artifacts
from lamina.io.checks import shown_address

WEIGHT = {"name": "w", "shape": [4], "dtype": "float32"}


def write(folder, weights=(WEIGHT,), paths=("w.bin",), data=b"\0" * 16, **document):
    """A folder with a model whose document says what it is told to."""
    folder.mkdir(exist_ok=True)
    manifest = [{"paths": list(paths), "weights": list(weights)}]
    text = json.dumps({"modelTopology": {}, "weightsManifest": manifest, **document})
    (folder / "model.json").write_text(text)
    if data is not None:
        (folder / "w.bin").write_bytes(data)
    return folder


def refused(folder, match="."):
    """Asserts that loading is refused, quickly, and gives the message."""
    start = time.process_time()
    with pytest.raises(UnsafeModelError, match=match) as caught:
        load_artifacts(folder)
    assert time.process_time() - start < 1
    assert shown_address(str(folder / "model.json")) in str(caught.value)
    return str(caught.value)


def test_the_recipe_itself_loads(tmp_path):
    found = load_artifacts(write(tmp_path / "m"))
    assert decode_weights(found.weight_specs, found.weight_data)[0][1].tolist() == [0, 0, 0, 0]


PATHS = [
    "../secret.bin", "/etc/hostname", "a/../../x", "..\\x", "C:\\x", "C:/x", "\\\\host\\s", "//host/s", "file:///x",
    "http://127.0.0.1:9/x", "simplecache::http://x", "%2e%2e/x", "x\0y", "NUL", "nul.bin", "a/COM1.bin", "a.bin:ads",
    "", ".", "..", "./..", "././x", "a//b", "a/", "a/./b", "a.", " a", "a\n", "\u202ea", "a" * 256, 3, None, ["a"],
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS, ids=ascii)
def test_paths_of_weight_files(path, tmp_path, monkeypatch):
    (tmp_path / "secret.bin").write_bytes(b"\0" * 16)
    folder = write(tmp_path / "m", paths=[path])
    opened = []
    monkeypatch.setattr(filesystem, "open_beneath", lambda *a: opened.append(a))
    assert "is not allowed" in refused(folder)
    assert opened == []


def test_a_path_that_is_named_twice(tmp_path):
    refused(write(tmp_path / "m", paths=["w.bin", "./w.bin"], data=b"\0" * 8), "names the weight file 'w.bin' twice")


class TestWhatLiesThere:
    @pytest.fixture
    def folder(self, tmp_path):
        (tmp_path / "outside").mkdir()
        (tmp_path / "outside" / "w.bin").write_bytes(b"\0" * 16)
        return write(tmp_path / "m", data=None)

    def test_a_link(self, folder):
        (folder / "w.bin").symlink_to(folder.parent / "outside" / "w.bin")
        refused(folder, "is a link, or lies behind one")

    def test_a_linked_folder(self, folder):
        write(folder, paths=["sub/w.bin"], data=None)
        (folder / "sub").symlink_to(folder.parent / "outside")
        refused(folder, "is a link, or lies behind one")

    def test_a_pipe(self, folder):
        os.mkfifo(folder / "w.bin")
        refused(folder, "is no ordinary file")

    def test_a_link_to_a_device(self, folder):
        (folder / "w.bin").symlink_to("/dev/zero")
        refused(folder, "is a link, or lies behind one")

    def test_a_folder(self, folder):
        (folder / "w.bin").mkdir()
        refused(folder, "is no ordinary file")

    @pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: os.symlink("/dev/zero", path)])
    def test_a_document_that_is_no_file(self, folder, make):
        (folder / "model.json").unlink()
        make(folder / "model.json")
        refused(folder, "is no ordinary file")

    def test_nothing(self, folder):
        with pytest.raises(ModelNotFoundError) as caught:
            load_artifacts(folder)
        assert str(caught.value) == (
            f"{shown_address(f'{folder}/model.json')}: the weight file 'w.bin' is missing.\n"
            "  Fix: copy the whole folder of the model."
        )


class TestSizes:
    def test_a_truncated_file(self, tmp_path):
        folder = write(tmp_path / "m", data=b"\0" * 15)
        assert refused(folder) == (
            f"'{folder}/model.json': w.bin (15 bytes): the weights take 16 bytes, but 15 are stored: 1 are missing.\n"
            "  Fix: copy the model again: its files are cut short, or belong to different models."
        )

    def test_bytes_left_over(self, tmp_path):
        refused(write(tmp_path / "m", data=b"\0" * 17), "1 are left over")

    def test_no_file_at_all(self, tmp_path):
        refused(write(tmp_path / "m", paths=[]), "no file: the weights take 16 bytes, but 0 are stored")

    def test_two_weights_of_one_name(self, tmp_path):
        refused(write(tmp_path / "m", [WEIGHT, WEIGHT], data=b"\0" * 32), "two weights are named 'w'")

    def test_each_group_has_its_own_files(self, tmp_path):
        folder = write(tmp_path / "m")
        groups = [{"paths": ["w.bin"], "weights": []}, {"paths": [], "weights": [WEIGHT]}]
        (folder / "model.json").write_text(json.dumps({"modelTopology": {}, "weightsManifest": groups}))
        refused(folder, "w.bin \\(16 bytes\\): the weights take 0 bytes, but 16 are stored")

    def test_nothing_is_allocated_for_what_is_only_declared(self, tmp_path):
        folder = write(tmp_path / "m", [{**WEIGHT, "shape": [10**14]}])
        tracemalloc.start()
        try:
            refused(folder)
            assert tracemalloc.get_traced_memory()[1] < 1 << 20
        finally:
            tracemalloc.stop()


TEXT = {"name": "w", "shape": [1], "dtype": "string"}


@pytest.mark.parametrize(
    ("weight", "data"),
    [
        (TEXT, b"\xff\xff\xff\xffab"),
        ({**TEXT, "shape": [2**31]}, b"\0" * 8),
        ({**TEXT, "shape": [2]}, b"\x04\0\0\0\0\0\0\0"),
        (TEXT, b""),
        (TEXT, b"\0\0\0"),
    ],
)
def test_text_weights(weight, data, tmp_path):
    refused(write(tmp_path / "m", [weight], data=data))


def test_a_text_weight_without_elements_has_no_bytes(tmp_path):
    found = load_artifacts(write(tmp_path / "m", [{**TEXT, "shape": [0]}], data=b""))
    assert decode_weights(found.weight_specs, found.weight_data)[0][1].shape == (0,)


SHAPES = [
    [-1], [1.0], [True], ["4"], [2, 9223372036854775807], [4294967296, 4294967296], [1] * 65, [1] * 9, "4", 4, None,
    [[4]], {}, [0, 2**40, 2**40], [2**53],
]  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES, ids=ascii)
def test_shapes(shape, tmp_path):
    refused(write(tmp_path / "m", [{**WEIGHT, "shape": shape}]))


def test_a_weight_without_elements(tmp_path):
    found = load_artifacts(write(tmp_path / "m", [{**WEIGHT, "shape": [0, 2**40]}], data=b""))
    assert decode_weights(found.weight_specs, found.weight_data)[0][1].shape == (0, 2**40)


KINDS = [
    {"dtype": "object"}, {"dtype": "V2147483647"}, {"dtype": "<U99999999"}, {"dtype": "float128"}, {"dtype": "O"},
    {"dtype": "float64"}, {"dtype": None}, {"dtype": ["float32"]}, {"dtype": {}}, {"group": "x"}, {"group": 1},
    {"name": 3}, {"name": None}, {"name": ""}, {"name": "__proto__"}, {"name": "a/../b"}, {"name": "constructor"},
    {"name": "a\x1b]0;x\x07"}, {"name": "a\nb"}, {"name": "x" * 1_000_000}, {"name": "\u202egpj"}, {"extra": 1},
    {"quantization": {}}, {"quantization": 1}, {"quantization": {"dtype": "int64", "scale": 1, "min": 0}},
    {"quantization": {"dtype": ["uint8"], "scale": 1, "min": 0}},
    {"quantization": {"dtype": "uint8", "scale": "x", "min": 0}}, {"quantization": {"dtype": "uint8", "min": 0}},
    {"quantization": {"dtype": "uint8", "scale": True, "min": 0}},
    {"quantization": {"dtype": "uint8", "scale": 1e300, "min": 0}},
    {"quantization": {"dtype": "float16"}, "dtype": "int32"},
    {"quantization": {"dtype": "uint8", "scale": 1, "min": 0}, "dtype": "bool"},
    {"quantization": {"dtype": "uint8", "scale": 1e9, "min": 0}, "dtype": "int32"},
]  # fmt: skip


@pytest.mark.parametrize("change", KINDS, ids=lambda change: ascii(change)[:60])
def test_kinds_and_names(change, tmp_path):
    message = refused(write(tmp_path / "m", [{**WEIGHT, **change}]))
    assert message.replace("\n", "").isprintable()
    assert len(message) < 2000


DOCUMENT = '{"modelTopology":{"units":%s}}'
TEXTS = {
    "deep": b"[" * 200_000,
    "deep and closed": b'{"modelTopology":' + b"[" * 100 + b"]" * 100 + b"}",
    "repeated key": b'{"modelTopology":{"units":3,"units":3e9}}',
    "NaN": DOCUMENT % "NaN",
    "Infinity": DOCUMENT % "-Infinity",
    "1e999": DOCUMENT % "1e999",
    "a long integer": DOCUMENT % ("9" * 5000),
    "2^53": DOCUMENT % 2**53,
    "half a surrogate pair": DOCUMENT % '"\\ud800"',
    "half a surrogate pair as a key": '{"modelTopology":{"\\uDFFF":1}}',
    "UTF-16": json.dumps({"modelTopology": {}}).encode("utf-16"),
    "UTF-8 with a mark": b'\xef\xbb\xbf{"modelTopology":{}}',
    "Latin-1": b'{"modelTopology":{"name":"\xe9"}}',
    "bytes after it": b'{"modelTopology":{}} x',
    "two documents": b'{"modelTopology":{}}{"modelTopology":{}}',
    "cut short": b'{"modelTopology":{"un',
    "empty": b"",
    "zeros": b"\0" * 100,
    "many brackets": b"[" + b"[]," * 1_000_001 + b"[]]",
    "an open quote": b'{"a":"' + b'\\"' * 200_000,
    "a control character": b'{"modelTopology":{"name":"a\nb"}}',
    "a manifest that is no list": b'{"modelTopology":{},"weightsManifest":{}}',
    "a group that is no object": b'{"modelTopology":{},"weightsManifest":[1]}',
    "a group with other keys": b'{"modelTopology":{},"weightsManifest":[{"paths":[],"weights":[],"x":1}]}',
    "metadata that is no object": b'{"modelTopology":{},"userDefinedMetadata":[1]}',
    "generatedBy that is no text": b'{"modelTopology":{},"generatedBy":{"__class__":1}}',
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=list(TEXTS))
def test_texts(text, tmp_path):
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / "model.json").write_bytes(text.encode() if isinstance(text, str) else text)
    start = time.process_time()
    with pytest.raises(UnsafeModelError, match=str(folder)):
        load_artifacts(folder)
    assert time.process_time() - start < 5


def test_a_document_of_65_mebibytes(tmp_path):
    with (tmp_path / "model.json").open("wb") as file:
        file.truncate(65 << 20)
    refused(tmp_path, "has 68157440 bytes")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"modelTopology":{"a":1', "m is not JSON: Expecting ',' delimiter at line 1, column 24."),
        ("[]", "m is not the document of a model.\n  Expected a JSON object."),
        ("{}", "m has no model: modelTopology is None.\n  Expected a JSON object."),
        ('{"modelTopology":"QUJD"}', "m has no model: modelTopology is 'QUJD'.\n  Expected a JSON object."),
        (
            '{"modelTopology":{},"format":"pickle"}',
            "m has the format 'pickle'.\n  Expected one of layers-model, graph-model.",
        ),
        ('{"a":1,"a":2}', "m repeats the key 'a' in one object."),
        ('{"a":NaN}', "m holds NaN.\n  Expected finite numbers."),
        ('{"a":1e999}', "m holds the number '1e999'.\n  Expected finite numbers."),
    ],
)
def test_messages(text, message):
    with pytest.raises(ModelFileError) as caught:
        decode_model_json(text.encode(), "m")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("magic", "kind"),
    [(b"\x89HDF\r\n\x1a\n", "an HDF5 file"), (b"PK\x03\x04", "a ZIP archive"), (b"\x80\x04\x95", "a pickle")],
)
def test_files_of_other_kinds(magic, kind, tmp_path):
    (tmp_path / "model.json").write_bytes(magic + b"\0" * 100)
    with pytest.raises(ModelFileError, match=f"is {kind}"):
        load_artifacts(tmp_path)


def test_metadata_is_only_data(tmp_path):
    hostile = {"__class__": {"__init__": "os.system"}, "training_config": {"x": 1}}
    found = load_artifacts(write(tmp_path / "m", userDefinedMetadata=hostile, __class__="x", weight_data="x"))
    assert found.user_defined_metadata == hostile
    assert found.training_config is None
    assert len(found.weight_data) == 16
