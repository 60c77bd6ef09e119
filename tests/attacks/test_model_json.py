"""Rows T of the security specification: hostile ``model.json`` folders, through ``lamina.load_model``."""

from __future__ import annotations

import json
import os

import pytest

from attacks.attacking import check_harmless, check_refused

DENSE = {"class_name": "Dense", "config": {"name": "d", "units": 1, "batch_input_shape": [None, 3]}}
KERNEL = {"name": "d/kernel", "shape": [3, 1], "dtype": "float32"}
BIAS = {"name": "d/bias", "shape": [1], "dtype": "float32"}


def sequential(*layers):
    return {"class_name": "Sequential", "config": {"name": "s", "layers": list(layers)}}


def layer(kind, shape=(None, 3), **config):
    first = {} if shape is None else {"batch_input_shape": list(shape)}
    return {"class_name": kind, "config": {"name": "x", **config, **first}}


def write(folder, topology=None, weights=(KERNEL, BIAS), paths=("w.bin",), data=b"\0" * 16, **more):
    """A folder with the model that it is told to hold; ``more`` are further keys of the document."""
    document = {
        "format": "layers-model",
        "modelTopology": sequential(DENSE) if topology is None else topology,
        "weightsManifest": [{"paths": list(paths), "weights": list(weights)}] if paths is not None else [],
        **more,
    }
    return raw(folder, json.dumps(document).encode(), data)


def raw(folder, text, data=b"\0" * 16):
    folder.mkdir(exist_ok=True)
    (folder / "model.json").write_bytes(text)
    if data is not None:
        (folder / "w.bin").write_bytes(data)
    return folder


def bare(folder, *layers, **more):
    """A stack without weights."""
    return write(folder, sequential(*layers), weights=(), paths=(), data=None, **more)


def test_the_recipe_itself_loads(child, tmp_path):
    found = child.load(write(tmp_path / "m"))
    assert found.outcome == "loaded", found.message
    check_harmless(found, tmp_path / "m")


def test_the_watch_sees_what_a_loader_must_not_do(child, tmp_path):
    folder = write(tmp_path / "m")
    found = child.load(folder, uses=["spy"])
    assert found.outcome == "raised"
    (tmp_path / "elsewhere").mkdir()
    assert child.load(folder).outside(tmp_path / "elsewhere") != []


PATHS = [
    "../secret.bin", "/etc/hostname", "a/../../x", "..\\x", "C:\\x", "\\\\host\\s", "file:///x", "http://127.0.0.1:9/x",
    "simplecache::http://x", "%2e%2e/x", "x\0y", "NUL", "a.bin:ads", "", ".",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS, ids=ascii)
def test_t1_paths_of_weight_files(path, child, tmp_path):
    (tmp_path / "secret.bin").write_bytes(b"\0" * 16)
    folder = write(tmp_path / "m", paths=[path])
    found = child.load(folder)
    check_refused(found, folder, ["UnsafeModelError"])
    assert [name for name, what in found.events if name == "open" and "model.json" not in what] == []


def link_out(folder):
    (folder.parent / "outside.bin").write_bytes(b"\0" * 16)
    (folder / "w.bin").symlink_to(folder.parent / "outside.bin")


def link_folder(folder):
    (folder.parent / "other").mkdir()
    (folder.parent / "other" / "w.bin").write_bytes(b"\0" * 16)
    (folder / "sub").symlink_to(folder.parent / "other")


LYING = {
    "a link": ("w.bin", link_out),
    "a linked folder": ("sub/w.bin", link_folder),
    "a pipe": ("w.bin", lambda folder: os.mkfifo(folder / "w.bin")),
    "a device": ("w.bin", lambda folder: (folder / "w.bin").symlink_to("/dev/zero")),
    "a folder": ("w.bin", lambda folder: (folder / "w.bin").mkdir()),
}


@pytest.mark.parametrize("kind", LYING)
def test_t2_what_is_no_ordinary_file(kind, child, tmp_path):
    path, place = LYING[kind]
    folder = write(tmp_path / "m", paths=[path], data=None)
    place(folder)
    found = child.load(folder)
    check_refused(found, folder, ["UnsafeModelError"])
    assert found.seconds < 1


FITTING = {
    "too long": {"data": b"\0" * 20},
    "too short": {"data": b"\0" * 15},
    "two of one name": {"weights": (KERNEL, {**BIAS, "name": "d/kernel"})},
    "unknown to the topology": {"weights": (KERNEL, BIAS, {**BIAS, "name": "e/bias"}), "data": b"\0" * 20},
    "missing": {"weights": (KERNEL,), "data": b"\0" * 12},
    "another shape": {"weights": ({**KERNEL, "shape": [1, 3]}, BIAS)},
}


@pytest.mark.parametrize("kind", FITTING)
def test_t3_weights_that_do_not_fit(kind, child, tmp_path):
    folder = write(tmp_path / "m", **FITTING[kind])
    check_refused(child.load(folder), folder)


@pytest.mark.parametrize(
    ("shape", "data"), [([1], b"\xff\xff\xff\xffab"), ([2**31], b"\0" * 8), ([1], b"\x02\0\0\0\xff\xfe")]
)
def test_t4_text(shape, data, child, tmp_path):
    text = {"name": "d/text", "shape": shape, "dtype": "string"}
    folder = write(tmp_path / "m", weights=(KERNEL, BIAS, text), data=b"\0" * 16 + data)
    check_refused(child.load(folder), folder, ["UnsafeModelError"])


SHAPES = [[-1], [1.0], [True], ["4"], [2, 9223372036854775807], [4294967296, 4294967296], [1] * 65]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: str(shape)[:30])
def test_t5_shapes(shape, child, tmp_path):
    folder = write(tmp_path / "m", weights=({**KERNEL, "shape": shape}, BIAS))
    check_refused(child.load(folder), folder, ["UnsafeModelError"])


KINDS = [
    {"dtype": "object"}, {"dtype": "V2147483647"}, {"dtype": "<U99999999"}, {"dtype": "float128"}, {"dtype": "O"},
    {"quantization": {"dtype": "int64"}}, {"quantization": {"dtype": "uint8", "scale": "x", "min": 0}},
    {"quantization": {"dtype": "uint8", "min": 0}}, {"quantization": {"dtype": "uint8", "scale": 1e300, "min": 0}},
    {"dtype": "int32", "quantization": {"dtype": "float16"}},
]  # fmt: skip


@pytest.mark.parametrize("change", KINDS, ids=str)
def test_t6_kinds_of_weights(change, child, tmp_path):
    folder = write(tmp_path / "m", weights=({**KERNEL, **change}, BIAS))
    check_refused(child.load(folder), folder, ["UnsafeModelError"])


def test_t6_numbers_that_are_none(child, tmp_path):
    for number in ("1e999", "NaN", "-Infinity"):
        rules = f'{{"dtype":"uint8","scale":{number},"min":0}}'
        document = json.dumps({"modelTopology": sequential(DENSE), "weightsManifest": [
            {"paths": ["w.bin"], "weights": [{**KERNEL, "quantization": 0}, BIAS]}]})  # fmt: skip
        folder = raw(tmp_path / "m", document.replace('"quantization": 0', f'"quantization": {rules}').encode())
        check_refused(child.load(folder), folder, ["UnsafeModelError"])


HUGE = {
    "units": [layer("Dense", units=10**12)],
    "units that memory would hold": [layer("Dense", units=200_000_000)],
    "filters": [layer("Conv2D", (None, 8, 8, 3), filters=10**9, kernel_size=3)],
    "embedding": [layer("Embedding", (None, 4), input_dim=10**15, output_dim=8)],
    "kernel of 0": [layer("Conv2D", (None, 8, 8, 3), filters=1, kernel_size=0)],
    "strides of 0": [layer("Conv2D", (None, 8, 8, 3), filters=1, kernel_size=2, strides=0)],
    "dilation of 0": [layer("Conv2D", (None, 8, 8, 3), filters=1, kernel_size=2, dilation_rate=0)],
    "pool of 0": [layer("MaxPooling2D", (None, 8, 8, 3), pool_size=0)],
    "recurrent": [layer("LSTM", (None, 4, 3), units=10**7)],
}


@pytest.mark.parametrize("kind", HUGE)
def test_t7_layers_larger_than_their_file(kind, child, tmp_path):
    folder = bare(tmp_path / "m", *HUGE[kind])
    check_refused(child.load(folder), folder)


WIDE = {
    "repeated": [layer("RepeatVector", n=10**9)],
    "padded": [layer("ZeroPadding2D", (None, 2, 2, 1), padding=10**9)],
    "upsampled": [layer("UpSampling2D", (None, 2, 2, 1), size=[10**5, 10**5])],
    "of a thousand axes": [layer("Flatten", (None, *[2] * 1000))],
    "flattened": [layer("Flatten", (None, 10**4, 10**4, 100))],
    "attended": [layer("Attention", (None, 10**6, 1))],
}


@pytest.mark.parametrize("kind", WIDE)
def test_t7_outputs_larger_than_their_file(kind, child, tmp_path):
    """Such a model costs nothing until it predicts, also when its file asks for a comparison of what it gives."""
    record = [{"shape": [1, 1], "dtype": "float32", "largest": 1.0, "values": [1.0]}]
    folder = bare(tmp_path / "m", *WIDE[kind], userDefinedMetadata={"lamina": {"fingerprint": record}})
    check_harmless(child.load(folder), folder)
    folder = bare(tmp_path / "n", *WIDE[kind])
    check_harmless(child.load(folder, uses=["summary", "to_mermaid"]), folder)


def test_t7_layers_without_number(child, tmp_path):
    folder = bare(tmp_path / "m", *[layer("Activation", (None, 1), name=f"a{i}") for i in range(10_001)])
    check_refused(child.load(folder), folder)


def nested(depth):
    found = sequential(DENSE)
    for i in range(depth):
        found = {"class_name": "Sequential", "config": {"name": f"s{i}", "layers": [found]}}
    return found


def functional(*layers, outputs, inputs=(("i", 0, 0),)):
    return {
        "class_name": "Model",
        "config": {"name": "m", "layers": list(layers), "input_layers": [list(i) for i in inputs],
                   "output_layers": [list(o) for o in outputs]},
    }  # fmt: skip


def node(name, kind, *inbound, **config):
    return {
        "name": name, "class_name": kind, "config": {"name": name, **config},
        "inbound_nodes": [[[*place, {}] for place in inbound]] if inbound else [],
    }  # fmt: skip


INPUT = node("i", "InputLayer", batch_input_shape=[None, 1], dtype="float32")


def doubling(levels):
    """A model whose every level calls the level below twice: 2^levels layers when written out."""
    inner = functional(INPUT, node("a", "Activation", ("i", 0, 0), activation="relu"), outputs=[("a", 0, 0)])
    for level in range(levels):
        name = f"n{level}"
        inner = functional(
            INPUT,
            {"name": name, "class_name": "Model", "config": {**inner["config"], "name": name},
             "inbound_nodes": [[["i", 0, 0, {}]], [[name, 1, 0, {}]]]},
            outputs=[(name, 2, 0)],
        )  # fmt: skip
    return inner


GRAPHS = {
    "25 stacks in each other": nested(25),
    "a layer that waits for itself": functional(
        INPUT, node("a", "Add", ("i", 0, 0), ("a", 0, 0)), outputs=[("a", 0, 0)]
    ),
    "a call without number": functional(
        INPUT, node("a", "Activation", ("i", 10**9, 0), activation="relu"), outputs=[("a", 0, 0)]
    ),
    "an output without number": functional(
        INPUT, node("a", "Activation", ("i", 0, 10**9), activation="relu"), outputs=[("a", 0, 0)]
    ),
    "a layer that is not there": functional(
        INPUT, node("a", "Activation", ("b", 0, 0), activation="relu"), outputs=[("a", 0, 0)]
    ),
    "two layers of one name": functional(INPUT, INPUT, outputs=[("i", 0, 0)]),
    "30 levels of doubling": doubling(30),
    "16 levels of doubling": doubling(16),
    "no outputs": functional(INPUT, outputs=[]),
    "layers that are no list": {"class_name": "Sequential", "config": {"layers": {"0": DENSE}}},
    "layers that are numbers": {"class_name": "Sequential", "config": {"layers": [1, 2]}},
    "inbound nodes that are numbers": functional(
        INPUT, {**node("a", "Activation"), "inbound_nodes": [1]}, outputs=[("a", 0, 0)]
    ),
}


@pytest.mark.parametrize("kind", GRAPHS)
def test_t8_graphs(kind, child, tmp_path):
    folder = write(tmp_path / "m", GRAPHS[kind], weights=(), paths=(), data=None)
    found = child.load(folder)
    check_refused(found, folder)
    assert found.seconds < 2


NAMES = [
    layer("os.system", command="true"),
    layer("__import__", name="subprocess"),
    layer("exec"),
    layer("Lambda", function=["4wEAAAA=", None, None]),
    layer("Lambda", function={"class_name": "__lambda__", "config": {"code": "4wEAAAA="}}),
    layer("Activation", activation="os.getcwd"),
    layer("Activation", activation={"class_name": "function", "module": "os", "config": "getcwd"}),
    layer("Dense", units=1, kernel_initializer={"class_name": "exec", "config": {}}),
    layer("Dense", units=1, kernel_initializer={"class_name": "Dense", "config": {"units": 1}}),
    layer("Dense", units=1, kernel_regularizer={"class_name": "MeanSquaredError", "config": {}}),
    {**layer("Popen", args=["true"]), "module": "subprocess", "registered_name": "Popen"},
    {**layer("Dense", units=1), "module": "subprocess", "registered_name": "subprocess>Popen"},
    layer("MeanSquaredError"),
    layer("Adam"),
    layer("get_file", fname="x", origin="http://127.0.0.1:9/x"),
    layer("TFSMLayer", filepath="/etc"),
    layer("TorchModuleWrapper", module="x"),
    layer("Dense", units=1, __class__="os.system"),
    layer("Dense", units={"class_name": "__tensor__", "config": {"value": [1], "dtype": "int32"}}),
]


@pytest.mark.parametrize("entry", NAMES, ids=lambda entry: json.dumps(entry)[15:75])
def test_t9_names_are_looked_up_and_never_imported(entry, child, tmp_path):
    folder = bare(tmp_path / "m", entry)
    found = child.load(folder)
    assert found.outcome == "raised"
    check_harmless(found, folder)
    assert "ModelFileError" in found.kinds, found.message
    imported = [what for name, what in found.events if name == "import"]
    assert not {"subprocess", "os", "torch", "keras"} & set(imported)


TRAINING = [
    {"loss": "eval", "metrics": [], "optimizer_config": {"class_name": "Adam", "config": {}}},
    {"loss": "meanSquaredError", "metrics": ["os.getcwd"], "optimizer_config": {"class_name": "SGD", "config": {}}},
    {"loss": "meanSquaredError", "metrics": [], "optimizer_config": {"class_name": "subprocess.Popen", "config": {}}},
    {"loss": {"class_name": "Dense", "config": {"units": 1}}, "metrics": [],
     "optimizer_config": {"class_name": "SGD", "config": {"learningRate": 0.1}}},
    {"loss": 3, "metrics": 4, "optimizer_config": 5},
]  # fmt: skip


@pytest.mark.parametrize("training", TRAINING, ids=str)
def test_t9_names_in_the_training_configuration(training, child, tmp_path):
    folder = write(tmp_path / "m", trainingConfig=training)
    found = child.load(folder)
    check_refused(found, folder)


def test_t8_a_thousand_stacks_in_each_other(child, tmp_path):
    start = '{"class_name":"Sequential","config":{"name":"s","layers":['
    stacks = start * 1000 + json.dumps(DENSE) + "]}}" * 1000
    folder = raw(tmp_path / "m", b'{"weightsManifest":[],"modelTopology":' + stacks.encode() + b"}")
    check_refused(child.load(folder), folder, ["UnsafeModelError"])


def texts():
    """Documents that are no JSON as it should be."""
    good = json.dumps({"modelTopology": sequential(DENSE), "weightsManifest": []})
    yield "200000 brackets", b"[" * 200_000
    yield "nested", (b'{"modelTopology":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001)
    yield "a repeated key", good.replace('"units": 1', '"units": 3, "units": 3000000000').encode()
    for number in ("NaN", "Infinity", "1e999", "9" * 5000):
        yield f"the number {number[:10]}", good.replace('"units": 1', f'"units": {number}').encode()
    yield "half a surrogate", good.replace('"d"', '"\\ud800"').encode()
    yield "UTF-16", good.encode("utf-16")
    yield "not UTF-8", good.replace('"d"', '"\\u00e9"').encode().replace(b"\\u00e9", b"\xe9")
    yield "something after it", good.encode() + b"x"
    yield "another after it", good.encode() * 2
    yield "65 MiB of spaces", b" " * (65 << 20) + good.encode()
    yield "nothing", b""
    yield "a list", b"[]"


@pytest.mark.parametrize(("kind", "text"), list(texts()), ids=lambda value: value if isinstance(value, str) else "")
def test_t10_texts(kind, text, child, tmp_path):
    folder = raw(tmp_path / "m", text)
    check_refused(child.load(folder), folder)


@pytest.mark.parametrize(
    "name",
    ["__proto__", "constructor", "a\x1b]0;x\x07", "a\0", "x" * 2000, "../../x", "/x", "..", "\u202e"],
    ids=ascii,
)
def test_t10_names(name, child, tmp_path):
    entry = {"class_name": "Dense", "config": {**DENSE["config"], "name": name}}
    weights = [{**KERNEL, "name": f"{name}/kernel"}, {**BIAS, "name": f"{name}/bias"}]
    folder = write(tmp_path / "m", sequential(entry), weights=weights)
    check_refused(child.load(folder), folder)
    bare_one = bare(tmp_path / "n", layer("Activation", name=name, activation="relu"))
    check_refused(child.load(bare_one), bare_one)


@pytest.mark.parametrize("key", ["userDefinedMetadata", "trainingConfig", "signature", "modelInitializer"])
def test_t11_metadata(key, child, tmp_path):
    hostile = {"__class__": {"__init__": "os.system"}, "lamina": {"training": {"optimizer": "eval"}, "seeds": "x"}}
    folder = write(tmp_path / "m", **{key: hostile})
    found = child.load(folder)
    check_harmless(found, folder)
    large = write(tmp_path / "n", **{key: {"x": "y" * (66 << 20)}})
    check_refused(child.load(large), large, ["UnsafeModelError"])


SMALL_VALUES = {
    "texts": lambda: json.dumps(["\u0100"] * 800_000, ensure_ascii=False),
    "objects": lambda: json.dumps([{"a": 1}] * 900_000),
    "keys": lambda: json.dumps({f"{i:x}": 0 for i in range(900_000)}),
    "lists": lambda: json.dumps([[]] * 900_000),
    "numbers": lambda: json.dumps([999] * 3_900_000),
    "very many numbers": lambda: "[" + "9," * 30_000_000 + "9]",
}


@pytest.mark.parametrize("kind", SMALL_VALUES)
def test_t11_metadata_of_small_values(kind, child, tmp_path):
    """Each value takes memory many times its text."""
    text = SMALL_VALUES[kind]()
    document = json.dumps({"modelTopology": sequential(DENSE), "weightsManifest": [], "userDefinedMetadata": {"x": 0}})
    folder = raw(tmp_path / "m", document.replace('{"x": 0}', f'{{"x": {text}}}').encode())
    check_refused(child.load(folder), folder)


@pytest.mark.parametrize("op", ["ReadFile", "PyFunc", "Const"])
def test_t12_graph_models(op, child, tmp_path):
    graph = {"node": [{"name": "a", "op": op, "attr": {}}], "versions": {}}
    folder = write(tmp_path / "m", graph, weights=(), paths=(), data=None, format="graph-model")
    check_refused(child.load(folder), folder)
