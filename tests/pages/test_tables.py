"""The tables of the docs are what ``python docs/make_tables.py`` writes, and every name in them is there."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import make_tables as tables
import pytest

import lamina
from lamina.ops import OPS
from recorded import folder

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("path", "text"), list(tables.pages()), ids=lambda given: getattr(given, "name", ""))
def test_pages_are_up_to_date(path, text):
    assert path.read_text(encoding="utf-8") == text, f"run python docs/make_tables.py: {path.name} is old"


def test_every_public_op_is_in_the_table():
    shown = {id(entry.function) for entry in tables.entries()}
    assert [name for name, op in OPS.items() if op.public and id(op) not in shown] == []


def test_every_function_of_the_table_is_there():
    assert [
        entry.path for entry in tables.entries() if tables.resolve(f"lamina.{entry.path}") is not entry.function
    ] == []


def test_names_of_tensorflow_js_come_once():
    names = [row.tfjs for row in tables.names()]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_every_name_of_ours_leads_somewhere():
    missing = []
    for row in tables.names():
        try:
            tables.resolve(row.lamina)
        except AttributeError:
            missing.append(row.lamina)
    assert sorted(set(missing)) == []


def test_every_required_name_is_in_the_table():
    path = folder("tensorflow.js").parent / "spec" / "api.csv"
    if not path.exists():
        pytest.skip(f"the list of TensorFlow.js's names is not at {path}")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    wanted = {row["tfjs_name"] for row in rows if row["need"] == "required"}
    assert len(wanted) > 600
    assert sorted(wanted - {row.tfjs for row in tables.names()}) == []


def test_nothing_in_the_pages_changes_from_run_to_run():
    assert not re.search(r"0x[0-9a-f]{6}", tables.ops_page())


@pytest.mark.parametrize(
    ("document", "source"),
    [
        ("Sum. As NumPy.", "NumPy"),
        ("Sum. As ``tf.math.sum``, but faster.", "``tf.math.sum``"),
        ("Unit (Clevert et al. 2015, arXiv:1511.07289).", "Clevert et al. 2015, arXiv:1511.07289"),
        ("Sum (of all).", ""),
    ],
)
def test_sources_are_read_off_the_documentation(document, source):
    assert tables._source(document) == source


def test_a_name_that_is_not_there_is_noticed():
    with pytest.raises(AttributeError):
        tables.resolve("lamina.Tensor.no_such_method")
    assert tables.resolve("lamina.Tensor.relu") is lamina.Tensor.relu
