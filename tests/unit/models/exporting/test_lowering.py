"""Every layer: exported in layers that TensorFlow.js knows, with the same predictions, or refused with a reason."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from lamina.catalogue import LAYERS
from lamina.errors import ArgumentError
from lamina.io import load_artifacts
from lamina.models.exporting import tfjs_findings
from lamina.models.exporting.words import ACTIVATIONS, MODELS
from lamina.models.exporting.words import LAYERS as KNOWN
from unit.layers.layer_case import Arguments, Case, called
from unit.layers.test_every_layer import CASES

CLASSES = {
    "AdaptiveAveragePooling1D", "AdaptiveAveragePooling2D", "AdaptiveAveragePooling3D", "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D", "AdaptiveMaxPooling3D", "MelSpectrogram",
    "AdditiveAttention", "ConvLSTM2DCell", "ConvLSTM3D", "Discretization", "GRUCell", "GroupNormalization", "LSTMCell",
    "Lambda", "PositionEmbedding", "RMSNormalization", "RandomWidth", "Resizing", "ReversibleEmbedding",
    "STFTSpectrogram", "SimpleRNNCell", "SpectralNormalization", "StackedRNNCells", "UnitNormalization",
}  # fmt: skip
"""Classes that have, with the settings of the cases, a class in JavaScript."""


def model_of(case: Case) -> Any:
    """A model of the one layer, with weights that are all different."""
    given = case.inputs
    several = isinstance(given, (list, Arguments))
    places = [lamina.Input(x.shape[1:], dtype=str(x.dtype)) for x in (given if several else [given])]
    inputs = Arguments(*places) if isinstance(given, Arguments) else places if several else places[0]
    model = lamina.Model(places if several else places[0], called(case.kind(**case.settings), inputs))
    generator = np.random.default_rng(5)
    model.set_weights([generator.uniform(0.2, 1.0, w.shape).astype(w.dtype) for w in model.weights])
    return model


def data_of(case: Case) -> Any:
    return list(case.inputs) if isinstance(case.inputs, (list, Arguments)) else case.inputs


def predicted(model: Any, x: Any) -> list[Any]:
    return [np.asarray(y) for y in lamina.structures.flatten(model.predict(x, verbose=0))]


def class_names(value: Any) -> set[str]:
    """All classes of layers and models that a topology names."""
    if isinstance(value, list):
        return set().union(*map(class_names, value))
    if not isinstance(value, dict):
        return set()
    inner = set().union(*(class_names(v) for k, v in value.items() if not k.endswith(("izer", "constraint"))))
    return inner | ({value["class_name"]} if "class_name" in value else set())


def test_every_layer_is_tried():
    assert {case.kind.__name__ for case in CASES} >= set(LAYERS) - {"InputLayer"}


def severities(model: Any) -> set[str]:
    return {found.severity for found in tfjs_findings(model)}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_exported(tmp_path, case):
    model, x = model_of(case), data_of(case)
    before = [w.numpy() for w in model.weights]
    found = severities(model)
    assert "refused" not in found
    model.export(tmp_path)
    own = {case.kind.__name__} if "javascript" in found else set()
    assert (tmp_path / "layers.js").exists() == bool(own)
    if not own:
        assert class_names(load_artifacts(tmp_path).topology) <= KNOWN | MODELS
    again = lamina.load_model(tmp_path)
    for one, other in zip(predicted(again, x), predicted(model, x), strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)
    assert sum(w.size for w in again.trainable_weights) >= sum(w.size for w in model.trainable_weights)
    for weight, old in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), old)


def test_what_becomes_of_each_class():
    found = {case.kind.__name__: set() for case in CASES}
    for case in CASES:
        found[case.kind.__name__] |= severities(model_of(case)) or {"as it is"}
    assert {name for name, kinds in found.items() if kinds == {"javascript"}} == CLASSES


X = np.linspace(-4, 4, 48, dtype=np.float32).reshape(8, 6)

COMPOSED = [
    "celu", "gelu_new", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_tanh", "leaky_relu", "log_sigmoid",
    "soft_shrink", "sparse_plus", "sparse_sigmoid", "tanh_shrink",
]  # fmt: skip


@pytest.mark.parametrize("name", [*COMPOSED, *sorted(ACTIVATIONS)])
def test_activations(name):
    model = lamina.Sequential([lamina.layers.Activation(name, input_shape=(6,)), lamina.layers.Dense(3, name)])
    model.export("memory://activation")
    again = lamina.load_model("memory://activation")
    np.testing.assert_allclose(again.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["exponential", "glu", "squareplus", "sparsemax"])
def test_activations_with_a_class(tmp_path, name):
    model = lamina.Sequential([lamina.layers.Activation(name, input_shape=(6,), name="own")])
    assert severities(model) in ({"javascript"}, {"refused"})
    if severities(model) == {"javascript"}:
        model.export(tmp_path)
        assert "own" in (tmp_path / "layers.js").read_text()


def test_a_class_needs_a_folder():
    model = lamina.Sequential([lamina.layers.UnitNormalization(input_shape=(6,))])
    with pytest.raises(ArgumentError, match=r"no place for layers\.js"):
        model.export("memory://classes")


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("kind", ["Average", "Max"])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_adaptive_pooling_where_sizes_divide(rank, kind, data_format):
    sizes = (6, 4, 8)[:rank]
    shape = (*sizes, 2) if data_format == "channels_last" else (2, *sizes)
    layer = getattr(lamina.layers, f"Adaptive{kind}Pooling{rank}D")((3, 2, 4)[:rank], data_format=data_format)
    model = lamina.Sequential([lamina.Input(shape), layer])
    assert severities(model) == {"exact"}
    model.export("memory://adaptive")
    x = np.random.default_rng(0).normal(size=(3, *shape)).astype(np.float32)
    again = lamina.load_model("memory://adaptive")
    np.testing.assert_allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize(
    ("kind", "filters", "shape", "settings"),
    [("Conv2D", 8, (7, 6, 4), {"strides": 2, "padding": "same"}), ("Conv1D", 4, (9, 4), {"padding": "causal"}),
     ("Conv2D", 4, (4, 7, 6), {"data_format": "channels_first", "activation": "hard_tanh"})],
)  # fmt: skip
def test_groups_of_one_channel(kind, filters, shape, settings, use_bias):
    layer = getattr(lamina.layers, kind)(filters, 3, groups=4, use_bias=use_bias, **settings)
    model = lamina.Sequential([lamina.Input(shape), layer])
    model.export("memory://groups")
    assert "DepthwiseConv2D" in class_names(load_artifacts("memory://groups").topology)
    x = np.random.default_rng(0).normal(size=(3, *shape)).astype(np.float32)
    again = lamina.load_model("memory://groups")
    np.testing.assert_allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-5, atol=1e-6)
