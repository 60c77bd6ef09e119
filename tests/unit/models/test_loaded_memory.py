"""Whose memory the weights of a loaded model are: never that of somebody who still has it, never copied needlessly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import lamina
from lamina import io, layers

WIDTH = 64


def small():
    return lamina.Sequential([layers.Dense(WIDTH, input_shape=(WIDTH,), name="one"), layers.Dense(3, name="two")])


def trained_a_little(model):
    model.compile("sgd", "mse")
    model.fit(np.ones((4, WIDTH), np.float32), np.zeros((4, 3), np.float32), verbose=0)
    return model


def memory_of(variable):
    return variable.value.array


@pytest.mark.parametrize("place", ["folder", "m.safetensors", "m.keras", "m.h5"])
def test_the_memory_of_the_file_becomes_the_models(place, tmp_path, monkeypatch):
    small().save(tmp_path / place)
    copied = []
    backend = type(lamina.get_backend())
    original = backend.from_host
    monkeypatch.setattr(backend, "from_host", lambda self, array: copied.append(array.size) or original(self, array))
    lamina.load_model(tmp_path / place, fingerprint=False)
    assert max(copied, default=0) < WIDTH * WIDTH


@pytest.mark.parametrize("place", ["memory://loaded-twice", "memory://loaded-twice.safetensors", "m.keras", "m.h5"])
def test_two_loads_share_nothing(place, tmp_path):
    address = place if "://" in place else tmp_path / place
    small().save(address)
    first, second = lamina.load_model(address), lamina.load_model(address)
    before = second.get_weights()
    trained_a_little(first)
    for one, other in zip(before, second.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(first.get_weights()[0], before[0])
    lamina.load_model(address)  # what is stored has not changed either


def test_what_an_object_gives_stays_its_own():
    class Kept:
        def save(self, artifacts):
            self.artifacts = replace(artifacts, weight_data=bytearray(artifacts.weight_data))
            return io.describe("kept", artifacts)

        def load(self):
            return self.artifacts

    kept = Kept()
    small().save(kept)
    before = bytes(kept.artifacts.weight_data)
    trained_a_little(lamina.load_model(kept))
    assert bytes(kept.artifacts.weight_data) == before


def test_an_optimizers_state_is_not_kept_in_the_memory_of_weights(tmp_path):
    model = small()
    model.compile("adam", "mse")
    model.fit(np.ones((4, WIDTH), np.float32), np.zeros((4, 3), np.float32), verbose=0)
    for place in ("folder", "m.safetensors", "m.keras", "m.h5"):
        model.save(tmp_path / place)
        kernel = memory_of(lamina.load_model(tmp_path / place).layers[0].kernel)
        whole = kernel
        while whole.base is not None and isinstance(whole.base, np.ndarray):
            whole = whole.base
        assert whole.nbytes < 2 * kernel.nbytes, place


def test_bytes_that_a_file_names_twice_are_two_weights(tmp_path):
    from lamina.models.saving.sources import assign_all

    array = np.ones(4, np.float32)
    one, two = lamina.Variable(np.zeros(4, np.float32)), lamina.Variable(np.zeros(4, np.float32))
    assign_all([(one, array), (two, array)], owned=True)
    assert not np.shares_memory(memory_of(one), memory_of(two))
