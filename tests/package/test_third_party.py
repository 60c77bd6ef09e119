"""A plugin in its own distribution: built, installed beside lamina in a fresh environment, found by its entry point."""

from __future__ import annotations

import pytest

from package.conftest import wheel_of

TROUBLE = """
[build-system]
requires = ["hatchling>=1.26"]
build-backend = "hatchling.build"

[project]
name = "lamina-trouble"
version = "0.3"
description = "A plugin that cannot be imported, and one that offers what another offers"

[project.entry-points.lamina]
broken = "lamina_broken"
second = "lamina_second"

[tool.hatch.build.targets.wheel]
only-include = ["lamina_broken.py", "lamina_second.py"]
"""

SECOND = """
from lamina.contract import Provides, hookimpl

@hookimpl
def lamina_io_handlers():
    return [Provides("shelf", "nowhere:Handler")]
"""

SAVE = """
import lamina, numpy as np
model = lamina.Sequential([lamina.layers.Dense(2, input_shape=(3,))])
model.save("shelf://digits")
print(model.predict(np.ones((1, 3))).tolist())
"""

LOAD = """
import lamina, numpy as np
print(lamina.load_model("shelf://digits").predict(np.ones((1, 3))).tolist())
"""


@pytest.fixture(autouse=True)
def shelf(tmp_path_factory, monkeypatch):
    """The folder of the models; the same for all tests."""
    folder = tmp_path_factory.getbasetemp() / "shelf"
    monkeypatch.setenv("SHELF", str(folder))
    return folder


@pytest.fixture(scope="module")
def trouble(environment, tmp_path_factory):
    """A folder to put on PYTHONPATH, where a distribution of two bad plugins is installed."""
    project = tmp_path_factory.mktemp("trouble")
    (project / "pyproject.toml").write_text(TROUBLE)
    (project / "lamina_broken.py").write_text("raise RuntimeError('no luck today')\n")
    (project / "lamina_second.py").write_text(SECOND)
    wheel = wheel_of(project, project / "dist")
    environment.install("--no-deps", "--target", str(project / "installed"), wheel)
    return str(project / "installed")


def test_a_model_is_saved_by_one_process_and_loaded_by_another(environment, shelf):
    saved, loaded = environment.run("-c", SAVE), environment.run("-c", LOAD)
    assert (saved.stderr, loaded.stderr) == ("", "")
    assert saved.stdout == loaded.stdout != ""
    assert sorted(path.name for path in shelf.iterdir()) == ["digits.bin", "digits.json"]


def test_nothing_of_it_is_imported_before_it_is_needed(environment):
    code = "import lamina, sys; lamina.zeros((2,)); print([m for m in sys.modules if 'shelf' in m])"
    assert environment.run("-c", code).stdout in ("[]\n", "['lamina_shelf']\n")


def test_the_command_lists_it(environment):
    done = environment.run("-m", "lamina", "plugins")
    assert done.returncode == 0
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("shelf ")]
    assert line.split() == ["shelf", "1.2.0", "lamina-shelf", "io", "handlers:", "shelf"]
    assert "shelf://digits" in environment.run("-m", "lamina", "models", "list", "shelf").stdout


def test_a_variable_limits_plugins(environment):
    refused = environment.run("-c", LOAD, LAMINA_PLUGINS="")
    assert "UnknownNameError: no handler is known for 'shelf://digits'" in refused.stderr
    assert environment.run("-c", LOAD, LAMINA_PLUGINS="shelf").stderr == ""
    assert "shelf" not in environment.run("-m", "lamina", "plugins", LAMINA_PLUGINS="").stdout


def test_one_that_cannot_be_imported_hinders_no_other(environment, trouble):
    variables = {"PYTHONPATH": trouble, "LAMINA_PLUGINS": "shelf,broken"}
    assert environment.run("-c", LOAD, **variables).stderr == ""
    done = environment.run("-m", "lamina", "plugins", **variables)
    assert done.returncode == 1
    assert "RuntimeError: no luck today" in done.stdout
    assert "io handlers: shelf" in done.stdout


def test_two_of_one_scheme_are_named_with_where_they_come_from(environment, trouble):
    done = environment.run("-c", LOAD, PYTHONPATH=trouble)
    message = done.stderr.replace("\n", " ")
    assert "PluginError: two plugins offer 'shelf' through lamina_io_handlers" in message
    assert "lamina_shelf.handler:ShelfHandler (plugin 'shelf', lamina-shelf 1.2.0)" in message
    assert "nowhere:Handler (plugin 'second', lamina-trouble 0.3)" in message
    assert "set LAMINA_PLUGINS to the names of those to load" in message
    assert environment.run("-c", SAVE.replace("shelf:", "memory:"), PYTHONPATH=trouble).stderr == ""
    listed = environment.run("-m", "lamina", "plugins", PYTHONPATH=trouble)
    assert listed.returncode == 1
    assert "two plugins offer 'shelf' through lamina_io_handlers" in listed.stdout
    assert environment.run("-c", LOAD, PYTHONPATH=trouble, LAMINA_PLUGINS="shelf").stderr == ""


def test_one_whose_handler_cannot_be_imported_is_named(environment, trouble):
    done = environment.run("-c", LOAD, PYTHONPATH=trouble, LAMINA_PLUGINS="second")
    assert "PluginError: 'shelf' could not be loaded from nowhere:Handler: No module named 'nowhere'." in done.stderr
    assert done.stderr.splitlines()[-1] == "  In the plugin 'second', lamina-trouble 0.3."


def test_an_error_in_its_handler_says_where_it_was(environment, tmp_path):
    (tmp_path / "file").touch()
    done = environment.run("-c", SAVE, SHELF=str(tmp_path / "file" / "below"))
    assert done.stderr.splitlines()[-1] == "  In ShelfHandler of lamina_shelf.handler, for 'shelf://digits'."


def test_a_plugin_named_in_a_file_is_not_imported(environment, trouble):
    """Class names in files are looked up among what is registered; the plugin of that name stays where it is."""
    code = (
        "import json, os, lamina, sys\n"
        "path = os.environ['SHELF'] + '/digits.json'\n"
        "text = open(path).read()\n"
        "open(path, 'w').write(text.replace('\"Dense\"', '\"lamina_second\"'))\n"
        "try: lamina.load_model('shelf://digits')\n"
        "except lamina.errors.LaminaError as error: print(type(error).__name__, 'lamina_second' in sys.modules)\n"
        "finally: open(path, 'w').write(text)"
    )
    done = environment.run("-c", code, PYTHONPATH=trouble, LAMINA_PLUGINS="shelf")
    assert done.stdout.split() == ["UnknownClassError", "False"], done.stderr
