"""Summaries: what is known of each layer, what it costs, and how it is shown in terminals and notebooks."""

from __future__ import annotations

import html.parser

import numpy as np
import pytest

import lamina
from backends_here import scope
from lamina import Model, Sequential, layers
from lamina.errors import ArgumentError, ArgumentTypeError, UnknownNameError
from lamina.models.callbacks import History
from lamina.models.costs import activation_bytes, multiply_adds
from lamina.models.rows import model_rows
from lamina.models.summary import summary_lines

HOSTILE = "<script>alert('x')</script>\x1b[31m\u202e&"


def stack():
    return Sequential(
        [layers.Dense(4, input_shape=(3,), name="a"), layers.Dropout(0.5, name="b"), layers.Dense(2, name="c")],
        name="stack",
    )


def graph():
    x = lamina.Input((3,), name="x")
    inner = Sequential([layers.Dense(4, input_shape=(3,), name="deep")], name="inner")
    return Model(x, layers.Add(name="sum")([inner(x), layers.Dense(4, name="side")(x)]), name="graph")


class Own(Model):
    def __init__(self):
        super().__init__(name="own")
        self.hidden = layers.Dense(8, name="hidden")
        self.memory = layers.LSTM(3, name="memory")

    def call(self, x):
        return self.memory(self.hidden(x))


class TestRows:
    def test_a_stack(self):
        rows = model_rows(stack(), memory=True, costs=True)
        assert [(r.name, r.class_name, r.output_shape, r.params) for r in rows] == [
            ("a", "Dense", (None, 4), 16),
            ("b", "Dropout", (None, 4), 0),
            ("c", "Dense", (None, 2), 10),
        ]
        assert [r.input_shapes for r in rows] == [((None, 3),), ((None, 4),), ((None, 4),)]
        assert [r.weight_bytes for r in rows] == [64, 0, 40]
        assert [r.activation_bytes for r in rows] == [16, 16, 8]
        assert [r.multiply_adds for r in rows] == [12, 0, 8]

    def test_a_graph_says_what_each_layer_receives(self):
        received = {r.name: r.received for r in model_rows(graph())}
        assert received == {
            "x": (),
            "inner": ("x[0][0]",),
            "side": ("x[0][0]",),
            "sum": ("inner[0][0]", "side[0][0]"),
        }

    def test_models_inside_are_listed_on_request(self):
        rows = model_rows(graph(), expand_nested=True, costs=True)
        assert [(r.name, r.depth) for r in rows] == [("x", 0), ("inner", 0), ("deep", 1), ("side", 0), ("sum", 0)]
        assert [r.multiply_adds for r in rows] == [0, 12, 12, 12, 0]

    def test_a_shared_layer_counts_for_each_call(self):
        x, y = lamina.Input((3,)), lamina.Input((3,))
        shared = layers.Dense(4, name="shared")
        model = Model([x, y], layers.Add()([shared(x), shared(y)]))
        row = next(r for r in model_rows(model, memory=True, costs=True) if r.name == "shared")
        assert (row.multiply_adds, row.activation_bytes, row.params) == (24, 32, 16)
        assert row.output_shape == (None, 4)

    def test_calls_of_different_shapes(self):
        x, y = lamina.Input((3, 2)), lamina.Input((5, 2))
        shared = layers.Dense(4, name="shared")
        model = Model([x, y], [shared(x), shared(y)])
        row = next(r for r in model_rows(model) if r.name == "shared")
        assert row.output_shape == "multiple"
        assert row.output_shapes == ((None, 3, 4), (None, 5, 4))

    def test_a_model_with_a_call_of_its_own(self):
        model = Own()
        assert [(r.output_shape, r.params) for r in model_rows(model, memory=True, costs=True)] == [(None, None)] * 2
        model(np.zeros((2, 5, 4), np.float32))
        rows = model_rows(model, memory=True, costs=True)
        assert [r.output_shape for r in rows] == [(None, 5, 8), (None, 3)]
        assert [r.params for r in rows] == [40, 144]
        assert [r.multiply_adds for r in rows] == [5 * 4 * 8, 5 * (8 + 3) * 4 * 3]

    def test_unknown_sizes(self):
        x = lamina.Input((None, 3))
        row = model_rows(Model(x, layers.Dense(2)(x)), memory=True, costs=True)[-1]
        assert (row.output_shape, row.activation_bytes, row.multiply_adds) == ((None, None, 2), None, None)


class TestCosts:
    """Counted by hand: one multiply-add for each product that goes into a sum."""

    @pytest.mark.parametrize(
        ("make", "shape", "count"),
        [
            (lambda: layers.Dense(5), (3,), 3 * 5),
            (lambda: layers.Dense(5), (7, 3), 7 * 3 * 5),
            (lambda: layers.Conv2D(4, 3), (8, 6, 2), 6 * 4 * 4 * (3 * 3 * 2)),
            (lambda: layers.Conv2D(4, 3, strides=2, padding="same"), (8, 6, 2), 4 * 3 * 4 * (3 * 3 * 2)),
            (lambda: layers.Conv2D(4, 3, groups=2), (8, 6, 2), 6 * 4 * 4 * (3 * 3 * 1)),
            (lambda: layers.Conv1D(4, 3), (8, 2), 6 * 4 * (3 * 2)),
            (lambda: layers.Conv3D(4, 2), (3, 4, 5, 2), 2 * 3 * 4 * 4 * (2 * 2 * 2 * 2)),
            (lambda: layers.DepthwiseConv2D(3, depth_multiplier=2), (8, 6, 5), 6 * 4 * 5 * 2 * (3 * 3)),
            (lambda: layers.SeparableConv2D(4, 3), (8, 6, 5), 6 * 4 * 5 * (3 * 3) + 6 * 4 * 4 * 5),
            (lambda: layers.Conv2DTranspose(4, 3), (8, 6, 2), 8 * 6 * 2 * (3 * 3 * 4)),
            (lambda: layers.LSTM(5), (7, 3), 7 * 4 * 5 * (3 + 5)),
            (lambda: layers.GRU(5), (7, 3), 7 * 3 * 5 * (3 + 5)),
            (lambda: layers.SimpleRNN(5), (7, 3), 7 * 5 * (3 + 5)),
            (lambda: layers.Bidirectional(layers.LSTM(5)), (7, 3), 2 * 7 * 4 * 5 * (3 + 5)),
            (lambda: layers.TimeDistributed(layers.Dense(5)), (7, 3), 7 * 3 * 5),
            (lambda: layers.EinsumDense("abc,cd->abd", (None, 5)), (7, 3), 7 * 3 * 5),
            (lambda: layers.MaxPooling2D(2), (8, 6, 2), 0),
            (lambda: layers.BatchNormalization(), (8,), 0),
            (lambda: layers.Dropout(0.5), (8,), 0),
        ],
    )
    @pytest.mark.parametrize("backend", ["numpy", "torch"])
    def test_by_hand(self, make, shape, count, backend):
        with scope(backend):
            model = Sequential([lamina.Input(shape), make()])
        assert model_rows(model, costs=True)[0].multiply_adds == count

    def test_attention(self):
        class Attention(layers.Layer):
            def call(self, x):
                queries, keys = x
                scores = lamina.softmax(lamina.einsum("nik,njk->nij", queries, keys))
                return lamina.einsum("nij,njk->nik", scores, keys)

        queries, keys = lamina.Input((7, 3)), lamina.Input((5, 3))
        model = Model([queries, keys], Attention()([queries, keys]))
        assert model_rows(model, costs=True)[-1].multiply_adds == 2 * 7 * 5 * 3

    @pytest.mark.parametrize("backend", ["numpy", "torch"])
    def test_heads_of_attention(self, backend):
        with scope(backend):
            queries, keys = lamina.Input((7, 6)), lamina.Input((5, 6))
            model = Model([queries, keys], layers.MultiHeadAttention(2, 3)(queries, keys))
        projections = 7 * 6 * (2 * 3) + 2 * (5 * 6 * (2 * 3)) + 7 * (2 * 3) * 6
        assert model_rows(model, costs=True)[-1].multiply_adds == projections + 2 * (2 * 7 * 5 * 3)

    def test_a_fixed_batch_does_not_count(self):
        x = lamina.Input(batch_shape=(16, 3))
        assert model_rows(Model(x, layers.Dense(5)(x)), costs=True)[-1].multiply_adds == 15

    def test_counting_leaves_no_trace(self):
        class Counting(layers.Layer):
            def build(self, input_shape):
                self.calls = self.add_weight((), "zeros", trainable=False, name="calls")

            def call(self, x):
                self.calls.assign(self.calls + 1)
                self.add_loss(lamina.sum(x))
                return x

        layer = Counting()
        model = Sequential([lamina.Input((2,)), layer])
        layer(lamina.ones((1, 2)))
        before = [v.numpy() for v in model.weights], [loss.item() for loss in layer.losses]
        assert multiply_adds(layer, model.graph.nodes[1:]) == 0
        assert ([v.numpy() for v in model.weights], [loss.item() for loss in layer.losses]) == before

    def test_a_call_that_zeros_do_not_suit_is_unknown(self):
        class Picky(layers.Layer):
            def call(self, x):
                if x.backend is not None and x.shape[0] == 1:
                    raise ValueError("no")
                return x

            def compute_output_shape(self, input_shape):
                return input_shape

        assert model_rows(Sequential([lamina.Input((2,)), Picky()]), costs=True)[0].multiply_adds is None

    def test_bytes_of_structures(self):
        layer = layers.Dense(1)
        assert activation_bytes(layer, [{"a": (None, 2), "b": [(None, 3), (None,)]}]) == 4 * (2 + 3 + 1)
        assert activation_bytes(layer, [(None, None)]) is None


class TestLines:
    def test_columns_on_request(self):
        lines = summary_lines(stack(), show_trainable=True, show_memory=True, show_multiply_adds=True)
        assert lines[2].split("  ") == [
            *("Layer (type)", "Output Shape", "Param #", "Trainable", "Weights", "Output/example", "Multiply-adds")
        ]
        assert lines[5].split() == ["b", "(Dropout)", "(None,", "4)", "0", "-", "0", "B", "16", "B", "0"]
        assert lines[-3:-1] == ["Outputs per example: 40 B", "Multiply-adds per example: 20"]

    def test_frozen_layers(self):
        model = stack()
        model.get_layer("a").trainable = False
        lines = summary_lines(model, show_trainable=True)
        assert [line.split()[-1] for line in lines[4:7]] == ["N", "-", "Y"]
        assert lines[-4:-1] == [
            "Total params: 26 (104 B)",
            "Trainable params: 10 (40 B)",
            "Non-trainable params: 16 (64 B)",
        ]

    def test_an_optimizer_that_has_begun(self):
        model = stack()
        model.compile("adam", "mse")
        assert not any(line.startswith("Optimizer") for line in summary_lines(stack()))
        model.fit(np.zeros((2, 3)), np.zeros((2, 2)), verbose=0)
        assert "Optimizer params: 54 (216 B)" in summary_lines(model)

    def test_line_length_and_positions(self):
        for length in (40, 80, 150):
            lines = summary_lines(stack(), length)
            assert len(lines[1]) == length
            assert max(map(len, lines[:-4])) <= length
        lines = summary_lines(stack(), positions=[20, 40, 60])
        assert (lines[2].index("Output"), lines[2].index("Param"), len(lines[1])) == (20, 40, 60)
        lines = summary_lines(stack(), 100, [0.5, 0.8, 1.0])
        assert (lines[2].index("Output"), lines[2].index("Param"), len(lines[1])) == (50, 80, 100)

    def test_nothing_is_cut_off(self):
        name = "a_layer_with_a_name_that_is_longer_than_any_column_of_a_terminal_would_ever_be_wide_enough_for"
        lines = summary_lines(Sequential([layers.Dense(1, input_shape=(1,), name=name)]), 60)
        assert len(lines[1]) == 60
        assert "".join(line.split(" ")[0] for line in lines[4:10]).startswith(name)

    def test_a_range_of_layers(self):
        def names(layer_range):
            return [line.split()[0] for line in summary_lines(stack(), layer_range=layer_range)[4:] if "(D" in line]

        assert names(["b", "c"]) == ["b", "c"]
        assert names(["c", "b"]) == ["b", "c"]
        assert names(("a", "[ab]")) == ["a", "b"]
        with pytest.raises(UnknownNameError):
            names(["a", "z"])
        for wrong in ("ab", ["a"], [1, 2]):
            with pytest.raises(ArgumentTypeError):
                names(wrong)

    @pytest.mark.parametrize("positions", [[0.5, 1], [0.5, 0.4, 1], [0, 0.5, 1], [float("nan"), 0.5, 1]])
    def test_positions_that_do_not_fit(self, positions):
        with pytest.raises(ArgumentError):
            summary_lines(stack(), positions=positions)

    def test_before_shapes_are_known(self):
        lines = summary_lines(Sequential([layers.Dense(2, name="d")], name="later"))
        assert lines[4].split("  ")[0] == "d (Dense)"
        assert "?" in lines[4]
        assert "not built" in lines[4]
        assert lines[-4] == "Total params: 0 (0 B), some layers are not built yet"

    def test_print_fn_gets_each_line(self):
        heard: list[str] = []
        stack().summary(print_fn=heard.append)
        assert heard == summary_lines(stack())


class Tags(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, attrs))

    def handle_data(self, data):
        self.text += data


class TestNames:
    def hostile(self):
        kind = type(HOSTILE, (layers.Dense,), {})
        model = Sequential([kind(1, input_shape=(1,), name="d"), layers.Dense(1, name="e")], name="m")
        model.name = HOSTILE
        model.layers[1].name = HOSTILE
        return model

    def test_terminals_get_no_control_characters(self):
        text = "\n".join(summary_lines(self.hostile()))
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "<script>" in text
        assert "\x1b" not in repr(self.hostile())

    def test_notebooks_get_no_tags(self):
        found = Tags(self.hostile()._repr_html_())
        allowed = {"div", "strong", "em", "table", "thead", "tbody", "tr", "th", "td", "small", "br"}
        assert {tag for tag, _ in found.tags} <= allowed
        assert all(not attrs for _, attrs in found.tags)
        assert "<script>" in found.text
        assert "\x1b" not in found.text

    def test_a_table_in_a_notebook(self):
        found = Tags(graph()._repr_html_())
        assert [tag for tag, _ in found.tags].count("tr") == 1 + 4
        for text in ("graph", "side (Dense)", "(None, 4)", "x[0][0]", "Total params: 32 (128 B)"):
            assert text in found.text


def test_repr():
    assert repr(stack()) == "<Sequential 'stack': 3 layers, 26 parameters>"
    assert repr(Sequential(name="s")) == "<Sequential 's': 0 layers, not built>"
    assert repr(Sequential([layers.Dense(1)], name="s")) == "<Sequential 's': 1 layer, not built>"


class TestHistory:
    def made(self):
        history = History()
        for epoch in range(3):
            history.on_epoch_end(epoch, {"loss": 1 / (epoch + 1), "<b>": "x" if epoch else 0.0})
        return history

    def test_in_a_terminal(self):
        assert repr(self.made()) == "<History: 3 epochs, loss=0.3333, <b>=x>"
        assert repr(History()) == "<History: 0 epochs>"

    def test_in_a_notebook(self):
        found = Tags(self.made()._repr_html_())
        assert [tag for tag, _ in found.tags].count("tr") == 4
        assert "b" not in {tag for tag, _ in found.tags}
        for text in ("<b>", "0.3333", "loss"):
            assert text in found.text
