"""The rules of disagreements.toml: which records lamina rightly answers otherwise."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import image_predicates  # noqa: F401 - adds its predicates
import linalg_predicates  # noqa: F401 - adds its predicates
import pooling_predicates  # noqa: F401 - adds its predicates
import signal_predicates  # noqa: F401 - adds its predicates
from checking import check_by_differences
from predicates import PREDICATES

FILE = Path(__file__).with_name("disagreements.toml")


@dataclass(frozen=True)
class Disagreement:
    """Records of some ops, all of them or those that a predicate and a pattern of the recorded error choose."""

    kind: str
    ops: tuple[str, ...]
    reason: str
    proof: str
    when: str | None = None
    error: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in ("ops", "grads", "op_errors") or not (self.reason and self.proof and self.ops):
            raise ValueError(f"a rule needs kind, ops, reason and proof: {self}")
        if self.error is not None:
            re.compile(self.error)

    def covers(self, kind: str, record: dict[str, Any]) -> bool:
        """Whether a record is one of those meant."""
        if kind != self.kind or not ({record["op"], "*"} & set(self.ops)):
            return False
        if self.error is not None and not re.search(self.error, record.get("error", {}).get("message", "")):
            return False
        if self.when is None:
            return True
        try:
            return PREDICATES[self.when](record)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            return False  # the record has not what the predicate looks at

    def prove(self, record: dict[str, Any]) -> None:
        """Raises AssertionError if the proof that can be run fails on a record."""
        if self.proof == "differences":
            check_by_differences(record, kinks=True)


def rules(file: Path = FILE) -> list[Disagreement]:
    """Every rule of the file."""
    entries = tomllib.loads(file.read_text(encoding="utf-8")).get("rule", [])
    return [Disagreement(**{**entry, "ops": tuple(entry["ops"])}) for entry in entries]


Predicate = Callable[[dict[str, Any]], bool]
