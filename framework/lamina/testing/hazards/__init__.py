"""What recording once and replaying can get wrong: each hazard as a test that a backend must pass.

The list is the price of replaying instead of tracing; whoever changes the recorder, the passes or an executable
starts here.
"""

from lamina.testing.hazards.composition import CompositionHazards
from lamina.testing.hazards.recording import RecordingHazards
from lamina.testing.hazards.results import ResultHazards
from lamina.testing.hazards.state import StateHazards

__all__ = ["CompositionHazards", "RecordingHazards", "ReplayHazards", "ResultHazards", "StateHazards"]


class ReplayHazards(StateHazards, ResultHazards, RecordingHazards, CompositionHazards):
    """Every replay hazard."""
