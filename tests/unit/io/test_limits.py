"""Limits of a load: what a user sets holds for every format, and for nothing after it."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

import lamina
from lamina import layers
from lamina.errors import UnsafeModelError
from lamina.io import Limits, find_handler
from lamina.io.checks import DEFAULT_LIMITS, limits_in_force

FORMATS = ("", ".h5", ".keras", ".safetensors")
TIGHT = {
    "json_bytes": 100,
    "json_depth": 3,
    "json_containers": 10,
    "json_values": 10,
    "weights": 2,
    "rank": 1,
    "layers": 1,
    "nested": 0,
    "calls": 3,
    "parameters": 10,
    "file_bytes": 50,
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    inner = lamina.Sequential([layers.Dense(2, input_shape=(3,)), layers.Dense(3)])
    model = lamina.Sequential([lamina.Input((3,)), inner, layers.Dense(1), layers.ReLU()])
    folder = tmp_path_factory.mktemp("limits")
    for ending in FORMATS:
        model.save(folder / f"m{ending}")
    return folder


def test_every_limit_is_tried():
    assert set(TIGHT) == {field.name for field in fields(Limits)}


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("limit", TIGHT)
def test_a_limit_holds_for_a_load(limit, ending, saved):
    place = saved / f"m{ending}"
    with pytest.raises(UnsafeModelError) as caught:
        lamina.load_model(place, limits=replace(DEFAULT_LIMITS, **{limit: TIGHT[limit]}))
    assert f"m{ending}" in str(caught.value)
    assert limits_in_force() is DEFAULT_LIMITS
    lamina.load_model(place)


@pytest.mark.parametrize("ending", FORMATS)
def test_limits_that_fit(ending, saved):
    model = lamina.load_model(saved / f"m{ending}", limits=Limits(layers=4, nested=1, calls=20, parameters=21, rank=2))
    assert model.count_params() == 21


def test_a_handler_keeps_to_its_own(saved):
    handler = find_handler(saved / "m", limits=Limits())
    assert lamina.load_model(handler, limits=Limits(json_bytes=100)).count_params() == 21
    with pytest.raises(UnsafeModelError):
        lamina.load_model(find_handler(saved / "m", limits=Limits(json_bytes=100)))


def test_there_is_no_way_to_switch_safety_off():
    with pytest.raises(TypeError):
        lamina.load_model("x", unsafe=True)
