"""The replay hazards on NumPy, where they are quickest to look into; the conformance kit runs them everywhere."""

from __future__ import annotations

from lamina.testing import ReplayHazards


class TestReplayHazards(ReplayHazards):
    backend_name = "numpy"
