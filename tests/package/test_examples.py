"""The plugins of ``examples/plugins``: each built, installed with lamina afresh, and tested there."""

from __future__ import annotations

import re
import shutil
import tomllib

import pytest

from package.conftest import EXAMPLES, wheel_of
from package.environments import Environment

PLUGINS = sorted(path.name for path in EXAMPLES.iterdir() if (path / "pyproject.toml").exists())
OPS = "conv2d cumsum gather matmul max_pool mean relu reshape scatter softmax sort tanh where"
PARTS = {
    "lamina_jax": (
        "--lamina-brief",
        "-k",
        f"(test_value and ({' or '.join(OPS.split())})) or test_a_recorded_training_run or test_training.py",
    ),
}
"""What is run of an example's tests, where all would take too long: JAX compiles each op for each shape."""


@pytest.mark.parametrize("name", PLUGINS)
def test_an_example_is_installed_and_passes_its_tests_elsewhere(name, lamina_wheel, tmp_path):
    project = EXAMPLES / name
    about = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    environment = Environment(tmp_path / "venv")
    environment.install(lamina_wheel, wheel_of(project, tmp_path / "dist") + "[testing]")
    shutil.copytree(project / "tests", tmp_path / "elsewhere" / "tests")
    shutil.copy(project / "pyproject.toml", tmp_path / "elsewhere")
    listed = environment.run("-m", "lamina", "plugins").stdout
    assert f"{about['version']}  " in next(line for line in listed.splitlines() if about["name"] in line)
    for code in re.findall(r"^```python\n(.*?)^```$", (project / "README.md").read_text(), re.MULTILINE | re.DOTALL):
        done = environment.run("-c", code, SHELF=str(tmp_path / "shelf"))
        assert done.returncode == 0, done.stderr
    environment.test(tmp_path / "elsewhere", *PARTS.get(name, ()))
