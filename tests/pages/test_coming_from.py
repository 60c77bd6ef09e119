"""The names in the pages for those who come from elsewhere are there, ours and, where the other is at hand, theirs."""

from __future__ import annotations

import csv
import importlib
import re

import make_tables as tables
import numpy as np
import pytest

from pages.elsewhere import ROOT, rows
from recorded import folder

SPECIFICATION = folder("tensorflow.js").parent / "spec"
PAGES = ["from-keras", "from-tensorflowjs", "from-pytorch", "from-cupy"]


def missing(names):
    """Those of lamina's names that lead nowhere."""
    found = []
    for name in names:
        try:
            resolve(name)
        except (AttributeError, ImportError):
            found.append(name)
    return found


def resolve(name):
    if name.startswith("lamina.models."):
        importlib.import_module("lamina.models")
    return tables.resolve(name)


@pytest.mark.parametrize("page", PAGES)
def test_every_name_of_ours_is_there(page):
    assert len(rows(page)) > 25
    noted = [name for _, _, note in rows(page) for name in re.findall(r"`(lamina\.[\w.]+)", note)]
    assert missing([ours for _, ours, _ in rows(page) if ours != "-"] + noted) == []


@pytest.mark.parametrize("page", PAGES)
def test_what_has_no_name_here_says_why(page):
    assert [theirs for theirs, ours, note in rows(page) if ours == "-" and not note] == []


@pytest.mark.parametrize("page", PAGES)
def test_no_name_comes_twice(page):
    names = [theirs for theirs, _, _ in rows(page)]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_names_in_the_prose_are_there():
    texts = [(ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8") for page in PAGES]
    prose = re.sub(r"^```.*?^```$", "", "\n".join(texts), flags=re.MULTILINE | re.DOTALL)
    assert missing(re.findall(r"`(lamina\.[\w.]+)", prose)) == []


def test_a_name_that_is_not_there_is_noticed():
    assert missing(["lamina.no_such_op", "lamina.tensor", "lamina.models.Model.no_such_method"]) == [
        "lamina.no_such_op",
        "lamina.models.Model.no_such_method",
    ]


def test_names_of_numpy_that_cupy_has_too():
    names = [theirs.removeprefix("cupy.") for theirs, _, _ in rows("from-cupy") if theirs.startswith("cupy.")]
    own = {"asnumpy", "ndarray.get", "fuse", "cuda.Device", "get_default_memory_pool"}
    for name in set(names) - own:
        found = np
        for part in name.split("."):
            found = getattr(found, part)


def test_names_of_tensorflow_js():
    path = SPECIFICATION / "api.csv"
    if not path.exists():
        pytest.skip(f"the list of TensorFlow.js's names is not at {path}")
    with path.open(encoding="utf-8", newline="") as file:
        known = {row["tfjs_name"] for row in csv.DictReader(file)}
    named = [theirs for theirs, _, _ in rows("from-tensorflowjs") if theirs.startswith("tf.")]
    assert [name for name in named if name not in known] == []
