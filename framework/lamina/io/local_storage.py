"""The handler of ``localstorage://name``: models of this user, in one SQLite file, safe for several processes.

The folder is ``LAMINA_HOME``, else the one where the platform keeps users' data. A save is one transaction.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from lamina.contract.io import ModelArtifacts, SaveResult, split_address
from lamina.errors import ModelFileError
from lamina.io.checks import check_name, shown
from lamina.io.memory import missing
from lamina.io.model_json import decode_model_json, encode_model_json
from lamina.io.objects import describe
from lamina.io.shards import cut
from lamina.io.weights import spans

_FILE: Final = "models.sqlite3"
_VERSION: Final = 1
_SECONDS_TO_WAIT: Final = 60.0
_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS models (name TEXT PRIMARY KEY, document BLOB NOT NULL, topology_bytes INTEGER NOT NULL,"
    " weight_bytes INTEGER NOT NULL, weight_specs_bytes INTEGER NOT NULL, date_saved TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS shards (name TEXT NOT NULL, number INTEGER NOT NULL, data BLOB NOT NULL,"
    " PRIMARY KEY (name, number))",
    f"PRAGMA user_version = {_VERSION}",
)


def home() -> str:
    """The folder of this user's data: ``LAMINA_HOME``, else the platform's place for it."""
    chosen = os.environ.get("LAMINA_HOME")
    if chosen:
        return chosen
    user = os.path.expanduser("~")
    if sys.platform == "win32":
        return os.path.join(os.environ.get("LOCALAPPDATA") or os.path.join(user, "AppData", "Local"), "lamina")
    if sys.platform == "darwin":
        return os.path.join(user, "Library", "Application Support", "lamina")
    return os.path.join(os.environ.get("XDG_DATA_HOME") or os.path.join(user, ".local", "share"), "lamina")


class LocalStorageHandler:
    """A model under a name in the user's store."""

    def __init__(self, address: str) -> None:
        self._name = check_name(split_address(address)[1], f"the address {shown(address)}")
        self.address = f"localstorage://{self._name}"

    def save(self, artifacts: ModelArtifacts) -> SaveResult:
        """Stores the model, in place of one of that name. Raises ModelFileError if the store cannot be written."""
        where = f"the model to save to {shown(self.address)}"
        spans(artifacts.weight_specs, memoryview(artifacts.weight_data).cast("B"), where)
        document = encode_model_json(artifacts, ["weights.bin"], where)
        result = describe(self.address, artifacts)
        with _transaction("IMMEDIATE", create=True) as store:
            assert store is not None
            _delete(store, self._name)
            store.execute("INSERT INTO models VALUES (?, ?, ?, ?, ?, ?)", (self._name, document, *_columns(result)))
            for number, (_, part) in enumerate(cut(artifacts.weight_data)):
                store.execute("INSERT INTO shards VALUES (?, ?, ?)", (self._name, number, part))
        return result

    def load(self) -> ModelArtifacts:
        """The model. Raises ModelNotFoundError if there is none of that name, ModelFileError if it is damaged."""
        with _transaction("DEFERRED") as store:
            row = store and store.execute("SELECT document FROM models WHERE name = ?", (self._name,)).fetchone()
            if not store or not row:
                raise missing(self.address, list(_listed(store)))
            parts = store.execute("SELECT data FROM shards WHERE name = ? ORDER BY number", (self._name,))
            data = b"".join(part for (part,) in parts)
        artifacts = decode_model_json(row[0], shown(self.address)).artifacts
        spans(artifacts.weight_specs, memoryview(data), shown(self.address))
        return replace(artifacts, weight_data=data)

    def remove(self) -> SaveResult:
        """Deletes the model, and gives its record. Raises ModelNotFoundError if there is none of that name."""
        with _transaction("IMMEDIATE") as store:
            present = _listed(store)
            if store is None or self.address not in present:
                raise missing(self.address, list(present))
            _delete(store, self._name)
        return present[self.address]

    @classmethod
    def list_models(cls) -> Mapping[str, SaveResult]:
        """The stored models by address."""
        with _transaction("DEFERRED") as store:
            return _listed(store)


def _columns(result: SaveResult) -> tuple[Any, ...]:
    return result.topology_bytes, result.weight_bytes, result.weight_specs_bytes, result.date_saved.isoformat()


def _listed(store: sqlite3.Connection | None) -> dict[str, SaveResult]:
    if store is None:
        return {}
    rows = store.execute(
        "SELECT name, topology_bytes, weight_bytes, weight_specs_bytes, date_saved FROM models ORDER BY name"
    )
    found = [
        SaveResult(f"localstorage://{name}", topology, weights, specs, datetime.fromisoformat(saved))
        for name, topology, weights, specs, saved in rows
    ]
    return {result.address: result for result in found}


def _delete(store: sqlite3.Connection, name: str) -> None:
    store.execute("DELETE FROM models WHERE name = ?", (name,))
    store.execute("DELETE FROM shards WHERE name = ?", (name,))


@contextmanager
def _transaction(kind: str, create: bool = False) -> Iterator[sqlite3.Connection | None]:
    """The store inside a transaction, which ends with the block; None if there is no store and none is to be made."""
    path = os.path.join(home(), _FILE)
    if not create and not os.path.exists(path):
        yield None
        return
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=_SECONDS_TO_WAIT, isolation_level=None)) as store:
            store.execute(f"BEGIN {kind}")
            try:
                yield store if _prepared(store, path, create) else None
                store.execute("COMMIT")
            finally:
                if store.in_transaction:
                    store.execute("ROLLBACK")
    except ModelFileError:
        raise
    except (sqlite3.Error, OSError) as error:
        raise ModelFileError(
            f"the store {shown(path)} cannot be used: {error}.",
            fix="set LAMINA_HOME to a folder that may be written to, or remove the file if it is damaged.",
        ) from error


def _prepared(store: sqlite3.Connection, path: str, create: bool) -> bool:
    """Whether the store has its tables, which are made if ``create``."""
    (version,) = store.execute("PRAGMA user_version").fetchone()
    if version > _VERSION:
        raise ModelFileError(f"the store {shown(path)} was made by a newer lamina.", fix="upgrade lamina.")
    if version < _VERSION and create:
        for statement in _TABLES:
            store.execute(statement)
    return create or version == _VERSION
