"""The one class that a backend's tests subclass."""

from __future__ import annotations

from lamina.testing.arrays import ArrayTests
from lamina.testing.devices import DeviceTests
from lamina.testing.families import FamilyTests
from lamina.testing.hazards import ReplayHazards
from lamina.testing.operations import OpTests
from lamina.testing.running import RandomTests, TrainingTests
from lamina.testing.threads import ThreadTests


class BackendConformance(
    OpTests, ArrayTests, DeviceTests, RandomTests, ThreadTests, TrainingTests, FamilyTests, ReplayHazards
):
    """All that a backend must do. Subclass it in a test module under a name that starts with ``Test``::

        class TestMyBackend(BackendConformance):
            backend_name = "mine"
            limitations = (Limitation("*", "bfloat16", "the library does not have it"),)

    ``device`` picks a device. What the backend cannot do is a ``Limitation``. Run pytest with
    ``-p lamina.testing.report`` for the table of what ran.
    """
