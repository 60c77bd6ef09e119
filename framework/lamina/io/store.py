"""The handlers of ``localstorage://name`` and ``indexeddb://name``: models of this user, in one SQLite file.

Several processes may use it at once: a save is one transaction. The two schemes have names of their own, as in a
browser. The folder is that of ``folders.home``.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar, Final
from zlib import crc32

import numpy as np

from lamina.contract.io import ModelArtifacts, SaveResult, split_address
from lamina.errors import LaminaError, ModelFileError
from lamina.io.checks import check_name, shown
from lamina.io.folders import home
from lamina.io.memory import missing
from lamina.io.model_json import decode_model_json, encode_model_json
from lamina.io.objects import describe
from lamina.io.progress import OnProgress, Progress
from lamina.io.shards import cut
from lamina.io.weights import spans

_FILE: Final = "models.sqlite3"
_VERSION: Final = 1
_SECONDS_TO_WAIT: Final = 60.0
_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS models (address TEXT PRIMARY KEY, document BLOB NOT NULL,"
    " topology_bytes INTEGER NOT NULL, weight_bytes INTEGER NOT NULL, weight_specs_bytes INTEGER NOT NULL,"
    " date_saved TEXT NOT NULL, crc INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS shards (address TEXT NOT NULL, number INTEGER NOT NULL, data BLOB NOT NULL,"
    " crc INTEGER NOT NULL, PRIMARY KEY (address, number))",
    f"PRAGMA user_version = {_VERSION}",
)


class StoreHandler:
    """A model under a name in the user's store. Each scheme is a subclass.

    ``on_progress`` is called with the share of weight bytes that has come or gone.
    """

    scheme: ClassVar[str]

    def __init__(self, address: str, *, on_progress: OnProgress | None = None) -> None:
        self._on_progress = on_progress
        name = check_name(split_address(address)[1], f"the address {shown(address)}")
        self.address: str = f"{self.scheme}://{name}"

    def save(self, artifacts: ModelArtifacts) -> SaveResult:
        """Stores the model, in place of one of that name. Raises ModelFileError if the store cannot be written."""
        where = f"the model to save to {shown(self.address)}"
        spans(artifacts.weight_specs, memoryview(artifacts.weight_data).cast("B"), where)
        document = encode_model_json(artifacts, ["weights.bin"], where)
        result = describe(self.address, artifacts)
        progress = Progress(self._on_progress, result.weight_bytes)
        with _transaction("IMMEDIATE", create=True) as store:
            assert store is not None
            _delete(store, self.address)
            row = self.address, document, *_columns(result), crc32(document)
            store.execute("INSERT INTO models VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            for number, (_, part) in enumerate(cut(artifacts.weight_data)):
                store.execute("INSERT INTO shards VALUES (?, ?, ?, ?)", (self.address, number, part, crc32(part)))
                progress.add(len(part))
        progress.finish()
        return result

    def load(self) -> ModelArtifacts:
        """The model. Raises ModelNotFoundError if there is none of that name, ModelFileError if it is damaged."""
        with _transaction("DEFERRED") as store:
            query = "SELECT document, crc FROM models WHERE address = ?"
            row = store and store.execute(query, (self.address,)).fetchone()
            if not store or not row:
                raise missing(self.address, list(_listed(store, self.scheme)))
            document, data = _whole(*row), _weights(store, self.address, self._on_progress)
        artifacts = decode_model_json(document, shown(self.address)).artifacts
        spans(artifacts.weight_specs, data, shown(self.address))
        return replace(artifacts, weight_data=data)

    def remove(self) -> SaveResult:
        """Deletes the model, and gives its record. Raises ModelNotFoundError if there is none of that name."""
        with _transaction("IMMEDIATE") as store:
            present = _listed(store, self.scheme)
            if store is None or self.address not in present:
                raise missing(self.address, list(present))
            _delete(store, self.address)
        return present[self.address]

    @classmethod
    def list_models(cls) -> Mapping[str, SaveResult]:
        """The models of the scheme by address."""
        with _transaction("DEFERRED") as store:
            return _listed(store, cls.scheme)


class LocalStorageHandler(StoreHandler):
    """A model under ``localstorage://``."""

    scheme = "localstorage"


class IndexedDBHandler(StoreHandler):
    """A model under ``indexeddb://``."""

    scheme = "indexeddb"


def _columns(result: SaveResult) -> tuple[Any, ...]:
    return result.topology_bytes, result.weight_bytes, result.weight_specs_bytes, result.date_saved.isoformat()


def _whole(data: bytes, crc: int) -> bytes:
    """The data, if they are what was written: SQLite itself would not notice."""
    if crc32(data) != crc:
        raise ValueError("its data are damaged")
    return data


def _weights(store: sqlite3.Connection, address: str, on_progress: OnProgress | None) -> memoryview:
    """A model's weight bytes, which are copied once, to where they stay."""
    (size,) = store.execute("SELECT TOTAL(LENGTH(data)) FROM shards WHERE address = ?", (address,)).fetchone()
    data = np.empty(int(size), np.uint8).data
    progress = Progress(on_progress, len(data))
    left = data
    for part, crc in store.execute("SELECT data, crc FROM shards WHERE address = ? ORDER BY number", (address,)):
        left[: len(part)] = _whole(part, crc)
        left = left[len(part) :]
        progress.add(len(part))
    progress.finish()
    return data


def _listed(store: sqlite3.Connection | None, scheme: str) -> dict[str, SaveResult]:
    if store is None:
        return {}
    rows = store.execute(
        "SELECT address, topology_bytes, weight_bytes, weight_specs_bytes, date_saved FROM models"
        " WHERE SUBSTR(address, 1, ?) = ? ORDER BY address",
        (len(scheme) + 3, f"{scheme}://"),
    )
    return {row[0]: SaveResult(row[0], row[1], row[2], row[3], datetime.fromisoformat(row[4])) for row in rows}


def _delete(store: sqlite3.Connection, address: str) -> None:
    store.execute("DELETE FROM models WHERE address = ?", (address,))
    store.execute("DELETE FROM shards WHERE address = ?", (address,))


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
            if create:  # it counts for a store that is made now: the disk gets back what removed models took
                store.execute("PRAGMA auto_vacuum = FULL")
            store.execute(f"BEGIN {kind}")
            try:
                yield store if _prepared(store, path, create) else None
                store.execute("COMMIT")
            finally:
                if store.in_transaction:
                    store.execute("ROLLBACK")
    except LaminaError:
        raise
    except (sqlite3.Error, OSError, TypeError, ValueError) as error:
        # A value of another type or form than was written is damage that SQLite does not notice.
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
