"""The model of an estimator: made by the user's function, copied from the user's model, or a few dense layers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from lamina import layers, losses, models, optimizers
from lamina.errors import ArgumentError, ArgumentTypeError
from lamina.models.saving.training import training_config
from lamina_sklearn.parameters import accepted

LEARNING_RATE: Final = 0.01
"""Adam's, for models that are not compiled: small tables are learned within the default number of epochs."""

_RUNNING: Final = ("run_eagerly", "steps_per_execution", "jit_compile")


def hidden_layers(sizes: Sequence[int], dtype: str, first: int = 1, **settings: Any) -> list[Any]:
    """Dense layers of the sizes given, each with ``dropout`` after it if that is not 0."""
    dropout = settings.pop("dropout")
    stack: list[Any] = []
    for number, size in enumerate(sizes, first):
        stack.append(layers.Dense(size, dtype=dtype, name=f"hidden_{number}", **settings))
        if dropout:
            stack.append(layers.Dropout(dropout, dtype=dtype, name=f"dropout_{number}"))
    return stack


def dense_model(
    input_shape: Sequence[int],
    n_outputs: int,
    dtype: str,
    hidden_layer_sizes: Sequence[int] = (100,),
    output_activation: str = "linear",
    activation: Any = "relu",
    dropout: float = 0.0,
    kernel_regularizer: Any = None,
) -> Any:
    """Hidden layers and one for the outputs: what a classifier and a regressor train if they are given no model.

    >>> dense_model((4,), 3, "float32", [8]).count_params()
    67
    """
    hidden = hidden_layers(
        hidden_layer_sizes, dtype, activation=activation, dropout=dropout, kernel_regularizer=kernel_regularizer
    )
    outputs = layers.Dense(n_outputs, activation=output_activation, dtype=dtype, name="outputs")
    return models.Sequential([_inputs(input_shape, dtype), *hidden, outputs], dtype=dtype, name="dense_model")


def autoencoder(
    input_shape: Sequence[int],
    n_components: int,
    dtype: str,
    hidden_layer_sizes: Sequence[int] = (100,),
    activation: Any = "relu",
    dropout: float = 0.0,
    kernel_regularizer: Any = None,
) -> Any:
    """Hidden layers down to a layer ``code`` and up again to the inputs: what a transformer trains by itself.

    >>> autoencoder((4,), 2, "float32", [8]).get_layer("code").output.shape
    (None, 2)
    """
    settings = {"activation": activation, "dropout": dropout, "kernel_regularizer": kernel_regularizer}
    sizes = list(hidden_layer_sizes)
    stack = [
        _inputs(input_shape, dtype),
        *hidden_layers(sizes, dtype, **settings),
        layers.Dense(n_components, dtype=dtype, name="code"),
        *hidden_layers(sizes[::-1], dtype, len(sizes) + 1, **settings),
        layers.Dense(input_shape[0], dtype=dtype, name="outputs"),
    ]
    return models.Sequential(stack, dtype=dtype, name="autoencoder")


def _inputs(shape: Sequence[int], dtype: str) -> Any:
    return layers.Input(shape=tuple(shape), dtype=dtype, name="x")


def made_model(given: Any, default: Callable[..., Any], facts: Mapping[str, Any], settings: Mapping[str, Any]) -> Any:
    """The model for some data.

    A function is called with ``settings`` and with those of ``facts`` for which it has parameters; a model is copied.
    Raises ArgumentTypeError for something else, ArgumentError for settings that the function does not take.
    """
    if isinstance(given, models.Model):
        if settings:
            raise ArgumentError(
                f"model__{next(iter(settings))} was given, and model is a model.",
                expected="model=None or a function that makes a model, for parameters that go on to it.",
            )
        return copied(given)
    function = default if given is None else given
    if not callable(function):
        raise ArgumentTypeError(f"model is {given!r}.", expected="None, a model, or a function that makes one.")
    parameters = inspect.signature(function).parameters
    if not any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values()):
        accepted(parameters, settings, "model")
    told = {name: value for name, value in facts.items() if name in parameters and name not in settings}
    made = function(**told, **settings)
    if not isinstance(made, models.Model):
        raise ArgumentTypeError(f"the function for the model gave {made!r}.", expected="a model.")
    return made


def copied(model: Any) -> Any:
    """A copy of a model: its layers, weights, and how it is compiled; its optimizer starts anew."""
    copy = models.clone_model(model)
    if model.built:
        copy.set_weights(model.get_weights())
    if model.optimizer is not None:
        copy.compile(**compiled_as(model))
    return copy


def compiled_as(model: Any) -> dict[str, Any]:
    """The settings of ``compile`` that a model was compiled with; none if it was not."""
    if model.optimizer is None:
        return {}
    return {**training_config(model), **{name: getattr(model, name) for name in _RUNNING}}


def new_optimizer(given: Any, settings: Mapping[str, Any]) -> Any:
    """A new optimizer as the one given by name, config or object, with some of its settings changed."""
    found = optimizers.get(given)
    config = found.get_config()
    accepted(config, settings, "optimizer")
    return type(found).from_config({**config, **settings})


def changed_loss(given: Any, settings: Mapping[str, Any]) -> Any:
    """The loss given by name, config or object, with some of its settings changed."""
    if not settings:
        return given
    found = losses.get(losses.serialize(losses.get(given)))
    if not isinstance(found, losses.Loss):
        raise ArgumentError(f"loss__{next(iter(settings))} for the loss {given!r}.", expected="a loss with settings.")
    config = found.get_config()
    accepted(config, settings, "loss")
    return type(found).from_config({**config, **settings})
