"""Charts: histories, confusion matrices and weights."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import lamina
from lamina import callbacks, utils
from lamina.errors import ArgumentError, DataError, LaminaError, MissingLibraryError

pytest.importorskip("matplotlib", reason="matplotlib is not installed")

PNG = b"\x89PNG"


def trained():
    model = lamina.Sequential([lamina.layers.Dense(3, input_shape=(2,), activation="softmax", name="d")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = np.ones((6, 2)), np.zeros(6)
    return model, model.fit(x, y, epochs=3, validation_data=(x, y), verbose=0)


def lines(axes):
    return {line.get_label(): line.get_ydata().tolist() for line in axes.get_lines()}


class TestHistory:
    def test_a_panel_for_each_number_with_validation_beside(self):
        _, history = trained()
        panels = history.plot().figure.axes
        assert [axes.get_title() for axes in panels] == ["loss", "accuracy"]
        assert lines(panels[0]) == {name: history.history[name] for name in ("loss", "val_loss")}
        assert panels[0].get_lines()[0].get_xdata().tolist() == [1, 2, 3]

    def test_some_names(self, tmp_path):
        _, history = trained()
        chart = history.plot(["accuracy"], to_file=tmp_path / "h.png")
        assert [axes.get_title() for axes in chart.figure.axes] == ["accuracy"]
        assert (tmp_path / "h.png").read_bytes().startswith(PNG)
        assert chart._repr_png_().startswith(PNG)

    @pytest.mark.parametrize("ending", ["svg", "pdf"])
    def test_formats(self, ending, tmp_path):
        trained()[1].plot(to_file=tmp_path / f"h.{ending}")
        assert (tmp_path / f"h.{ending}").stat().st_size > 1000

    def test_refused(self, tmp_path):
        _, history = trained()
        with pytest.raises(ArgumentError, match="'f1'"):
            history.plot(["f1"])
        with pytest.raises(ArgumentError, match="an ending of"):
            history.plot(to_file=tmp_path / "h.exe")
        with pytest.raises(DataError, match="fit the model first"):
            callbacks.History().plot()

    def test_validation_now_and_then(self):
        model, _ = trained()
        x, y = np.ones((6, 2)), np.zeros(6)
        history = model.fit(x, y, epochs=4, validation_data=(x, y), validation_freq=2, verbose=0)
        assert len(lines(history.plot().figure.axes[0])["val_loss"]) == len(history.history["val_loss"])

    def test_names_that_matplotlib_would_read_as_formulas(self):
        _, history = trained()
        history.history = {"$\\frac": [1.0, 2.0, 3.0]}
        assert history.plot()._repr_png_().startswith(PNG)


class TestConfusionMatrix:
    def test_counts(self):
        chart = utils.plot_confusion_matrix([0, 1, 1, 2], np.eye(3)[[0, 1, 0, 2]])
        assert chart.figure.axes[0].images[0].get_array().tolist() == [[1, 0, 0], [1, 1, 0], [0, 0, 1]]
        assert [t.get_text() for t in chart.figure.axes[0].texts] == ["1", "0", "0", "1", "1", "0", "0", "0", "1"]

    def test_shares_names_and_a_file(self, tmp_path):
        chart = utils.plot_confusion_matrix(
            lamina.tensor([0, 1, 1]), [[0], [1], [0]], ["cat", "dog"], normalize=True, to_file=tmp_path / "c.png"
        )
        axes = chart.figure.axes[0]
        assert axes.images[0].get_array().tolist() == [[1, 0], [0.5, 0.5]]
        assert [t.get_text() for t in axes.get_xticklabels()] == ["cat", "dog"]
        assert (tmp_path / "c.png").read_bytes().startswith(PNG)

    @pytest.mark.parametrize(
        ("true", "predicted", "names"),
        [([0, 1], [0], None), ([0.5], [0], None), ([-1], [0], None), ([0, 2], [0, 1], ["a", "b"]), ([], [], None)],
    )
    def test_refused(self, true, predicted, names):
        with pytest.raises(ArgumentError):
            utils.plot_confusion_matrix(true, predicted, names)


class TestWeights:
    def test_a_histogram_for_each(self, tmp_path):
        model, _ = trained()
        panels = utils.plot_weights(model, to_file=tmp_path / "w.png").figure.axes
        assert [axes.get_title() for axes in panels] == ["d/kernel (2, 3)", "d/bias (3,)"]
        assert sum(bar.get_height() for bar in panels[0].patches) == 6
        assert len(panels[0].patches) == 5  # few values, few bars
        assert (tmp_path / "w.png").read_bytes().startswith(PNG)

    def test_numbers_that_are_none(self):
        model, _ = trained()
        model.layers[0].set_weights([np.full((2, 3), np.nan), np.ones(3)])
        assert utils.plot_weights(model).figure.axes[0].get_title().endswith("6 not finite")

    def test_refused(self):
        with pytest.raises(LaminaError):
            utils.plot_weights(3)
        with pytest.raises(DataError, match="build the model"):
            utils.plot_weights(lamina.layers.Dense(2))


def test_no_setting_of_matplotlib_changes_and_no_window_opens():
    import matplotlib

    before = dict(matplotlib.rcParams)
    trained()[1].plot()
    assert dict(matplotlib.rcParams) == before
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()


def test_without_matplotlib(monkeypatch):
    _, history = trained()
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingLibraryError, match=r"lamina\[plots\]"):
        history.plot()


def test_a_model_as_text():
    model, _ = trained()
    assert model.to_dot().startswith("digraph")
    assert model.to_svg().startswith("<svg")
    assert model.to_mermaid().startswith("flowchart")
