"""The README's tables from made-up timings, and where they go."""

from __future__ import annotations

import json

import pytest
from benchmarks import readme, report
from benchmarks.coordinator import Result
from benchmarks.summary import Series
from benchmarks.workloads import find

MACHINE = {
    "date": "2025-01-02T03:04+00:00", "processor": "a processor", "cores": 2, "system": "Linux x86_64",
    "python": "3.11.0", "versions": {"numpy": "2.0.0", "lamina": "1"}, "revision": "abc", "load": 0.5,
}  # fmt: skip


def series(name, *values, threads=1):
    return Series(name, name.startswith("lamina"), threads, list(values))


@pytest.fixture
def document():
    training = Result(find("train-784-32-10"))
    training.series = [series("lamina-numpy", 1e-4, 3e-4), series("plain-jax", 4e-4, 4e-4)]
    training.not_run = {"compiled-torch": "no time"}
    training.series += [series("keras-torch", 2e-2, 2e-2), series("lamina-numpy", 1e-4, 1e-4, threads=2)]
    prediction = Result(find("predict-lstm-64"))
    prediction.series = [series("lamina-torch", 1e-5), series("keras-jax", 2e-4), series("keras-torch", 4e-4)]
    imports = Result(find("import"))
    imports.series = [
        series("import lamina", 0.1, threads=None),
        series("KERAS_BACKEND=jax import keras", 1.0, threads=None),
    ]
    return json.loads(json.dumps(report.document(MACHINE, [training, prediction, imports], 2)))


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_there_is_a_table_for_each_number_of_cores(document):
    lines = readme.tables(document, "x.json").splitlines()
    assert lines[0].startswith("2025-01-02, 2 cores of a processor, Python 3.11.0, numpy 2.0.0, load at the start 0.5")
    head, _, row = (cells(line) for line in lines[2:5])
    assert head[:4] == ["One core: training step, Adam", "lamina, NumPy", "lamina, Torch", "JAX `jit`"]
    assert row == ["784-32-10, batch 128", "0.5 (200 us; 0.25-0.75)", "", "1 (400 us)", "", "", "", "50"]
    further = [cells(line)[:2] for line in readme.further_tables(document).splitlines()]
    assert ["784-32-10, batch 128", "(100 us)"] in further
    assert further[0][0] == "2 cores: training step, Adam"


def test_predictions_are_compared_with_the_best_of_keras(document):
    lines = readme.tables(document, "x.json").splitlines()
    assert ["lstm-64", "", "0.05 (10 us)", "1 (200 us)", "2"] in [cells(line) for line in lines if line.startswith("|")]
    assert "That is 0.1 of Keras's best." in lines[-3]
    assert lines[-1] == "Not run: compiled-torch in train-784-32-10 (no time)."


def test_keras_alone_is_a_peer_of_predictions():
    groups = list(readme._groups(readme.MEASURED, [readme.implementations.find(name) for name in readme.COLUMNS]))
    assert [[i.name for i in able] for _, able in groups] == [
        list(readme.COLUMNS),
        ["lamina-numpy", "lamina-torch", "keras-jax", "keras-torch"],
    ]
    assert sum(len(names) for names, _ in groups) == len(readme.MEASURED) == 15


@pytest.mark.parametrize("page", [readme.README, readme.FURTHER], ids=lambda page: page.name)
def test_the_pages_have_the_place_for_them(page):
    text = page.read_text(encoding="utf-8")
    made = readme.kept_to(text, "tables", "x.json")
    assert "x.json -->\n\ntables\n\n<!-- end of figures -->" in made
    assert made.split("<!-- end of figures -->")[1] == text.split("<!-- end of figures -->")[1]
