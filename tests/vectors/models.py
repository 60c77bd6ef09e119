"""TensorFlow.js's models: what predict, evaluate, fit and the like gave, and saved models."""

from __future__ import annotations

from typing import Any

Record = dict[str, Any]


def check(record: Record) -> None:
    """One thing done with a model."""
    raise AssertionError("not compared yet")


def check_error(record: Record) -> None:
    """One thing done with a model that raised."""
    raise AssertionError("not compared yet")


def check_artifact(record: Record) -> None:
    """A saved model."""
    raise AssertionError("not compared yet")
