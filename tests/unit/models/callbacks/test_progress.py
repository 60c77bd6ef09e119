"""Training shown while it runs: on a terminal, in a notebook, in a file, and not at all."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
import textwrap
import types

import numpy as np
import pytest

import lamina
from lamina.models.callbacks.progress import in_notebook

PROGRAM = """
import sys
import numpy as np
import lamina
model = lamina.Sequential([lamina.layers.Dense(1, input_shape=(2,))])
model.compile("sgd", "mse")
model.fit(np.ones((8, 2)), np.ones((8, 1)), batch_size=2, epochs=2, verbose=VERBOSE)
print("tqdm:", "tqdm" in sys.modules)
"""


def program(verbose):
    return textwrap.dedent(PROGRAM).replace("VERBOSE", repr(verbose))


def in_a_pipe(verbose):
    done = subprocess.run([sys.executable, "-c", program(verbose)], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout


def on_a_terminal(verbose):
    """What a process writes that has a terminal for everything."""
    pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")
    ours, theirs = pty.openpty()
    importlib.import_module("termios").tcsetwinsize(theirs, (24, 100))
    with subprocess.Popen([sys.executable, "-c", program(verbose)], stdin=theirs, stdout=theirs, stderr=theirs) as run:
        os.close(theirs)
        parts = []
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # Linux says so at the end
                break
            if not part:
                break
            parts.append(part)
    os.close(ours)
    assert run.returncode == 0
    return b"".join(parts).decode().replace("\r\n", "\n")


def fit(verbose):
    model = lamina.Sequential([lamina.layers.Dense(1, input_shape=(2,))])
    model.compile("sgd", "mse")
    model.fit(np.ones((8, 2)), np.ones((8, 1)), batch_size=2, epochs=2, verbose=verbose)


@pytest.mark.parametrize("verbose", ["auto", 1, 2])
def test_in_a_pipe_there_is_one_line_per_epoch_and_nothing_that_steers_a_terminal(verbose):
    said = in_a_pipe(verbose)
    *lines, last = said.splitlines()
    assert last == "tqdm: False"
    assert [re.sub(r"[\d.]+s", "?s", line.split(" - loss")[0]) for line in lines] == [
        "Epoch 1/2 - ?s",
        "Epoch 2/2 - ?s",
    ]
    assert all(character.isprintable() or character == "\n" for character in said)


def test_on_a_terminal_there_is_a_bar():
    said = on_a_terminal(1)
    assert "\r" in said
    assert "4/4" in said
    assert "tqdm: True" in said


@pytest.mark.parametrize(("verbose", "lines"), [(0, 1), (2, 3)])
def test_on_a_terminal_without_a_bar(verbose, lines):
    said = on_a_terminal(verbose)
    assert len(said.splitlines()) == lines
    assert "tqdm: False" in said
    assert all(character.isprintable() or character == "\n" for character in said)


class TestNotebook:
    @pytest.fixture
    def shell(self, monkeypatch):
        """A Python as a notebook's kernel has it, as far as it can be seen."""
        found = types.SimpleNamespace(config={"IPKernelApp": {}})
        monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: found))
        return found

    @pytest.fixture
    def bars(self, monkeypatch):
        """The bars that are made for notebooks."""
        made = []

        class Bar:
            n = 0

            def __init__(self, **settings):
                made.append(settings)

            def update(self, count):
                self.n += count

            def set_postfix_str(self, text, refresh):
                made[-1]["text"] = text

            def close(self):
                made[-1]["steps"] = self.n

        module = types.ModuleType("tqdm.notebook")
        module.tqdm = Bar
        monkeypatch.setitem(sys.modules, "tqdm.notebook", module)
        monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
        return made

    def test_a_bar_for_each_epoch(self, shell, bars, capsys):
        fit("auto")
        assert [(bar["desc"], bar["total"], bar["steps"]) for bar in bars] == [("Epoch 1/2", 4, 4), ("Epoch 2/2", 4, 4)]
        assert bars[0]["text"].startswith("loss: ")
        assert capsys.readouterr() == ("", "")

    def test_without_widgets_it_is_one_of_text(self, shell, capsys):
        fit(1)
        assert "4/4" in capsys.readouterr().err

    def test_lines_where_they_are_asked_for(self, shell, bars, capsys):
        fit(2)
        assert bars == []
        assert len(capsys.readouterr().out.splitlines()) == 2

    def test_ipython_in_a_terminal_is_no_notebook(self, shell):
        assert in_notebook()
        shell.config = {"TerminalIPythonApp": {}}
        assert not in_notebook()


def test_an_ordinary_python_is_no_notebook():
    assert not in_notebook()
