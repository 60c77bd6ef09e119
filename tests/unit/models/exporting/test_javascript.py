"""Layers as classes in JavaScript: what is written, for which sizes it holds, and what is refused."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import lamina
from backends_here import scope
from lamina import layers, ops
from lamina.errors import ArgumentError, SerializationError
from lamina.models.exporting import export_model, tfjs_findings
from lamina.models.exporting.javascript import classes_module, javascript_class
from lamina.models.exporting.javascript.constants import constant_text
from lamina.models.exporting.javascript.recording import SIZES
from lamina.models.exporting.javascript.sizes import merged
from lamina.models.exporting.javascript.text import literal, quoted

NAMES = {"n0": SIZES[0], "n1": SIZES[1]}


def written(layer, *shapes, dtype="float32", **given):
    inputs = [lamina.Input(shape, dtype=dtype) for shape in shapes]
    layer(inputs if len(inputs) > 1 else inputs[0], **given)
    return javascript_class(layer, layer._nodes)


def body(text):
    """The lines of run."""
    return [line.strip() for line in text.split("run(x, w) {\n")[1].split("\n  },")[0].splitlines()]


def of_function(function, *shapes):
    return body(written(Calling(function, name="own"), *shapes).source)


class Calling(layers.Layer):
    """A layer of a function, whose config nobody reads here."""

    def __init__(self, function, **common):
        super().__init__(**common)
        self.function = function

    def call(self, x):
        return self.function(x)

    def get_config(self):
        return {"name": self.name}


class Scale(layers.Layer):
    def build(self, input_shape):
        self.factor = self.add_weight((), name="factor", trainable=False)

    def call(self, x):
        return x * self.factor


def test_a_tiny_layer_in_full():
    found = written(Scale(name="scale"), (3,))
    assert found == (type(found))("Scale", GOLDEN, ("scale/factor",), "scale")


GOLDEN = """{
name: "scale",
settings: {},
supportsMasking: false,
weights: [["factor", "scale/factor", [], "float32", false]],
calls: [{
  inputs: 1,
  masked: false,
  equal: [],
  shapes(s) {
    const n0 = s[0][0];
    return [[n0, 3]];
  },
  run(x, w) {
    const n0 = x[0].shape[0];
    const t2 = tf.mul(x[0], w[0]);
    return [t2];
  },
}],
}"""


class TestSizes:
    @pytest.mark.parametrize(
        ("function", "text"),
        [
            (lambda a, b: a, "n0"),
            (lambda a, b: 3 * a, "n0 * 3"),
            (lambda a, b: a * b, "n0 * n1"),
            (lambda a, b: a * b * 6 // 2, "n0 * n1 * 3"),
            (lambda a, b: a * a, "n0 * n0"),
            (lambda a, b: 2 * b - 1, "(2 * n1 + -1)"),
            (lambda a, b: b - 2, "(n1 + -2)"),
            (lambda a, b: -(-b // 2), "(Math.floor((n1 + 1) / 2) + 0)"),
            (lambda a, b: (b - 3) // 2 + 1, "(Math.floor((n1 + 1) / 2) + -1)"),
            (lambda a, b: b // 3, "(Math.floor((n1 + 0) / 3) + 0)"),
            (lambda a, b: 1.0 / b, "1.0 * (1 / n1)"),
            (lambda a, b: 2 * b**0.5, "2.0 * (Math.sqrt(n1))"),
        ],
    )
    def test_expression(self, function, text):
        values = [function(a, b) for a, b in zip(SIZES[0], SIZES[1], strict=True)]
        found = merged(values, NAMES)
        assert found == text
        for place, value in enumerate(values):
            names = {"n0": SIZES[0][place], "n1": SIZES[1][place]}
            assert evaluated(str(found), names) == pytest.approx(value)

    def test_what_agrees_stays_and_lists_are_merged_within(self):
        assert merged([(2, None, "same")] * 6, NAMES) == (2, None, "same")
        assert literal(merged([(2, [s, True]) for s in SIZES[0]], NAMES)) == "[2, [n0, true]]"

    @pytest.mark.parametrize("values", [[1, 2, 3, 1, 2, 3], [*"ababab"], [(1,), *[(1, 2)] * 5]])
    def test_what_has_no_expression_is_refused(self, values):
        with pytest.raises(SerializationError, match="follows from unknown sizes"):
            merged(values, NAMES)

    def test_sizes_have_all_remainders_so_that_strides_show(self):
        for sizes in SIZES:
            assert {s % 4 for s in sizes} == {0, 1, 2, 3}
            assert {s % 3 for s in sizes} == {0, 1, 2}
        assert len({s for sizes in SIZES for s in sizes}) == sum(map(len, SIZES))


def evaluated(text, names):
    """An expression in JavaScript of the few forms that there are."""
    code = text.replace("Math.", "math.")
    tree = compile(code, "expression", "eval")
    assert set(tree.co_names) <= {"math", "floor", "sqrt", *names}
    return eval(tree, {"math": math, "__builtins__": {}, **names})


class TestConstants:
    def test_equal_ones_are_written_out(self):
        array = np.array([[1.5, -0.1], [np.inf, np.nan]], np.float32)
        assert constant_text([array] * 6, NAMES) == 'tf.tensor([1.5, -0.1, Infinity, NaN], [2, 2], "float32")'
        assert constant_text([np.array(True)] * 6, NAMES) == 'tf.scalar(true, "bool")'

    def test_bands_follow_sizes(self):
        causal = [np.tri(n, n, dtype=bool) for n in SIZES[0]]
        assert constant_text(causal, NAMES) == (
            "tf.cast(tf.linalg.bandPart(tf.ones([n0, n0]), -1, Math.min(0, n0)), 'bool')"
        )
        near = [np.tri(n, n, dtype=bool) & ~np.tri(n, n, -3, dtype=bool) for n in SIZES[0]]
        assert "Math.min(2, n0), Math.min(0, n0)" in constant_text(near, NAMES)

    def test_steps_follow_sizes(self):
        text = constant_text([np.arange(2, 2 + 3 * n, 3) for n in SIZES[0]], NAMES)
        assert text == "tf.range(2, 2 + 3 * (n0), 3, 'int32')"

    def test_others_are_refused(self):
        with pytest.raises(SerializationError, match="follows from unknown sizes"):
            constant_text([np.sin(np.arange(n)) for n in SIZES[0]], NAMES)
        with pytest.raises(SerializationError, match="at most 100000"):
            constant_text([np.zeros(100_001)] * 6, NAMES)


class TestText:
    HOSTILE = "</script><script>alert(1)</script>\"'`${1}\\\u2028\n"

    def test_strings_never_end_a_script_or_a_string(self):
        found = quoted(self.HOSTILE)
        assert "<" not in found
        assert "\n" not in found
        assert "\u2028" not in found
        assert json.loads(found) == self.HOSTILE

    def test_names_and_configs_are_quoted_in_the_module(self):
        layer = Own(self.HOSTILE, name="own")
        text = classes_module([written(layer, (3,))])
        assert "</script>" not in text
        assert "alert(1)\\u003c/script" in text
        assert "eval(" not in text
        assert "Function(" not in text

    def test_one_class_for_each_name_with_all_its_programs(self):
        found = [written(layers.UnitNormalization(name=name), (3,)) for name in ("first", "second")]
        text = classes_module([*found, written(Scale(name="third"), (3,))])
        assert text.count('add("UnitNormalization", [') == 1
        assert text.count('add("Scale", [') == 1
        assert text.count("tf.rsqrt") == 2


@lamina.serialization.register("Own>of </script> tests")
class Own(layers.Layer):
    def __init__(self, text, **common):
        super().__init__(**common)
        self.text = text

    def call(self, x):
        return -x


class TestPrograms:
    def test_composites_are_written_as_their_parts(self):
        lines = of_function(ops.softplus, (3,))
        assert not any("softplus" in line for line in lines)
        assert any("tf.log1p" in line for line in lines)

    def test_what_changes_nothing_is_left_out(self):
        lines = of_function(lambda x: ops.reshape(ops.cast(ops.transpose(x, (0, 1)), "float32"), x.shape), (3,))
        assert lines == ["const n0 = x[0].shape[0];", "return [x[0]];"]

    def test_the_last_axis_and_others_of_softmax(self):
        assert "const t1 = tf.softmax(x[0]);" in of_function(lambda x: ops.softmax(x, -1), (3, 4))
        assert any("[0, 2, 1])), [0, 2, 1])" in line for line in of_function(lambda x: ops.softmax(x, 1), (3, 4)))

    def test_lengths_of_inputs_are_apart_where_they_can_be(self):
        found = written(layers.Attention(name="a"), (None, 4), (None, 4))
        assert "equal: [[[0, 0], [1, 0]]]" in found.source
        assert "return [[n0, n1, 4]]" in found.source
        found = written(layers.Subtract(name="s"), (None, 4), (None, 4))
        assert "[[0, 1], [1, 1]]" in found.source

    def test_a_weight_itself_is_cloned(self):
        class Weight(Scale):
            def call(self, x):
                return self.factor

        assert body(written(Weight(name="w"), (3,)).source)[-1] == "return [tf.clone(w[0])];"

    def test_variables_that_are_no_weights_are_constants(self):
        table = lamina.Variable([1.0, 2.0])
        assert any(
            "tf.tensor([1.0, 2.0]" in line or "[1.0, 2.0]" in line for line in of_function(lambda x: x + table, (2,))
        )

    def test_layers_on_other_backends(self):
        with scope("torch"):
            found = written(layers.Dense(2, activation="gelu", name="d"), (3,))
        assert "tf.erf" in found.source

    def test_the_layer_stays_as_it_is(self):
        layer = layers.BatchNormalization()
        found = written(layer, (3,))
        before = [w.copy() for w in layer.get_weights()]
        nodes = list(layer._nodes)
        assert javascript_class(layer, nodes) == found
        assert layer._nodes == nodes
        for one, other in zip(before, layer.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)

    def test_trainable_flags(self):
        layer = layers.BatchNormalization(name="b")
        flags = next(line for line in written(layer, (3,)).source.splitlines() if line.startswith("weights"))
        assert flags.count(", true]") == 2
        assert flags.count(", false]") == 2
        layer.trainable = False
        assert javascript_class(layer, layer._nodes).source.count(", true]") == 2  # as the config says, not the weights


class TestExport:
    def model(self):
        x = lamina.Input((6, 4))
        y = layers.MultiHeadAttention(2, 3, name="heads")(x, x, use_causal_mask=True)
        y = layers.AdditiveAttention(name="attends")([y, y])
        return lamina.Model(x, layers.Dense(2, kernel_initializer=lamina.initializers.Constant(0.5))(y))

    def test_findings_name_the_layers(self):
        found = tfjs_findings(self.model())
        assert {f.layer for f in found if f.severity == "javascript"} == {"heads", "attends"}
        assert [f.layer for f in found if "one tensor twice" in f.what] == ["attends"]

    def test_the_classes_stand_beside_the_model(self, tmp_path):
        model = self.model()
        export_model(model, tmp_path)
        text = (tmp_path / "layers.js").read_text(encoding="utf-8")
        assert 'add("MultiHeadAttention", [' in text
        assert 'add("AdditiveAttention", [' in text
        again = lamina.load_model(tmp_path)
        x = np.linspace(-1, 1, 48, dtype=np.float32).reshape(2, 6, 4)
        np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))

    def test_a_model_without_such_layers_has_no_such_file(self, tmp_path):
        export_model(lamina.Sequential([layers.Dense(2, input_shape=(3,))]), tmp_path)
        assert not (tmp_path / "layers.js").exists()

    def test_what_has_no_place_for_them_refuses_and_an_object_gets_them(self):
        with pytest.raises(ArgumentError, match=r"no place for layers\.js"):
            export_model(self.model(), "memory://heads")
        got = []
        export_model(self.model(), lamina.io.with_save_handler(got.append))
        assert "MultiHeadAttention" in got[0].further_files["layers.js"].decode()

    def test_what_cannot_be_written_is_refused_with_both_reasons(self):
        x = lamina.Input((None, 3))
        found = tfjs_findings(
            lamina.Model(x, Calling(lambda x: ops.bitwise_and(ops.cast(x, "int32"), 1), name="own")(x))
        )
        assert [f.severity for f in found] == ["refused"]
        assert "no layer Calling" in found[0].what
        assert "stands for the op" in found[0].what


class Reading(layers.Layer):
    def call(self, x):
        return x * float(ops.sum(x).item())

    def compute_output_shape(self, input_shape):
        return input_shape


class Counting(layers.Layer):
    def build(self, input_shape):
        self.calls = self.add_weight((), "zeros", trainable=False, name="calls")

    def call(self, x):
        self.calls.assign(self.calls + 1.0)
        return x


class TestRefusals:
    @pytest.mark.parametrize(
        ("layer", "shapes", "reason"),
        [
            (Counting(), [(3,)], "each call changes"),
            (Calling(lambda x: ops.argwhere(x > 0)), [(3,)], "depends on values"),
            (Calling(lambda x: ops.bitwise_and(ops.cast(x, "int32"), 1)), [(3,)], "op 'bitwise_and'"),
            (layers.SimpleRNN(3), [(None, 2)], "as a loop over steps does"),
            (Calling(lambda x: x[:, ::-2]), [(5,)], "negative step"),
            (Calling(lambda x: ops.cast(x, "complex64")), [(5,)], "complex64"),
            (Calling(lambda x: x + np.sin(np.arange(x.shape[1]))), [(None,)], "a constant"),
            (layers.Conv2D(2, 3, strides=2, padding="same"), [(None, None, 3)], "unknown sizes"),
        ],
    )
    def test_reason(self, layer, shapes, reason):
        with pytest.raises(SerializationError, match="cannot be written in JavaScript") as caught:
            written(layer, *shapes)
        assert reason in str(caught.value)
        assert layer.name in str(caught.value)

    def test_what_it_changed_while_recorded_is_undone(self):
        layer = Counting()
        layer(lamina.Input((3,)))
        before = layer.calls.numpy()
        with pytest.raises(SerializationError, match="each call changes"):
            javascript_class(layer, layer._nodes)
        assert layer.calls.numpy() == before

    def test_values_that_are_read(self):
        layer = Reading()
        layer(lamina.Input((3,)))
        with pytest.raises(SerializationError, match="a value was read"):
            javascript_class(layer, layer._nodes)

    def test_calls_that_differ(self):
        x, y = lamina.Input((3, 4)), lamina.Input((5, 4))
        layer = layers.Attention()
        layer([x, y])
        layer([x, y], use_causal_mask=True)
        with pytest.raises(SerializationError, match="different ways"):
            javascript_class(layer, layer._nodes)

    @pytest.mark.parametrize("backend", ["numpy", "torch"])
    @pytest.mark.parametrize("layer", [layers.GRU(2), layers.LSTM(2)], ids=lambda layer: type(layer).__name__)
    def test_loops_of_any_length_are_one_call(self, backend, layer):
        with scope(backend):
            source = written(type(layer).from_config(layer.get_config()), (None, 3)).source
        assert source.count(f"= ops.{type(layer).__name__.lower()}(") == 1
        assert "matMul" not in source

    def test_long_loops(self):
        with pytest.raises(SerializationError, match="over 4000 kernels"):
            written(layers.SimpleRNN(2), (1500, 2))
