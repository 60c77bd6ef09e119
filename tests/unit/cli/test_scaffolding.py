"""``lamina plugin new``: names, refusals, and what is written; tests/package installs and tests the plugins."""

from __future__ import annotations

import ast
import tomllib

import pytest

from lamina.cli import main
from lamina.cli.scaffolding import KINDS, names_of
from lamina.errors import ArgumentError


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_whole(kind, tmp_path, capsys):
    assert main(["plugin", "new", "lamina-far-away", "--kind", kind, "--into", str(tmp_path)]) == 0
    assert "pip install -e '.[testing]'" in capsys.readouterr().out
    folder = tmp_path / "lamina_far_away"
    written = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    code = {"layer": "layer", "io": "handler", "backend": "backend"}[kind]
    assert written == {
        "pyproject.toml", "README.md", "tox.ini", "lamina_far_away/__init__.py", f"lamina_far_away/{code}.py",
        f"tests/test_{code}.py",
    }  # fmt: skip
    for path in written:
        text = (folder / path).read_text(encoding="utf-8")
        assert "$" not in text
        if path.endswith(".py"):
            ast.parse(text)
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert project["name"] == "lamina-far-away"
    assert project["entry-points"]["lamina"] == {"far_away": "lamina_far_away"}


@pytest.mark.parametrize(("kind", "offered"), [("layer", "FarAway"), ("io", "far-away"), ("backend", "far_away")])
@pytest.mark.parametrize("distribution", ["lamina-far-away", "far_away", "lamina.far.away"])
def test_a_plugin_offers_what_its_name_says(kind, offered, distribution):
    assert names_of(distribution, kind)["name"] == offered


WRONG = [
    ("", "layer", "no name of a distribution"),
    ("-a", "layer", "no name of a distribution"),
    ("../up", "io", "no name of a distribution"),
    ("a b", "backend", "no name of a distribution"),
    ("größe", "layer", "no name of a distribution"),
    ("a" * 61, "layer", "no name of a distribution"),
    ("lamina-3d", "layer", "no name of a distribution"),
    ("lamina", "layer", "'lamina', which is taken"),
    ("json", "io", "try lamina-json"),
    ("class", "io", "'class', which is taken"),
    ("lamina-torch", "backend", "'lamina_torch', which is taken"),
    ("lamina-dense", "layer", "of the kind layer named 'Dense' already"),
    ("my-memory", "io", None),
    ("lamina-memory", "io", "of the kind io named 'memory' already"),
    ("lamina-auto", "backend", "named 'auto' already"),
]


@pytest.mark.parametrize(("distribution", "kind", "words"), WRONG)
def test_names_that_are_refused(distribution, kind, words, tmp_path, capsys):
    status = main(
        ["plugin", "new", distribution, "--kind", kind, "--into", str(tmp_path)]
        if distribution[:1] != "-"
        else ["plugin", "new", "--kind", kind, "--into", str(tmp_path), "--", distribution]
    )
    assert status == (0 if words is None else 2)
    assert (words or "") in capsys.readouterr().err
    assert bool(list(tmp_path.iterdir())) is (words is None)


def test_what_is_there_stays(tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    assert main(["plugin", "new", "mine", "--kind", "layer", "--into", str(tmp_path)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert list((tmp_path / "mine").iterdir()) == []


def test_a_class_needs_a_name_that_is_one():
    with pytest.raises(ArgumentError):
        names_of("lamina-", "layer")
