"""What the hazards share."""

from __future__ import annotations

from typing import Final

from lamina.replay.step import CompiledStep

CALLS: Final = 6
"""More than the two recorded ones, so that the replays show."""


def replayed(step: CompiledStep) -> bool:
    """Whether the step was recorded with success."""
    return bool(step.programs)
