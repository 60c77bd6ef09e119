"""Names that mean something where they are shown or kept: escaped by everything that shows them (row T10), and refused
by whatever makes a layer or saves one (rule R13).
"""

from __future__ import annotations

import pytest

import lamina
from attacks.conftest import FORMATS
from lamina import layers
from lamina.errors import LaminaError
from lamina.models.summary import summary_lines
from lamina.serialization import register
from lamina.utils import plot_model

TERMINAL, TAG, CLICK = "a\x1b]0;x\x07", "<img src=x onerror=1>", 'a"]; click a "javascript:1"'
SHOWN = {
    TERMINAL: {
        "summary": "a?]0;x? (Dense)",
        "html": "<td>a?]0;x? (Dense)</td>",
        "dot": '  n1 [label="a?]0;x? (Dense)"];',
        "mermaid": '  n1["a?#93;0#59;x? (Dense)"]',
        "svg": ">a?]0;x? (Dense)</text>",
    },
    TAG: {
        "summary": "<img src=x onerror=1> (Dense)",
        "html": "<td>&lt;img src=x onerror=1&gt; (Dense)</td>",
        "dot": '  n1 [label="<img src=x onerror=1> (Dense)"];',
        "mermaid": '  n1["#60;img src#61;x onerror#61;1#62; (Dense)"]',
        "svg": ">&lt;img src=x onerror=1&gt; (Dense)</text>",
    },
    CLICK: {
        "summary": 'a"]; click a "javascript:1" (Dense)',
        "html": "<td>a&quot;]; click a &quot;javascript:1&quot; (Dense)</td>",
        "dot": r'  n1 [label="a\"]; click a \"javascript:1\" (Dense)"];',
        "mermaid": '  n1["a#34;#93;#59; click a #34;javascript:1#34; (Dense)"]',
        "svg": ">a&quot;]; click a &quot;javascript:1&quot; (Dense)</text>",
    },
}


def named(name):
    """A model whose layer was given a name that no layer is made with."""
    model = lamina.Sequential([layers.Dense(1, input_shape=(2,), name="d")], name="m")
    model.layers[0].name = name
    return model


def renderings(model):
    drawing = plot_model(model, None, show_layer_names=True)
    return {
        "summary": "\n".join(summary_lines(model)),
        "html": model._repr_html_(),
        "dot": drawing.dot(),
        "mermaid": drawing.mermaid(),
        "svg": drawing.svg(),
    }


@pytest.mark.parametrize("name", SHOWN, ids=ascii)
def test_t10_names_as_they_are_shown(name):
    for renderer, text in renderings(named(name)).items():
        assert SHOWN[name][renderer] in text
        assert renderer in ("summary", "dot") or "<img" not in text
        assert not {"\x1b", "\x07"} & set(text)


NAMES = [
    TERMINAL, TAG, CLICK, "", "..", "../x", "/x", "a/b", "a/../b", "C:\\x", "a\0b", "a\nb", " ", "x" * 300, "__proto__",
    "constructor", "prototype", "\u202egpj", "x\ud800", "http://127.0.0.1:9/x",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name)[:30])
def test_r13_such_a_layer_is_not_made(name):
    with pytest.raises(LaminaError):
        layers.Dense(1, name=name)
    with pytest.raises(LaminaError):
        lamina.Sequential(name=name)


@pytest.mark.parametrize("ending", [*FORMATS, ".weights.h5"])
def test_r13_such_a_layer_is_not_saved(ending, tmp_path):
    for name in NAMES:
        model = named(name)
        outer = lamina.Sequential([lamina.Input((2,)), model])
        for found in (model, outer):
            with pytest.raises(LaminaError):
                (found.save_weights if ending == ".weights.h5" else found.save)(tmp_path / f"m{ending}")
    assert list(tmp_path.iterdir()) == []


@register("NamesItsWeight")
class NamesItsWeight(layers.Layer):
    def __init__(self, weight, **settings):
        super().__init__(**settings)
        self.weight_name = weight

    def build(self, shape):
        self.weight = self.add_weight(name=self.weight_name, shape=(2,), initializer="ones")

    def call(self, x):
        return x * self.weight

    def get_config(self):
        return {**super().get_config(), "weight": self.weight_name}


@pytest.mark.parametrize("ending", [*FORMATS, ".weights.h5"])
@pytest.mark.parametrize("name", [*NAMES, "x" * 2000, ".", "a//b", "a/", "NUL"], ids=lambda name: ascii(name)[:30])
def test_r13_what_is_saved_can_be_read(name, ending, tmp_path):
    """A weight's name is refused on saving, as a reader would, or not in the file at all."""
    model, place = lamina.Sequential([NamesItsWeight(name, input_shape=(2,))]), tmp_path / f"m{ending}"
    try:
        (model.save_weights if ending == ".weights.h5" else model.save)(place)
    except LaminaError:
        assert list(tmp_path.iterdir()) == []
        return
    if ending == ".weights.h5":
        model.load_weights(place)
    else:
        lamina.load_model(place)
