"""The document model.json: its text, and reading it back."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lamina.contract.io import ModelArtifacts, WeightSpec
from lamina.errors import SerializationError, UnsafeModelError
from lamina.io import WeightGroup, decode_model_json, encode_model_json

FULL = ModelArtifacts(
    {"class_name": "Sequential", "config": {"name": "é", "layers": []}},
    (
        WeightSpec("d/kernel", (2, 3), "float32"),
        WeightSpec("d/bias", (3,), "float32", None, {"dtype": "uint8", "scale": 0.5, "min": -1}),
        WeightSpec("iter", (), "int32", "optimizer"),
    ),
    generated_by="lamina v0",
    training_config={"loss": "mean_squared_error"},
    user_defined_metadata={"tags": ["a"]},
)
TEXT = (
    '{"modelTopology":{"class_name":"Sequential","config":{"name":"é","layers":[]}},"format":"layers-model",'
    '"generatedBy":"lamina v0","convertedBy":null,"weightsManifest":[{"paths":["a.bin","b.bin"],"weights":['
    '{"name":"d/kernel","shape":[2,3],"dtype":"float32"},'
    '{"name":"d/bias","shape":[3],"dtype":"float32","quantization":{"dtype":"uint8","scale":0.5,"min":-1}},'
    '{"name":"iter","shape":[],"dtype":"int32","group":"optimizer"}]}],'
    '"userDefinedMetadata":{"tags":["a"]},"trainingConfig":{"loss":"mean_squared_error"}}'
)


def test_the_text_is_that_of_tensorflow_js():
    assert encode_model_json(FULL, ["a.bin", "b.bin"]).decode() == TEXT


def test_the_text_comes_back():
    found = decode_model_json(TEXT.encode(), "model.json")
    assert found.artifacts == FULL
    assert found.groups == (WeightGroup(("a.bin", "b.bin"), FULL.weight_specs),)


def test_a_file_says_which_lamina_made_it():
    document = json.loads(encode_model_json(ModelArtifacts({}), []))
    assert document["generatedBy"].startswith("lamina v")
    assert document["convertedBy"] is None
    assert list(document) == ["modelTopology", "format", "generatedBy", "convertedBy", "weightsManifest"]


def test_optional_keys_may_be_missing():
    found = decode_model_json(b'{"modelTopology":{}}', "model.json")
    assert found.artifacts == ModelArtifacts({}, format=None)
    assert found.groups == ()


def test_several_groups_and_paths_as_browsers_write_them():
    first, second = WeightSpec("a", (1,), "bool"), WeightSpec("b", (1,), "bool")
    text = json.dumps(
        {
            "modelTopology": {},
            "weightsManifest": [
                {"paths": ["./model.weights.bin"], "weights": [first._asdict()]},
                {"paths": ["sub/b.bin"], "weights": [second._asdict()]},
            ],
        }
    )
    found = decode_model_json(text.encode(), "model.json")
    assert [group.paths for group in found.groups] == [("model.weights.bin",), ("sub/b.bin",)]
    assert found.artifacts.weight_specs == (first, second)


@pytest.mark.parametrize(
    ("topology", "message"),
    [
        (
            {"a": np.float32(1)},
            """the model to save cannot be written as JSON: np.float32(1.0) of type float32.
  Expected dicts with string keys, lists, strings, finite numbers, booleans and None.""",
        ),
        (
            {"a": float("nan")},
            """the model to save cannot be written as JSON: Out of range float values are not JSON compliant""",
        ),
        (
            {"a": "\ud800"},
            """the model to save cannot be written as JSON: 'utf-8' codec can't encode character""",
        ),
    ],
)
def test_what_is_not_json_is_not_written(topology, message):
    with pytest.raises(SerializationError) as caught:
        encode_model_json(ModelArtifacts(topology), [])
    assert str(caught.value).startswith(message)


def test_what_would_be_refused_is_not_written():
    with pytest.raises(UnsafeModelError, match="integers below 2\\^53"):
        encode_model_json(ModelArtifacts({"seed": 2**53}), [])
    nested: list[object] = []
    for _ in range(80):
        nested = [nested]
    with pytest.raises(UnsafeModelError, match="nested 83 levels deep"):
        encode_model_json(ModelArtifacts({"a": nested}), [])
    with pytest.raises(UnsafeModelError, match="repeats the key '1'"):
        encode_model_json(ModelArtifacts({1: 1, "1": 2}), [])  # type: ignore[dict-item]
