"""``.keras``: a whole model in a ZIP archive, as Keras 3 writes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

import lamina
from lamina.contract.io import Bytes
from lamina.errors import ModelFileError, UnsafeModelError
from lamina.io.checks import check_shard_path, limits_in_force, shown
from lamina.io.strict_json import read_json, write_json
from lamina.layers.weights import weights_from
from lamina.models.saving.origins import origins_heeded
from lamina.models.saving.own import OWN_KEY, own_record, restore_own
from lamina.models.saving.sources import Budget
from lamina_keras.compiling import compile_as_keras, compile_config
from lamina_keras.findings import keras_findings
from lamina_keras.graphs import whole_config
from lamina_keras.hdf5 import Group, read_hdf5, write_hdf5
from lamina_keras.reading import read_model
from lamina_keras.weights_file import (
    assign_weights,
    load_whole,
    restore_optimizer,
    stored_bytes,
    weights_group,
)
from lamina_keras.zip_reading import Member, read_archive
from lamina_keras.zip_records import LOCAL_SIGNATURE
from lamina_keras.zip_writing import write_archive

KERAS_VERSION: Final = "3.15.1"
"""The version whose form is written."""

METADATA: Final = "metadata.json"
CONFIG: Final = "config.json"
WEIGHTS: Final = "model.weights.h5"

_WEIGHTS_SLACK: Final = 16 << 20


class KerasFile:
    """The format: a whole model. Weights lie in it as they are, and are read where they lie."""

    title: ClassVar[str] = "a file of a Keras model"
    magic: ClassVar[tuple[bytes, ...]] = (LOCAL_SIGNATURE,)

    def save_model(self, model: Any, where: str, *, include_optimizer: bool, fingerprint: bool) -> Iterable[Bytes]:
        """The archive. Raises SerializationError for a model that is no graph of layers or holds what has no config."""
        config = whole_config(model)
        trains = include_optimizer and model.optimizer is not None
        if trains:
            config["compile_config"] = compile_config(model)
        weights = write_hdf5(weights_group(model, include_optimizer))
        metadata = {"keras_version": KERAS_VERSION, "generated_by": f"lamina {lamina.__version__}"}
        own = own_record(model, False, fingerprint)
        members = [(METADATA, {**metadata, OWN_KEY: own}), (CONFIG, config)]
        texts = [(name, [write_json(value, f"{where}: {name}")]) for name, value in members]
        return write_archive([*texts, (WEIGHTS, list(weights))])

    def load_model(self, data: memoryview, where: str, *, compile: bool, fingerprint: bool) -> Any:
        """The model. Raises UnsafeModelError, ModelFileError, SerializationError or UnknownNameError."""
        members = _members(data, where)
        config, metadata = (_json(members, name, where) for name in (CONFIG, METADATA))
        root = _weights(members, where)
        said = metadata if isinstance(metadata, Mapping) else {}
        with origins_heeded(said.get(OWN_KEY), where):
            return _model(config, said, root, where, compile, fingerprint)

    def load_weights(self, model: Any, data: memoryview, where: str, *, strict: bool) -> None:
        """Gives a model the weights of the archive's model; all, or none if something does not fit."""
        assign_weights(model, _weights(_members(data, where), where), f"{where}: {WEIGHTS}", strict)

    def findings(self, model: Any) -> list[str]:
        """What Keras 3 does not know of a model."""
        return keras_findings(model)


def _model(config: Any, said: Mapping[str, Any], root: Group, where: str, compile: bool, fingerprint: bool) -> Any:
    with weights_from(Budget(stored_bytes(root), where)):
        model = read_model(config, f"{where}: {CONFIG}")
    state = load_whole(model, root, f"{where}: {WEIGHTS}")
    made_by = None if OWN_KEY in said else f"keras v{said.get('keras_version', '3')}"
    restore_own(model, said.get(OWN_KEY), where, fingerprint, made_by)
    if compile and compile_as_keras(model, config.get("compile_config")) and state:
        restore_optimizer(model, state, f"{where}: {WEIGHTS}")
    return model


def _members(data: memoryview, where: str) -> dict[str, Member]:
    """The members of an archive, which has those of a model and no others."""
    found = read_archive(data, where)
    for name in found:
        if name == "model.weights.npz":
            raise UnsafeModelError(
                f"{where}: the weights are in {shown(name)}.",
                expected=f"them in {WEIGHTS}.",
                fix="load the model in Keras, and save it with weights_format='h5'.",
            )
        if name not in (METADATA, CONFIG, WEIGHTS):
            parts = check_shard_path(name, where)
            if parts[0] != "assets" or len(parts) < 2 or name.startswith("./"):
                raise UnsafeModelError(
                    f"{where} has the member {shown(name)}.",
                    expected=f"{METADATA}, {CONFIG}, {WEIGHTS}, and files in assets.",
                )
    return found


def _member(members: Mapping[str, Member], name: str, where: str) -> Member:
    if name not in members:
        raise ModelFileError(f"{where} has no {name}.", expected=f"{METADATA}, {CONFIG} and {WEIGHTS}.")
    return members[name]


def _json(members: Mapping[str, Member], name: str, where: str) -> Any:
    member = _member(members, name, where)
    most = limits_in_force().json_bytes
    if member.size > most:
        raise UnsafeModelError(f"{where}: {name} has {member.size} bytes.", expected=f"at most {most}.")
    return read_json(bytes(member.read(most)), f"{where}: {name}")


def _weights(members: Mapping[str, Member], where: str) -> Group:
    member = _member(members, WEIGHTS, where)
    return read_hdf5(member.read(_WEIGHTS_SLACK), f"{where}: {WEIGHTS}")
