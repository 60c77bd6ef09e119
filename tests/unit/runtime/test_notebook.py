"""Tensors, Variables, programs and recorded steps as HTML, for notebooks."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest

import lamina
from lamina.runtime.tensor import spec_tensor


def cells(value):
    """The texts of the rows of the first table; the HTML is read strictly."""
    page = ET.fromstring(value._repr_html_().replace("<br>", "<br/>"))
    return [["".join(cell.itertext()) for cell in row] for row in page.iter("tr")]


def words(value):
    return "".join(ET.fromstring(value._repr_html_().replace("<br>", "<br/>")).itertext())


def test_a_matrix():
    assert cells(lamina.tensor([[1.0, 2.5], [3.0, 4.0]])) == [["", "0", "1"], ["0", "1", "2.5"], ["1", "3", "4"]]


def test_one_axis():
    assert cells(lamina.tensor([1, 2])) == [["0", "1"], ["1", "2"]]


def test_a_large_one_shows_its_ends():
    rows = cells(lamina.tensor(np.arange(10000).reshape(100, 100)))
    assert len(rows) == len(rows[0]) == 14
    assert rows[-1][-1] == "9999"
    assert set(rows[7]) == {"…"}


@pytest.mark.parametrize("shape", [(), (0,), (2, 0), (2, 3, 4), (1, 1, 1, 1)])
def test_other_axes(shape):
    assert str(shape) in words(lamina.ones(shape))


def test_text_is_no_tag():
    assert cells(lamina.tensor(["<b>&"])) == [["0"], ["<b>&"]]
    assert "<script>" not in lamina.Variable(1.0, name="<script>")._repr_html_()


def test_without_values():
    assert "without values" in words(spec_tensor((2, 3), "float32"))


def test_a_variable():
    text = words(lamina.Variable([1.0, 2.0], name="w", trainable=False))
    assert "'w', shape (2,), float32, not trainable" in text


def test_a_recorded_step_and_its_program():
    @lamina.function
    def step(x):
        return lamina.exp(x) * 2.0 + lamina.exp(x * 3.0)

    assert "Nothing is replayed yet" in words(step)
    for _ in range(2):
        step(lamina.ones((3,)))
    (program,) = step.programs
    rows = cells(program)
    assert rows[1][:2] == ["input", "%0"]
    assert [row[0] for row in rows].count("exp") == 2
    assert rows[-1][0] == "output"
    assert "2 exp" in words(program)
    assert "Recorded step 'step'" in words(step)


def test_a_long_program_is_cut():
    @lamina.function
    def step(x):
        for _ in range(300):
            x = lamina.exp(x) - 1.0
        return x

    for _ in range(2):
        step(lamina.zeros(()))
    assert len(cells(step.programs[0])) == 201
    assert "more rows are not shown" in words(step.programs[0])
