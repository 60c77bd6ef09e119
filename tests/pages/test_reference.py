"""The generated reference shows every public name of lamina, once, and says what each class has from its bases."""

from __future__ import annotations

import importlib
import inspect
import re
from collections import Counter
from typing import TypeVar

import chapters
import pytest
import reference

import lamina
from lamina.runtime.op import Op

FOUND = chapters.pages()
PAGES = [page for part in FOUND.values() for page in part]
SHOWN = Counter(item.path for page in PAGES for item in page.items)
ROOMS = sorted(
    [name for name in lamina.__all__ if inspect.ismodule(getattr(lamina, name)) and name not in ("ops", "methods")]
    + ["contract", "optimizers.schedules"]
)


def _public(room):
    """The public names of a room: those it lists, else those that are written in it."""
    module = lamina if room == "" else importlib.import_module("lamina.contract") if room == "contract" else None
    module = module or chapters.tables.resolve(f"lamina.{room}")
    own = [n for n, v in vars(module).items() if getattr(v, "__module__", "") == module.__name__ and n[:1] != "_"]
    values = {name: getattr(module, name) for name in getattr(module, "__all__", own)}
    inner = {name for name, v in values.items() if inspect.ismodule(v) or isinstance(v, TypeVar)}
    return [name for name, v in values.items() if name not in inner and (not isinstance(v, Op) or v.public)]


@pytest.mark.parametrize("room", ["", *ROOMS])
def test_every_public_name_is_on_a_page(room):
    names = [f"{room}.{name}".lstrip(".") for name in _public(room)]
    assert names
    assert [name for name in names if SHOWN[name] != 1] == []


def test_no_name_is_shown_twice():
    assert [name for name, times in SHOWN.items() if times > 1] == []


def test_ops_are_those_of_lamina():
    assert [name for name in lamina.ops.__all__ if getattr(lamina, name) is not getattr(lamina.ops, name)] == []


def test_every_module_has_a_title_and_every_title_a_module():
    files = {page.file for page in PAGES}
    wanted = {*(f"layer-{name}" for name in chapters.LAYERS), *(f"op-{name}" for name in chapters.OPS)}
    assert {file for file in files if file.startswith(("layer-", "op-"))} == wanted
    assert len(files) == len(PAGES)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("api")
    reference.write(folder)
    return {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.rst")}


def test_every_page_is_listed(written):
    listed = re.findall(r"^   ([\w.-]+)$", written["index"], re.MULTILINE)
    assert sorted(listed) == sorted(set(written) - {"index"})


def test_links_lead_to_names_that_are_shown(written):
    targets = {t for text in written.values() for t in re.findall(r":py:obj:`[^`]*<lamina\.([\w.]+)>`", text)}
    assert len(targets) > 100
    assert sorted(targets - set(SHOWN)) == []


def test_classes_tell_the_settings_that_bases_without_a_page_have(written):
    convolution = written["layer-convolution"].partition("lamina.layers.Conv1DTranspose")[0]
    assert "``dilation_rate`` are an integer, or one for each spatial axis" in convolution
    assert "Base: :py:obj:`Layer <lamina.layers.Layer>`" in convolution


def test_recurrent_layers_tell_the_settings_of_their_cells(written):
    lstm = written["layer-recurrent"].partition(":: lamina.layers.LSTM(")[2].partition(".. py:")[0]
    assert "``recurrent_dropout`` that of the state" in lstm


def test_short_names_say_what_they_are_short_for(written):
    assert re.search(r"lamina\.load_model\n\n +The same as :py:obj:`lamina\.models\.load_model", written["lamina"])
