"""Rows Z of the security specification: hostile ``.keras`` archives, through ``lamina.load_model``."""

from __future__ import annotations

import io
import json
import struct
import zipfile

import numpy as np
import pytest

from attacks.attacking import check_harmless, check_refused

WEIGHTS = "model.weights.h5"


@pytest.fixture
def members(good):
    """The members of a good archive by name."""
    with zipfile.ZipFile(good[".keras"]) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def archive(members, packed=zipfile.ZIP_STORED, change=None):
    """The bytes of an archive; ``change`` may change what is said of each member."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as target:
        for name, data in members.items() if isinstance(members, dict) else members:
            info = zipfile.ZipInfo(name)
            info.compress_type = packed
            if change is not None:
                change(info)
            target.writestr(info, data)
    return written.getvalue()


def attack(child, tmp_path, data, allowed=("ModelFileError",)):
    path = tmp_path / "m.keras"
    path.write_bytes(data)
    found = child.load(path)
    check_refused(found, path, allowed)
    return found


def test_the_recipe_itself_loads(child, tmp_path, members):
    for packed in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        path = tmp_path / "m.keras"
        path.write_bytes(archive(members, packed))
        found = child.load(path)
        assert found.outcome == "loaded", found.message
        check_harmless(found, path)


OUTSIDE = ["../../evil", "/abs", "C:\\x", "assets\\..\\..\\w", "assets/../../x", "x.py", "assets/", "config.json/"]


@pytest.mark.parametrize("name", OUTSIDE)
def test_z1_names_of_members(name, child, tmp_path, members):
    attack(child, tmp_path, archive({**members, name: b"x"}), ["UnsafeModelError"])
    assert {p.name for p in tmp_path.iterdir()} == {"m.keras"}


def test_z1_links(child, tmp_path, members):
    def link(info):
        if info.filename == "assets/a":
            info.external_attr = 0o120777 << 16

    attack(child, tmp_path, archive({**members, "assets/a": b"/etc/hostname"}, change=link), ["UnsafeModelError"])


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_z1_repeated_members(child, tmp_path, members):
    twice = [*members.items(), ("config.json", b"{}")]
    attack(child, tmp_path, archive(twice), ["UnsafeModelError"])


def test_z2_a_member_that_unpacks_to_a_gigabyte(child, tmp_path, members):
    spaces = b" " * (1 << 30)
    data = archive({**members, "config.json": spaces}, zipfile.ZIP_DEFLATED)
    del spaces
    found = attack(child, tmp_path, data, ["UnsafeModelError"])
    assert found.memory < 16 << 20
    assert found.seconds < 1


def test_z3_sizes_that_are_not_true(child, tmp_path, members):
    data = bytearray(archive({**members, "config.json": b" " * 10_000_000}, zipfile.ZIP_DEFLATED))
    for signature, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = data.find(signature)
        while at >= 0:
            if struct.unpack("<I", data[at + offset : at + offset + 4])[0] == 10_000_000:
                data[at + offset : at + offset + 4] = struct.pack("<I", 100)
            at = data.find(signature, at + 4)
    attack(child, tmp_path, bytes(data))


def patched(data, signature, offset, value, form="<H"):
    """The archive with a number of its first record of a kind changed."""
    found = bytearray(data)
    at = found.find(signature)
    found[at + offset : at + offset + struct.calcsize(form)] = struct.pack(form, value)
    return bytes(found)


CENTRAL, LOCAL, END = b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06"
PATCHES = {
    "encrypted": (CENTRAL, 8, 1, "<H"),
    "encrypted, as the member says": (LOCAL, 6, 1, "<H"),
    "packed by LZMA": (CENTRAL, 10, 14, "<H"),
    "packed by Zstandard": (CENTRAL, 10, 93, "<H"),
    "packed by nobody": (CENTRAL, 10, 99, "<H"),
    "on another disk": (CENTRAL, 34, 1, "<H"),
    "of several disks": (END, 4, 1, "<H"),
    "of 65535 members": (END, 10, 65535, "<H"),
    "a comment that is not there": (END, 20, 1000, "<H"),
    "a directory elsewhere": (END, 16, 0, "<I"),
    "a directory behind the end": (END, 16, 2**31, "<I"),
    "a member elsewhere": (CENTRAL, 42, 7, "<I"),
    "a member where another is": (CENTRAL, 42, 100, "<I"),
    "a size of ZIP64 that is not there": (CENTRAL, 24, 2**32 - 1, "<I"),
    "a checksum that is wrong": (CENTRAL, 16, 1, "<I"),
    "a name longer than the archive": (CENTRAL, 28, 65535, "<H"),
}


@pytest.mark.parametrize("kind", PATCHES)
def test_z4_records_that_lie(kind, child, tmp_path, members):
    attack(child, tmp_path, patched(archive(members), *PATCHES[kind]))


def test_z4_what_is_around_an_archive(child, tmp_path, members):
    data = archive(members)
    attack(child, tmp_path, b"#!/bin/sh\n" + data)
    attack(child, tmp_path, LOCAL + b"\0" * 100 + data)
    attack(child, tmp_path, data + b"x")
    comment = io.BytesIO(data)
    with zipfile.ZipFile(comment, "a") as target:
        target.comment = b"x" * 65_535
    attack(child, tmp_path, comment.getvalue())


def test_z4_very_many_members(child, tmp_path, members):
    attack(child, tmp_path, archive([*members.items(), *((f"assets/{i}", b"") for i in range(65_600))]))


def test_z4_a_size_of_2_63(child, tmp_path, members):
    data = bytearray(archive(members))
    at = data.find(CENTRAL)
    name = struct.unpack("<H", data[at + 28 : at + 30])[0]
    extra = struct.pack("<HHQ", 1, 8, 2**63)
    data[at + 24 : at + 28] = b"\xff" * 4
    data[at + 30 : at + 32] = struct.pack("<H", len(extra))
    data[at + 46 + name : at + 46 + name] = extra
    end = data.rfind(END)
    size = struct.unpack("<I", data[end + 12 : end + 16])[0] + len(extra)
    data[end + 12 : end + 16] = struct.pack("<I", size)
    attack(child, tmp_path, bytes(data))


@pytest.mark.parametrize("missing", ["config.json", WEIGHTS])
def test_members_that_are_missing(missing, child, tmp_path, members):
    attack(child, tmp_path, archive({name: data for name, data in members.items() if name != missing}))


def keras(kind, module="keras.layers", **config):
    return {"module": module, "class_name": kind, "config": {"name": "x", **config}, "registered_name": None}


DENSE = keras("Dense", units=1)
FIRST = keras("InputLayer", batch_shape=[None, 3], dtype="float32")
NAMES = {
    "Z5": keras("run", "subprocess", args=["true"]),
    "Z5, as a model": {"module": "keras.models", "class_name": "Model", "config": {
        "layers": [keras("run", "subprocess", args=["true"])], "input_layers": [], "output_layers": []}},
    "Z6": keras("Lambda", function={"module": "keras.utils", "class_name": "function", "config": "get_file"},
                arguments={"fname": "x", "origin": "http://127.0.0.1:9/x"}),
    "Z6, as an activation": keras("Activation", activation={
        "module": "keras.utils", "class_name": "function", "config": "get_file", "registered_name": "get_file"}),
    "Z7": keras("function", "keras.config", config="enable_unsafe_deserialization"),
    "Z7, by its name": {"module": "keras.config", "class_name": "enable_unsafe_deserialization", "config": {}},
    "Z8": keras("StringLookup", vocabulary="/etc/hostname"),
    "Z8, from a server": keras("StringLookup", vocabulary="http://127.0.0.1:9/x"),
    "Z9": keras("TFSMLayer", filepath="/etc", call_endpoint="serve"),
    "Z9, of Torch": keras("TorchModuleWrapper", module={"class_name": "__lambda__", "config": {"value": "x"}}),
    "Z9, a lambda": keras("Lambda", function={"class_name": "__lambda__", "config": {"code": "4wEAAAA="}}),
    "Z9, a tensor": keras("Dense", units={"class_name": "__tensor__", "config": {"value": [1e9], "dtype": "int32"}}),
    "Z9, an array": keras("Dense", units={"class_name": "__numpy__", "config": {"value": [3], "dtype": "int32"}}),
    "Z9, a type": keras("Dense", units={"class_name": "__typespec__", "spec_name": "TensorSpec", "config": [1]}),
    "Z9, code in a name": keras("Dense", units=1, activation={"class_name": "__lambda__", "config": {"value": "x"}}),
}  # fmt: skip


@pytest.mark.parametrize("kind", NAMES)
def test_z5_to_z9_names(kind, child, tmp_path, members):
    config = {"module": "keras", "class_name": "Sequential", "config": {"name": "s", "layers": [FIRST, NAMES[kind]]}}
    found = attack(child, tmp_path, archive({**members, "config.json": json.dumps(config).encode()}))
    imported = {what for name, what in found.events if name == "import"}
    assert not imported & {"subprocess", "keras", "keras.utils", "torch", "os", "pickle", "marshal"}


def test_z5_a_config_that_is_a_function(child, tmp_path, members):
    for config in (NAMES["Z5"], {"class_name": "function", "module": "os", "config": "getcwd"}, [], 3, {}):
        attack(child, tmp_path, archive({**members, "config.json": json.dumps(config).encode()}))


LAYER_NAMES = ["../../../x", "/x", "a/b", "..", "a\0", "x" * 300]


@pytest.mark.parametrize("name", LAYER_NAMES, ids=ascii)
def test_z10_names_of_layers(name, child, tmp_path, members):
    layer = keras("Dense", units=1)
    layer["config"]["name"] = name
    config = {"module": "keras", "class_name": "Sequential", "config": {"name": "s", "layers": [FIRST, layer]}}
    attack(child, tmp_path, archive({**members, "config.json": json.dumps(config).encode()}))


def npy(header):
    """An array's file of NumPy with the header that it is told to have."""
    text = header.encode().ljust(118) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


ARRAYS = {
    "a shape without data": npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1125899906842624,), }"),
    "objects": npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }") + b"\x80\x04N.",
    "a header of a gigabyte": b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**30) + b" " * 100,
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_z11_archives_of_arrays(kind, child, tmp_path, members):
    inner = archive({"layers/dense/vars/0.npy": ARRAYS[kind]})
    others = {name: data for name, data in members.items() if name != WEIGHTS}
    attack(child, tmp_path, archive({**others, "model.weights.npz": inner}), ["UnsafeModelError"])
    attack(child, tmp_path, archive({**others, WEIGHTS: inner}))
    written = io.BytesIO()
    np.save(written, np.ones(3))
    attack(child, tmp_path, archive({**others, WEIGHTS: written.getvalue()}))
