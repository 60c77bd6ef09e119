"""Weights by a manifest alone."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from lamina.errors import ArgumentError, ModelNotFoundError, UnsafeModelError
from lamina.io import load_weights

MANIFEST = [
    {"paths": ["a.bin", "b.bin"], "weights": [{"name": "w", "shape": [2, 2], "dtype": "float32"}]},
    {"paths": ["c.bin"], "weights": [
        {"name": "u", "shape": [2], "dtype": "int32"},
        {"name": "v", "shape": [2], "dtype": "float32", "quantization": {"dtype": "uint8", "scale": 0.5, "min": -1}},
    ]},
]  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    bytes_of_w = np.arange(4, dtype=np.float32).tobytes()
    (tmp_path / "a.bin").write_bytes(bytes_of_w[:6])
    (tmp_path / "b.bin").write_bytes(bytes_of_w[6:])
    (tmp_path / "c.bin").write_bytes(np.array([5, 6], np.int32).tobytes() + bytes([0, 4]))
    return tmp_path


def test_all_weights(folder):
    found = load_weights(MANIFEST, folder)
    assert {name: array.tolist() for name, array in found.items()} == {
        "w": [[0.0, 1.0], [2.0, 3.0]],
        "u": [5, 6],
        "v": [-1.0, 1.0],
    }


def test_only_the_files_of_wanted_weights_are_read(folder):
    (folder / "a.bin").unlink()
    assert list(load_weights(MANIFEST, folder, ["v"])) == ["v"]
    with pytest.raises(ModelNotFoundError, match=r"a\.bin"):
        load_weights(MANIFEST, folder)


def test_unknown_names(folder):
    with pytest.raises(ArgumentError, match="'x'"):
        load_weights(MANIFEST, folder, ["x"])


@pytest.mark.parametrize("path", ["../a.bin", "/etc/passwd", "sub/../../a.bin"])
def test_paths_stay_in_the_folder(folder, path):
    with pytest.raises(UnsafeModelError):
        load_weights([{"paths": [path], "weights": MANIFEST[0]["weights"]}], folder)


def test_sizes_must_agree(folder):
    (folder / "c.bin").write_bytes(b"12")
    with pytest.raises(UnsafeModelError):
        load_weights(MANIFEST, folder, ["u"])


class TestLoaderFactory:
    MANIFEST = [
        {"paths": ["a.bin", "b.bin"], "weights": [{"name": "w", "shape": [2], "dtype": "float32"}]},
        {"paths": ["c.bin"], "weights": [{"name": "n", "shape": [], "dtype": "int32"}]},
    ]
    FILES = {"m/a.bin": b"\0\0\x80", "m/b.bin": b"?\0\0\0\0", "m/c.bin": b"\5\0\0\0"}

    def test_only_the_files_that_are_needed_are_fetched(self):
        asked = []

        def fetch(paths):
            asked.append(paths)
            return [self.FILES[path] for path in paths]

        load = lamina.io.weights_loader_factory(fetch)
        assert {name: array.tolist() for name, array in load(self.MANIFEST, "m/").items()} == {"w": [1.0, 0.0], "n": 5}
        assert list(load(self.MANIFEST, "m/", ["n"])) == ["n"]
        assert asked == [["m/a.bin", "m/b.bin", "m/c.bin"], ["m/c.bin"]]
        with pytest.raises(ArgumentError, match="has no 'x'"):
            load(self.MANIFEST, "m/", ["x"])

    def test_what_is_fetched_is_checked(self):
        load = lamina.io.weights_loader_factory(lambda paths: [b"12"])
        with pytest.raises(UnsafeModelError, match="are missing"):
            load(self.MANIFEST)
        with pytest.raises(UnsafeModelError, match="is not allowed"):
            load([{**self.MANIFEST[0], "paths": ["../a.bin"]}])

    def test_specs_and_artifacts_of_a_document(self):
        assert [spec.name for spec in lamina.io.get_weight_specs(self.MANIFEST)] == ["w", "n"]
        document = {"modelTopology": {}, "weightsManifest": self.MANIFEST}
        found = lamina.io.get_model_artifacts_for_json(document, lambda groups: b"".join(self.FILES.values()))
        assert len(found.weight_data) == 12
        assert [spec.name for spec in found.weight_specs] == ["w", "n"]
        with pytest.raises(UnsafeModelError):
            lamina.io.get_model_artifacts_for_json(document, lambda groups: b"")
