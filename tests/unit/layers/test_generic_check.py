"""The kit's checks of layers on every layer of lamina, and on layers made to be wrong."""

from __future__ import annotations

from typing import Any

import pytest

import lamina
from lamina import layers
from lamina.testing import LayerCase
from lamina.testing.layers import CHECKS
from unit.layers.layer_case import Arguments, Case, normal
from unit.layers.test_every_layer import CASES as TABLE


def described(kind: type[layers.Layer], settings: dict[str, Any]) -> dict[str, Any]:
    """What the check has to know of some layers."""
    if kind.__name__.startswith("ConvLSTM") and not kind.__name__.endswith("Cell"):
        return {"channels": 2}  # after the steps
    if settings.get("activation") == "softmax":
        return {"channels": None}  # over the last axis, whatever it is
    if kind is layers.SpectralNormalization or settings.get("renorm"):
        return {"gradients": "inference"}  # what is estimated on the way counts as constant
    return {"gradients": kind is not layers.Masking}  # it jumps where a step is masked, as some here are


def as_layer_case(case: Case) -> LayerCase:
    known = described(case.kind, case.settings)
    if isinstance(case.inputs, Arguments):
        return LayerCase(case.kind, case.settings, case.inputs.query, {"value": case.inputs.value}, **known)
    return LayerCase(case.kind, case.settings, case.inputs, **known)


CASES = [
    *map(as_layer_case, TABLE),
    LayerCase(layers.Masking, {"mask_value": 9.0}, normal(2, 3, 4)),
]


@pytest.mark.parametrize("case", CASES, ids=str)
class TestEveryLayer:
    @pytest.mark.parametrize("check", CHECKS)
    def test_holds(self, case: LayerCase, check: str) -> None:
        getattr(case, f"check_{check}")()

    def test_backends_agree(self, case: LayerCase) -> None:
        missing = lamina.list_backends()
        case.check_backends([name for name in ("numpy", "torch", "array_api_strict") if missing[name] is None])


def test_every_exported_layer_has_a_case() -> None:
    exported = {found for found in vars(layers).values() if isinstance(found, type) and issubclass(found, layers.Layer)}
    bases = {layers.Layer, layers.InputLayer, layers.RNNCell, layers.Wrapper}
    assert sorted(found.__name__ for found in exported - bases - {case.kind for case in CASES}) == []
