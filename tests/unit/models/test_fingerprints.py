"""What a model gave when it was saved is what it gives when it is loaded, or the reader is told."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

import lamina
from backends_here import scope
from lamina import layers
from lamina.errors import ModelFileError
from lamina.io import from_memory, load_artifacts, save_artifacts
from lamina.layers import Layer
from lamina.models.saving.fingerprints import fingerprint


def saved(model):
    model.save("memory://fingerprint")
    return load_artifacts("memory://fingerprint")


def recorded(artifacts):
    return artifacts.user_defined_metadata["lamina"]["fingerprint"]


def convolutional():
    return lamina.Sequential(
        [layers.Conv2D(4, 3, input_shape=(None, None, 3)), layers.GlobalAveragePooling2D(), layers.Dense(2)]
    )


def test_outputs_for_the_fixed_input_are_kept():
    model = lamina.Sequential([layers.Dense(2, kernel_initializer="ones", input_shape=(4,))])
    (record,) = recorded(saved(model))
    total = sum((i * 37 % 63 + 1) / 64 for i in range(4))
    assert record == {"shape": [1, 2], "dtype": "float32", "largest": total, "values": [total, total]}


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_loads_on_any_backend(backend):
    artifacts = saved(convolutional())
    with scope(backend):
        assert lamina.load_model(from_memory(artifacts)).count_params() == 122


def test_a_difference_is_refused_with_its_size():
    artifacts = saved(convolutional())
    data = np.frombuffer(artifacts.weight_data, np.float32).copy()
    data[-1] += 0.5
    changed = from_memory(replace(artifacts, weight_data=data.tobytes()))
    with pytest.raises(ModelFileError, match=r"output 0 differs by 0\.5"):
        lamina.load_model(changed)
    assert lamina.load_model(changed, fingerprint=False).get_weights()[-1][1] == 0.5


def test_what_another_program_changed_is_not_held_against_it():
    artifacts = saved(convolutional())
    data = np.frombuffer(artifacts.weight_data, np.float32) * 2
    theirs = replace(artifacts, weight_data=data.tobytes(), generated_by="TensorFlow.js tfjs-layers v4.22.0")
    assert lamina.load_model(from_memory(theirs)).count_params() == 122


def test_a_class_that_computes_otherwise_is_told():
    class Scaled(Layer):
        factor = 2.0

        def call(self, x):
            return x * self.factor

    artifacts = saved(lamina.Sequential([Scaled(input_shape=(3,))]))
    assert lamina.load_model(from_memory(artifacts), {"Scaled": Scaled}).output_shape == (None, 3)
    Scaled.factor = 3.0
    with pytest.raises(ModelFileError, match="does not give what it gave"):
        lamina.load_model(from_memory(artifacts), {"Scaled": Scaled})


def test_saving_and_loading_change_no_state():
    model = lamina.Sequential(
        [layers.LSTM(3, stateful=True, batch_input_shape=(2, 4, 3)), layers.BatchNormalization(), layers.Dropout(0.5)]
    )
    model.predict(np.ones((2, 4, 3), np.float32), batch_size=2, verbose=0)
    before = [v.numpy() for v in model.state_variables()]
    artifacts = saved(model)
    assert recorded(artifacts) is not None
    for a, b in zip(before, [v.numpy() for v in model.state_variables()], strict=True):
        assert np.array_equal(a, b)


@pytest.mark.parametrize(
    "model",
    [
        lambda: lamina.Sequential([layers.ZeroPadding1D(10**9, input_shape=(2, 1))]),
        lambda: lamina.Sequential([layers.RepeatVector(10**8, input_shape=(1,))]),
        lambda: lamina.Sequential([layers.LSTM(1, input_shape=(10**6, 1))]),
        lambda: lamina.Sequential([layers.Flatten(input_shape=(10**5, 10**5))]),
    ],
)
def test_what_costs_too_much_has_none(model):
    made = model()
    assert recorded(saved(made)) is None
    assert lamina.load_model("memory://fingerprint").output_shape == made.output_shape


def test_a_file_cannot_ask_for_more():
    artifacts = saved(lamina.Sequential([layers.RepeatVector(10**8, input_shape=(1,))]))
    own = {
        **artifacts.user_defined_metadata["lamina"],
        "fingerprint": [{"shape": [1], "largest": 1.0, "values": [1.0]}],
    }
    with pytest.raises(ModelFileError, match="cannot be checked"):
        lamina.load_model(from_memory(replace(artifacts, user_defined_metadata={"lamina": own})))


@pytest.mark.parametrize("record", [[], [{}], [3], "x", [{"shape": [1, 2], "largest": 1.0, "values": ["x", "y"]}]])
def test_a_malformed_one_is_refused(record):
    artifacts = saved(lamina.Sequential([layers.Dense(2, input_shape=(4,))]))
    own = {**artifacts.user_defined_metadata["lamina"], "fingerprint": record}
    save_artifacts("memory://fingerprint", replace(artifacts, user_defined_metadata={"lamina": own}))
    with pytest.raises(ModelFileError, match="fingerprint"):
        lamina.load_model("memory://fingerprint")


@pytest.mark.parametrize(
    "wide",
    [
        lambda: layers.Conv2D(2, 3, padding="same", dilation_rate=(10**7, 1)),
        lambda: layers.Conv2DTranspose(2, 3, padding="same", dilation_rate=(10**7, 1)),
        lambda: layers.MaxPooling2D((10**7, 1), strides=1, padding="same"),
        lambda: layers.AveragePooling2D((10**7, 1), strides=1, padding="same"),
    ],
)
def test_a_border_that_memory_would_hold_is_not_made(wide):
    model = lamina.Sequential([layers.Input((6, 6, 1)), wide()])
    tracemalloc.start()
    assert fingerprint(model) is None
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
