"""PyTorch by hand: eager, fused Adam, a loop over batches that are tensors already."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from benchmarks.workloads import LayerSpec, Network, Training

ACTIVATIONS = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh, "sigmoid": torch.nn.Sigmoid}


def _dense(weights: list[Any], layer: LayerSpec) -> list[torch.nn.Module]:
    kernel, bias = weights.pop(0), weights.pop(0)
    linear = torch.nn.Linear(*kernel.shape)
    linear.weight.data = torch.from_numpy(kernel.T.copy())
    linear.bias.data = torch.from_numpy(bias)
    activation = layer.settings.get("activation")
    return [linear] if activation is None else [linear, ACTIVATIONS[activation]()]


LAYERS = {"Dense": _dense}


def _model(network: Network) -> torch.nn.Module:
    weights = network.weights()
    return torch.nn.Sequential(*(part for layer in network.layers for part in LAYERS[layer.kind](weights, layer)))


def training(workload: Training) -> Callable[[], float]:
    batches = [(torch.from_numpy(x), torch.from_numpy(y).long()) for x, y in workload.in_batches()]
    model = _model(workload.network)
    optimizer = torch.optim.Adam(model.parameters(), lr=workload.learning_rate, eps=workload.epsilon, fused=True)

    def task() -> float:
        for _ in range(workload.epochs):
            losses = []
            for x, y in batches:
                optimizer.zero_grad()
                loss = functional.cross_entropy(model(x), y)
                loss.backward()
                optimizer.step()
                losses.append(loss.detach())
            mean = float(torch.stack(losses).mean())
        return mean

    return task
