"""HDF5 files: read as h5py reads them, written so that h5py reads them, and refused where they reach out or lie.

The library h5py is the one to compare with, and what makes hostile files; the plugin itself does not use it.
"""

from __future__ import annotations

import io
import random
import struct
import subprocess
import sys
import textwrap
from typing import Any

import numpy as np
import pytest

pytest.importorskip("h5py")

import h5py

from lamina.errors import ArgumentError, DTypeError, LaminaError, ModelFileError, UnsafeModelError
from lamina.io.checks import Limits
from lamina_keras.hdf5 import Group, read_hdf5, write_hdf5
from lamina_keras.hdf5.storage import fletcher32
from recorded import folder

VERSIONS = [None, "v108"]


def made(make: Any, **kwargs: Any) -> bytes:
    """The bytes of a file of h5py that a function fills."""
    memory = io.BytesIO()
    with h5py.File(memory, "w", **kwargs) as file:
        make(file)
    return memory.getvalue()


def read(data: bytes, **limits: int) -> Group:
    return read_hdf5(memoryview(data), "some.h5", Limits(**limits))


def written(root: Group) -> bytes:
    return b"".join(write_hdf5(root))


def plain(value: Any) -> Any:
    """A value of h5py's as ours: bytes as text, lists for arrays of texts."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, np.ndarray) and value.dtype.kind in "SO":
        return [plain(one) for one in value.tolist()]
    return value


def assert_same(found: Group, theirs: Any) -> None:
    """The same groups, attributes and arrays as h5py finds."""
    assert set(found.attributes) == set(theirs.attrs)
    for name, value in found.attributes.items():
        np.testing.assert_array_equal(value, plain(theirs.attrs[name]), err_msg=name)
    assert set(found.children) == set(theirs)
    for name, child in found.children.items():
        if isinstance(child, Group):
            assert_same(child, theirs[name])
        else:
            array = np.asarray(theirs[name][()])
            assert (child.dtype, child.shape) == (array.dtype.newbyteorder("="), array.shape)
            np.testing.assert_array_equal(child, array)


def check(data: bytes) -> Group:
    found = read(data)
    with h5py.File(io.BytesIO(data)) as file:
        assert_same(found, file)
    return found


@pytest.mark.parametrize("libver", VERSIONS)
@pytest.mark.parametrize(
    "dtype", ["<f2", ">f2", "<f4", ">f4", "<f8", ">f8", "i1", "<i2", ">i4", "<i8", "u1", "<u4", ">u8", "?"]
)
def test_arrays_of_every_dtype_are_read(dtype, libver):
    values = (np.arange(24).reshape(2, 3, 4) % 2 if dtype == "?" else np.arange(24).reshape(2, 3, 4) * 3).astype(dtype)

    def make(file):
        for name, some in {"all": values, "one": values[1, 2, 3], "none": values[:0], "row": values[0, 0]}.items():
            file.create_dataset(f"a/{name}", data=some)

    check(made(make, libver=libver))


@pytest.mark.parametrize("libver", VERSIONS)
@pytest.mark.parametrize(
    "packing",
    [
        {"chunks": (3, 4)},
        {"chunks": (3, 4), "compression": "gzip"},
        {"chunks": (4, 7), "compression": "gzip", "shuffle": True},
        {"chunks": (2, 2), "shuffle": True},
        {"chunks": (10, 7), "fletcher32": True},
        {"chunks": (3, 3), "compression": "gzip", "shuffle": True, "fletcher32": True},
        {"chunks": (4, 4), "maxshape": (None, None), "compression": 9},
    ],
)
def test_arrays_in_pieces_are_read(packing, libver):
    values = np.random.default_rng(0).normal(size=(10, 7)).astype("f4")
    check(made(lambda file: file.create_dataset("w", data=values, **packing), libver=libver))


def test_pieces_that_packing_would_not_make_smaller_are_read():
    def make(file):
        data = file.create_dataset("w", (8,), "<f4", chunks=(4,), compression="gzip")
        data.id.write_direct_chunk((0,), np.arange(4, dtype="<f4").tobytes(), 1)
        data[4:] = 5.0

    check(made(make))


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 65_536, 300_001])
def test_checksums_are_those_of_hdf5(size):
    data = random.Random(size).randbytes(size)
    if size:
        raw = made(lambda f: f.create_dataset("w", data=np.frombuffer(data, "u1"), chunks=(size,), fletcher32=True))
        at = raw.index(data)
        assert int.from_bytes(raw[at + size : at + size + 4], "little") == fletcher32(data)
    assert fletcher32(b"\xff" * 131_070) == 0xFFFFFFFF
    assert fletcher32(bytes(size)) == 0


@pytest.mark.parametrize("libver", VERSIONS)
def test_attributes_are_read(libver):
    def make(file):
        values = {
            "text": "größer", "bytes": b"plain", "long": "x" * 100_000, "empty": "", "flag": True, "int": 3,
            "float": np.float32(0.5), "numbers": np.arange(5), "texts": ["a", "", "cé"], "fixed": [b"ab", b"c"],
            "no_names": [], "matrix": np.eye(2),
        }  # fmt: skip
        for name, value in values.items():
            group = file.require_group(f"{name}")
            group.attrs[name] = value

    found = check(made(make, libver=libver))
    assert found.find("long").attributes == {"long": "x" * 100_000}
    assert found.find("flag").attributes["flag"] is True
    assert found.find("texts").attributes["texts"] == ["a", "", "cé"]


@pytest.mark.parametrize("libver", VERSIONS)
@pytest.mark.parametrize("track_order", [False, True])
@pytest.mark.parametrize("number", [7, 9, 70, 3000])
def test_groups_of_many_members_and_attributes_are_read(number, track_order, libver):
    def make(file):
        group = file.create_group("g", track_order=track_order)
        for i in range(number):
            group.create_group(f"layer_{i}")
        if not track_order or number < 3000:
            for i in range(min(number, 1000)):
                group.attrs[f"attribute_{i}"] = i

    check(made(make, libver=libver))


def test_bfloat16_is_read_as_float32_of_the_same_values():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    values = np.float32([1.5, -2.0, 3e38, 0.0]).astype(ml_dtypes.bfloat16)

    def make(file):
        file.create_dataset("w", data=values).attrs["dtype"] = "bfloat16"

    found = read(made(make)).children["w"]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, values.astype("f4"))
    again = written(Group(children={"w": values}))
    np.testing.assert_array_equal(read(again).children["w"], found)
    with h5py.File(io.BytesIO(again)) as file:
        assert file["w"].attrs["dtype"] == "bfloat16"
        np.testing.assert_array_equal(np.array(file["w"], dtype=ml_dtypes.bfloat16), values)


def test_recorded_files_are_read_and_written_as_h5py_does():
    files = sorted(folder("keras").glob("models/*/*.h5"))
    if not files:
        pytest.skip("the recordings of Keras are not here")
    for path in files:
        found = check(path.read_bytes())
        again = written(found)
        assert check(again) is not None
        assert len(again) <= path.stat().st_size


# What is written


def tree(number: int = 3) -> Group:
    rng = np.random.default_rng(1)
    arrays = {
        f"w{i}": rng.normal(size=(i, 2)).astype(dtype) for i, dtype in enumerate(("f2", "f4", "f8", "i1", "i4", "i8"))
    }
    return Group(
        {
            "text": "größer",
            "names": ["b", "aé"],
            "none": [],
            "three": 3,
            "half": 0.5,
            "yes": True,
            "many": np.arange(4),
        },
        {
            "arrays": Group({}, {**arrays, "mask": np.array([True, False]), "scalar": np.array(2.0)}),
            "empty": Group(),
            "many": Group({}, {f"n{i}": Group({"i": i}) for i in range(number)}),
        },
    )


@pytest.mark.parametrize("number", [0, 1, 8, 9, 256, 257, 2_000])
def test_what_is_written_h5py_reads(number):
    root = tree(number)
    found = check(written(root))
    assert found.attributes["names"] == ["b", "aé"]
    assert list(found.children) == sorted(root.children)
    with h5py.File(io.BytesIO(written(root))) as file:
        assert len(file["many"]) == number
        assert [file[f"many/n{i}"].attrs["i"] for i in range(number)] == list(range(number))


def test_what_is_written_depends_on_the_values_only():
    assert written(tree()) == written(tree())


def test_arrays_that_are_read_are_views_of_the_file():
    data = written(Group(children={"w": np.arange(1000.0)}))
    found = read(data).children["w"]
    assert np.shares_memory(found, np.frombuffer(data, "u1"))
    assert not found.flags.writeable
    apart = read_hdf5(memoryview(b"x" + data)[1:], "x").children["w"]
    assert apart.flags.aligned


def test_layouts_in_memory_do_not_matter():
    values = np.arange(12, dtype=">f4").reshape(3, 4).T
    found = read(written(Group(children={"w": values, "part": values[::2, 1:]})))
    np.testing.assert_array_equal(found.children["w"], values)
    np.testing.assert_array_equal(found.children["part"], values[::2, 1:])


def test_large_arrays_are_not_copied():
    values = np.zeros(1_000_000, "f4")
    views = [np.frombuffer(part, "u1") for part in write_hdf5(Group(children={"w": values})) if len(part) > 1_000_000]
    assert len(views) == 1
    assert np.shares_memory(views[0], values)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "x\0y", "__proto__", "a" * 1025])
def test_names_that_a_reader_would_refuse_are_not_written(name):
    with pytest.raises(UnsafeModelError):
        written(Group(children={name: Group()}))


def test_values_that_have_no_form_are_not_written():
    with pytest.raises(DTypeError, match="complex64"):
        written(Group(children={"w": np.zeros(2, "complex64")}))
    with pytest.raises(DTypeError):
        written(Group(children={"w": np.array(["text"], dtype=object)}))
    with pytest.raises(ArgumentError, match="64512"):
        written(Group({"names": ["x" * 70_000]}))
    with pytest.raises(ArgumentError):
        written(Group({"what": {"a": 1}}))
    deep = Group()
    for _ in range(100):
        deep = Group(children={"g": deep})
    with pytest.raises(ArgumentError, match="nested"):
        written(deep)


def test_group_and_find():
    root = Group()
    root.group("a/b").children["w"] = np.ones(1)
    assert root.find("a/b/w") is root.children["a"].children["b"].children["w"]
    assert root.find("a/x") is None
    assert root.find("a/b/w/x") is None
    with pytest.raises(KeyError):
        root.group("a/b/w/x")


# Files that reach out or lie: the rows H1 to H9 of the attacks that are known


def external(file):
    file.create_dataset("w", shape=(8,), dtype="<f4", external=[("secret.txt", 0, 32)])


def external_link(file):
    file["g"] = h5py.ExternalLink("victim.h5", "/")


def external_link_below(file):
    file.create_group("layers/dense/vars")["0"] = h5py.ExternalLink("victim.h5", "/w")


def soft_link(file):
    file["w"] = np.ones(2)
    file["again"] = h5py.SoftLink("/w")


def soft_loop(file):
    file["loop"] = h5py.SoftLink("/loop")


def virtual(file):
    layout = h5py.VirtualLayout(shape=(4,), dtype="f4")
    layout[:] = h5py.VirtualSource("victim.h5", "w", shape=(4,))
    file.create_virtual_dataset("w", layout)


def bomb_in_pieces(file):
    file.create_dataset("w", (2**50,), "f8", chunks=(1024,), compression="gzip", fillvalue=0.0)


def bomb_at_once(file):
    file.create_dataset("w", (2**40,), "f4")


def bomb_of_four_gigabytes(file):
    file.create_dataset("w", (2**29,), "f8", chunks=(1 << 20,), compression="gzip", fillvalue=0.0)


def bomb_of_zeros(file):
    file.create_dataset("w", data=np.zeros(30_000_000, "f4"), chunks=(30_000_000,), compression=9)


def bomb_in_one_piece(file):
    """A piece that unpacks to much more than its array has."""
    import zlib

    data = file.create_dataset("w", (4,), "<f4", chunks=(4,), compression="gzip")
    data.id.write_direct_chunk((0,), zlib.compress(bytes(50_000_000), 9), 0)


def large_piece(file):
    """A piece that reaches far beyond the array."""
    data = file.create_dataset("w", (4,), "<f4", maxshape=(None,), chunks=(50_000_000,), compression="gzip")
    data[:] = 1.0


def unknown_filter(file):
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_chunk((4,))
    properties.set_filter(32001, h5py.h5z.FLAG_OPTIONAL, ())
    space = h5py.h5s.create_simple((4,))
    data = h5py.h5d.create(file.id, b"w", h5py.h5t.IEEE_F32LE, space, properties)
    data.write_direct_chunk((0,), np.arange(4, dtype="f4").tobytes(), 0)


def lzf(file):
    file.create_dataset("w", data=np.zeros(100), chunks=(100,), compression="lzf")


def texts(file):
    file["w"] = ["a", "b"]


def fixed_texts(file):
    file["w"] = np.array([b"a", b"bc"])


def references(file):
    file.create_dataset("w", (2,), dtype=h5py.ref_dtype)


def compound(file):
    file["w"] = np.zeros(2, [("a", "f4"), ("b", "i4")])


def enumeration(file):
    file.create_dataset("w", (2,), dtype=h5py.enum_dtype({"RED": 0, "GREEN": 1}, "i1"))


def opaque(file):
    file["w"] = np.zeros(2, "V7")


def opaque_pairs(file):
    file["w"] = np.zeros(2, "V2")


def sequences(file):
    file.create_dataset("w", (2,), dtype=h5py.vlen_dtype("f4"))


def complex_numbers(file):
    file["w"] = np.zeros(2, "c8")


def long_floats(file):
    file["w"] = np.zeros(2, np.longdouble)


def named_type(file):
    file["t"] = np.dtype("f4")


def no_values(file):
    file["w"] = h5py.Empty("f4")


def attribute_of_references(file):
    file.attrs.create("r", file.ref, dtype=h5py.ref_dtype)


def cycle(file):
    group = file.create_group("g")
    group["self"] = group


def cycle_to_root(file):
    file.create_group("a/b/c")["up"] = file["/"]


def twice(file):
    file["w"] = np.ones(2)
    file["again"] = file["w"]


def many_ways(file):
    """2 ** 30 ways to the last group."""
    group = file.create_group("end")
    for i in range(30):
        above = file.create_group(f"g{i}")
        above["a"], above["b"] = group, group
        group = above


def deep(file):
    file.create_group("/".join(["g"] * 100))


def nine_axes(file):
    file["w"] = np.zeros((1,) * 9)


def up(file):
    file.create_group("a")
    h5py.h5g.create(file["a"].id, b"...".replace(b"...", b"x\x1b]0;y"))


HOSTILE = [value for name, value in list(globals().items()) if callable(value) and getattr(value, "__code__", None)
           and value.__code__.co_varnames[:1] == ("file",) and value.__code__.co_argcount == 1]  # fmt: skip


@pytest.mark.parametrize("libver", VERSIONS)
@pytest.mark.parametrize("make", HOSTILE, ids=lambda make: make.__name__)
def test_hostile_files_are_refused(make, libver, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.txt").write_bytes(b"s" * 32)
    with h5py.File("victim.h5", "w") as victim:
        victim["w"] = np.arange(4, dtype="f4")
    with pytest.raises(UnsafeModelError) as error:
        read(made(make, libver=libver))
    assert "some.h5" in str(error.value)


def test_every_recipe_is_found():
    assert {cycle, external, up, opaque_pairs} < set(HOSTILE)
    assert len(HOSTILE) == 34


def test_user_blocks_and_other_files_are_refused():
    def make(file):
        file["w"] = np.arange(2.0)

    polyglot = bytearray(made(make, userblock_size=512))
    polyglot[:6] = b"GIF89a"
    with pytest.raises(UnsafeModelError):
        read(bytes(polyglot))
    for data in (b"", b"\x89HDF", b"PK\3\4" + bytes(200), b"\x80\x04K\x01.", bytes(2000)):
        with pytest.raises(UnsafeModelError):
            read(data)


def test_bounds_are_arguments():
    data = made(lambda file: [file.create_group(f"g{i}") for i in range(20)])
    with pytest.raises(UnsafeModelError, match="over 10 groups"):
        read(data, weights=10)
    with pytest.raises(UnsafeModelError, match="nested"):
        read(made(lambda file: file.create_group("a/b/c")), json_depth=2)
    with pytest.raises(UnsafeModelError, match="axes"):
        read(made(lambda file: file.create_dataset("w", data=np.zeros((1, 1)))), rank=1)


def test_very_many_groups_are_refused():
    data = written(Group(children={f"g{i}": Group() for i in range(5_000)}))
    with pytest.raises(UnsafeModelError, match="groups and arrays"):
        read(data, weights=1_000)


def packed(file):
    file.attrs["names"] = [b"a", b"bc"]
    file.attrs["config"] = "{}"
    file.create_dataset("a/packed", data=np.arange(64.0), chunks=(16,), compression="gzip", fletcher32=True)
    file.create_dataset("a/plain", data=np.arange(6.0).reshape(2, 3))
    file["flag"] = np.array([True])


@pytest.mark.parametrize("libver", VERSIONS)
def test_files_that_are_cut_short_are_refused(libver):
    data = made(packed, libver=libver)
    for length in range(0, len(data), 7):
        with pytest.raises(ModelFileError):
            read(data[:length])


@pytest.mark.parametrize("libver", [*VERSIONS, "latest"])
def test_damaged_files_give_lamina_errors_or_values(libver):
    """Bytes changed at random: whatever comes out, it is not another error, and not for ever."""
    data = made(packed, libver=libver)
    chosen = random.Random(5)
    starts = [at for at in range(len(data)) if data[at : at + 1] != b"\0"]
    refused = 0
    for _ in range(3_000):
        changed = bytearray(data)
        for _ in range(chosen.choice((1, 1, 2, 4))):
            at = chosen.choice(starts)
            changed[at] = chosen.choice((0, 1, 255, changed[at] ^ 1 << chosen.randrange(8), chosen.randrange(256)))
        try:
            read(bytes(changed))
        except LaminaError:
            refused += 1
    assert refused > 500


@pytest.mark.parametrize("value", [0, 1, 8, 2**31, 2**32 - 1, 2**63, 2**64 - 1, 2**64 - 8])
def test_every_number_may_be_wrong(value):
    data = made(packed)
    for at in range(0, len(data) - 8, 4):
        changed = bytearray(data)
        changed[at : at + 8] = struct.pack("<Q", value)
        try:
            read(bytes(changed))
        except LaminaError:
            continue


def test_nothing_is_opened_and_little_is_allocated():
    """Every recipe in a process that may not grow by more than 128 MiB, and where files and sockets are counted."""
    program = """
        import io, os, resource, sys
        import numpy as np
        sys.path[:0] = {path!r}
        from lamina.errors import UnsafeModelError
        from lamina_keras.hdf5 import read_hdf5
        files = eval(sys.stdin.buffer.read())
        os.environ["HDF5_PLUGIN_PATH"] = "/nowhere"
        opened = []
        sys.addaudithook(lambda event, args: opened.append((event, args)) if event.split(".")[0] in (
            "open", "socket", "subprocess", "exec", "os", "import", "ctypes") else None)
        with open("/proc/self/statm") as file:
            pages = int(file.read().split()[0])
        opened.clear()
        resource.setrlimit(resource.RLIMIT_AS, (pages * 4096 + (128 << 20),) * 2)
        for data in files:
            try:
                read_hdf5(memoryview(data), "x.h5")
                print("READ", len(data))
            except UnsafeModelError:
                pass
        print("opened", opened)
    """
    makers = [make for make in HOSTILE if make not in (external, external_link, external_link_below, virtual)]
    files = repr([made(make) for make in makers]).encode()
    text = textwrap.dedent(program).format(path=[p for p in sys.path if p])
    done = subprocess.run([sys.executable, "-c", text], input=files, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.decode().split() == ["opened", "[]"]
