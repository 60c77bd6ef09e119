"""Configs by registered name: what is refused, and what names find."""

from __future__ import annotations

from typing import Any

import pytest

from lamina import serialization
from lamina.errors import SerializationError, UnknownNameError
from lamina.serialization import class_name, custom_object_scope, deserialize, lookup, register, serialize


class Thing:
    def __init__(self, size: int = 1) -> None:
        self.size = size

    def get_config(self) -> dict[str, Any]:
        return {"size": self.size}


class Other:
    pass


@pytest.fixture(autouse=True)
def _registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serialization, "_REGISTERED", {})


def test_a_registered_class_goes_out_and_back() -> None:
    register()(Thing)
    config = serialize(Thing(3))
    assert config == {"class_name": "Thing", "config": {"size": 3}}
    assert deserialize("losses", config, Thing).size == 3


def test_a_class_can_have_another_name() -> None:
    register("mine>Thing")(Thing)
    assert serialize(Thing())["class_name"] == "mine>Thing"
    assert lookup("losses", "mine>Thing") is Thing


def test_a_scope_ends() -> None:
    with custom_object_scope({"Inner": Thing}):
        assert class_name(Thing()) == "Inner"
        assert lookup("layers", "Inner") is Thing
    with pytest.raises(UnknownNameError, match="no layer named 'Inner'"):
        lookup("layers", "Inner")


def test_a_name_belongs_to_one_object() -> None:
    register("Thing")(Thing)
    register("Thing")(Thing)
    with pytest.raises(SerializationError, match=r"registered for .* already"):
        register("Thing")(Other)


def test_unknown_names_list_near_ones() -> None:
    register()(Thing)
    with pytest.raises(UnknownNameError, match="Thing") as caught:
        deserialize("losses", {"class_name": "Thinge", "config": {}}, Thing)
    assert "there is no loss named 'Thinge'." in str(caught.value)
    assert "Fix: register a class of your own" in str(caught.value)


@pytest.mark.parametrize("config", [None, [], "Thing", {}, {"class_name": 3}, {"config": {}}])
def test_what_is_no_config_is_refused(config: Any) -> None:
    with pytest.raises(SerializationError, match="is not the config of a loss"):
        deserialize("losses", config, Thing)


def test_the_values_must_be_a_dict() -> None:
    register()(Thing)
    with pytest.raises(SerializationError, match="the config of 'Thing' is"):
        deserialize("losses", {"class_name": "Thing", "config": [1]}, Thing)


def test_the_object_must_be_of_the_kind() -> None:
    register()(Other)
    with pytest.raises(SerializationError, match="'Other' is not a Thing"):
        deserialize("losses", {"class_name": "Other", "config": {}}, Thing)


@pytest.mark.parametrize("name", ["os:system", "os.system", "builtins.eval", "subprocess.Popen", "__import__"])
def test_names_from_files_are_never_imported(name: str) -> None:
    with pytest.raises(UnknownNameError):
        deserialize("layers", {"class_name": name, "config": {}}, Thing)


def test_an_object_without_a_config_is_an_error() -> None:
    with pytest.raises(SerializationError, match="has no get_config"):
        serialize(Other())
