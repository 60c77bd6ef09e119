"""Every layer that lamina and Keras both have, in both directions: the same predictions within 1e-5."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from keras_side import keras, load, randomized, to_keras_and_back

import lamina
from lamina.layers import SymbolicTensor
from lamina.structures import flatten, map_structure
from lamina_keras.findings import keras_findings
from lamina_keras.objects import UNKNOWN_THERE
from recorded import folder
from unit.layers.layer_case import Arguments
from unit.layers.test_every_layer import CASES
from vectors.records import loader

_RECORDED = folder("keras") / "layers.jsonl.gz"
RECORDS = list(loader(folder("keras")).records(str(_RECORDED))) if _RECORDED.exists() else []
"""Recorded layers, where they are at hand."""

OWN_CELLS = ("OneStateRNNCell", "TwoStatesRNNCell", "RNNCellWithDropout")
"""Classes of Keras's tests: its registry does not have them."""

NOT_ON_TORCH = {
    ("AveragePooling2D", "same"): "Keras on PyTorch averages over the padding",
    ("Resizing", "bicubic"): "Keras on PyTorch has other weights",
    ("Resizing", "lanczos3"): "Keras on PyTorch refuses it",
    ("Resizing", "lanczos5"): "Keras on PyTorch refuses it",
    ("UpSampling2D", "bicubic"): "Keras on PyTorch has other weights",
    ("UpSampling2D", "lanczos3"): "Keras on PyTorch refuses it",
    ("UpSampling2D", "lanczos5"): "Keras on PyTorch refuses it",
}
"""Settings with which Keras itself gives something else on PyTorch than on JAX, which lamina follows."""


def over_another_axis(name: str, config: dict[str, Any]) -> bool:
    """Whether Keras refuses the input on PyTorch, which normalizes over the last axes only."""
    return name in ("LayerNormalization", "RMSNormalization") and config.get("axis", -1) not in (-1, [-1])


def placed(layer: Any, arguments: list[Any], further: dict[str, Any]) -> tuple[Any, Any]:
    """A model of one layer, and arrays for its inputs."""

    def symbolic(x: Any) -> Any:
        return lamina.Input(batch_shape=x.shape, dtype=str(x.dtype)) if isinstance(x, np.ndarray) else x

    inputs, others = map_structure(symbolic, arguments), map_structure(symbolic, further)
    outputs = layer(*inputs, **others)
    tensors = [x for x in flatten([inputs, others]) if isinstance(x, SymbolicTensor)]
    arrays = [x for x in flatten([arguments, further]) if isinstance(x, np.ndarray)]
    model = lamina.Model(tensors if len(tensors) > 1 else tensors[0], outputs)
    return model, arrays if len(arrays) > 1 else arrays[0]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_cases(case: Any, tmp_path: Path) -> None:
    """Both read the other's files, unless lamina says beforehand that Keras will not."""
    arguments = list(case.inputs) if isinstance(case.inputs, Arguments) else [case.inputs]
    model, inputs = placed(case.kind(**case.settings), arguments, {})
    if keras_findings(model):
        model.save(tmp_path / "lamina.keras")
        with pytest.raises((TypeError, ValueError)):
            load(tmp_path / "lamina.keras")
    elif not (over_another_axis(case.kind.__name__, case.settings) or case.kind is lamina.layers.StackedRNNCells):
        # Keras's graphs do not take the nested states of stacked cells.
        to_keras_and_back(randomized(model), inputs, tmp_path)


def recorded_classes() -> list[str]:
    return sorted({record["class_name"] for record in RECORDS}) or ["none"]


def excused(record: dict[str, Any]) -> bool:
    """Whether the class is one of Keras's tests only, or Keras's backends do not agree on the numbers."""
    config = record["config"]
    cell = config.get("cell") or {}
    names = {cell.get("class_name"), *(c.get("class_name") for c in cell.get("config", {}).get("cells", ()))}
    words = (config.get("interpolation"), config.get("padding"))
    return (
        bool(names.intersection(OWN_CELLS))
        or "outputs" in record.get("differs", ())
        or any((record["class_name"], str(word)) in NOT_ON_TORCH for word in words)
        or over_another_axis(record["class_name"], config)
        or not hasattr(keras.layers, record["class_name"])
    )


@pytest.mark.parametrize("name", recorded_classes())
def test_recorded(name: str, tmp_path: Path) -> None:
    """Each recorded configuration of a class, with the recorded weights and inputs."""
    if not RECORDS:
        pytest.skip(f"the recordings of Keras are not at {_RECORDED.parent}; LAMINA_VECTORS names their folder")
    seen = set()
    for record in RECORDS:
        key = (str({k: v for k, v in record["config"].items() if k != "name"}), record["input_structure"])
        if record["class_name"] != name or key in seen or excused(record):
            continue
        seen.add(key)
        layer = lamina.layers.deserialize({"class_name": name, "config": record["config"]})
        keywords = record["input_structure"] == "kwargs"
        further = {**(record["inputs"] if keywords else {}), **record["call_kwargs"]}
        model, inputs = placed(layer, [] if keywords else [record["inputs"]], further)
        layer.set_weights([weight["value"] for weight in record["weights"]])
        to_keras_and_back(model, inputs, tmp_path)


def test_what_keras_has_not() -> None:
    """The lists of what Keras does not know are true, and complete."""
    from lamina.plugins import plugins
    from lamina_keras.applications import MODULES

    own = {*MODULES, "KerasFunction", "Functional", "Model", "Sequential"}
    layers = {name for name in plugins().provided("lamina_layers") if not hasattr(keras.layers, name)}
    assert layers - own == set(UNKNOWN_THERE["layers"])
    optimizers = [n.partition("/")[2] for n in plugins().provided("lamina_objects") if n.startswith("optimizers/")]
    assert {name for name in optimizers if not hasattr(keras.optimizers, name)} == set(UNKNOWN_THERE["optimizers"])
    activations = [n.partition("/")[2] for n in plugins().provided("lamina_objects") if n.startswith("activations/")]
    unknown = set()
    for name in activations:
        try:
            keras.activations.get(name)
        except ValueError:
            unknown.add(name)
    assert unknown == set(UNKNOWN_THERE["activations"])
