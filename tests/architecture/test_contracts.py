"""The import contracts cover every room: what no contract mentions, nobody checks."""

from __future__ import annotations

import configparser

from architecture.sources import ROOT

SEEN_BY_BACKENDS = {"contract", "program", "dtypes", "shapes", "errors", "notices"}


def _contracts():
    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter", encoding="utf-8")
    return parser


def _rooms():
    found = (ROOT / "framework" / "lamina").iterdir()
    return {p.stem for p in found if p.suffix == ".py" or (p / "__init__.py").exists()} - {"__init__"}


def test_what_backends_may_not_see_is_everything_but_the_contract():
    forbidden = _contracts()["importlinter:contract:backends-see-the-contract"]["forbidden_modules"].split()
    assert {name.removeprefix("lamina.") for name in forbidden} == _rooms() - SEEN_BY_BACKENDS


def test_every_package_is_under_contract():
    listed = set(_contracts()["importlinter"]["root_packages"].split())
    there = {p.parent.name for root in ("framework", "backends", "plugins") for p in ROOT.glob(f"{root}/*/__init__.py")}
    assert listed == there
