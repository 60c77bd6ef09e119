"""What an estimator is pickled as: plain values, and models as the bytes of files of lamina. No code is pickled."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final

from lamina import io, losses, metrics, models, optimizers
from lamina.errors import SerializationError

_MODEL: Final = "lamina model"
_DTYPE: Final = "dtype"
_KINDS: Final[dict[str, tuple[type, Any]]] = {
    "lamina optimizer": (optimizers.Optimizer, optimizers),
    "lamina loss": (losses.Loss, losses),
    "lamina metric": (metrics.Metric, metrics),
}


def model_bytes(model: models.Model) -> bytes:
    """A model with its weights, the state of its optimizer and of its random streams, as a file of safetensors.

    Raises SerializationError for a model that is no graph of layers, or holds what has no config.

    >>> import lamina
    >>> model = lamina.Sequential([lamina.layers.Dense(2, input_shape=(3,))])
    >>> model_from_bytes(model_bytes(model)).count_params()
    8
    """
    address = f"memory://{uuid.uuid4()}.safetensors"
    model.save(address, fingerprint=False)
    handler: Any = io.find_handler(address)
    try:
        return bytes(handler.read_file())
    finally:
        handler.remove_file()


def model_from_bytes(data: bytes) -> Any:
    """The model of ``model_bytes``, on the active backend. Raises ModelFileError if the bytes are damaged."""
    address = f"memory://{uuid.uuid4()}.safetensors"
    handler: Any = io.find_handler(address)
    handler.write_file([data])
    try:
        return models.load_model(address, fingerprint=False)
    finally:
        handler.remove_file()


def to_plain(value: Any) -> Any:
    """A value of an estimator, with models, optimizers, losses and metrics, also in lists and dicts, made plain."""
    if isinstance(value, models.Model):
        if not value.built:
            raise SerializationError(
                f"the model {value.name!r} of an estimator has no weights yet.",
                fix="give its first layer an input_shape, or give a function that makes the model.",
            )
        return {_MODEL: model_bytes(value), _DTYPE: value.dtype}
    for key, (kind, room) in _KINDS.items():
        if isinstance(value, kind):
            return {key: room.serialize(value)}
    if type(value) in (list, tuple):
        return type(value)(map(to_plain, value))
    if type(value) is dict:
        return {key: to_plain(item) for key, item in value.items()}
    return value


def from_plain(value: Any) -> Any:
    """The value that ``to_plain`` made plain."""
    if type(value) in (list, tuple):
        return type(value)(map(from_plain, value))
    if type(value) is not dict:
        return value
    if _MODEL in value:
        model = model_from_bytes(value[_MODEL])
        model.dtype = value[_DTYPE]  # files of models have it for the layers only
        return model
    for key, (_, room) in _KINDS.items():
        if key in value:
            return room.deserialize(value[key])
    return {key: from_plain(item) for key, item in value.items()}


def plain_state(state: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of an estimator, each made plain."""
    return {name: to_plain(value) for name, value in state.items()}


def live_state(state: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes that ``plain_state`` made plain."""
    return {name: from_plain(value) for name, value in state.items()}
