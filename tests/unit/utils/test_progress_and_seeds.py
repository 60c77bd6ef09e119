"""A bar in a terminal and in a file, and one seed for everything."""

from __future__ import annotations

import io
import random
import sys

import numpy as np
import pytest

import lamina
from lamina import utils
from lamina.errors import ArgumentError, ArgumentTypeError
from lamina.utils import Progbar, set_random_seed


class Terminal(io.StringIO):
    def isatty(self):
        return True


def a_terminal(monkeypatch):
    """Standard output as a terminal, from here to the end of the test."""
    found = Terminal()
    monkeypatch.setattr(sys, "stdout", found)
    return found


class TestProgbar:
    def test_on_a_terminal_one_line_is_drawn_over_and_over(self, monkeypatch):
        terminal = a_terminal(monkeypatch)
        bar = Progbar(4, width=8, interval=0.0)
        for step in range(4):
            bar.update(step + 1, [("loss", 4.0 - step)])
        lines = terminal.getvalue().split("\r")
        assert len(lines) == 5
        assert lines[1].startswith("1/4 [==......] ")
        assert lines[4].startswith("4/4 [========] ")
        assert "loss: 2.5000" in lines[4]
        assert terminal.getvalue().count("\n") == 1

    def test_elsewhere_there_is_one_line(self, capsys):
        for verbose, begins in ((1, "3/3 [====="), (2, "3/3 - ")):
            bar = Progbar(3, verbose=verbose, interval=0.0)
            for _ in range(3):
                bar.add(1, [("acc", 0.5)])
            out = capsys.readouterr().out
            assert out.startswith(begins)
            assert out.endswith("acc: 0.5000\n")
            assert out.count("\n") == 1
        Progbar(1, verbose=0).update(1)
        assert capsys.readouterr().out == ""

    def test_values_are_averaged_by_steps_but_for_stateful_ones(self, capsys):
        bar = Progbar(10, verbose=2, stateful_metrics=["lr"])
        bar.update(4, [("loss", 1.0), ("lr", 0.5)])
        bar.update(10, [("loss", 2.0), ("lr", 0.25)])
        assert capsys.readouterr().out.endswith("loss: 1.6000 - lr: 0.2500\n")
        bar = Progbar(2, verbose=2, stateless_metrics=["loss"])
        bar.update(1, [("loss", 1.0), ("acc", 0.5)])
        bar.update(2, [("loss", 2.0), ("acc", 0.75)])
        assert capsys.readouterr().out.endswith("loss: 1.5000 - acc: 0.7500\n")

    def test_small_values_and_tensors(self, capsys):
        Progbar(1, verbose=2).update(1, [("a", lamina.tensor(1e-5)), ("b", np.float32(0)), ("c", float("nan"))])
        assert capsys.readouterr().out.endswith("a: 1.0000e-05 - b: 0.0000 - c: nan\n")

    def test_without_a_target(self, monkeypatch):
        terminal = a_terminal(monkeypatch)
        bar = Progbar(None, interval=0.0, unit_name="sample")
        bar.update(3)
        bar.update(4, finalize=True)
        assert terminal.getvalue().startswith("\r3/? ")
        assert "/sample" in terminal.getvalue()

    def test_a_shorter_line_covers_a_longer_one(self, monkeypatch):
        terminal = a_terminal(monkeypatch)
        bar = Progbar(None, interval=0.0)
        bar.update(1, [("a_long_name", 1.0)])
        bar._values.clear()
        bar.update(2)
        first, second = terminal.getvalue().split("\r")[1:]
        assert len(second) == len(first)

    @pytest.mark.parametrize(
        "settings",
        [
            {"target": -1},
            {"width": 0},
            {"verbose": 3},
            {"interval": -1.0},
            {"stateful_metrics": [], "stateless_metrics": []},
        ],
    )
    def test_what_is_refused(self, settings):
        with pytest.raises(ArgumentError):
            Progbar(**{"target": 1, **settings})


class TestSeeds:
    def drawn(self):
        return random.random(), np.random.rand(), lamina.random.uniform(()).item()  # noqa: NPY002

    def test_everything_starts_anew(self):
        set_random_seed(5)
        first = self.drawn()
        set_random_seed(5)
        assert self.drawn() == first
        set_random_seed(6)
        assert all(a != b for a, b in zip(self.drawn(), first, strict=True))

    def test_weights_and_shuffles_follow(self):
        def made():
            set_random_seed(3)
            order = list(lamina.data.from_list(list(range(9))).shuffle(9))
            return lamina.layers.Dense(3)(lamina.ones((1, 4))).tolist(), order

        assert made() == made()

    def test_torch_too(self):
        torch = pytest.importorskip("torch")
        set_random_seed(1)
        first = torch.rand(2).tolist()
        set_random_seed(1)
        assert torch.rand(2).tolist() == first

    def test_what_is_refused(self):
        for wrong in (-1, 1 << 32):
            with pytest.raises(ArgumentError):
                set_random_seed(wrong)
        for kind in ("1", 1.5, None, True):
            with pytest.raises(ArgumentTypeError):
                set_random_seed(kind)


def test_every_name_is_there():
    assert [name for name in utils.__all__ if not hasattr(utils, name)] == []
    assert lamina.utils is utils
