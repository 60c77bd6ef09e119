"""TensorFlow.js itself, in node, where both are found: a saved model's predictions as the browser would make them."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from importlib.resources import as_file, files
from typing import Any, Final

import numpy as np

from lamina.contract import ModelArtifacts
from lamina.errors import ModelFileError
from lamina.io import encode_model_json

HOW_TO_GET: Final = "install node, run `npm install @tensorflow/tfjs`, and give its folder with --tfjs."

_PACKAGE: Final = os.path.join("@tensorflow", "tfjs")
_MOST_SECONDS: Final = 600
_DTYPES: Final = {"float32": "<f4", "int32": "<i4", "bool": "u1"}


def find(folder: str | None = None) -> str | None:
    """The folder of the package, if it and node are there.

    ``folder`` is the package's, or one whose ``node_modules`` has it; by default ``LAMINA_TFJS``, then the current one.
    """
    if shutil.which("node") is None:
        return None
    start = folder or os.environ.get("LAMINA_TFJS") or os.curdir
    for place in (start, os.path.join(start, _PACKAGE), os.path.join(start, "node_modules", _PACKAGE)):
        if _is_package(place):
            return os.path.abspath(place)
    return None


def _is_package(place: str) -> bool:
    try:
        with open(os.path.join(place, "package.json"), encoding="utf-8") as file:
            return bool(json.load(file).get("name") == "@tensorflow/tfjs")
    except (OSError, ValueError, AttributeError):
        return False


def predict(
    package: str, artifacts: ModelArtifacts, inputs: Sequence[np.ndarray[Any, Any]], scripts: Sequence[str] = ()
) -> list[np.ndarray[Any, Any]]:
    """What TensorFlow.js gives for the inputs. ``scripts`` are JavaScript files of the user's, which are run.

    Raises ModelFileError with what TensorFlow.js says if it cannot load or run the model.
    """
    job = {
        "package": package,
        "scripts": [os.path.abspath(script) for script in scripts],
        "document": encode_model_json(artifacts, ["weights.bin"]).decode(),
        "weights": base64.b64encode(artifacts.weight_data).decode(),
        "inputs": [_record(array) for array in inputs],
    }
    with as_file(files("lamina.cli") / "predict.cjs") as script:
        done = subprocess.run(  # noqa: S603 - node, and a script of ours
            [str(shutil.which("node")), str(script)],
            input=json.dumps(job).encode(), capture_output=True, timeout=_MOST_SECONDS, check=False,
        )  # fmt: skip
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise ModelFileError(
            f"TensorFlow.js does not run the model: {said[-1] if said else 'it ended'}.",
            fix="give the layers.js of its export with --script, if you trust it." if _unknown_class(said) else None,
        )
    return [_array(record) for record in json.loads(done.stdout.decode().splitlines()[-1])]


def _unknown_class(said: Sequence[str]) -> bool:
    return any("serialization.registerClass" in line for line in said)


def _record(array: np.ndarray[Any, Any]) -> dict[str, Any]:
    dtype = {"i": "int32", "u": "int32", "b": "bool"}.get(array.dtype.kind, "float32")
    data = np.ascontiguousarray(array, _DTYPES[dtype]).tobytes()
    return {"dtype": dtype, "shape": list(array.shape), "data": base64.b64encode(data).decode()}


def _array(record: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    return np.frombuffer(base64.b64decode(record["data"]), _DTYPES[record["dtype"]]).reshape(record["shape"])
