"""Models that TensorFlow.js saved, read and written again."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest

from lamina.io import decode_weights, encode_model_json, load_artifacts, save_artifacts
from recorded import folder

ARTIFACTS = folder("tensorflow.js") / "artifacts"
NAMES = sorted(path.name for path in ARTIFACTS.iterdir()) if ARTIFACTS.is_dir() else []


def test_the_recordings_are_at_hand():
    if not NAMES:
        pytest.skip(f"the saved models of tensorflow.js are not at {ARTIFACTS}; LAMINA_VECTORS names the folder above")
    assert len(NAMES) > 10


def expected_weights(name):
    """The weights of the loaded model as TensorFlow.js printed them: (name, shape, values)."""
    for weight in json.loads((ARTIFACTS / name / "io.json").read_bytes())["weights"]:
        data = weight.get("data")
        if data is None:
            data = np.frombuffer(base64.b64decode(weight["b64"]), "<f4")
        yield weight["originalName"], weight["shape"], np.array(data, "float64").reshape(weight["shape"])


@pytest.mark.parametrize("name", NAMES)
class TestSavedModels:
    def test_the_weights_are_those_that_tensorflow_js_sees(self, name):
        found = load_artifacts(ARTIFACTS / name)
        stored = {s.name: a for s, a in decode_weights(found.weight_specs, found.weight_data) if s.group != "optimizer"}
        expected = list(expected_weights(name))
        assert {weight for weight, _, _ in expected} == set(stored)
        for weight, shape, values in expected:
            assert stored[weight].shape == tuple(shape)
            np.testing.assert_allclose(stored[weight], values, rtol=1e-6, atol=1e-7)

    def test_the_document_is_written_as_it_was(self, name):
        text = (ARTIFACTS / name / "model.json").read_bytes()
        written = json.loads(text)
        paths = [path for group in written["weightsManifest"] for path in group["paths"]]
        again = encode_model_json(load_artifacts(ARTIFACTS / name), paths)
        assert json.loads(again) == written
        assert list(json.loads(again)) == list(written)

    def test_it_survives_being_saved_again(self, name, tmp_path):
        before = load_artifacts(ARTIFACTS / name)
        save_artifacts(tmp_path / "m", before)
        assert load_artifacts(tmp_path / "m") == before
