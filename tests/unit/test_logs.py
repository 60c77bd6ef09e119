"""``LAMINA_LOG`` and the logger ``lamina``."""

from __future__ import annotations

import logging
import os
import subprocess
import sys

import pytest

import lamina
from lamina import logs

PROGRAM = """
import sys
BEFORE
import numpy as np
import lamina
model = lamina.Sequential([lamina.layers.Dense(1, input_shape=(2,))])
model.compile("sgd", "mse")
model.fit(np.ones((8, 2)), np.ones((8, 1)), batch_size=2, verbose=0)
model.save("memory://m")
lamina.load_model("memory://m")
"""


def run(level, before=""):
    environment = {**os.environ, "LAMINA_LOG": level, "LAMINA_BACKEND": "numpy"}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.replace("BEFORE", before)], capture_output=True, text=True, env=environment
    )


def test_what_is_told():
    lines = run("info").stderr.splitlines()
    assert all(line.startswith("lamina INFO: ") for line in lines)
    for part in (
        "the plugin lamina_numpy of lamina is loaded",
        "the backend numpy is made, on the device cpu",
        "train_step is recorded: ",
        "the model sequential is saved to 'memory://m'",
        "the model at 'memory://m' is loaded",
    ):
        assert len([line for line in lines if part in line]) == 1, part


def test_silence():
    done = run("")
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")
    assert run("warning").stderr == ""


def test_once_where_the_program_logs_too():
    lines = run("info", "import logging; logging.basicConfig(level='INFO')").stderr.splitlines()
    assert len(lines) == len(set(lines)) > 4


def test_no_level():
    assert "ArgumentError: LAMINA_LOG is 'loud'" in run("loud").stderr


def test_a_program_that_logs_hears_it(caplog):
    with caplog.at_level(logging.INFO, logger="lamina"):
        lamina.Sequential([lamina.layers.Dense(1, input_shape=(2,))], name="heard").save("memory://heard")
    assert "the model heard is saved to 'memory://heard'" in [r.getMessage() for r in caplog.records]
    assert caplog.records[-1].funcName == "save_model"


def test_secrets_in_addresses_are_not_told(caplog):
    with caplog.at_level(logging.INFO, logger="lamina"), pytest.raises(lamina.errors.LaminaError):
        lamina.load_model("nowhere://me:secret@example.org/m?token=secret")
    assert caplog.records
    assert "secret" not in caplog.text


def test_every_level_is_one_of_logging():
    assert [logging.getLevelName(level.upper()) for level in logs.LEVELS] == [10, 20, 30, 40]
