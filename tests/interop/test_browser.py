"""lamina's models in a page in Chromium, and a page's models here."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from interop.agreeing import TRAINED, assert_alike, predicted, with_weights
from interop.chromium import BrowserError, run, site
from interop.test_own_layers import SCRIPT, GateOfTests
from lamina import layers
from lamina_http.receiver import ModelReceiver

PREDICT = """
async function main({address, x}) {
  const model = await tf.loadLayersModel(address);
  return listed(model.predict(only(x.map(tensor)))).map(plain);
}
"""


def normal(*shape: int, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def pictures():
    model = lamina.Sequential(
        [
            layers.Conv2D(6, 3, padding="same", activation="relu", input_shape=(12, 12, 2)),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.DepthwiseConv2D(3),
            layers.SeparableConv2D(5, 3, padding="same", depth_multiplier=2),
            layers.GlobalAveragePooling2D(),
            layers.Dense(4, activation="softmax"),
        ]
    )
    return model, [normal(3, 12, 12, 2)]


def words():
    inputs = lamina.Input((7,), dtype="int32")
    hidden = layers.Embedding(20, 6, mask_zero=True)(inputs)
    hidden = layers.Bidirectional(layers.LSTM(4, return_sequences=True))(hidden)
    hidden = layers.GRU(3, reset_after=False)(hidden)
    model = lamina.Model(inputs, layers.Dense(2)(hidden))
    return model, [np.array([[1, 5, 9, 0, 0, 0, 0], [3, 3, 1, 2, 8, 19, 0]], np.int32)]


def several():
    left, right = lamina.Input((4,)), lamina.Input((3,))
    inner = lamina.Sequential([layers.Dense(5, "tanh", input_shape=(4,)), layers.LayerNormalization()])
    joined = layers.Concatenate()([inner(left), layers.Dense(5)(right), inner(layers.Dense(4)(right))])
    model = lamina.Model([left, right], [layers.Dense(2)(joined), layers.PReLU()(joined)])
    return model, [normal(5, 4), normal(5, 3)]


@pytest.mark.parametrize("make", [pictures, words, several], ids=lambda make: make.__name__)
def test_a_model_of_ours_predicts_the_same_in_a_page(tmp_path, make):
    model, x = make()
    with_weights(model).save(tmp_path)
    with site() as server:
        server.add_folder("/model", tmp_path)
        found = run(server, PREDICT, address=f"{server.origin}/model/model.json", x=x)
        assert server.missing == []
    assert_alike(found, predicted(model, x if len(x) > 1 else x[0]))


def test_a_layer_of_a_classic_script(tmp_path):
    (tmp_path / "layers.js").write_text(SCRIPT, encoding="utf-8")
    model = lamina.Sequential([layers.Dense(3, input_shape=(4,)), GateOfTests(), layers.Dense(2)])
    with_weights(model).save(tmp_path / "model")
    with site() as server:
        server.add_folder("/model", tmp_path / "model")
        address = f"{server.origin}/model/model.json"
        found = run(server, PREDICT, [tmp_path / "layers.js"], address=address, x=[normal(5, 4)])
    assert_alike(found, predicted(model, normal(5, 4)))


def test_layers_with_classes_in_javascript(tmp_path):
    x = lamina.Input((6, 4))
    y = layers.MultiHeadAttention(2, 3)(x, x, use_causal_mask=True)
    model = with_weights(lamina.Model(x, layers.RMSNormalization()(layers.Add()([x, y]))))
    model.export(tmp_path)
    with site() as server:
        server.add_folder("/model", tmp_path)
        address = f"{server.origin}/model/model.json"
        found = run(server, PREDICT, [tmp_path / "layers.js"], address=address, x=[normal(3, 6, 4)])
    assert_alike(found, predicted(model, normal(3, 6, 4)))


TRAIN = """
async function main({x, y, url}) {
  const [inputs, labels] = [tensor(x), tensor(y)];
  const model = tf.sequential({layers: [
    tf.layers.dense({units: 8, activation: 'relu', inputShape: [4]}),
    tf.layers.batchNormalization(),
    tf.layers.dense({units: 2, activation: 'softmax'}),
  ]});
  model.compile({optimizer: tf.train.adam(0.05), loss: 'categoricalCrossentropy', metrics: ['accuracy']});
  await model.fit(inputs, labels, {epochs: 5, batchSize: 16, shuffle: false});
  await model.save(url, {includeOptimizer: true});
  const outputs = plain(model.predict(inputs));
  const further = [];
  for (let step = 0; step < 4; step++) further.push(await model.trainOnBatch(inputs, labels));
  return {outputs, further};
}
"""


def test_a_model_trained_in_a_page_comes_here_and_trains_on(tmp_path):
    x = normal(64, 4)
    y = np.eye(2, dtype=np.float32)[(x[:, 0] * x[:, 1] > 0).astype(int)]
    with site() as server, ModelReceiver(tmp_path, allow_origin=server.origin) as receiver:
        found = run(server, TRAIN, x=x, y=y, url=receiver.url)
    assert receiver.count == 1
    model = lamina.load_model(tmp_path)
    assert_alike(predicted(model, x), [found["outputs"]])
    assert isinstance(model.optimizer, lamina.optimizers.Adam)
    ours = [model.train_on_batch(x, y) for _ in found["further"]]
    np.testing.assert_allclose(ours, found["further"], rtol=TRAINED, atol=TRAINED)
    assert ours[-1][0] < ours[0][0]


STORES = """
async function main({address, url, x}) {
  const model = await tf.loadLayersModel(address);
  for (const store of ['localstorage://model', 'indexeddb://model']) {
    await model.save(store);
    const again = await tf.loadLayersModel(store);
    await again.save(url, {includeOptimizer: true});
  }
  return Object.keys(await tf.io.listModels()).sort();
}
"""


def test_through_the_stores_of_a_page_and_back(tmp_path):
    model, x = words()
    with_weights(model).save(tmp_path / "there")
    with site() as server, ModelReceiver(tmp_path / "back", allow_origin=server.origin) as receiver:
        server.add_folder("/model", tmp_path / "there")
        found = run(server, STORES, address=f"{server.origin}/model/model.json", url=receiver.url)
    assert found == ["indexeddb://model", "localstorage://model"]
    assert receiver.count == 2
    assert_alike(predicted(lamina.load_model(tmp_path / "back"), x[0]), predicted(model, x[0]))


def test_a_page_of_another_origin_may_not_save_here(tmp_path):
    place = ModelReceiver(tmp_path / "none", allow_origin="http://example.org")
    with site() as server, place as receiver, pytest.raises(BrowserError, match="Failed to fetch"):
        run(server, TRAIN, x=normal(4, 4), y=normal(4, 2), url=receiver.url)
    assert receiver.count == 0


def test_what_fails_in_a_page_is_told():
    with site() as server:
        with pytest.raises(BrowserError, match="no such thing"):
            run(server, "async function main() { console.error('before'); throw new Error('no such thing'); }")
        with pytest.raises(BrowserError, match=r"no result within 3 s.*/model\.json"):
            run(server, "async function main() { await fetch('/model.json'); await new Promise(() => {}); }", timeout=3)


def test_where_there_is_no_browser_it_says_so(monkeypatch):
    monkeypatch.setenv("LAMINA_CHROMIUM", "no-such-browser")
    with site() as server, pytest.raises(BrowserError, match=r"no no-such-browser\. Fix: install Chromium"):
        run(server, PREDICT)
