"""Pictures of models: what they show, that nothing overlaps, and that no name escapes from its place."""

from __future__ import annotations

import builtins
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import lamina
from lamina import Model, Sequential, layers
from lamina.errors import ArgumentError, ArgumentTypeError, MissingLibraryError
from lamina.models.drawing import diagram_of, model_to_dot, plot_model, to_svg
from lamina.models.drawing.layout import laid_out

HOSTILE = '<script>alert("x")</script>\x1b[31m"];evil -> all;'


def branching():
    x, z = lamina.Input((6,), name="x"), lamina.Input((3,), name="z")
    inner = Sequential([layers.Dense(5, input_shape=(6,), name="p"), layers.Dense(4, name="q")], name="inner")
    left, right = layers.Dense(2, activation="relu", name="left")(x), layers.Dense(2, name="right")(x)
    joined = layers.Concatenate(name="joined")([left, right, z])
    summed = layers.Add(name="summed")([inner(x), layers.Dense(4, name="wide")(joined), inner(x)])
    return Model([x, z], [summed, layers.Dense(1, name="late")(z)], name="branching")


class Own(Model):
    def __init__(self):
        super().__init__(name="own")
        self.a = layers.Dense(2, name="a")
        self.b = layers.Dense(3, name="b")

    def call(self, x):
        return self.b(self.a(x))


def named(diagram):
    return [(diagram.boxes[a].lines[0], diagram.boxes[b].lines[0]) for a, b in diagram.arrows]


class TestDiagram:
    def test_boxes_and_arrows(self):
        drawing = plot_model(branching(), None, show_layer_names=True)
        assert ("x (InputLayer)", "left (Dense)") in named(drawing.diagram)
        assert ("z (InputLayer)", "joined (Concatenate)") in named(drawing.diagram)
        assert len(drawing.diagram.boxes) == 10

    def test_several_calls_are_told_apart(self):
        lines = [box.lines[0] for box in diagram_of(branching()).boxes]
        assert [line for line in lines if line.startswith("Sequential")] == ["Sequential, call 1", "Sequential, call 2"]

    def test_models_inside(self):
        diagram = plot_model(branching(), None, show_layer_names=True, expand_nested=True).diagram
        assert list(diagram.groups.values()) == ["inner", "inner"]
        assert ("x (InputLayer)", "p (Dense)") in named(diagram)
        assert ("q (Dense)", "summed (Add)") in named(diagram)
        assert [box.lines[0] for box in diagram.boxes].count("p (Dense)") == 2
        assert diagram.text(next(b for b in diagram.boxes if b.lines[0] == "p (Dense)"))[-1] == "in inner"

    def test_what_is_said(self):
        model = branching()
        model.get_layer("left").trainable = False
        diagram = plot_model(
            model, None, show_shapes=True, show_dtype=True, show_layer_names=True, show_layer_activations=True,
            show_trainable=True,
        ).diagram  # fmt: skip
        box = next(b for b in diagram.boxes if b.lines[0].startswith("left"))
        assert box.lines == (
            "left (Dense)", "activation: relu", "input: (None, 6)", "output: (None, 2)", "dtype: float32",
            "not trainable",
        )  # fmt: skip
        assert box.frozen
        joined = next(b for b in diagram.boxes if b.lines[0].startswith("joined"))
        assert joined.lines[1] == "input: [(None, 2), (None, 2), (None, 3)]"

    def test_a_model_with_a_call_of_its_own_has_no_arrows(self):
        model = Own()
        assert [box.lines for box in diagram_of(model).boxes] == [("Dense",), ("Dense",)]
        model(np.zeros((1, 4), np.float32))
        diagram = plot_model(model, None, show_shapes=True).diagram
        assert diagram.boxes[1].lines == ("Dense", "input: (None, 2)", "output: (None, 3)")
        assert diagram.arrows == []
        places = laid_out(diagram).places
        assert places[0].y < places[1].y


class TestLayout:
    @pytest.mark.parametrize("direction", ["TB", "BT", "LR", "RL"])
    def test_boxes_are_inside_and_apart(self, direction):
        layout = laid_out(plot_model(branching(), None, show_shapes=True, expand_nested=True).diagram, direction)
        for i, a in enumerate(layout.places):
            assert a.width / 2 <= a.x <= layout.width - a.width / 2
            assert a.height / 2 <= a.y <= layout.height - a.height / 2
            for b in layout.places[:i]:
                assert abs(a.x - b.x) >= (a.width + b.width) / 2 or abs(a.y - b.y) >= (a.height + b.height) / 2

    def test_arrows_go_the_way_they_should(self):
        diagram = diagram_of(branching())
        for direction, axis, sign in (("TB", 1, 1), ("BT", 1, -1), ("LR", 0, 1), ("RL", 0, -1)):
            for route in laid_out(diagram, direction).routes:
                steps = np.diff([point[axis] for point in route]) * sign
                assert (steps > 0).all()

    def test_a_long_stack(self):
        model = Sequential([lamina.Input((1,)), *(layers.Dense(1) for _ in range(60))])
        layout = laid_out(diagram_of(model))
        assert len(layout.places) == 61
        assert len({place.x for place in layout.places}) < 5

    def test_nothing_to_draw(self):
        assert "<svg" in to_svg(diagram_of(Sequential(name="empty")))


class TestText:
    def hostile(self):
        kind = type(HOSTILE, (layers.Dense,), {})
        model = Sequential([kind(1, input_shape=(1,), name="d"), layers.Dense(1, name="e")], name="m")
        model.layers[0].name = HOSTILE
        model.name = HOSTILE
        outer = Sequential([lamina.Input((1,)), model])
        return plot_model(outer, None, show_layer_names=True, expand_nested=True)

    def test_svg_is_well_formed(self):
        text = self.hostile().svg()
        root = ET.fromstring(text)
        kinds = {element.tag.split("}")[1] for element in root.iter()}
        assert kinds <= {"svg", "title", "defs", "marker", "path", "rect", "polyline", "g", "text"}
        assert any('<script>alert("x")' in (element.text or "") for element in root.iter())
        assert "\x1b" not in text

    def test_dot_keeps_names_inside_of_quotes(self):
        for line in self.hostile().dot().splitlines():
            outside = line.replace("\\\\", "").replace('\\"', "").split('"')[::2]
            assert "script" not in "".join(outside)
            assert "evil" not in "".join(outside)

    def test_mermaid_has_names_as_numbers(self):
        text = self.hostile().mermaid()
        assert "<script" not in text
        assert "&" not in text
        assert text.count('"') == 2 * text.count("[")

    def test_clusters(self):
        text = model_to_dot(branching(), expand_nested=True, rankdir="LR", splines="curved", dpi=90)
        assert "rankdir=LR, dpi=90, splines=curved" in text
        assert text.count("subgraph cluster_") == 2
        assert branching().to_mermaid(expand_nested=True, rankdir="LR").startswith("flowchart LR")


class TestFiles:
    @pytest.mark.parametrize(
        ("name", "begins"),
        [
            ("m.svg", b"<svg"),
            ("m.dot", b"digraph"),
            ("m.gv", b"digraph"),
            ("m.mmd", b"flowchart"),
            ("m.md", b"```mermaid\nflowchart"),
            ("m.png", b"\x89PNG"),
            ("m.PDF", b"%PDF"),
        ],
    )
    def test_the_ending_says_the_format(self, tmp_path, name, begins):
        if name.lower().endswith(("png", "pdf")):
            pytest.importorskip("matplotlib")
        drawing = plot_model(branching(), tmp_path / name, show_shapes=True)
        assert (tmp_path / name).read_bytes().startswith(begins)
        assert drawing._repr_svg_().startswith("<svg")

    def test_dots_to_the_inch(self, tmp_path):
        sizes = [
            len(plot_model(branching(), None, dpi=dpi).svg().split('width="')[1].split('"')[0]) for dpi in (96, 960)
        ]
        assert sizes[1] == sizes[0] + 1

    def test_without_matplotlib(self, tmp_path, monkeypatch):
        real = builtins.__import__

        def without(name, *args, **kwargs):
            if name.startswith("matplotlib"):
                raise ImportError(name)
            return real(name, *args, **kwargs)

        monkeypatch.setattr(builtins, "__import__", without)
        with pytest.raises(MissingLibraryError, match=r"lamina\[plots\]") as caught:
            plot_model(branching(), tmp_path / "m.png")
        assert isinstance(caught.value, ImportError)

    @pytest.mark.parametrize(
        "settings",
        [{"rankdir": "UP"}, {"dpi": 0}, {"splines": "wavy"}, {"to_file": "model.docx"}, {"to_file": "model"}],
    )
    def test_what_is_refused(self, settings):
        with pytest.raises(ArgumentError):
            plot_model(branching(), **{"to_file": None, **settings})

    def test_what_is_no_model(self):
        with pytest.raises(ArgumentTypeError):
            plot_model(layers.Dense(1), None)
