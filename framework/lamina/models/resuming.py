"""A training run as a file, and from there back into a model, bit for bit.

The file is one of ``lamina.io``: what Variables and callbacks hold are its weights, as raw bytes; the rest is JSON in
its metadata. Nothing in it is imported or run.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from lamina.dtypes import FLOATING
from lamina.errors import ModelFileError, ModelNotFoundError, SerializationError
from lamina.io import ModelArtifacts, decode_weights, encode_weights, load_artifacts, save_artifacts
from lamina.models.callbacks.callback import Callback
from lamina.ops.random import default_generator
from lamina.runtime.convert import from_numpy, numpy_dtype
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable

_VERSION: Final = 1
_GENERATIONS: Final = ("a", "b")
_LARGEST: Final = 2**53


class Backup:
    """Two generations of a run in a folder, written in turn: one of them is whole at any moment."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._serial = 0

    def save(self, model: Any, run: Any, epoch: int, batch: int) -> None:
        """Keeps the run as one that will go on at a batch of an epoch."""
        arrays = [v.numpy() for v in _variables(model)]
        record = {
            "version": _VERSION,
            "serial": self._serial + 1,
            "epoch": epoch,
            "batch": batch,
            "steps": run.rounds.steps,
            "batch_size": run.rounds.feed.batch_size,
            "key": _encoded(run.rounds.feed.key, arrays),
            "stopped": model.stop_training and not run.interrupted,
            "logs": _encoded(run.logs, arrays),
            "seed": _encoded(default_generator().seed, arrays),
            "variables": [[v.name, v.dtype, list(v.shape)] for v in _variables(model)],
            "callbacks": [
                [name, number, _encoded(callback.get_state(), arrays)] for name, number, callback in _named(run.told)
            ],
        }
        record["arrays"] = [[array.dtype.name, list(array.shape)] for array in arrays]
        specs, data = encode_weights([(f"{i}", _words(array), None) for i, array in enumerate(arrays)])
        topology = {"class_name": "Backup", "config": {}}
        artifacts = ModelArtifacts(topology, specs, data, user_defined_metadata={"lamina": {"backup": record}})
        os.makedirs(self.folder, exist_ok=True)
        save_artifacts(self._place(self._serial + 1), artifacts)
        self._serial += 1

    def load(self, model: Any, run: Any) -> bool:
        """Takes up the newest run that is whole; False if there is none.

        Raises ModelFileError, and changes nothing, if no run that is there can be read, or it does not fit the model.
        """
        found, damaged = [], None
        for serial in range(len(_GENERATIONS)):
            try:
                found.append(_read(self._place(serial)))
            except ModelNotFoundError:
                continue
            except ModelFileError as error:
                damaged = error
        if not found:
            if damaged is not None:
                raise damaged
            return False
        record, arrays = max(found, key=lambda pair: int(pair[0]["serial"]))
        with _malformed_as_file_error(self.folder):
            _restore(model, run, record, arrays)
        self._serial = int(record["serial"])
        return True

    def remove(self) -> None:
        """Removes the files of the backup, and its folder if nothing else is in it."""
        for serial in range(len(_GENERATIONS)):
            place = self._place(serial)
            if os.path.isdir(place) and not os.path.islink(place):
                for name in os.listdir(place):
                    if name.endswith((".json", ".bin", ".tmp")) or name.startswith(".lamina"):
                        os.remove(os.path.join(place, name))
                _remove_if_empty(place)
        _remove_if_empty(self.folder)
        self._serial = 0

    def _place(self, serial: int) -> str:
        return os.path.join(self.folder, _GENERATIONS[serial % len(_GENERATIONS)])


def _remove_if_empty(folder: str) -> None:
    with contextlib.suppress(OSError):  # other things are in it: they stay
        os.rmdir(folder)


def _variables(model: Any) -> list[Variable]:
    """All that a run changes, the stream of draws without a seed included."""
    found = [*model.state_variables(), default_generator().state]
    return list({id(v): v for v in found}.values())


def _named(callbacks: Any) -> Iterator[tuple[str, int, Callback]]:
    """Callbacks by their classes and how many of the same class came before."""
    seen: Counter[str] = Counter()
    for callback in callbacks:
        name = type(callback).__name__
        yield name, seen[name], callback
        seen[name] += 1


def _read(place: str) -> tuple[dict[str, Any], list[np.ndarray[Any, Any]]]:
    artifacts = load_artifacts(place)
    metadata = artifacts.user_defined_metadata or {}
    own = metadata.get("lamina")
    record = own.get("backup") if isinstance(own, Mapping) else None
    if not isinstance(record, dict) or record.get("version") != _VERSION or type(record.get("serial")) is not int:
        raise ModelFileError(f"{place!r} is not a backup of a training run.")
    words = [array for _, array in decode_weights(artifacts.weight_specs, artifacts.weight_data)]
    said = record.get("arrays")
    if not isinstance(said, list) or len(said) != len(words):
        raise ModelFileError(f"the backup at {place!r} is malformed.", expected="as many arrays as it lists.")
    with _malformed_as_file_error(place):
        return record, [_array(array, *entry) for array, entry in zip(words, said, strict=True)]


@contextlib.contextmanager
def _malformed_as_file_error(place: str) -> Iterator[None]:
    """What JSON of the wrong form leads to is the file's fault, and said to be so."""
    try:
        yield
    except ModelFileError:
        raise
    except (KeyError, TypeError, IndexError, AttributeError, ValueError) as error:
        raise ModelFileError(f"the backup at {place!r} is malformed: {error!r}.") from error


def _restore(model: Any, run: Any, record: Mapping[str, Any], arrays: list[np.ndarray[Any, Any]]) -> None:
    variables = _variables(model)
    for variable, (name, dtype, shape) in zip(variables, record["variables"], strict=False):
        if variable.dtype != dtype or list(variable.shape) != shape:
            raise ModelFileError(
                f"the backup holds {name!r} of shape {tuple(shape)} and dtype {dtype}, and the model has "
                f"{variable.name!r} of shape {variable.shape} and dtype {variable.dtype}.",
                fix="build and compile the model as it was, or remove the backup.",
            )
    if len(variables) != len(record["variables"]) or len(arrays) < len(variables):
        raise ModelFileError(
            f"the backup holds {len(record['variables'])} variables, and the run has {len(variables)}.",
            fix="build and compile the model as it was, or remove the backup.",
        )
    epoch, batch = record["epoch"], record["batch"]
    feed = run.rounds.feed
    if any(type(number) is not int or number < 0 for number in (epoch, batch)):
        raise TypeError(f"epoch {epoch!r}, batch {batch!r}")
    known = None not in (run.rounds.steps, record["steps"])
    if batch and ((known and run.rounds.steps != record["steps"]) or feed.batch_size != record["batch_size"]):
        raise ModelFileError(
            f"the backup was made in the middle of an epoch of {record['steps']} batches of {record['batch_size']}, "
            f"and this run has {run.rounds.steps} of {feed.batch_size}.",
            fix="fit on the same data with the same batch_size, or remove the backup.",
        )
    states = {(name, number): _decoded(state, arrays) for name, number, state in record["callbacks"]}
    logs, key = _decoded(record["logs"], arrays), _decoded(record["key"], arrays)
    for variable, array in zip(variables, arrays, strict=False):
        variable.assign(from_numpy(array, variable.backend))
    default_generator().seed = _decoded(record["seed"], arrays)
    for name, number, callback in _named(run.told):
        if (name, number) in states:
            callback.set_state(states[name, number])
    feed.key = key
    model.stop_training = bool(record["stopped"])
    run.skip_to(epoch, batch, logs)


def _words(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The bytes of an array as int32, which files keep as they are."""
    data = np.ascontiguousarray(array).tobytes()
    return np.frombuffer(data + bytes(-len(data) % 4), "<i4").astype(np.int32)


def _array(words: np.ndarray[Any, Any], dtype: str, shape: list[int]) -> np.ndarray[Any, Any]:
    kind = numpy_dtype(dtype) if dtype in FLOATING else np.dtype(dtype)
    if (
        (kind.kind not in "fiubc" and dtype not in FLOATING)
        or words.ndim != 1
        or any(type(size) is not int or size < 0 for size in shape)
    ):
        raise TypeError(f"an array of {dtype} and shape {shape}")
    count = math.prod(shape) * kind.itemsize
    data = words.astype("<i4").tobytes()
    if not 0 <= len(data) - count < 4:
        raise ValueError(f"{len(data)} bytes for an array of {dtype} and shape {shape}")
    return np.frombuffer(data[:count], kind).reshape(shape).copy()


def _encoded(value: Any, arrays: list[np.ndarray[Any, Any]]) -> Any:
    """A value as JSON; arrays are added to ``arrays`` and stand there by their number."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (Tensor, Variable)):
        value = value.numpy()
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, int):
        return value if abs(value) < _LARGEST else {"int": str(value)}
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return {"array": len(arrays) - 1}
    if isinstance(value, Mapping):
        return {"dict": [[_encoded(k, arrays), _encoded(v, arrays)] for k, v in value.items()]}
    if isinstance(value, (list, tuple)):
        return [_encoded(one, arrays) for one in value]
    raise SerializationError(
        f"the state of a callback holds a {type(value).__name__}.",
        expected="numbers, strings, None, arrays, lists and dicts of them.",
    )


def _decoded(value: Any, arrays: list[np.ndarray[Any, Any]]) -> Any:
    if isinstance(value, list):
        return [_decoded(one, arrays) for one in value]
    if not isinstance(value, dict):
        return value
    ((kind, inner),) = value.items()
    if kind == "dict":
        return {_decoded(k, arrays): _decoded(v, arrays) for k, v in inner}
    if kind == "array":
        return arrays[inner]
    return int(inner) if kind == "int" else float(inner)
