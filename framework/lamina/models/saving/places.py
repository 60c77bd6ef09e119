"""Saving and loading by address: as artifacts, or as a file of the format that the address's ending names."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from lamina.contract import SaveResult
from lamina.errors import ArgumentError, ModelFileError, ModelNotFoundError, NotBuiltError
from lamina.io import find_format, load_artifacts, save_artifacts
from lamina.io.checks import Limits, limited, shown_address
from lamina.io.router import able
from lamina.layers.naming import checked_name
from lamina.logs import tell
from lamina.models.saving.artifacts import model_artifacts, model_from_artifacts, weights_artifacts, weights_by_name
from lamina.models.saving.refusals import refusals, within_memory
from lamina.models.saving.sources import assign_by_name, by_order, by_own_names
from lamina.serialization import custom_object_scope


def save_model(
    model: Any,
    filepath: Any,
    overwrite: bool = True,
    zipped: bool | None = None,
    *,
    include_optimizer: bool = True,
    trainable_only: bool = False,
    fingerprint: bool = True,
) -> SaveResult:
    """Saves a model whole: the old one at the address stays until the new one is complete.

    ``filepath`` is a path, an address such as ``localstorage://name`` or ``memory://name``, or an object with ``save``.
    A path or address that ends like a file of a known format (``.keras``, ``.h5``, ``.safetensors``) gets that file;
    any other gets the layout of TensorFlow.js, a folder with ``model.json`` and weight files.

    ``overwrite`` False refuses an address where a model is. ``include_optimizer`` False leaves out how the model was
    compiled and the state of its optimizer, ``trainable_only`` the weights that training leaves alone: such a folder is
    for ``load_weights(..., strict=False)``. ``fingerprint`` False leaves out what the model gives for a small fixed
    input, by which readers check that they compute the same. ``zipped`` True asks for one file, False for a folder.

    Raises ArgumentError for an address that is taken or cannot be saved to, SerializationError for a model that is no
    graph of layers or holds what has no config, PluginError if the library of the format is missing.

    >>> import lamina
    >>> model = lamina.Sequential([lamina.layers.Dense(1, input_shape=(2,))])
    >>> save_model(model, "memory://saved").weight_bytes
    12
    """
    _check_names(model)
    place = find_format(filepath)
    tell("the model %s is saved to %s", model.name, _shown(filepath))
    if zipped is not None and zipped is not (place is not None):
        raise ArgumentError(
            f"zipped is {zipped} for {_shown(filepath)}.", expected="True for a file such as 'model.keras', else False."
        )
    if not overwrite and is_there(filepath):
        raise ArgumentError(f"there is a model at {_shown(filepath)} already.", fix="pass overwrite=True.")
    if place is None:
        able(filepath, "save")  # before the model is made ready, which takes time
        return save_artifacts(filepath, model_artifacts(model, include_optimizer, trainable_only, fingerprint))
    if trainable_only:
        raise ArgumentError(f"trainable_only for {place.where}.", expected="a folder or store, or save_weights.")
    save = place.able("save_model")
    return place.write(save(model, place.where, include_optimizer=include_optimizer, fingerprint=fingerprint))


def save_weights(model: Any, filepath: Any, overwrite: bool = True) -> SaveResult:
    """Saves a model's weights; also where some layer has no config, so that the model itself could not be saved.

    ``filepath`` is as for ``save_model``; ``.weights.h5`` is Keras's file of weights. Raises what ``save_model`` does.
    """
    _check_names(model)
    place = find_format(filepath)
    if not overwrite and is_there(filepath):
        raise ArgumentError(f"there are weights at {_shown(filepath)} already.", fix="pass overwrite=True.")
    if place is None:
        return save_artifacts(filepath, weights_artifacts(model))
    return place.write(place.able("save_weights")(model, place.where))


def load_model(
    filepath: Any,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
    *,
    fingerprint: bool = True,
    limits: Limits | None = None,
) -> Any:
    """The model saved at an address, compiled as it was, with its optimizer state, on the active backend.

    ``filepath`` is what ``save`` takes: a path, an address, or an object with ``load``. Class names are looked up among
    ``custom_objects`` and the built-in, registered and plugin classes; nothing else is imported or run, whatever
    ``safe_mode`` says. ``compile`` False leaves the training configuration out. ``fingerprint`` False leaves out the
    check that the model gives what it gave when it was saved. ``limits`` bounds what the files may hold.

    Raises ModelFileError, with the file and the reason, for a model that cannot be loaded: ModelNotFoundError if there
    is none, UnsafeModelError if it oversteps its bounds, UnknownClassError for a class that is not known, itself if the
    model is damaged or gives something else than it gave.

    >>> import lamina
    >>> model = lamina.Sequential([lamina.layers.Dense(1, input_shape=(2,))])
    >>> _ = model.save("memory://doctest")
    >>> lamina.load_model("memory://doctest").count_params()
    3
    """
    place = find_format(filepath)
    tell("the model at %s is loaded", _shown(filepath))
    with custom_object_scope(custom_objects or {}), limited(limits), within_memory(_shown(filepath)):
        if place is None:
            artifacts = load_artifacts(filepath)
            given = isinstance(filepath, (str, os.PathLike))  # an object may keep what it gives
            with refusals(_shown(filepath)):
                return model_from_artifacts(artifacts, _shown(filepath), compile, fingerprint, owned=given)
        load, data = place.able("load_model"), place.read()
        with refusals(place.where):
            return load(data, place.where, compile=compile, fingerprint=fingerprint)


def load_weights(model: Any, weights: Any, *, strict: bool = True, limits: Limits | None = None) -> None:
    """Gives a model's weights the values of those of the same names, of a saved model or of a mapping; all or none.

    Where a saved model has other names, as one that was made later has, its weights go by their order, if shapes and
    the last parts of the names agree. ``limits`` bounds what the files may hold.
    """
    if isinstance(weights, Mapping):
        assign_by_name(model, by_own_names(weights, model), "the mapping", strict)
        return
    place = find_format(weights)
    with limited(limits), within_memory(_shown(weights)):
        if place is not None:
            load, data = place.able("load_weights"), place.read()
            with refusals(place.where, NotBuiltError):
                load(model, data, place.where, strict=strict)
            return
        artifacts = load_artifacts(weights)
        with refusals(_shown(weights), NotBuiltError):
            assign_by_name(model, by_order(weights_by_name(artifacts), model), "the file", strict)


def is_there(address: Any) -> bool:
    """Whether a model, or its weights, lies at an address, be it a damaged one."""
    place = find_format(address)
    try:
        if place is None:
            load_artifacts(address)
        else:
            place.read()
    except ModelNotFoundError:
        return False
    except ModelFileError:
        pass
    return True


def _check_names(model: Any) -> None:
    """Raises ArgumentError for a layer's name that readers refuse: it may have been set after the layer was made."""
    waiting, seen = [model], {id(model)}
    while waiting:
        layer = waiting.pop()
        checked_name(layer.name)
        inside = [inner for inner in getattr(layer, "layers", ()) if id(inner) not in seen]
        seen.update(map(id, inside))
        waiting += inside


def _shown(address: Any) -> str:
    return shown_address(str(address))
