"""Weights in fewer bytes, as TensorFlow.js's converter quantizes them."""

from __future__ import annotations

import numpy as np
import pytest

from lamina.errors import ArgumentError, ArgumentTypeError
from lamina.io import (
    ModelArtifacts,
    WeightFiles,
    decode_weights,
    encode_weights,
    load_artifacts,
    quantize_artifacts,
    save_artifacts,
)

KERNEL = np.array([[-1.0, -0.5, 0.0], [0.25, 1.5, 3.0]], np.float32)


def artifacts(**weights: np.ndarray) -> ModelArtifacts:
    specs, data = encode_weights([(name.replace("__", "/"), array, None) for name, array in weights.items()])
    return ModelArtifacts({"class_name": "Sequential"}, specs, data)


def decoded(found: ModelArtifacts) -> dict[str, np.ndarray]:
    return {spec.name: array for spec, array in decode_weights(found.weight_specs, found.weight_data)}


@pytest.mark.parametrize(("dtype", "bits"), [("uint8", 8), ("uint16", 16)])
def test_integers_on_a_linear_scale(dtype, bits):
    found = quantize_artifacts(artifacts(d__kernel=KERNEL), dtype)
    (spec,) = found.weight_specs
    scale = 4.0 / (2**bits - 1)
    zero = round(1.0 / scale)
    assert spec.quantization == {"dtype": dtype, "scale": scale, "min": -zero * scale, "original_dtype": "float32"}
    stored = np.frombuffer(found.weight_data, dtype)
    least, most = -zero * scale, (2**bits - 1) * scale - zero * scale
    np.testing.assert_array_equal(
        stored, np.round((np.clip(KERNEL.ravel().astype(float), least, most) - least) / scale)
    )
    again = decoded(found)["d/kernel"]
    assert again.dtype == np.float32
    assert again[0, 2] == 0.0
    np.testing.assert_allclose(again, KERNEL, atol=scale)


def test_values_on_one_side_of_zero():
    found = quantize_artifacts(artifacts(w=np.float32([2.0, 3.0, 4.0])), "uint8")
    assert found.weight_specs[0].quantization["min"] == 2.0
    np.testing.assert_allclose(decoded(found)["w"], [2.0, 3.0, 4.0], atol=2 / 255)


def test_a_constant():
    found = quantize_artifacts(artifacts(w=np.full((3,), 0.7, np.float32)), "uint8")
    assert found.weight_data == bytes(3)
    assert found.weight_specs[0].quantization["scale"] == 1.0
    np.testing.assert_array_equal(decoded(found)["w"], np.full(3, 0.7, np.float32))


def test_half_precision():
    found = quantize_artifacts(artifacts(w=KERNEL), "float16")
    assert found.weight_specs[0].quantization == {"dtype": "float16", "original_dtype": "float32"}
    np.testing.assert_array_equal(decoded(found)["w"], KERNEL.astype(np.float16).astype(np.float32))


def test_what_is_no_float_and_what_the_optimizer_keeps_stays():
    weights = [
        ("a", np.int32([1, 300]), None),
        ("b", np.array([True]), None),
        ("c", np.complex64([1j]), None),
        ("d", np.array(["x"], object), None),
        ("e", KERNEL, "optimizer"),
        ("f", np.zeros((0, 2), np.float32), None),
    ]
    specs, data = encode_weights(weights)
    given = ModelArtifacts({}, specs, data)
    found = quantize_artifacts(given, "uint8")
    assert (found.weight_specs, bytes(found.weight_data)) == (specs, data)


def test_patterns():
    given = artifacts(a__kernel=KERNEL, a__bias=KERNEL[0], b__kernel=KERNEL, b__bias=KERNEL[0])
    found = quantize_artifacts(given, {"uint8": ["a/*"], "float16": "b/kernel"})
    kinds = {spec.name: spec.quantization and spec.quantization["dtype"] for spec in found.weight_specs}
    assert kinds == {"a/kernel": "uint8", "a/bias": "uint8", "b/kernel": "float16", "b/bias": None}
    rest = quantize_artifacts(given, {"uint8": "*/kernel", "uint16": True})
    assert [spec.quantization["dtype"] for spec in rest.weight_specs] == ["uint8", "uint16"] * 2


def test_again_changes_nothing():
    once = quantize_artifacts(artifacts(w=KERNEL), "uint8")
    assert quantize_artifacts(once, "uint16").weight_specs == once.weight_specs


@pytest.mark.parametrize(
    ("quantization", "message"),
    [
        ({"uint8": "w*", "uint16": "*w"}, "to uint16 and to uint8|to uint8 and to uint16"),
        ({"uint8": True, "float16": "*"}, "all weights are to be quantized"),
        ({"int8": "*"}, "quantization to 'int8'"),
        ({"uint8": "x*"}, "no weight is named 'x[*]'"),
    ],
)
def test_refused(quantization, message):
    with pytest.raises(ArgumentError, match=message):
        quantize_artifacts(artifacts(w=KERNEL), quantization)


@pytest.mark.parametrize("quantization", [3, {"uint8": 3}, {"uint8": [""]}])
def test_no_quantization(quantization):
    with pytest.raises(ArgumentTypeError):
        quantize_artifacts(artifacts(w=KERNEL), quantization)


@pytest.mark.parametrize(("value", "dtype"), [(np.nan, "uint8"), (np.inf, "uint16"), (1e6, "float16")])
def test_values_that_do_not_fit(value, dtype):
    with pytest.raises(ArgumentError, match="its largest value"):
        quantize_artifacts(artifacts(w=np.float32([0.0, value])), dtype)


def test_groups_and_shards(tmp_path):
    given = artifacts(a__kernel=KERNEL, a__bias=KERNEL[0], b__kernel=KERNEL)
    save_artifacts(tmp_path, ModelArtifacts(given.topology, given.weight_specs, given.weight_data,
                                            files=WeightFiles(shard_bytes=16, groups=(2, 1))))  # fmt: skip
    sizes = sorted((path.name.rpartition("-")[0], path.stat().st_size) for path in tmp_path.glob("*.bin"))
    assert sizes == [
        ("group1-shard1of3", 16), ("group1-shard2of3", 16), ("group1-shard3of3", 4), ("group2-shard1of2", 16),
        ("group2-shard2of2", 8),
    ]  # fmt: skip
    again = load_artifacts(tmp_path)
    assert (again.weight_specs, bytes(again.weight_data)) == (given.weight_specs, given.weight_data)


@pytest.mark.parametrize("files", [WeightFiles(groups=(1, 1)), WeightFiles(shard_bytes=0)])
def test_files_that_cannot_be(tmp_path, files):
    given = artifacts(a=KERNEL)
    with pytest.raises(ArgumentError):
        save_artifacts(tmp_path, ModelArtifacts(given.topology, given.weight_specs, given.weight_data, files=files))
    assert list(tmp_path.iterdir()) == []
