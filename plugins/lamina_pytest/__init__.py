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
    group.addoption(
        "--lamina-brief", action="store_true", help="check one value of each op only, and all that is no op"
    )


def pytest_configure(config: Any) -> None:
    name = config.getoption("--lamina-backend")
    if name is None:
        return
    os.environ["LAMINA_TESTED_BACKEND"] = name
    os.environ["LAMINA_TESTED_DEVICE"] = config.getoption("--lamina-device") or ""
    config.pluginmanager.import_plugin(REPORT)


def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    """With ``--lamina-brief``, of the cases of each op keeps the value of the first with elements and no error."""
    if not config.getoption("--lamina-brief"):
        return
    kept: dict[Any, Any] = {}
    for item in items:
        case: Any = getattr(getattr(item, "callspec", None), "params", {}).get("case")
        if not (hasattr(case, "op") and hasattr(case, "raises")):
            kept[item.nodeid] = item
        elif item.originalname == "test_value" and case.raises is None:
            key = (item.cls, case.op)
            if key not in kept or ("empty(" in kept[key].name and "empty(" not in item.name):
                kept[key] = item
    chosen = set(map(id, kept.values()))
    config.hook.pytest_deselected(items=[item for item in items if id(item) not in chosen])
    items[:] = [item for item in items if id(item) in chosen]
