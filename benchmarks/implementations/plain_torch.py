"""PyTorch by hand: eager, fused Adam, a loop over batches that are tensors already.

BENCHMARKS_DEVICE names torch's device (``cpu`` by default).

Images are channels first, in the memory format that is faster for them here (channels last for convolutions).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from benchmarks.implementations.torch_layers import LAYERS
from benchmarks.networks import Network
from benchmarks.workloads import Building, EagerOp, FirstStep, Prediction, Training

DEVICE = os.environ.get("BENCHMARKS_DEVICE", "cpu")


def _model(network: Network) -> torch.nn.Module:
    weights = network.weights_by_layer()
    pairs = zip(weights, network.layers, strict=True)
    return torch.nn.Sequential(*(part for arrays, layer in pairs for part in LAYERS[layer.kind](arrays, layer)))


def _examples(x: Any) -> Any:
    tensor = torch.from_numpy(x).to(DEVICE)
    return tensor.permute(0, 3, 1, 2) if tensor.ndim == 4 else tensor


def _trained(workload: Training, compiled: bool) -> tuple[Callable[..., Any], Any, torch.nn.Module]:
    """The loss of a batch, the optimizer, the model."""
    model = _model(workload.network).to(DEVICE)
    if len(workload.network.input_shape) == 3:
        model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.Adam(model.parameters(), lr=workload.learning_rate, eps=workload.epsilon, fused=True)

    def loss_of(x: Any, y: Any) -> Any:
        return functional.cross_entropy(model(x), y)

    return torch.compile(loss_of) if compiled else loss_of, optimizer, model


def _batches(workload: Training) -> list[tuple[Any, Any]]:
    return [(_examples(x), torch.from_numpy(y).long().to(DEVICE)) for x, y in workload.in_batches()]


def training(workload: Training, compiled: bool = False) -> Callable[[], float]:
    batches = _batches(workload)
    loss_of, optimizer, _ = _trained(workload, compiled)

    def task() -> float:
        for _ in range(workload.epochs):
            losses = []
            for x, y in batches:
                optimizer.zero_grad()
                loss = loss_of(x, y)
                loss.backward()
                optimizer.step()
                losses.append(loss.detach())
            mean = float(torch.stack(losses).mean())
        return mean

    return task


def first_step(workload: FirstStep, compiled: bool = False) -> Callable[[], float]:
    step = workload.training()
    ((x, y),) = _batches(step)

    def task() -> float:
        if compiled:
            torch.compiler.reset()
        loss_of, optimizer, _ = _trained(step, compiled)
        loss = loss_of(x, y)
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return task


def prediction(workload: Prediction, compiled: bool = False) -> Callable[[], float]:
    batches = workload.in_batches()
    model = _model(workload.network).to(DEVICE).eval()
    call = torch.compile(model) if compiled else model

    def task() -> float:
        with torch.inference_mode():
            found = [call(_examples(x)).cpu().numpy() for x in batches]
        return float((np.concatenate(found) if len(found) > 1 else found[0])[0, 0])

    return task


def building(workload: Building) -> Callable[[], float]:
    def task() -> float:
        parts: list[torch.nn.Module] = []
        for _ in range(workload.layers):
            parts += [torch.nn.Linear(16, 16), torch.nn.ReLU()]
        return float(len(list(torch.nn.Sequential(*parts).parameters())))

    return task


OPS = {"add": torch.add, "relu": torch.relu, "sum": torch.sum, "matmul": torch.matmul}


def eager(workload: EagerOp) -> Callable[[], float]:
    x, y = (torch.from_numpy(array).to(DEVICE) for array in workload.arrays())
    op, arguments = OPS[workload.op], (x,) if workload.op in ("relu", "sum") else (x, y)
    steps = range(workload.steps)

    def task() -> float:
        for _ in steps:
            found = op(*arguments)
        return float(found.ravel()[0])

    return task
