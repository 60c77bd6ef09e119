"""The recorded layers of TensorFlow.js, by its own configs: made and saved there, loaded here, and handed back."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

import lamina
import recorded
from interop.agreeing import assert_alike, predicted
from interop.differences import difference
from interop.tensorflowjs import TensorFlowJSError

MODELS: Final = ("Sequential", "Model")
LEAST: Final = 400
"""At least so many are compared; the others are calls without a batch and the like, which no model makes."""

NOT_MADE_THERE: Final = (
    "Error when checking : expected input", "must be rank 3 or 4, but got rank 1", "unsupported tensor rank: 7",
    "Expected tensor to be at least 1D", "Expected exactly 1 Shape",
    "no layer RandomHeight",
)  # fmt: skip
"""What TensorFlow.js says to calls that a model cannot make: no batch axis, and layers that take no list of inputs."""


def unnamed(config: Any) -> Any:
    """A config without names, in Keras's spelling."""
    if isinstance(config, Mapping):
        return {snake_case(key): unnamed(value) for key, value in config.items() if key != "name"}
    if isinstance(config, list):
        return [unnamed(value) for value in config]
    return snake_case(config) if isinstance(config, str) and config[:1].islower() else config


def snake_case(word: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: "_" + found[1].lower(), word)


def chosen() -> list[dict[str, Any]]:
    """One record for each config."""
    found: dict[str, dict[str, Any]] = {}
    for record in recorded.records("tensorflow.js", "layers.jsonl.gz", kind="apply"):
        if record["className"] not in MODELS and record.get("public", True):
            found.setdefault(record["className"] + json.dumps(unnamed(record["config"]), sort_keys=True), record)
    return list(found.values())


def test_every_recorded_config(tfjs, tmp_path):
    """Loaded here it predicts the same as there; saved here and loaded there too."""
    wrong, alike = [], 0
    for number, record in enumerate(chosen()):
        try:
            alike += goes_both_ways(tfjs, record, tmp_path / str(number))
        except Exception as error:
            wrong.append(f"{record['className']} {record['config']}: {type(error).__name__}: {error}"[-600:])
    assert not wrong, "\n".join([f"{len(wrong)} of {alike + len(wrong)}:", *wrong])
    assert alike >= LEAST


def goes_both_ways(tfjs: Any, record: Mapping[str, Any], folder: Any) -> bool:
    name, x = record["className"], record["inputs"]
    inputs = x if isinstance(x, list) else [x]
    weights = [w["value"] for w in record["weights"]]
    try:
        expected = tfjs.make_layer(name, record["config"], folder / "there", [inputs], weights=weights)[0]
    except TensorFlowJSError as error:
        if not any(words in str(error) for words in NOT_MADE_THERE):
            raise
        return False
    if difference(name, unnamed(record["config"])):
        return False
    model = lamina.load_model(folder / "there")
    assert_alike(predicted(model, inputs if len(inputs) > 1 else inputs[0]), expected)
    model.save(folder / "here")
    again = tfjs.predict(folder / "here", inputs, resetStates=True)
    assert_alike(again, expected)
    return True
