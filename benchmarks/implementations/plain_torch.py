"""PyTorch by hand: eager, fused Adam, a loop over batches that are tensors already.

BENCHMARKS_DEVICE names torch's device (``cpu`` by default); with BENCHMARKS_COMPILE the model goes through
``torch.compile``.

Images are channels first, in the memory format that is faster for them here (channels last for convolutions).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from benchmarks.implementations.torch_layers import LAYERS
from benchmarks.networks import Network
from benchmarks.workloads import Training

DEVICE = os.environ.get("BENCHMARKS_DEVICE", "cpu")


def _model(network: Network) -> torch.nn.Module:
    weights = network.weights_by_layer()
    pairs = zip(weights, network.layers, strict=True)
    return torch.nn.Sequential(*(part for arrays, layer in pairs for part in LAYERS[layer.kind](arrays, layer)))


def _examples(x: Any) -> Any:
    tensor = torch.from_numpy(x).to(DEVICE)
    return tensor.permute(0, 3, 1, 2) if tensor.ndim == 4 else tensor


def training(workload: Training) -> Callable[[], float]:
    batches = [(_examples(x), torch.from_numpy(y).long().to(DEVICE)) for x, y in workload.in_batches()]
    model = _model(workload.network).to(DEVICE)
    if batches[0][0].ndim == 4:
        model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.Adam(model.parameters(), lr=workload.learning_rate, eps=workload.epsilon, fused=True)

    run: Callable[[Any], Any] = torch.compile(model) if os.environ.get("BENCHMARKS_COMPILE") else model

    def task() -> float:
        for _ in range(workload.epochs):
            losses = []
            for x, y in batches:
                optimizer.zero_grad()
                loss = functional.cross_entropy(run(x), y)
                loss.backward()
                optimizer.step()
                losses.append(loss.detach())
            mean = float(torch.stack(losses).mean())
        return mean

    return task
