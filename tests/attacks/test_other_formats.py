"""Rows H and S of the security specification, through the public ways in, with the recipes of the formats' tests."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from attacks.attacking import check_harmless, check_refused
from plugins import test_hdf5, test_safetensors


@pytest.mark.parametrize("ending", [".h5", ".weights.h5"])
@pytest.mark.parametrize("make", test_hdf5.HOSTILE, ids=lambda make: make.__name__)
def test_h_files_of_hdf5(make, ending, child, good, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.txt").write_bytes(b"s" * 32)
    with h5py.File("victim.h5", "w") as victim:
        victim["w"] = np.arange(4, dtype="f4")
    path = tmp_path / f"m{ending}"
    path.write_bytes(bytes(test_hdf5.made(make)))
    found = child.load(path, weights_of=None if ending == ".h5" else str(good[""]))
    check_refused(found, path)
    assert not [what for name, what in found.events if "secret" in what or "victim" in what]


@pytest.mark.parametrize("name", test_safetensors.HOSTILE)
def test_s_files_of_safetensors(name, child, good, tmp_path):
    path = tmp_path / "m.safetensors"
    path.write_bytes(test_safetensors.HOSTILE[name])
    check_refused(child.load(path), path, ["UnsafeModelError"])
    check_refused(child.load(path, weights_of=str(good[""])), path, ["UnsafeModelError"])


ENDINGS = ("model.json", "m.keras", "m.h5", "m.weights.h5", "m.safetensors")


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("other", ["", ".keras", ".h5", ".safetensors"])
def test_s4_files_under_the_ending_of_another_format(ending, other, child, good, tmp_path):
    """The first bytes tell what a file is; nothing is tried with another reader."""
    source = good[other] / "model.json" if not other else good[other]
    path = tmp_path / ending
    path.write_bytes(source.read_bytes())
    weights = ending.endswith(".weights.h5")
    found = child.load(path, weights_of=str(good[""]) if weights else None)
    if ending.endswith(other or ".json") and not weights:
        check_harmless(found, path)
        return
    check_refused(found, path)


@pytest.mark.parametrize("ending", [".pt", ".pkl", ".npy", ".npz", ".onnx", ".joblib", ".pb"])
def test_s4_files_that_are_not_read(ending, child, tmp_path):
    path = tmp_path / f"m{ending}"
    path.write_bytes(b"\x80\x04N.")
    found = child.load(path)
    check_refused(found, path, ["ArgumentError"])
    assert found.events == []
