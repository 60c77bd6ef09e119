"""What holds for every IO handler: models come back as they were saved, and what is not there is the error for that.

For lamina's own handlers and for those of plugins. Knows models and addresses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

import lamina
from lamina import io, layers
from lamina.contract import SaveResult
from lamina.errors import ModelNotFoundError

_X = np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3)


def check_handler(address: str, **settings: Any) -> None:
    """Holds the handler of an address against what is true of every one; nothing may lie at the address before.

    A model with its optimizer's state, its metadata and its random streams comes back as it was saved, and goes on
    training; a second one takes its place; weights alone are saved and loaded; what is not there is a
    ModelNotFoundError. Where a handler lists models, removes them, or has single files, that is checked too. What was
    saved is removed again, where the handler can. ``settings`` are those of the handler.

    Raises AssertionError, or what the handler itself raises.

    >>> check_handler("memory://checked")
    """
    handler = io.find_handler(address, **settings)
    if callable(getattr(handler, "read_file", None)) and callable(getattr(handler, "write_file", None)):
        _check_file(io.find_handler(f"{address}.keras", **settings))
    if callable(getattr(handler, "load", None)):
        _check_absence(handler)
    if not callable(getattr(handler, "save", None)):
        return
    model, weights = _model(3), _model(5)
    _check_result(model.save(handler), model)
    if not callable(getattr(handler, "load", None)):
        return
    _check_same(model, lamina.load_model(handler))
    _model(4).save(handler)
    _check_same(_model(4), lamina.load_model(handler))
    weights.save_weights(handler)
    again = _model(0)
    again.load_weights(handler)
    np.testing.assert_array_equal(again.predict(_X), weights.predict(_X), err_msg="weights saved alone are others")
    model.save(handler)
    _check_copies(handler, model)
    _check_management(handler, address)


def _model(seed: int) -> Any:
    """A small model in the middle of its training, with a layer that draws random numbers."""
    lamina.random.set_seed(seed)
    stack = [layers.Dense(4, activation="tanh", input_shape=(3,)), layers.Dropout(0.5), layers.Dense(2)]
    model = lamina.Sequential(stack, name=f"checked_{seed}")
    model.compile("adam", "mean_squared_error")
    for _ in range(seed):
        model.train_on_batch(_X, _X[:, :2])
    model.set_user_defined_metadata({"named": "größer", "seed": seed})
    return model


def _check_same(saved: Any, loaded: Any) -> None:
    assert loaded.name == saved.name, f"{saved.name!r} was saved, and {loaded.name!r} loaded"
    assert loaded.get_user_defined_metadata() == saved.get_user_defined_metadata(), "the metadata are others"
    np.testing.assert_array_equal(loaded.predict(_X), saved.predict(_X), err_msg="the loaded model gives others")
    went_on = [model.train_on_batch(_X, _X[:, :2]) for model in (saved, loaded, saved, loaded)]
    np.testing.assert_allclose(went_on[1::2], went_on[::2], rtol=1e-6, err_msg="the loaded model trains otherwise")


def _check_result(result: Any, model: Any) -> None:
    assert isinstance(result, SaveResult), f"saving gives {result!r}, expected a SaveResult or None"
    least = 4 * model.count_params()
    assert result.weight_bytes >= least, f"the record says {result.weight_bytes} bytes of weights, there are {least}"


def _check_absence(handler: Any) -> None:
    try:
        handler.load()
    except ModelNotFoundError:
        return
    raise AssertionError("loading what is not there, before anything was saved, raises no ModelNotFoundError")


def _check_copies(handler: Any, model: Any) -> None:
    """Copies to another medium and back are the model."""
    io.copy_model(handler, "memory://check_handler")
    try:
        model.predict(_X)
        io.copy_model("memory://check_handler", handler)
    finally:
        io.remove_model("memory://check_handler")
    np.testing.assert_array_equal(lamina.load_model(handler).get_weights()[0], model.get_weights()[0])


def _check_management(handler: Any, address: str) -> None:
    lists = callable(getattr(type(handler), "list_models", None))
    if lists:
        found = type(handler).list_models()
        assert isinstance(found, Mapping), f"list_models gives {found!r}, expected records by address"
        assert address in found, f"list_models knows {sorted(found)}, and {address} was saved"
        assert isinstance(found[address], SaveResult), f"list_models gives {found[address]!r}, expected a SaveResult"
    if callable(getattr(handler, "remove", None)):
        removed = handler.remove()
        assert isinstance(removed, SaveResult), f"remove gives {removed!r}, expected a SaveResult"
        _check_absence(handler)
        assert not lists or address not in type(handler).list_models(), f"{address} is listed after it was removed"


def _check_file(handler: Any) -> None:
    """The bytes of a single file come back, and a second file takes the place of the first."""
    for parts in ([b"one", b"", b"two"], [b"three"]):
        handler.write_file([memoryview(part) for part in parts])
        assert bytes(handler.read_file()) == b"".join(parts), "a single file has other bytes than were written"
    if callable(getattr(handler, "remove_file", None)):
        handler.remove_file()
        try:
            handler.read_file()
        except ModelNotFoundError:
            return
        raise AssertionError("reading a single file that was removed raises no ModelNotFoundError")
