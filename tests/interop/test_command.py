"""``lamina verify`` with TensorFlow.js as one of the sides."""

from __future__ import annotations

import lamina
from interop.agreeing import with_weights
from interop.tensorflowjs import node_modules
from lamina import layers
from lamina.cli import main


def saved(folder, *stack):
    model = with_weights(lamina.Sequential([layers.Dense(6, input_shape=(4,)), *stack]))
    model.save(folder)
    return str(folder)


def test_a_model_that_gives_the_same_there(tmp_path, capsys):
    place = saved(tmp_path, layers.ReLU(), layers.Dense(2, "softmax"))
    assert main(["verify", place, "--tfjs", str(node_modules())]) == 0
    said = capsys.readouterr().out
    assert "in TensorFlow.js" in said
    assert "agree within 1e-05: yes" in said


def test_a_model_that_gives_something_else_there(tmp_path, capsys):
    place = saved(tmp_path, layers.Rescaling(-1.0), layers.ReLU(negative_slope=0.3))
    assert main(["verify", place, "--tfjs", str(node_modules())]) == 1
    assert "agree within 1e-05: no" in capsys.readouterr().out


def test_a_model_with_classes_in_javascript(tmp_path, capsys):
    model = with_weights(lamina.Sequential([layers.Dense(6, input_shape=(4,)), layers.GroupNormalization(2)]))
    model.save(tmp_path / "m.keras")
    model.export(tmp_path / "page")
    places = ["verify", str(tmp_path / "m.keras"), str(tmp_path / "page"), "--tfjs", str(node_modules())]
    assert main([*places, "--script", str(tmp_path / "page" / "layers.js")]) == 0
    assert "agree within 1e-05: yes" in capsys.readouterr().out
    assert main(places) == 2  # what lies beside a model is never run unasked
    assert "--script" in capsys.readouterr().err
