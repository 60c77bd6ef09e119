"""The command ``lamina``, run in this process, and once as a process of its own."""

import json
import os
import subprocess
import sys
import types

import numpy as np
import pytest

import lamina
from lamina import layers
from lamina.cli import installed, main, tensorflowjs, verifying
from lamina.cli.tables import printed, safe, size
from lamina.plugins import PluginRecord


def model():
    made = lamina.Sequential([layers.Dense(3, activation="relu", input_shape=(4,)), layers.Dense(2, name="last")])
    made.compile("adam", "mse")
    return made


@pytest.fixture
def place(tmp_path):
    model().save(tmp_path / "model")
    return str(tmp_path / "model")


def run(*arguments):
    return main([str(argument) for argument in arguments])


class TestConvert:
    def test_to_another_place(self, place, tmp_path, capsys):
        assert run("convert", place, tmp_path / "copy", "--as-is") == 0
        assert "23 parameters" in capsys.readouterr().out
        assert lamina.load_model(tmp_path / "copy").optimizer is not None

    def test_what_is_there_stays(self, place, tmp_path, capsys):
        run("convert", place, tmp_path / "copy", "--as-is")
        before = (tmp_path / "copy" / "model.json").read_bytes()
        assert run("convert", place, tmp_path / "copy", "--as-is", "--no-optimizer") == 2
        assert "add --overwrite" in capsys.readouterr().err
        assert (tmp_path / "copy" / "model.json").read_bytes() == before
        assert run("convert", place, tmp_path / "copy", "--as-is", "--no-optimizer", "--overwrite") == 0
        assert lamina.load_model(tmp_path / "copy").optimizer is None

    def test_weights_need_an_architecture(self, tmp_path, place):
        other = model()
        other.save_weights(tmp_path / "weights")
        assert run("convert", tmp_path / "weights", tmp_path / "whole", "--architecture", place, "--as-is") == 0
        found = lamina.load_model(tmp_path / "whole").get_weights()
        assert all(np.array_equal(a, b) for a, b in zip(found, other.get_weights(), strict=True))

    def test_settings_of_another_layout(self, place, tmp_path, capsys):
        assert run("convert", place, tmp_path / "copy", "--as-is", "--quantize", "uint8") == 2
        assert "quantization" in capsys.readouterr().err
        assert not (tmp_path / "copy").exists()

    def test_nothing_there(self, tmp_path, capsys):
        assert run("convert", tmp_path / "none", tmp_path / "copy") == 2
        assert "there is no model" in capsys.readouterr().err


class TestSummary:
    def test_layers(self, place, capsys):
        assert run("summary", place, "--memory", "--multiply-adds", "--trainable") == 0
        assert "last (Dense)" in capsys.readouterr().out

    def test_classes_of_the_users(self, tmp_path, capsys, monkeypatch):
        (tmp_path / "my_layers.py").write_text(
            "import lamina\n"
            "@lamina.utils.register_keras_serializable()\n"
            "class Doubled(lamina.layers.Layer):\n"
            "    def call(self, x):\n"
            "        return x * 2.0\n"
        )
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "path", list(sys.path))
        source = {"class_name": "Sequential", "config": {"layers": [
            {"class_name": "Custom>Doubled", "config": {"batch_input_shape": [None, 3]}}]}}  # fmt: skip
        (tmp_path / "model.json").write_text(json.dumps({"modelTopology": source, "format": "layers-model"}))
        assert run("summary", "model.json") == 2
        assert "Doubled" in capsys.readouterr().err
        assert run("summary", "model.json", "--import", "my_layers") == 0
        assert run("summary", "model.json", "--import", "no_such_module") == 2
        monkeypatch.delitem(sys.modules, "my_layers")


class TestVerify:
    def test_the_same(self, place, tmp_path, capsys):
        lamina.load_model(place).save(tmp_path / "copy")
        assert run("verify", place, tmp_path / "copy") == 0
        out = capsys.readouterr().out
        assert "last (2, 2)" in out
        assert "agree within 1e-05: yes" in out

    def test_others(self, place, tmp_path, capsys):
        model().save(tmp_path / "other")
        assert run("verify", place, tmp_path / "other") == 1
        assert "agree within 1e-05: no" in capsys.readouterr().out
        lamina.Sequential([layers.Dense(2, input_shape=(5,))]).save(tmp_path / "third")
        assert run("verify", place, tmp_path / "third") == 2
        assert "take other inputs" in capsys.readouterr().err

    def test_nothing_to_compare_with(self, place, tmp_path, capsys):
        assert run("verify", place, "--tfjs", tmp_path) == 2
        assert "npm install" in capsys.readouterr().err

    def test_inputs_of_many_kinds(self):
        words, numbers = lamina.Input((5,), dtype="int32"), lamina.Input((None, 2), batch_size=3)
        deep = layers.LSTM(2)(layers.Embedding(7, 2)(words))
        both = lamina.Model({"w": words, "n": numbers}, {"a": deep, "b": layers.GlobalMaxPooling1D()(numbers)})
        first, second = verifying.random_inputs(both, 3, 0)
        assert first.dtype == np.int32
        assert 0 <= first.min() < first.max() < 7
        assert second.shape == (3, 32, 2)
        outputs = verifying.predicted(both, [first, second])
        assert [output.shape for output in outputs] == [(3, 2), (3, 2)]

    def test_shapes_and_nan(self):
        nan = np.array([np.nan, 1.0])
        assert verifying.compared("s", ["y"], [nan], [nan], 0.0)[1]
        assert not verifying.compared("s", ["y"], [nan], [np.zeros(2)], 1e9)[1]
        assert not verifying.compared("s", ["y"], [nan], [np.zeros(3)], 1e9)[1]
        assert not verifying.compared("s", ["y"], [nan], [], 1e9)[1]


class TestTensorFlowJS:
    def test_a_folder_that_is_no_package(self, tmp_path, monkeypatch):
        monkeypatch.setattr(tensorflowjs.shutil, "which", lambda name: "node")
        for text in ("{", "[]", '{"name": "other"}'):
            (tmp_path / "package.json").write_text(text)
            assert tensorflowjs.find(str(tmp_path)) is None
        (tmp_path / "package.json").write_text('{"name": "@tensorflow/tfjs"}')
        assert tensorflowjs.find(str(tmp_path)) == str(tmp_path)


class TestModels:
    @pytest.fixture(autouse=True)
    def home(self, tmp_path, monkeypatch):
        monkeypatch.setenv("LAMINA_HOME", str(tmp_path / "home"))

    def test_a_store(self, place, capsys):
        assert run("models", "list", "localstorage") == 0
        assert capsys.readouterr().out == "no models\n"
        assert run("models", "copy", place, "localstorage://a") == 0
        assert run("models", "move", "localstorage://a", "localstorage://b") == 0
        capsys.readouterr()
        assert run("models", "list", "localstorage://") == 0
        assert capsys.readouterr().out.splitlines()[1].startswith("localstorage://b  ")
        assert run("models", "remove", "localstorage://b") == 0
        assert run("models", "remove", "localstorage://b") == 2

    def test_onto_itself(self, capsys):
        assert run("models", "copy", "memory://a", "memory://a") == 2
        assert "onto itself" in capsys.readouterr().err


class TestInstalled:
    def test_plugins(self, capsys):
        assert run("plugins") == 0
        out = capsys.readouterr().out
        assert "backends: numpy" in out
        assert "formats: .keras" in out

    def test_a_broken_plugin(self, capsys, monkeypatch):
        bad = PluginRecord("bad", "bad", "bad-dist", "1.0", "ImportError: no\x1b[2J")
        found = types.SimpleNamespace(listing=lambda: [(bad, {})], clashes=list)
        monkeypatch.setattr(installed, "plugins", lambda: found)
        assert run("plugins") == 1
        assert r"ImportError: no\x1b[2J" in capsys.readouterr().out

    def test_backends(self, capsys):
        assert run("backends") == 0
        assert "works, active on cpu" in capsys.readouterr().out


def refused():
    """A model that TensorFlow.js cannot have: its pictures are resized along an axis of unknown size."""
    return lamina.Sequential([layers.Resizing(2, 2, input_shape=(None, 4, 1), name="deep")])


class TestDoctorOfModels:
    def test_what_tensorflowjs_takes(self, place, capsys):
        assert run("doctor", place) == 0
        assert "takes it as it is" in capsys.readouterr().out

    def test_what_is_replaced_and_what_is_refused(self, tmp_path, capsys):
        lamina.Sequential([layers.ZeroPadding1D(1, input_shape=(4, 2), name="pad")]).save(tmp_path / "m")
        assert run("doctor", tmp_path / "m", "--target", "tfjs") == 0
        assert "exact      pad (ZeroPadding1D)" in capsys.readouterr().out
        lamina.Sequential([layers.UnitNormalization(input_shape=(4,), name="unit")]).save(tmp_path / "u")
        assert run("doctor", tmp_path / "u", "--target", "tfjs") == 0
        assert "javascript unit (UnitNormalization)" in capsys.readouterr().out
        refused().save(tmp_path / "n")
        assert run("doctor", tmp_path / "n") == 1
        assert "refused    deep (Resizing)" in capsys.readouterr().out

    def test_what_keras_takes(self, place, tmp_path, capsys):
        assert run("doctor", place, "--target", "keras") == 0
        assert "Keras 3 takes it as it is" in capsys.readouterr().out
        lamina.Sequential([layers.ThresholdedReLU(input_shape=(2,), name="t")]).save(tmp_path / "m")
        assert run("doctor", tmp_path / "m", "--target", "keras") == 1
        assert "Keras 3 has no ThresholdedReLU" in capsys.readouterr().out


class TestConvertForTensorFlowJS:
    def test_layers_are_replaced(self, tmp_path):
        lamina.Sequential([layers.ZeroPadding1D(1, input_shape=(4, 2), name="pad")]).save(tmp_path / "m.safetensors")
        assert run("convert", tmp_path / "m.safetensors", tmp_path / "for-browsers") == 0
        assert "ZeroPadding1D" not in (tmp_path / "for-browsers" / "model.json").read_text()
        assert run("verify", tmp_path / "m.safetensors", tmp_path / "for-browsers") == 0
        assert run("convert", tmp_path / "m.safetensors", tmp_path / "as-it-is", "--as-is") == 0
        assert "ZeroPadding1D" in (tmp_path / "as-it-is" / "model.json").read_text()

    def test_what_is_refused_writes_nothing(self, tmp_path, capsys):
        refused().save(tmp_path / "m.safetensors")
        assert run("convert", tmp_path / "m.safetensors", tmp_path / "n") == 2
        assert "deep" in capsys.readouterr().err
        assert not (tmp_path / "n").exists()

    def test_quantized_and_cut(self, place, tmp_path):
        settings = [
            "--quantize",
            "uint8:*kernel",
            "--quantize",
            "float16:*bias",
            "--shard-bytes",
            "8",
            "--split-by-layer",
        ]
        assert run("convert", place, tmp_path / "n", *settings) == 0
        document = json.loads((tmp_path / "n" / "model.json").read_text())
        groups = document["weightsManifest"]
        assert len(groups) > 1
        kinds = {w["quantization"]["dtype"] for g in groups for w in g["weights"] if "quantization" in w}
        assert kinds == {"uint8", "float16"}
        assert all(p.stat().st_size <= 8 for p in (tmp_path / "n").glob("*.bin"))
        assert run("verify", place, tmp_path / "n", "--tolerance", "0.1") == 0


def test_tables():
    assert printed(["a"], []) == "a"
    assert safe("x\u202ey\n") == r"x\u202ey\n"
    assert size(5) == "5 bytes"


def test_as_a_process(place):
    found = subprocess.run(
        [sys.executable, "-m", "lamina", "summary", place], capture_output=True, text=True, check=True, env=os.environ
    )
    assert "last (Dense)" in found.stdout
    broken = subprocess.run(
        [sys.executable, "-m", "lamina", "summary", place + "x"], capture_output=True, text=True, check=False
    )
    assert broken.returncode == 2
    assert "Traceback" not in broken.stderr


def test_a_reader_that_has_seen_enough(place):
    command = f'"{sys.executable}" -m lamina plugins | head -1'
    found = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert found.stderr == ""
