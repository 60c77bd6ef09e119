"""What disagreements.toml asks of recorded calls on signals."""

from __future__ import annotations

from predicates import Record, predicate


@predicate
def window_of_one(record: Record) -> bool:
    """A window of one element."""
    return bool(record["args"][0] == 1)


@predicate
def no_step(record: Record) -> bool:
    """Frames with a step of 0."""
    return bool(record["args"][2] == 0)
