"""TensorFlow.js itself, in a process of Node.js that answers requests: what tests of saved models compare with.

The npm package is looked for in the folder that LAMINA_NODE_MODULES names, else beside this module, where
``python tests/interop/install.py`` puts it. Where Node.js or the package is missing, tests fail; none is skipped.
"""

from __future__ import annotations

import base64
import contextlib
import json
import math
import os
import queue
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

Array = np.ndarray[Any, Any]

HERE: Final = Path(__file__).parent
TIMEOUT: Final = 60.0
_DTYPES: Final = {"float32": "<f4", "int32": "<i4", "bool": "?", "complex64": "<c8"}
_INSTALL: Final = "python tests/interop/install.py tests/interop"


class TensorFlowJSError(Exception):
    """TensorFlow.js raised, or its process ended or took too long; the message has what it said."""


def node_modules() -> Path:
    """The folder with the npm package. Raises TensorFlowJSError if it is not there, saying how to get it."""
    folder = Path(os.environ.get("LAMINA_NODE_MODULES") or HERE / "node_modules")
    if not (folder / "@tensorflow" / "tfjs" / "package.json").exists():
        raise TensorFlowJSError(
            f"the npm package @tensorflow/tfjs is not in {folder}. Fix: run '{_INSTALL}', which needs Node.js with npm "
            "(Debian: apt-get install nodejs npm), or name its node_modules in LAMINA_NODE_MODULES."
        )
    return folder


def node() -> str:
    """The program of Node.js. Raises TensorFlowJSError if it is not installed."""
    program = os.environ.get("LAMINA_NODE") or shutil.which("node")
    if program is None:
        raise TensorFlowJSError("Node.js is not installed. Fix: install it (Debian: apt-get install nodejs npm).")
    return program


class TensorFlowJS:
    """One process of Node.js with TensorFlow.js on its CPU backend, started with the block and ended with it.

    ``model`` is always the folder with a ``model.json`` (or a URL of one); ``to`` is where TensorFlow.js saves, a
    folder or a URL. Inputs are one array or a list of them. ``scripts`` are paths of classic scripts to run before
    loading, such as an exported ``layers.js``. ``compile`` is what a model is compiled with where it was saved without:
    ``{"optimizer": {"class_name": "SGD", "config": {"learningRate": 0.1}}, "loss": "meanSquaredError"}``.
    Every method raises TensorFlowJSError with the stack of what was raised there.
    """

    def __init__(self, timeout: float = TIMEOUT) -> None:
        self._timeout = timeout

    def __enter__(self) -> TensorFlowJS:
        command = [node(), str(HERE / "node" / "server.js"), str(node_modules())]
        self._said = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said, text=True, encoding="utf-8"
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self.version = self._answer("starting", self._timeout)["version"]
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the process."""
        with contextlib.suppress(OSError):
            self._process.stdin.close()  # type: ignore[union-attr]
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(5)
        self._process.stdout.close()  # type: ignore[union-attr]
        self._said.close()

    # -- models ----------------------------------------------------------------------------------------------------

    def predict(self, model: Any, inputs: Any, **settings: Any) -> list[Array]:
        """The outputs for one batch of inputs. Settings: ``scripts``, ``batchSize``, ``strict``."""
        found: list[Array] = self.predict_each(model, [inputs], **settings)[0]
        return found

    def predict_each(self, model: Any, runs: Sequence[Any], **settings: Any) -> list[list[Array]]:
        """The outputs for each of several inputs, one after the other, by one loaded model.

        ``resetStates`` True has it forget the states of stateful layers before each.
        """
        runs = [_listed(inputs) for inputs in runs]
        found: list[list[Array]] = self.request("predict", model=model, runs=runs, **settings)
        return found

    def evaluate(self, model: Any, x: Any, y: Any, **settings: Any) -> list[float]:
        """The loss and the metrics. Settings: ``scripts``, ``compile``, ``batchSize``."""
        return list(self.request("evaluate", model=model, x=_listed(x), y=_listed(y), **settings))

    def train(self, model: Any, batches: Sequence[tuple[Any, Any]], to: Any = None, **settings: Any) -> list[Any]:
        """One step per batch ``(x, y)``; the loss and the metrics of each. The trained model goes to ``to``."""
        given = [[_listed(x), _listed(y)] for x, y in batches]
        return list(self.request("train", model=model, batches=given, to=to, **settings))

    def fit(self, model: Any, x: Any, y: Any, to: Any = None, **settings: Any) -> dict[str, list[float]]:
        """``fit`` without shuffling, and its history. Settings: ``epochs``, ``batchSize``, ``scripts``, ``compile``."""
        settings = {"epochs": 1, "batchSize": 32, **settings}
        return dict(self.request("fit", model=model, x=_listed(x), y=_listed(y), to=to, **settings))

    def resave(self, model: Any, to: Any, **settings: Any) -> dict[str, Any]:
        """Loads and saves again, optimizer included. What it is: ``layers``, ``weights``, ``optimizer``."""
        return dict(self.request("resave", model=model, to=to, **settings))

    def make(
        self, topology: Mapping[str, Any], to: Any, runs: Sequence[Any] = (), **settings: Any
    ) -> list[list[Array]]:
        """A model of a topology (as ``model.json`` has it), saved; the outputs for each of the inputs in ``runs``.

        ``weights`` is a list of arrays, else its initializers give them. Settings: ``scripts``, ``compile``.
        """
        given = [_listed(inputs) for inputs in runs]
        return list(self.request("make", topology=topology, to=to, runs=given, **settings))

    def make_layer(
        self, class_name: str, config: Mapping[str, Any], to: Any, runs: Sequence[Any], **settings: Any
    ) -> list[list[Array]]:
        """A model of one layer, given in TensorFlow.js's spelling, saved; its outputs. The first run gives shapes."""
        given = [_listed(inputs) for inputs in runs]
        return list(self.request("makeLayer", className=class_name, config=config, to=to, runs=given, **settings))

    def weights(self, model: Any, **settings: Any) -> dict[str, Any]:
        """The values: ``model`` by name, ``optimizer`` as ``[name, array]`` in order; and what ``resave`` says."""
        return dict(self.request("weights", model=model, **settings))

    def save_tensors(self, tensors: Mapping[str, Any], folder: Any) -> list[dict[str, Any]]:
        """Arrays by name through ``tf.io.encodeWeights`` to weights.bin and manifest.json; the specs."""
        return list(self.request("saveTensors", tensors=tensors, folder=folder))

    def load_tensors(self, manifest: Sequence[Mapping[str, Any]], folder: Any) -> dict[str, Array]:
        """The arrays of weight files through ``tf.io.decodeWeights``, by name."""
        return dict(self.request("loadTensors", manifest=manifest, folder=folder))

    def classes(self) -> list[str]:
        """The names of all classes that it makes of configs."""
        return list(self.request("classes"))

    # -- requests --------------------------------------------------------------------------------------------------

    def request(self, command: str, *, timeout: float | None = None, **settings: Any) -> Any:
        """What a function of node/models.js gives for settings; arrays are sent and come back as arrays."""
        line = json.dumps({"command": command, "settings": _encoded(settings)}, allow_nan=False)
        try:
            self._process.stdin.write(line + "\n")  # type: ignore[union-attr]
            self._process.stdin.flush()  # type: ignore[union-attr]
        except OSError as error:
            raise TensorFlowJSError(f"{command}: the process has ended. {self._heard()}") from error
        return _decoded(self._answer(command, timeout or self._timeout))

    def _answer(self, command: str, timeout: float) -> Any:
        try:
            line = self._lines.get(timeout=timeout)
        except queue.Empty:
            self._process.kill()
            raise TensorFlowJSError(f"{command}: no answer within {timeout} s. {self._heard()}") from None
        if not line:
            self._lines.put(line)  # so it is for every later request
            raise TensorFlowJSError(f"{command}: the process ended. {self._heard()}")
        answer = json.loads(line)
        if "error" in answer:
            raise TensorFlowJSError(f"{command}: {answer['error']}")
        return answer["result"]

    def _read(self) -> None:
        for line in self._process.stdout:  # type: ignore[union-attr]
            self._lines.put(line)
        self._lines.put("")

    def _heard(self) -> str:
        """The end of what the process said beside its answers."""
        self._said.seek(0)
        return self._said.read()[-4000:].decode("utf-8", "replace")


def _listed(inputs: Any) -> list[Any]:
    return [np.asarray(x) for x in (inputs if isinstance(inputs, (list, tuple)) else [inputs])]


def _dtype(array: Any) -> str:
    if array.dtype.kind in "USOT":
        return "string"
    return {"f": "float32", "i": "int32", "u": "int32", "b": "bool", "c": "complex64"}[array.dtype.kind]


def _encoded(value: Any) -> Any:
    """Arrays, folders and what holds them as JSON."""
    if isinstance(value, (np.ndarray, np.generic)):
        dtype, shape = _dtype(value), list(value.shape)
        if dtype == "string":
            return {"dtype": dtype, "shape": shape, "values": [str(v) for v in value.ravel()]}
        data = np.ascontiguousarray(value, _DTYPES[dtype]).tobytes()
        return {"dtype": dtype, "shape": shape, "base64": base64.b64encode(data).decode("ascii")}
    if isinstance(value, Mapping):
        return {key: _encoded(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_encoded(v) for v in value]
    return str(value) if isinstance(value, os.PathLike) else value


def _decoded(value: Any) -> Any:
    """The value with arrays where the answer has tensors."""
    if isinstance(value, list):
        return [_decoded(v) for v in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"dtype", "shape", "base64"}:
        data = np.frombuffer(base64.b64decode(value["base64"]), _DTYPES[value["dtype"]])
        return data.reshape(value["shape"]).copy()
    if set(value) == {"dtype", "shape", "values"}:
        return np.array(value["values"], dtype=object).reshape(value["shape"])
    if set(value) == {"number"}:
        return math.nan if value["number"] == "NaN" else math.copysign(math.inf, 1 if value["number"][0] != "-" else -1)
    return {key: _decoded(v) for key, v in value.items()}
