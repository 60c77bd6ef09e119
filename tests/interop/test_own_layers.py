"""Layers of users' own: a class here, and a class in JavaScript that a classic script registers there."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from interop.agreeing import assert_alike, predicted, with_weights
from interop.tensorflowjs import TensorFlowJS, TensorFlowJSError
from lamina import layers

SCRIPT = """
class Gate extends tf.layers.Layer {
  build(inputShape) {
    this.weight = this.addWeight('weight', [inputShape[inputShape.length - 1]], 'float32', tf.initializers.zeros());
    super.build(inputShape);
  }
  computeOutputShape(inputShape) { return inputShape; }
  call(inputs) {
    const x = Array.isArray(inputs) ? inputs[0] : inputs;
    return tf.tidy(() => x.mul(tf.sigmoid(this.weight.read())));
  }
  static get className() { return 'GateOfTests'; }
}
tf.serialization.registerClass(Gate);
"""


class GateOfTests(layers.Layer):
    def build(self, input_shape):
        self.weight = self.add_weight((input_shape[-1],), "zeros", name="weight")

    def call(self, inputs):
        return inputs * lamina.sigmoid(self.weight)


OWN = {"GateOfTests": GateOfTests}


@pytest.fixture
def gated(tmp_path):
    (tmp_path / "layers.js").write_text(SCRIPT, encoding="utf-8")
    model = lamina.Sequential([layers.Dense(3, input_shape=(4,)), GateOfTests(name="gate"), layers.Dense(2)])
    return with_weights(model)


X = np.linspace(-1, 1, 20, dtype=np.float32).reshape(5, 4)


def test_without_its_script_it_is_unknown(tmp_path, gated):
    gated.save(tmp_path / "here")
    with TensorFlowJS() as fresh, pytest.raises(TensorFlowJSError, match="Unknown layer"):
        fresh.predict(tmp_path / "here", X)


def test_with_its_script_it_goes_there_and_back(tfjs, tmp_path, gated):
    gated.save(tmp_path / "here")
    scripts = [tmp_path / "layers.js"]
    assert_alike(tfjs.predict(tmp_path / "here", X, scripts=scripts), predicted(gated, X))
    tfjs.resave(tmp_path / "here", tmp_path / "there", scripts=scripts)
    again = lamina.load_model(tmp_path / "there", custom_objects=OWN)
    assert isinstance(again.layers[1], GateOfTests)
    assert_alike(predicted(again, X), predicted(gated, X))
