"""The rules of disagreements.toml: which records lamina rightly answers otherwise."""

from __future__ import annotations

import importlib
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from predicates import PREDICATES, PROOFS
from suites import NAMES, subject

FILE = Path(__file__).with_name("disagreements.toml")

for module in sorted(FILE.parent.glob("*_predicates.py")):
    importlib.import_module(module.stem)  # each adds its predicates and proofs


@dataclass(frozen=True)
class Disagreement:
    """Records about some ops or classes, all or those that a predicate and a pattern of the recorded error choose."""

    kind: str
    ops: tuple[str, ...]
    reason: str
    proof: str
    when: str | None = None
    error: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in NAMES or not (self.reason and self.proof and self.ops):
            raise ValueError(f"a rule needs kind, ops or classes, reason and proof: {self}")
        if " " not in self.proof and (self.kind, self.proof) not in PROOFS:
            raise ValueError(f"{self.proof!r} is no proof that can be run: {self}")
        if self.error is not None:
            re.compile(self.error)

    def covers(self, kind: str, record: dict[str, Any]) -> bool:
        """Whether a record is one of those meant."""
        if kind != self.kind or not ({subject(record), "*"} & set(self.ops)):
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
        if " " not in self.proof:
            PROOFS[self.kind, self.proof](record)


def rules(file: Path = FILE) -> list[Disagreement]:
    """Every rule of the file."""
    entries = tomllib.loads(file.read_text(encoding="utf-8")).get("rule", [])
    return [Disagreement(ops=tuple(entry.pop("ops", None) or entry.pop("classes")), **entry) for entry in entries]
