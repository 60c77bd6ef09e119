"""Importing lamina, or finding its plugins, loads nothing heavy."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {
    "torch",
    "cupy",
    "ml_dtypes",
    "tqdm",
    "threadpoolctl",
    "sqlite3",
    "sklearn",
    "scipy",
    "h5py",
    "matplotlib",
    "pandas",
    "polars",
    "pyarrow",
    "pytest",
    "hypothesis",
}


def loaded(statement: str) -> set[str]:
    """The modules that a fresh Python has after a statement."""
    program = f"import sys, json; {statement}; print(json.dumps(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(run.stdout))


def test_importing_lamina_loads_no_plugin_and_nothing_heavy():
    found = loaded("import lamina")
    assert not {m for m in found if m.startswith("lamina_")}
    assert not found & HEAVY


def test_no_library_but_numpy_reads_files_of_keras():
    found = loaded("import lamina_keras.hdf5.reading, lamina_keras.hdf5.writing")
    assert not found & HEAVY


def test_importing_lamina_does_not_look_for_plugins():
    loaded("import lamina.plugins; assert lamina.plugins.plugins.cache_info().currsize == 0")


@pytest.mark.parametrize("module", ["lamina_numpy", "lamina_torch", "lamina_cupy", "lamina_cudnn"])
def test_an_entry_module_is_light(module):
    found = loaded(f"import {module}")
    assert not {m for m in found if m.startswith(f"{module}.")}
    assert not found & HEAVY


def test_finding_all_plugins_is_light():
    found = loaded("from lamina.plugins import plugins; plugins().provided('lamina_backends')")
    assert {"lamina_numpy", "lamina_torch", "lamina_cupy"} <= found
    assert not found & HEAVY


def test_using_numpy_loads_no_other_library():
    found = loaded("import lamina; lamina.set_backend('numpy'); (lamina.ones((2, 2)) @ lamina.ones((2, 2))).numpy()")
    assert "lamina_numpy.backend" in found
    assert not found & HEAVY


def test_data_helpers_and_models_load_no_frames_and_no_plots():
    assert not loaded("import lamina.data, lamina.models, lamina.utils") & HEAVY
