"""A thousand steps of training of each benchmark's network, in every way that a step can run: all give the same.

In float64, in which rounding stays small over a thousand steps. The networks are those of the benchmarks with small
sizes; ``LAMINA_LONG_RUNS=1`` trains them in their real ones.
"""

from __future__ import annotations

import functools
import os
from types import SimpleNamespace

import numpy as np
import pytest
from benchmarks.implementations.blocks import model_of
from benchmarks.networks import LayerSpec, Network, dense, lstm, residual, transformer
from benchmarks.workloads import SUBJECTS, Training

import lamina
from lamina import losses, optimizers
from lamina.program.passes import PASSES
from lamina_numpy.passes import REWRITES

STEPS = 1000
BATCHES = 4
REAL = os.environ.get("LAMINA_LONG_RUNS") == "1"


def convolutions():
    parts = []
    for filters in (2, 3):
        parts.append(LayerSpec("Conv2D", {"filters": filters, "kernel_size": 3, "activation": "relu"}))
        parts.append(LayerSpec("MaxPooling2D", {"pool_size": 2}))
    return Network((10, 10, 1), (*parts, LayerSpec("Flatten"), LayerSpec("Dense", {"units": 3})))


SMALL = {
    "30-16-16-2": (dense(6, 5, 5, 2), 4),
    "784-32-10": (dense(8, 6, 3), 4),
    "784-512-512-10": (dense(9, 12, 12, 3), 6),
    "2-convolutions": (convolutions(), 4),
    "3-residual-blocks": (residual(1, 4, 3), 4),
    "lstm-64": (lstm(4, 3, 5), 4),
    "2-transformer-blocks": (transformer(1, 4, 8, 2), 3),
}
NETWORKS = {s.name: (s.network, s.batch) for s in SUBJECTS} if REAL else SMALL

WAYS = {
    "eagerly": {"LAMINA_REPLAY": "off"},
    "interpreted": {"LAMINA_REPLAY": "interpret"},
    "without passes": {"LAMINA_REPLAY": "nopasses"},
    **{f"without {name}": {"LAMINA_WITHOUT": name} for name in (*PASSES, *REWRITES, "inlined", "lanes", "scalars")},
}


def in_double(library):
    """The library, whose layers compute in float64."""

    class Layers:
        def __getattr__(self, name):
            return functools.partial(getattr(library.layers, name), dtype="float64")

    made = {name: functools.partial(getattr(library, name), dtype="float64") for name in ("Input", "Model")}
    return SimpleNamespace(layers=Layers(), Sequential=library.Sequential, **made)


def trained(name, ways=(), backend="numpy"):
    """The weights after the steps, and the losses on the way."""
    network, batch = NETWORKS[name]
    data = Training(name, "", network, batch, BATCHES)
    x, y = data.data()
    with pytest.MonkeyPatch.context() as patch, lamina.backend_scope(backend):
        for variable, value in dict(ways).items():
            patch.setenv(variable, value)
        model = model_of(network, in_double(lamina))
        loss = losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer=optimizers.Adam(1e-3), loss=loss)
        told = model.fit(x.astype(np.float64), y, batch_size=batch, epochs=STEPS // BATCHES, shuffle=False, verbose=0)
        assert {w.dtype for w in model.trainable_weights} == {"float64"}
        assert int(model.optimizer.iterations.numpy()) == STEPS
        return model.get_weights(), told.history["loss"]


@functools.cache
def usual(name):
    return trained(name)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", SMALL)
def test_a_thousand_steps_agree(name, way):
    weights, told = usual(name)
    found, found_told = trained(name, WAYS[way])
    assert told[-1] < told[0]
    np.testing.assert_allclose(found_told, told, rtol=1e-6, atol=1e-9)
    for mine, wanted in zip(found, weights, strict=True):
        np.testing.assert_allclose(mine, wanted, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", SMALL)
def test_torch_agrees_with_numpy(name):
    pytest.importorskip("torch", reason="torch is not installed")
    weights, told = usual(name)
    found, found_told = trained(name, backend="torch")
    np.testing.assert_allclose(found_told, told, rtol=1e-6, atol=1e-9)
    for mine, wanted in zip(found, weights, strict=True):
        np.testing.assert_allclose(mine, wanted, rtol=1e-5, atol=1e-7)
