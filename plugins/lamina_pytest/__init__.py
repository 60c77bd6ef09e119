"""The pytest plugin of the conformance kit: ``pytest --pyargs lamina.testing --lamina-backend=mine``.

pytest loads it in every run where lamina is installed, so it imports nothing of lamina until a backend is asked for.
"""

from __future__ import annotations

import os
from typing import Any

REPORT = "lamina.testing.report"


def pytest_addoption(parser: Any) -> None:
    group = parser.getgroup("lamina", "lamina's conformance kit")
    group.addoption("--lamina-backend", metavar="NAME", help="the backend that lamina.testing checks")
    group.addoption("--lamina-device", metavar="DEVICE", help="the device of that backend, such as cuda:0")


def pytest_configure(config: Any) -> None:
    name = config.getoption("--lamina-backend")
    if name is None:
        return
    os.environ["LAMINA_TESTED_BACKEND"] = name
    os.environ["LAMINA_TESTED_DEVICE"] = config.getoption("--lamina-device") or ""
    config.pluginmanager.import_plugin(REPORT)
