"""Bad input: each gives one clear error, before any backend runs, and changes nothing in the model or on disk.

A case prepares a model (or none) and files (or none), and returns what is to be refused. The messages are in
bad_input_messages.txt.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import lamina
from lamina import Sequential, errors, layers, optimizers, serialization
from lamina.io import list_models, remove_model
from lamina.runtime.listeners import KernelCall, Listener, listening


class Refused(NamedTuple):
    """What must raise, and the model and folder that must stay as they are."""

    run: Callable[[], Any]
    model: Any = None
    folder: Path | None = None


class Case(NamedTuple):
    name: str
    prepare: Callable[..., Refused]
    error: type[errors.LaminaError]
    builtin: type[Exception]


CASES: list[Case] = []


def _messages() -> dict[str, str]:
    text = Path(__file__).with_name("bad_input_messages.txt").read_text()
    sections = (section.split("\n", 1) for section in text.split("\n== ")[1:])
    return {name: message.rstrip("\n") for name, message in sections}


MESSAGES = _messages()


def case(error: type[errors.LaminaError], builtin: type[Exception]) -> Any:
    """Adds a case; the decorated function prepares it."""

    def decorate(prepare: Callable[..., Refused]) -> Callable[..., Refused]:
        CASES.append(Case(prepare.__name__, prepare, error, builtin))
        return prepare

    return decorate


def model_of(*, compiled: bool = True, loss: Any = "sparse_categorical_crossentropy", **settings: Any) -> Any:
    """A small classifier of three features into two classes."""
    model = Sequential([layers.Dense(2, activation="softmax", input_shape=(3,), name="probability")], name="small")
    if compiled:
        model.compile(optimizer="sgd", loss=loss, **settings)
    return model


X = np.arange(12, dtype=np.float32).reshape(4, 3)
Y = np.array([0, 1, 1, 0], np.int32)


def fit(x: Any = X, y: Any = Y, model: Any = None, **settings: Any) -> Refused:
    """``fit`` of a small model on given data."""
    model = model or model_of()
    return Refused(lambda: model.fit(x, y, verbose=0, **settings), model)


def two_inputs() -> Any:
    """A model with two inputs and two outputs."""
    a, b = lamina.Input(shape=(3,), name="a"), lamina.Input(shape=(2,), name="b")
    joined = layers.Concatenate(name="joined")([a, b])
    model = lamina.Model([a, b], [layers.Dense(1, name="p")(joined), layers.Dense(2, name="q")(joined)], name="two")
    model.compile(optimizer="sgd", loss="mean_squared_error")
    return model


# -- data ----------------------------------------------------------------------------------------------------------


@case(errors.ShapeError, ValueError)
def wrong_rank() -> Refused:
    return fit(np.zeros((4, 3, 1), np.float32))


@case(errors.ShapeError, ValueError)
def wrong_inner_size() -> Refused:
    return fit(np.zeros((4, 5), np.float32))


@case(errors.ShapeError, ValueError)
def wrong_inner_size_in_predict() -> Refused:
    model = model_of()
    return Refused(lambda: model.predict(np.zeros((4, 5), np.float32)), model)


@case(errors.ShapeError, ValueError)
def wrong_inner_size_in_evaluate() -> Refused:
    model = model_of()
    return Refused(lambda: model.evaluate(np.zeros((4, 5), np.float32), Y), model)


@case(errors.ShapeError, ValueError)
def wrong_inner_size_in_a_call() -> Refused:
    model = model_of()
    x = lamina.tensor(np.zeros((4, 5), np.float32))
    return Refused(lambda: model(x), model)


@case(errors.ShapeError, ValueError)
def wrong_shape_of_targets() -> Refused:
    return fit(y=np.zeros((4, 3), np.float32), model=model_of(loss="mean_squared_error"))


@case(errors.ShapeError, ValueError)
def one_target_for_several_outputs() -> Refused:
    return fit(y=np.zeros((4, 1), np.float32), model=model_of(loss="mean_squared_error"))


@case(errors.DTypeError, TypeError)
def complex_inputs() -> Refused:
    return fit(X.astype(np.complex64))


@case(errors.DTypeError, TypeError)
def unsigned_inputs() -> Refused:
    return fit(X.astype(np.uint32))


@case(errors.DataError, ValueError)
def string_inputs() -> Refused:
    return fit(np.array([["a", "b", "c"]] * 4))


@case(errors.DataError, ValueError)
def object_inputs() -> Refused:
    return fit(np.array([[1, 2, None]] * 4, object))


@case(errors.DataError, ValueError)
def nan_labels() -> Refused:
    return fit(y=np.array([0.0, 1.0, np.nan, 0.0], np.float32))


@case(errors.DataError, ValueError)
def string_labels() -> Refused:
    return fit(y=np.array(["cat", "dog", "dog", "cat"]))


@case(errors.DataError, ValueError)
def string_labels_in_a_list() -> Refused:
    return fit(y=["cat", "dog", "dog", "cat"])


@case(errors.DataError, ValueError)
def labels_out_of_range() -> Refused:
    return fit(y=np.array([0, 1, 2, 0]))


@case(errors.DataError, ValueError)
def negative_labels() -> Refused:
    return fit(y=np.array([0, 1, -1, 0]))


@case(errors.DataError, ValueError)
def empty_data() -> Refused:
    return fit(np.zeros((0, 3), np.float32), np.zeros((0,), np.int32))


@case(errors.DataError, ValueError)
def no_data() -> Refused:
    return fit(None, None)


@case(errors.DataError, ValueError)
def no_targets() -> Refused:
    return fit(y=None)


@case(errors.DataError, ValueError)
def unequal_lengths() -> Refused:
    return fit(y=Y[:3])


@case(errors.DataError, ValueError)
def unequal_lengths_of_sample_weight() -> Refused:
    return fit(sample_weight=np.ones(5, np.float32))


@case(errors.DataError, ValueError)
def one_number() -> Refused:
    return fit(3.0, 4.0)


@case(errors.DataError, ValueError)
def one_array_for_two_inputs() -> Refused:
    return fit(X, [Y, Y], two_inputs())


@case(errors.DataError, ValueError)
def one_target_for_two_outputs() -> Refused:
    return fit([X, X[:, :2]], X[:, :1], two_inputs())


@case(errors.DataError, ValueError)
def a_wrong_key_in_x() -> Refused:
    return fit({"a": X, "c": X}, [X[:, :1], X[:, :2]], two_inputs())


@case(errors.DataError, ValueError)
def a_wrong_key_in_y() -> Refused:
    return fit([X, X[:, :2]], {"p": X[:, :1], "r": X[:, :2]}, two_inputs())


@case(errors.DataError, ValueError)
def validation_data_of_unequal_lengths() -> Refused:
    return fit(validation_data=(X, Y[:2]))


@case(errors.ShapeError, ValueError)
def validation_data_of_a_wrong_shape() -> Refused:
    return fit(validation_data=(X[:, :2], Y))


@case(errors.ArgumentTypeError, TypeError)
def validation_data_that_is_no_pair() -> Refused:
    return fit(validation_data=X)


@case(errors.DataError, ValueError)
def a_class_without_a_weight() -> Refused:
    return fit(class_weight={0: 1.0})


@case(errors.BackendError, RuntimeError)
def backends_without_a_way_across() -> Refused:
    pytest.importorskip("ml_dtypes", reason="bfloat16 on NumPy needs ml_dtypes")
    x = lamina.tensor([1.0, 2.0], dtype="bfloat16")
    with lamina.backend_scope("array_api_strict"):
        condition = lamina.ones((2,), "bool")

    def choose() -> Any:
        with lamina.backend_scope("array_api_strict"):
            return lamina.where(condition, x, x)

    return made(choose)


# -- settings of training ------------------------------------------------------------------------------------------


@case(errors.ArgumentError, ValueError)
def validation_split_above_one() -> Refused:
    return fit(validation_split=1.5)


@case(errors.ArgumentError, ValueError)
def validation_split_that_leaves_nothing() -> Refused:
    return fit(X[:1], Y[:1], validation_split=0.5)


@case(errors.ArgumentError, ValueError)
def negative_validation_split() -> Refused:
    return fit(validation_split=-0.5)


@case(errors.ArgumentError, ValueError)
def batch_size_zero() -> Refused:
    return fit(batch_size=0)


@case(errors.ArgumentTypeError, TypeError)
def batch_size_of_a_fraction() -> Refused:
    return fit(batch_size=2.5)


@case(errors.ArgumentError, ValueError)
def validation_batch_size_below_one() -> Refused:
    return fit(validation_split=0.5, validation_batch_size=-3)


@case(errors.ArgumentError, ValueError)
def negative_epochs() -> Refused:
    return fit(epochs=-1)


@case(errors.ArgumentTypeError, TypeError)
def epochs_as_text() -> Refused:
    return fit(epochs="3")


@case(errors.ArgumentTypeError, TypeError)
def a_callback_that_is_none() -> Refused:
    return fit(callbacks=[print])


@case(errors.ArgumentError, ValueError)
def unknown_verbosity() -> Refused:
    model = model_of()
    return Refused(lambda: model.fit(X, Y, verbose=7), model)


@case(errors.NotBuiltError, ValueError)
def fit_before_compile() -> Refused:
    return fit(model=model_of(compiled=False))


@case(errors.NotBuiltError, ValueError)
def fit_after_compile_without_loss() -> Refused:
    return fit(model=model_of(loss=None))


@case(errors.NotBuiltError, ValueError)
def evaluate_before_compile() -> Refused:
    model = model_of(compiled=False)
    return Refused(lambda: model.evaluate(X, Y), model)


def compile_with(**settings: Any) -> Refused:
    """``compile`` of a model that is compiled already."""
    model = model_of()
    return Refused(lambda: model.compile(**{"optimizer": "sgd", "loss": "mse", **settings}), model)


@case(errors.UnknownNameError, ValueError)
def unknown_loss() -> Refused:
    return compile_with(loss="mean_squard_error")


@case(errors.UnknownNameError, ValueError)
def unknown_metric() -> Refused:
    return compile_with(metrics=["acuracy"])


@case(errors.UnknownNameError, ValueError)
def unknown_optimizer() -> Refused:
    return compile_with(optimizer="adom")


@case(errors.ArgumentTypeError, TypeError)
def a_loss_that_is_a_number() -> Refused:
    return compile_with(loss=3)


@case(errors.UnknownNameError, ValueError)
def a_loss_for_an_unknown_output() -> Refused:
    return compile_with(loss={"digit": "mse"})


@case(errors.ArgumentError, ValueError)
def two_losses_for_one_output() -> Refused:
    return compile_with(loss=["mse", "mse"])


@case(errors.ArgumentTypeError, TypeError)
def loss_weights_as_text() -> Refused:
    return compile_with(loss_weights="much")


@case(errors.ArgumentError, ValueError)
def a_learning_rate_that_is_nan() -> Refused:
    return compile_with(optimizer={"class_name": "SGD", "config": {"learning_rate": float("nan")}})


@case(errors.ArgumentTypeError, TypeError)
def run_eagerly_as_text() -> Refused:
    return compile_with(run_eagerly="yes")


# -- constructors --------------------------------------------------------------------------------------------------


def made(make: Callable[[], Any]) -> Refused:
    return Refused(make)


@case(errors.ArgumentError, ValueError)
def units_zero() -> Refused:
    return made(lambda: layers.Dense(0))


@case(errors.ArgumentError, ValueError)
def units_below_zero() -> Refused:
    return made(lambda: layers.Dense(-1))


@case(errors.ArgumentTypeError, TypeError)
def units_of_a_fraction() -> Refused:
    return made(lambda: layers.Dense(2.5))


@case(errors.ArgumentTypeError, TypeError)
def units_true() -> Refused:
    return made(lambda: layers.Dense(True))


@case(errors.ArgumentTypeError, TypeError)
def units_as_text() -> Refused:
    return made(lambda: layers.Dense("3"))


@case(errors.ArgumentTypeError, TypeError)
def use_bias_as_text() -> Refused:
    return made(lambda: layers.Dense(3, use_bias="no"))


@case(errors.UnknownNameError, ValueError)
def unknown_activation() -> Refused:
    return made(lambda: layers.Dense(3, activation="rulu"))


@case(errors.UnknownNameError, ValueError)
def unknown_initializer() -> Refused:
    return made(lambda: layers.Dense(3, kernel_initializer="glorot"))


@case(errors.UnknownNameError, ValueError)
def unknown_regularizer() -> Refused:
    return made(lambda: layers.Dense(3, kernel_regularizer="l3"))


@case(errors.UnknownNameError, ValueError)
def unknown_constraint() -> Refused:
    return made(lambda: layers.Dense(3, kernel_constraint="positive"))


@case(errors.DTypeError, TypeError)
def unknown_dtype() -> Refused:
    return made(lambda: layers.Dense(3, dtype="float31"))


@case(errors.ArgumentError, ValueError)
def rate_of_two() -> Refused:
    return made(lambda: layers.Dropout(2))


@case(errors.ArgumentError, ValueError)
def rate_of_nan() -> Refused:
    return made(lambda: layers.Dropout(float("nan")))


@case(errors.ArgumentTypeError, TypeError)
def rate_as_text() -> Refused:
    return made(lambda: layers.Dropout("0.5"))


@case(errors.ArgumentError, ValueError)
def kernel_size_zero() -> Refused:
    return made(lambda: layers.Conv2D(2, 0))


@case(errors.ArgumentTypeError, TypeError)
def kernel_size_of_three_numbers() -> Refused:
    return made(lambda: layers.Conv2D(2, (3, 3, 3)))


@case(errors.ArgumentTypeError, TypeError)
def a_cell_that_is_none() -> Refused:
    return made(lambda: layers.RNN(layers.Dense(2, name="d")))


@case(errors.ArgumentError, ValueError)
def unknown_merge_mode() -> Refused:
    return made(lambda: layers.Bidirectional(layers.LSTM(2), merge_mode="mean"))


@case(errors.ArgumentError, ValueError)
def a_way_back_in_the_same_direction() -> Refused:
    return made(lambda: layers.Bidirectional(layers.LSTM(2), backward_layer=layers.LSTM(2)))


@case(errors.ShapeError, ValueError)
def states_carried_for_an_unknown_batch() -> Refused:
    return made(lambda: layers.LSTM(2, stateful=True, name="memory")(lamina.Input((6, 3))))


@case(errors.ArgumentError, ValueError)
def an_initial_state_too_few() -> Refused:
    return made(
        lambda: layers.LSTM(2, name="memory")(
            np.zeros((4, 6, 3), np.float32), initial_state=[np.zeros((4, 2), np.float32)]
        )
    )


@case(errors.ShapeError, ValueError)
def an_initial_state_of_another_size() -> Refused:
    return made(
        lambda: layers.GRU(2, name="memory")(
            np.zeros((4, 6, 3), np.float32), initial_state=np.zeros((4, 3), np.float32)
        )
    )


@case(errors.ShapeError, ValueError)
def steps_of_a_matrix() -> Refused:
    return made(lambda: layers.TimeDistributed(layers.Dense(2), name="each")(np.zeros((4, 6), np.float32)))


@case(errors.ShapeError, ValueError)
def a_sequence_without_steps() -> Refused:
    return made(lambda: layers.SimpleRNN(2, name="memory")(np.zeros((4, 0, 3), np.float32)))


@case(errors.ArgumentError, ValueError)
def strides_zero() -> Refused:
    return made(lambda: layers.Conv2D(2, 3, strides=0))


@case(errors.ArgumentError, ValueError)
def unknown_padding() -> Refused:
    return made(lambda: layers.Conv2D(2, 3, padding="full"))


@case(errors.ArgumentError, ValueError)
def unknown_data_format() -> Refused:
    return made(lambda: layers.MaxPooling2D(2, data_format="channels_middle"))


@case(errors.ArgumentError, ValueError)
def pool_size_below_zero() -> Refused:
    return made(lambda: layers.MaxPooling2D((2, -1)))


@case(errors.ArgumentError, ValueError)
def two_unknown_target_sizes() -> Refused:
    return made(lambda: layers.Reshape((-1, -1)))


@case(errors.ArgumentError, ValueError)
def target_size_below_minus_one() -> Refused:
    return made(lambda: layers.Reshape((2, -3)))


@case(errors.ArgumentError, ValueError)
def input_dim_zero() -> Refused:
    return made(lambda: layers.Embedding(0, 3))


@case(errors.ArgumentError, ValueError)
def epsilon_below_zero() -> Refused:
    return made(lambda: layers.BatchNormalization(epsilon=-1e-3))


@case(errors.ArgumentError, ValueError)
def momentum_above_one() -> Refused:
    return made(lambda: layers.BatchNormalization(momentum=1.5))


@case(errors.ArgumentTypeError, TypeError)
def axis_of_a_fraction() -> Refused:
    return made(lambda: layers.Concatenate(axis=0.5))


@case(errors.ArgumentError, ValueError)
def negative_input_shape() -> Refused:
    return made(lambda: layers.Dense(3, input_shape=(-4,)))


@case(errors.ArgumentTypeError, TypeError)
def an_input_shape_that_is_a_number() -> Refused:
    return made(lambda: lamina.Input(shape=784))


@case(errors.ArgumentError, ValueError)
def an_input_without_a_shape() -> Refused:
    return made(lambda: lamina.Input())


@case(errors.ArgumentTypeError, TypeError)
def a_name_that_is_a_number() -> Refused:
    return made(lambda: layers.Dense(3, name=5))


@case(errors.ArgumentError, ValueError)
def a_name_that_leads_out_of_a_folder() -> Refused:
    return made(lambda: layers.Dense(3, name="../secret"))


@case(errors.ArgumentTypeError, TypeError)
def trainable_as_text() -> Refused:
    return made(lambda: layers.Dense(3, trainable="no"))


# -- calls of layers, and graphs -----------------------------------------------------------------------------------


@case(errors.ArgumentTypeError, TypeError)
def concatenate_of_one_tensor() -> Refused:
    return made(lambda: layers.Concatenate(name="joined")(lamina.Input(shape=(3,), name="x")))


@case(errors.ShapeError, ValueError)
def concatenate_of_shapes_that_do_not_fit() -> Refused:
    a, b = lamina.Input(shape=(3, 4), name="a"), lamina.Input(shape=(5, 6), name="b")
    return made(lambda: layers.Concatenate(name="joined")([a, b]))


@case(errors.ShapeError, ValueError)
def add_of_shapes_that_do_not_fit() -> Refused:
    a, b = lamina.Input(shape=(3,), name="a"), lamina.Input(shape=(4,), name="b")
    return made(lambda: layers.Add(name="sum")([a, b]))


@case(errors.ShapeError, ValueError)
def an_unknown_size_where_weights_need_it() -> Refused:
    return made(lambda: layers.Dense(3, name="d")(lamina.Input(shape=(None,), name="x")))


@case(errors.DTypeError, TypeError)
def a_layer_on_strings() -> Refused:
    layer = layers.Activation("relu", name="relu")
    return made(lambda: layer(["a", "b"]))


@case(errors.GraphError, ValueError)
def symbolic_and_concrete_together() -> Refused:
    x, y = lamina.Input(shape=(3,), name="x"), lamina.ones((1, 3))
    return made(lambda: layers.Add(name="sum")([x, y]))


@case(errors.ArgumentTypeError, TypeError)
def an_op_on_a_symbolic_tensor() -> Refused:
    x = lamina.Input(shape=(3,), name="x")
    return made(lambda: lamina.relu(x))


@case(errors.GraphError, ValueError)
def two_layers_with_one_name() -> Refused:
    x = lamina.Input(shape=(3,), name="x")
    y = layers.Dense(3, name="same")(layers.Dense(3, name="same")(x))
    return made(lambda: lamina.Model(x, y))


@case(errors.GraphError, ValueError)
def two_layers_with_one_name_in_a_stack() -> Refused:
    model, layer = model_of(), layers.Dense(3, name="probability")
    return Refused(lambda: model.add(layer), model)


@case(errors.GraphError, ValueError)
def a_disconnected_graph() -> Refused:
    a, b = lamina.Input(shape=(3,), name="a"), lamina.Input(shape=(3,), name="b")
    y = layers.Add(name="sum")([a, b])
    return made(lambda: lamina.Model(a, y))


@case(errors.ArgumentTypeError, TypeError)
def a_concrete_input_of_a_model() -> Refused:
    x = lamina.ones((2, 3))
    return made(lambda: lamina.Model(inputs=x, outputs=x))


@case(errors.ArgumentTypeError, TypeError)
def a_layer_as_output_of_a_model() -> Refused:
    x = lamina.Input(shape=(3,), name="x")
    layer = layers.Dense(2, name="d")
    return made(lambda: lamina.Model(inputs=x, outputs=layer))


@case(errors.GraphError, ValueError)
def an_input_that_is_an_output_of_a_layer() -> Refused:
    y = layers.Dense(2, name="d")(lamina.Input(shape=(3,), name="x"))
    z = layers.Activation("relu", name="r")(y)
    return made(lambda: lamina.Model(y, z))


@case(errors.GraphError, ValueError)
def inputs_without_outputs() -> Refused:
    x = lamina.Input(shape=(3,), name="x")
    return made(lambda: lamina.Model(inputs=x))


@case(errors.ArgumentTypeError, TypeError)
def something_else_in_a_stack() -> Refused:
    model = model_of()
    return Refused(lambda: model.add("dense"), model)


@case(errors.GraphError, ValueError)
def pop_of_an_empty_stack() -> Refused:
    model = Sequential(name="empty")
    return made(model.pop)


@case(errors.UnknownNameError, ValueError)
def get_layer_of_an_unknown_name() -> Refused:
    model = model_of()
    return Refused(lambda: model.get_layer("digit"), model)


@case(errors.UnknownNameError, ValueError)
def summary_of_a_range_of_unknown_layers() -> Refused:
    model = model_of()
    return Refused(lambda: model.summary(layer_range=["probability", "digit"]), model)


@case(errors.ArgumentError, ValueError)
def summary_with_too_few_positions() -> Refused:
    model = model_of()
    return Refused(lambda: model.summary(positions=[0.5, 1.0]), model)


@case(errors.NotBuiltError, ValueError)
def count_params_before_any_shape() -> Refused:
    layer = layers.Dense(2, name="d")
    return made(layer.count_params)


@case(errors.ShapeError, ValueError)
def set_weights_with_too_few() -> Refused:
    model = model_of()
    return Refused(lambda: model.set_weights(model.get_weights()[:1]), model)


@case(errors.ShapeError, ValueError)
def set_weights_of_a_wrong_shape() -> Refused:
    model = model_of()
    return Refused(lambda: model.set_weights([np.ones((3, 2)), np.ones((3,))]), model)


@case(errors.BackendNotAvailableError, ImportError)
def an_unknown_backend() -> Refused:
    model = model_of()
    return Refused(lambda: model.to("nompy"), model)


# -- files ---------------------------------------------------------------------------------------------------------


def saved(folder: Path) -> Path:
    """A saved model to spoil."""
    model_of().save(folder / "model")
    return folder / "model"


def edit(path: Path, change: Callable[[Any], None]) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


@case(errors.ModelNotFoundError, FileNotFoundError)
def a_missing_file(tmp_path: Path) -> Refused:
    return Refused(lambda: lamina.load_model(tmp_path / "nothing"), folder=tmp_path)


@case(errors.ModelNotFoundError, FileNotFoundError)
def a_missing_model_in_memory() -> Refused:
    for address in list_models("memory"):  # the message lists them
        remove_model(address)
    return made(lambda: lamina.load_model("memory://nothing"))


@case(errors.UnknownNameError, ValueError)
def an_unknown_scheme() -> Refused:
    model = model_of()
    return Refused(lambda: model.save("carrier-pigeon://home"), model)


@case(errors.ModelNotFoundError, FileNotFoundError)
def a_missing_shard(tmp_path: Path) -> Refused:
    path = saved(tmp_path)
    next(path.glob("*.bin")).unlink()
    return Refused(lambda: lamina.load_model(path), folder=tmp_path)


@case(errors.UnsafeModelError, ValueError)
def a_truncated_shard(tmp_path: Path) -> Refused:
    path = saved(tmp_path)
    shard = next(path.glob("*.bin"))
    shard.write_bytes(shard.read_bytes()[:-5])
    return Refused(lambda: lamina.load_model(path), folder=tmp_path)


@case(errors.UnsafeModelError, ValueError)
def a_truncated_shard_for_load_weights(tmp_path: Path) -> Refused:
    path, model = saved(tmp_path), model_of()
    shard = next(path.glob("*.bin"))
    shard.write_bytes(shard.read_bytes()[:-5])
    return Refused(lambda: model.load_weights(path), model, tmp_path)


@case(errors.UnsafeModelError, ValueError)
def a_model_that_is_not_json(tmp_path: Path) -> Refused:
    path = saved(tmp_path)
    (path / "model.json").write_text("{'class_name': 1")
    return Refused(lambda: lamina.load_model(path), folder=tmp_path)


@case(errors.ModelFileError, ValueError)
def a_model_that_is_a_list(tmp_path: Path) -> Refused:
    path = saved(tmp_path)
    (path / "model.json").write_text("[1, 2]")
    return Refused(lambda: lamina.load_model(path), folder=tmp_path)


def with_layer(path: Path, **changes: Any) -> None:
    """Changes the entry of the only layer."""
    edit(path / "model.json", lambda d: d["modelTopology"]["config"]["layers"][0].update(changes))


@case(errors.UnknownClassError, ValueError)
def an_unknown_class(tmp_path: Path) -> Refused:
    path = saved(tmp_path)
    with_layer(path, class_name="Denze")
    return Refused(lambda: lamina.load_model(path), folder=tmp_path)


@case(errors.UnknownClassError, ValueError)
def a_class_that_is_no_layer(tmp_path: Path) -> Refused:
    path = saved(tmp_path)
    with_layer(path, class_name="os.system")
    return Refused(lambda: lamina.load_model(path), folder=tmp_path)


@case(errors.ModelFileError, ValueError)
def a_setting_that_the_class_does_not_have(tmp_path: Path) -> Refused:
    path = saved(tmp_path)
    edit(path / "model.json", lambda d: d["modelTopology"]["config"]["layers"][0]["config"].update(depth=3))
    return Refused(lambda: lamina.load_model(path), folder=tmp_path)


@case(errors.ModelFileError, ValueError)
def weights_of_another_shape(tmp_path: Path) -> Refused:
    path = saved(tmp_path)
    edit(path / "model.json", lambda d: d["modelTopology"]["config"]["layers"][0]["config"].update(units=3))
    return Refused(lambda: lamina.load_model(path), folder=tmp_path)


@case(errors.ModelFileError, ValueError)
def load_weights_of_another_model(tmp_path: Path) -> Refused:
    path = saved(tmp_path)
    other = Sequential([layers.Dense(4, input_shape=(3,), name="probability")], name="other")
    return Refused(lambda: other.load_weights(path), other, tmp_path)


@case(errors.SerializationError, ValueError)
def saving_a_model_with_a_call_of_its_own(tmp_path: Path) -> Refused:
    class Own(lamina.Model):
        def call(self, x: Any) -> Any:
            return x

    model = Own(name="own")
    return Refused(lambda: model.save(tmp_path / "model"), folder=tmp_path)


@case(errors.SerializationError, ValueError)
def saving_over_an_old_model_what_cannot_be_saved(tmp_path: Path) -> Refused:
    path = saved(tmp_path)
    model = model_of(compiled=False)
    model.compile(optimizer=optimizers.SGD(), loss=lambda y, p: (y - p).square())
    return Refused(lambda: model.save(path), model, tmp_path)


# -- datasets, helpers, pictures, copies ---------------------------------------------------------------------------


@case(errors.DataError, ValueError)
def a_column_of_strings() -> Refused:
    class Column:
        def to_numpy(self) -> Any:
            return np.array(["Oslo", "Rome"], object)

    return Refused(lambda: lamina.data.as_array(Column(), "city"))


@case(errors.ArgumentTypeError, TypeError)
def the_length_of_a_filtered_dataset() -> Refused:
    return Refused(lambda: len(lamina.data.from_list([1, 2]).filter(bool)))


@case(errors.ArgumentError, ValueError)
def batches_of_no_element() -> Refused:
    return Refused(lambda: lamina.data.from_list([1, 2]).batch(0))


@case(errors.DataError, ValueError)
def a_batch_of_different_shapes() -> Refused:
    data = lamina.data.from_list([{"x": np.ones(2)}, {"x": np.ones(3)}])
    return Refused(lambda: data.batch(2).to_list())


@case(errors.DataError, ValueError)
def a_batch_of_different_structures() -> Refused:
    return Refused(lambda: lamina.data.from_list([(1, 2), (1,)]).batch(2).to_list())


@case(errors.DataError, ValueError)
def a_list_of_an_endless_dataset() -> Refused:
    return Refused(lambda: lamina.data.from_list([1]).repeat().to_list())


@case(errors.ArgumentTypeError, TypeError)
def a_generator_that_was_called() -> Refused:
    return Refused(lambda: lamina.data.from_generator(n for n in (1, 2)))


@case(errors.DataError, ValueError)
def arrays_of_unequal_lengths_as_a_dataset() -> Refused:
    return Refused(lambda: lamina.data.from_arrays((X, Y[:2])))


@case(errors.ArgumentError, ValueError)
def a_table_of_the_web() -> Refused:
    return Refused(lambda: lamina.data.csv("https://example.org/houses.csv"))


@case(errors.DataError, ValueError)
def a_row_that_is_too_short() -> Refused:
    return Refused(lambda: lamina.data.csv(["a,b", "1,2", "3"]).to_list())


@case(errors.DataError, ValueError)
def a_label_that_is_empty() -> Refused:
    data = lamina.data.csv(["a,b", "1,"], column_configs={"b": {"is_label": True}})
    return Refused(data.to_list)


@case(errors.UnknownNameError, ValueError)
def a_column_that_is_not_there() -> Refused:
    return Refused(lambda: lamina.data.csv(["a,b"], column_configs={"c": {}}).column_names)


@case(errors.DataError, ValueError)
def a_negative_class_number() -> Refused:
    return Refused(lambda: lamina.utils.to_categorical([0, -1, 2]))


@case(errors.ShapeError, ValueError)
def sequences_of_different_steps() -> Refused:
    return Refused(lambda: lamina.utils.pad_sequences([[[1, 2]], [[3]]]))


@case(errors.DTypeError, TypeError)
def sequences_filled_with_a_string() -> Refused:
    return Refused(lambda: lamina.utils.pad_sequences([[1], [2, 3]], value="-"))


def ones(*sizes: int) -> Any:
    return np.ones(sizes, np.float32)


@case(errors.ShapeError, ValueError)
def heads_for_batches_of_two_sizes() -> Refused:
    layer = layers.MultiHeadAttention(2, 3, name="heads")
    return Refused(lambda: layer(ones(2, 5, 6), ones(3, 4, 6)))


@case(errors.ArgumentTypeError, TypeError)
def heads_for_a_query_alone() -> Refused:
    return Refused(lambda: layers.MultiHeadAttention(2, 3, name="heads")(ones(2, 5, 6)))


@case(errors.ArgumentError, ValueError)
def heads_that_cannot_share_keys() -> Refused:
    return Refused(lambda: layers.GroupQueryAttention(8, 6, 4))


@case(errors.ShapeError, ValueError)
def a_product_of_axes_of_two_sizes() -> Refused:
    return Refused(lambda: layers.Dot((1, 2), name="dot")([ones(2, 3), ones(2, 3, 4)]))


@case(errors.ArgumentTypeError, TypeError)
def a_sum_of_one_tensor() -> Refused:
    return Refused(lambda: layers.Add(name="sum")(ones(2, 3)))


@case(errors.ArgumentTypeError, TypeError)
def a_dense_layer_on_two_tensors() -> Refused:
    return Refused(lambda: layers.Dense(2, name="dense")([ones(2, 3), ones(2, 3)]))


@case(errors.ArgumentError, ValueError)
def an_equation_without_a_kernel() -> Refused:
    return Refused(lambda: layers.EinsumDense("ab->ac", 4))


@case(errors.ShapeError, ValueError)
def groups_that_do_not_divide_the_channels() -> Refused:
    return Refused(lambda: layers.GroupNormalization(4, name="groups")(ones(2, 3, 6)))


@case(errors.DataError, ValueError)
def statistics_of_batches_with_targets() -> Refused:
    return Refused(lambda: layers.Normalization(name="standard").adapt(iter([(X, Y)])))


@case(errors.ArgumentError, ValueError)
def a_split_with_an_empty_side() -> Refused:
    return Refused(lambda: lamina.utils.split_dataset(X, left_size=4))


@case(errors.DataError, ValueError)
def windows_that_are_too_long() -> Refused:
    return Refused(lambda: lamina.utils.timeseries_dataset_from_array(X, None, 5))


@case(errors.ArgumentError, ValueError)
def a_picture_in_an_unknown_format() -> Refused:
    model = model_of()
    return Refused(lambda: lamina.utils.plot_model(model, "model.docx"), model)


@case(errors.ArgumentTypeError, TypeError)
def metadata_that_are_no_json() -> Refused:
    model = model_of()
    return Refused(lambda: model.set_user_defined_metadata({"scores": [1.0, object]}), model)


@case(errors.ModelFileError, ValueError)
def a_mapping_with_a_weight_too_many() -> Refused:
    model = model_of()
    values = {**{v.name: v.numpy() for v in model.weights}, "other/kernel": X}
    return Refused(lambda: model.load_weights(values), model)


@case(errors.ArgumentTypeError, TypeError)
def a_clone_function_that_gives_no_layer() -> Refused:
    model = model_of()
    return Refused(lambda: lamina.models.clone_model(model, clone_function=lambda layer: None), model)


# -- the tests -----------------------------------------------------------------------------------------------------


class Heard(Listener):
    """The ops whose kernels ran."""

    def __init__(self) -> None:
        self.ops: list[str] = []

    def on_call(self, call: KernelCall) -> None:
        self.ops.append(call.op.name)


def contents(folder: Path | None) -> dict[str, Any]:
    if folder is None:
        return {}
    return {str(p): (p.stat().st_mtime_ns, p.read_bytes()) for p in sorted(folder.rglob("*")) if p.is_file()}


def state(model: Any) -> list[Any]:
    if model is None:
        return []
    compiled = [] if model.optimizer is None else [np.asarray([id(model.optimizer)])]
    return [*compiled, *(np.array(v.numpy()) for v in model.state_variables())]


def text_of(error: BaseException) -> str:
    """The whole message, with the notes that say where it was."""
    text = "\n".join([str(error), *getattr(error, "__notes__", ())])
    return re.sub(r"-[0-9a-f]{16}\.bin", "-HASH.bin", text)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_input(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serialization, "_REGISTERED", {})  # the messages list near names
    monkeypatch.chdir(tmp_path)  # messages shorten long paths, and how long this one is depends on the machine
    refused = case.prepare(Path()) if case.prepare.__code__.co_argcount else case.prepare()
    before, files, heard = state(refused.model), contents(refused.folder), Heard()
    with listening(heard), pytest.raises(errors.LaminaError) as caught:
        refused.run()
    assert text_of(caught.value) == MESSAGES[case.name]
    assert type(caught.value) is case.error
    assert isinstance(caught.value, case.builtin)
    assert heard.ops == []
    after = state(refused.model)
    assert len(after) == len(before)
    for new, old in zip(after, before, strict=True):
        np.testing.assert_array_equal(new, old)
    assert contents(refused.folder) == files


def test_every_case_has_one_message() -> None:
    assert [case.name for case in CASES] == list(MESSAGES)
