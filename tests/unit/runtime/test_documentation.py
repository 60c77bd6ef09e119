"""Sentences on errors find their way into the documentation of ops."""

from __future__ import annotations

from typing import Any

import lamina
from lamina.dtypes import ALL, FLOATING, INTEGER
from lamina.runtime.documentation import raised_by, refused_dtypes, with_errors


def test_sentences_stand_before_the_example() -> None:
    assert with_errors("Half.\n\n    >>> half(2)\n    1\n    ", "Raises A.", "", "Raises B.") == (
        "Half.\n\nRaises A. Raises B.\n\n>>> half(2)\n1\n"
    )


def test_without_an_example_they_stand_at_the_end() -> None:
    assert with_errors("Half.", "Raises A.") == "Half.\n\nRaises A.\n"


def test_nothing_to_say_changes_nothing() -> None:
    assert with_errors("  Half.", "") == "  Half."
    assert with_errors(None, "Raises A.") is None


def test_inputs_of_one_kind_are_named_together() -> None:
    assert refused_dtypes({"a": FLOATING, "b": FLOATING, "c": INTEGER, "d": ALL}, None) == (
        "Raises DTypeError unless a and b are floating and c is integer."
    )
    assert refused_dtypes({"a": ALL}, "float32") == ""
    assert refused_dtypes({"a": ("int32", "int64")}, None) == "Raises DTypeError unless a is int32, int64."


def test_only_rules_that_say_so_raise() -> None:
    def quiet(x: Any) -> None:
        """Keeps x."""

    def loud(x: Any) -> None:
        """Raises ShapeError if x
        is flat.
        """

    assert raised_by(quiet) == ""
    assert raised_by(loud) == "Raises ShapeError if x is flat."
    assert raised_by(lambda x: x) == ""


def test_an_op_tells_what_its_dtypes_its_rule_and_its_settings_refuse() -> None:
    documentation = " ".join((lamina.add.__doc__ or "").split())
    assert "Raises DTypeError unless a and b are" in documentation
    assert "Raises ShapeError if the shapes do not broadcast." in documentation
    assert "OutOfRangeError" in (lamina.sum.__doc__ or "")
