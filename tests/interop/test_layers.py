"""Every layer that TensorFlow.js has too, from here to there and from there to here, with the same predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from interop.agreeing import assert_alike, one_layer_model, predicted, with_weights
from interop.differences import difference
from interop.tensorflowjs import TensorFlowJS, TensorFlowJSError
from lamina import layers
from lamina.catalogue import LAYERS
from lamina.models.saving.artifacts import model_topology
from unit.layers.layer_case import Arguments, Case
from unit.layers.test_every_layer import CASES

IN_TFJS = {
    "Activation", "Add", "AlphaDropout", "Average", "AveragePooling1D", "AveragePooling2D", "AveragePooling3D",
    "BatchNormalization", "Bidirectional", "CategoryEncoding", "CenterCrop", "Concatenate", "Conv1D", "Conv2D",
    "Conv2DTranspose", "Conv3D", "Conv3DTranspose", "ConvLSTM2D", "ConvLSTM2DCell", "Cropping2D", "Dense",
    "DepthwiseConv2D", "Dot", "Dropout", "ELU", "Embedding", "Flatten", "GRU", "GRUCell", "GaussianDropout",
    "GaussianNoise", "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D",
    "LSTM", "LSTMCell", "LayerNormalization", "LeakyReLU", "Masking", "MaxPooling1D", "MaxPooling2D",
    "MaxPooling3D", "Maximum", "Minimum", "Multiply", "PReLU", "Permute", "RNN", "RandomWidth", "ReLU",
    "RepeatVector", "Rescaling", "Reshape", "Resizing", "SeparableConv2D", "SimpleRNN", "SimpleRNNCell", "Softmax",
    "SpatialDropout1D", "StackedRNNCells", "ThresholdedReLU", "TimeDistributed", "UpSampling2D", "ZeroPadding2D",
    "InputLayer",
}  # fmt: skip
"""The layers that it makes of configs; ``Identity`` is an initializer there."""


def shared(cases: list[Case]) -> list[Case]:
    return [case for case in cases if case.kind.__name__ in IN_TFJS]


ALIKE = [case for case in shared(CASES) if difference(case.kind.__name__, case.settings) is None]
OTHERWISE = [case for case in shared(CASES) if difference(case.kind.__name__, case.settings) is not None]


def inputs_of(case: Case) -> Any:
    return list(case.inputs) if isinstance(case.inputs, Arguments) else case.inputs


def constrained(case: Case) -> bool:
    return any(key.endswith("constraint") for key in case.settings)


def test_the_list_of_shared_layers():
    with TensorFlowJS() as alone:  # scripts of other tests bring classes
        known = set(alone.classes())
    assert known >= IN_TFJS
    assert known & set(LAYERS) == IN_TFJS | {"Identity"}
    assert {case.kind.__name__ for case in ALIKE + OTHERWISE} == IN_TFJS - {"InputLayer"}


@pytest.mark.parametrize("case", ALIKE, ids=str)
class TestLayer:
    def test_from_here_to_there(self, tfjs, tmp_path, case):
        model = one_layer_model(case.kind(**case.settings), inputs_of(case))
        model.save(tmp_path)
        assert_alike(tfjs.predict(tmp_path, inputs_of(case)), predicted(model, inputs_of(case)))

    def test_from_there_to_here_and_back(self, tfjs, tmp_path, case):
        """Made there with weights of its own, saved there, loaded here, saved here, loaded there.

        TensorFlow.js's own weights may overstep a constraint, and it changes them when it loads.
        """
        x = inputs_of(case)
        topology = model_topology(one_layer_model(case.kind(**case.settings), x))
        given = {"weights": one_layer_model(case.kind(**case.settings), x).get_weights()} if constrained(case) else {}
        expected = tfjs.make(topology, tmp_path / "there", [x], **given)[0]
        model = lamina.load_model(tmp_path / "there")
        assert_alike(predicted(model, x), expected)
        model.save(tmp_path / "here")
        assert_alike(tfjs.predict(tmp_path / "here", x), expected)


@pytest.mark.parametrize("case", OTHERWISE, ids=str)
def test_what_it_computes_otherwise(tfjs, tmp_path, case):
    """Each entry of ``differences`` is true: it raises, or gives something else."""
    model = one_layer_model(case.kind(**case.settings), inputs_of(case))
    model.save(tmp_path)
    with pytest.raises((TensorFlowJSError, AssertionError)):
        assert_alike(tfjs.predict(tmp_path, inputs_of(case)), predicted(model, inputs_of(case)))


X = np.linspace(-2, 2, 24, dtype=np.float32).reshape(4, 6)

ACTIVATIONS = [
    "elu", "gelu", "hard_sigmoid_tfjs", "linear", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid", "silu",
    "softmax", "softplus", "softsign", "swish", "tanh",
]  # fmt: skip


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(tfjs, tmp_path, name):
    model = with_weights(lamina.Sequential([layers.Dense(5, name, input_shape=(6,)), layers.Activation(name)]))
    model.save(tmp_path / "here")
    assert_alike(tfjs.predict(tmp_path / "here", X), predicted(model, X))
    tfjs.resave(tmp_path / "here", tmp_path / "there")
    assert_alike(predicted(lamina.load_model(tmp_path / "there"), X), predicted(model, X))


INITIALIZERS = [
    lamina.initializers.Constant(0.3), lamina.initializers.GlorotNormal(), lamina.initializers.GlorotUniform(),
    lamina.initializers.HeNormal(), lamina.initializers.HeUniform(), lamina.initializers.Identity(2.0),
    lamina.initializers.LecunNormal(), lamina.initializers.LecunUniform(), lamina.initializers.Ones(),
    lamina.initializers.Orthogonal(), lamina.initializers.RandomNormal(0.1, 0.2),
    lamina.initializers.RandomUniform(-1, 1), lamina.initializers.TruncatedNormal(0.0, 0.1),
    lamina.initializers.VarianceScaling(2.0, "fan_out", "uniform"), lamina.initializers.VarianceScaling(0.5),
    lamina.initializers.Zeros(),
]  # fmt: skip


@pytest.mark.parametrize("initializer", INITIALIZERS, ids=lambda i: type(i).__name__)
def test_initializers_come_back_as_they_were(tfjs, tmp_path, initializer):
    lamina.Sequential([layers.Dense(6, kernel_initializer=initializer, input_shape=(6,))]).save(tmp_path / "here")
    tfjs.resave(tmp_path / "here", tmp_path / "there")
    again = lamina.load_model(tmp_path / "there").layers[0].kernel_initializer
    assert said(again) == said(initializer)


def said(initializer: Any) -> Any:
    """The distribution that an initializer draws from; TensorFlow.js writes all scaled ones as their base class."""
    if isinstance(initializer, lamina.initializers.VarianceScaling):
        return [getattr(initializer, key) for key in ("scale", "mode", "distribution")]
    return type(initializer), {**initializer.get_config(), "seed": None}


@pytest.mark.parametrize("constraint", ["max_norm", "min_max_norm", "non_neg", "unit_norm"])
def test_constraints_come_back_as_they_were(tfjs, tmp_path, constraint):
    dense = layers.Dense(3, kernel_constraint=constraint, bias_constraint=constraint, input_shape=(6,))
    lamina.Sequential([dense]).save(tmp_path / "here")
    tfjs.resave(tmp_path / "here", tmp_path / "there")
    again = lamina.load_model(tmp_path / "there").layers[0]
    for one, other in (
        (again.kernel_constraint, dense.kernel_constraint),
        (again.bias_constraint, dense.bias_constraint),
    ):
        assert type(one) is type(other)
        assert one.get_config() == other.get_config()


@pytest.mark.parametrize("regularizer", [lamina.regularizers.L1(0.1), lamina.regularizers.L2(0.1), "l1_l2"])
def test_penalties_count_while_training(tfjs, tmp_path, regularizer):
    dense = layers.Dense(3, kernel_regularizer=regularizer, bias_regularizer=regularizer, input_shape=(6,))
    model = with_weights(lamina.Sequential([dense]))
    model.compile(lamina.optimizers.SGD(0.01), "mean_squared_error")
    batch = X, np.ones((4, 3), np.float32)
    model.save(tmp_path / "here")
    found = tfjs.train(tmp_path / "here", [batch] * 3, to=tmp_path / "there")
    np.testing.assert_allclose(np.ravel(found), [model.train_on_batch(*batch) for _ in range(3)], rtol=1e-5)
    again = lamina.load_model(tmp_path / "there")
    np.testing.assert_allclose(again.train_on_batch(*batch), model.train_on_batch(*batch), rtol=1e-5)


def test_it_applies_constraints_when_it_loads(tfjs, tmp_path):
    """Weights that overstep one, as before any training, are others there; after training here they stay."""
    model = lamina.Sequential([layers.Dense(3, kernel_constraint="non_neg", input_shape=(6,))])
    model.set_weights([np.linspace(-1, 1, 18).reshape(6, 3), np.zeros(3)])
    model.compile("sgd", "mean_squared_error")
    model.save(tmp_path / "new")
    with pytest.raises(AssertionError):
        assert_alike(tfjs.predict(tmp_path / "new", X), predicted(model, X))
    model.train_on_batch(X, np.ones((4, 3), np.float32))
    model.save(tmp_path / "trained")
    assert_alike(tfjs.predict(tmp_path / "trained", X), predicted(model, X))
