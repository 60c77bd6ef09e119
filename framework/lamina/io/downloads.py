"""The handler of ``downloads://prefix``: a model as the two files that a browser downloads from TensorFlow.js."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from lamina.contract.io import Bytes, ModelArtifacts, SaveResult, split_address
from lamina.errors import ArgumentError, UnsafeModelError
from lamina.io import atomic
from lamina.io.checks import check_shard_path, shown
from lamina.io.folders import downloads
from lamina.io.model_json import encode_model_json
from lamina.io.objects import describe
from lamina.io.weights import spans


class DownloadsHandler:
    """A model to be put into the user's download folder as ``<prefix>.json`` and ``<prefix>.weights.bin``.

    Without a prefix it is ``model``. What is there stays, as with a browser: if one of the two names is taken, both
    files get a number, as in ``digits-1.json`` and ``digits-1.weights.bin``. It is loaded by the path of the first.
    """

    def __init__(self, address: str) -> None:
        self._prefix = split_address(address)[1] or "model"
        self.address: str = f"downloads://{self._prefix}"
        try:
            allowed = len(check_shard_path(f"{self._prefix}.weights.bin", "")) == 1
        except UnsafeModelError:
            allowed = False
        if not allowed:
            raise ArgumentError(
                f"{shown(address)} gives no name to files.",
                expected="letters, digits, '.', '_' and '-', as in 'downloads://digits'.",
            )

    def save(self, artifacts: ModelArtifacts) -> SaveResult:
        """Writes both files or none; the result's address is the path of the ``.json``.

        Raises UnsafeModelError or SerializationError if the model could not be read again, ModelFileError if the disk
        fails.
        """
        where = f"the model to save to {shown(self.address)}"
        spans(artifacts.weight_specs, memoryview(artifacts.weight_data).cast("B"), where)

        def files(taken: Collection[str]) -> Sequence[tuple[str, Bytes]]:
            document, weights = _free_names(self._prefix, (".json", ".weights.bin"), taken)
            text = encode_model_json(artifacts, [f"./{weights}"], where)
            return [(weights, artifacts.weight_data), (document, text)]

        return replace(describe(self.address, artifacts), address=self._write(files))

    def write_file(self, parts: Sequence[Bytes]) -> str:
        """Writes a single file, under a free name too, and gives its path. Raises ModelFileError if the disk fails."""
        stem, ending = os.path.splitext(self._prefix)
        return self._write(lambda taken: [(_free_names(stem, (ending,), taken)[0], b"".join(parts))])

    def _write(self, files: Callable[[Collection[str]], Sequence[tuple[str, Bytes]]]) -> str:
        folder = downloads()
        with atomic.told(self.address):
            return os.path.join(folder, atomic.write_new(folder, files))


def _free_names(prefix: str, endings: Sequence[str], taken: Collection[str]) -> tuple[str, ...]:
    """A name for each ending, none of which is taken."""
    there = {name.lower() for name in taken}  # for some file systems do not tell a from A
    for number in itertools.count():
        names = tuple(f"{prefix}-{number}{ending}" if number else f"{prefix}{ending}" for ending in endings)
        if not there.intersection(name.lower() for name in names):
            return names
    raise AssertionError("numbers do not end")
