"""Whether a layer's configuration says what a recorded one says, in whichever of the equal spellings."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from lamina import layers
from lamina.layers import Layer

_PENALTIES = {"L1": {"l1"}, "L2": {"l2"}, "L1L2": {"l1", "l2"}}


def check_config(layer: Layer, recorded: Mapping[str, Any]) -> None:
    """Every recorded setting is in ``get_config`` with an equal value, and the configuration makes an equal layer."""
    config = layer.get_config()
    check_settings(config, recorded, type(layer).__name__, type(layer))
    again = type(layer).from_config(json.loads(json.dumps(config))).get_config()
    assert again == json.loads(json.dumps(config)), f"the config changes: {again}, before {config}"


def check_settings(found: Mapping[str, Any], recorded: Mapping[str, Any], where: str, owner: Any = None) -> None:
    """Every recorded setting is there with an equal value; one that means nothing may be missing."""
    for key, value in recorded.items():
        if key in found:
            _check_value(found[key], value, f"{where}.{key}")
        else:
            meaningless = getattr(owner, "elsewhere", {}).get(key, ())
            assert value is None or value in meaningless, f"{where}: no {key!r} in the config, recorded {value}"


def _check_value(found: Any, recorded: Any, where: str) -> None:
    if isinstance(recorded, Mapping) and recorded.get("class_name") == "DTypePolicy":
        recorded = recorded["config"]["name"]
    if isinstance(recorded, Mapping) and "class_name" in recorded:
        assert isinstance(found, Mapping), f"{where}: {found}, recorded {recorded}"
        _check_object(found, recorded, where)
    elif isinstance(recorded, Mapping):
        assert isinstance(found, Mapping), f"{where}: {found}, recorded {recorded}"
        check_settings(found, recorded, where)
    elif isinstance(recorded, list | tuple):
        assert isinstance(found, list | tuple), f"{where}: {found}, recorded {recorded}"
        assert len(found) == len(recorded), f"{where}: {found}, recorded {recorded}"
        for i, (one, other) in enumerate(zip(found, recorded, strict=True)):
            _check_value(one, other, f"{where}[{i}]")
    elif isinstance(recorded, float) and not isinstance(found, str | bool | None):
        same = math.isclose(found, recorded, rel_tol=1e-6) or found != found != recorded != recorded
        assert same, f"{where}: {found}, recorded {recorded}"
    else:
        nothing = found in (None, "linear") and recorded in (None, "linear")
        nothing |= recorded is None and found is False
        assert found == recorded or nothing, f"{where}: {found!r}, recorded {recorded!r}"


def _check_object(found: Mapping[str, Any], recorded: Mapping[str, Any], where: str) -> None:
    """An object within: its class by any spelling of the name, and its settings."""
    name = recorded["class_name"]
    settings, expected = _penalties(found), _penalties(recorded)
    if name not in _PENALTIES:
        assert str(found.get("class_name")).lower() == name.lower(), f"{where}: {found}, recorded {recorded}"
    check_settings(settings, expected, where, getattr(layers, name, None))


def _penalties(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """The settings of an object; L1 and L2 are L1L2 with only one of the two."""
    config = found.get("config") or {}
    if found["class_name"] in _PENALTIES:
        return {key: config.get(key) or 0.0 for key in ("l1", "l2")}
    return dict(config)
