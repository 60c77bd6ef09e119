"""PyTorch's modules for the layers and blocks of the workloads. Images are channels first, as PyTorch has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from benchmarks.networks import LayerSpec

ACTIVATIONS = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh, "sigmoid": torch.nn.Sigmoid}
NORMALIZATION_EPSILON = 1e-3
Modules = list[torch.nn.Module]


def _with_activation(module: torch.nn.Module, layer: LayerSpec) -> Modules:
    activation = layer.settings.get("activation")
    return [module] if activation is None else [module, ACTIVATIONS[activation]()]


def _linear(kernel: Any, bias: Any) -> torch.nn.Linear:
    linear = torch.nn.Linear(*kernel.shape)
    linear.weight.data = torch.from_numpy(kernel.T.copy())
    linear.bias.data = torch.from_numpy(bias)
    return linear


def _dense(arrays: list[Any], layer: LayerSpec) -> Modules:
    return _with_activation(_linear(*arrays), layer)


def _convolution(kernel: Any, bias: Any, padding: str) -> torch.nn.Conv2d:
    size, _, channels, filters = kernel.shape
    convolution = torch.nn.Conv2d(channels, filters, size, padding=padding)
    convolution.weight.data = torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy())
    convolution.bias.data = torch.from_numpy(bias)
    return convolution


def _conv2d(arrays: list[Any], layer: LayerSpec) -> Modules:
    return _with_activation(_convolution(*arrays, padding=layer.settings.get("padding", "valid")), layer)


class Flat(torch.nn.Module):
    """Channels last before flattening, so that the weights after it are those of the others."""

    def forward(self, x: Any) -> Any:
        return x.permute(0, 2, 3, 1).flatten(1)


class MeanOf(torch.nn.Module):
    """The mean over some axes."""

    def __init__(self, axes: tuple[int, ...]) -> None:
        super().__init__()
        self.axes = axes

    def forward(self, x: Any) -> Any:
        return x.mean(self.axes)


class LastOfLSTM(torch.nn.Module):
    """The last output of an LSTM."""

    def __init__(self, kernel: Any, recurrent: Any, bias: Any) -> None:
        super().__init__()
        self.lstm = torch.nn.LSTM(kernel.shape[0], recurrent.shape[0], batch_first=True)
        self.lstm.weight_ih_l0.data = torch.from_numpy(kernel.T.copy())
        self.lstm.weight_hh_l0.data = torch.from_numpy(recurrent.T.copy())
        self.lstm.bias_ih_l0.data = torch.from_numpy(bias)
        self.lstm.bias_hh_l0.data.zero_()

    def forward(self, x: Any) -> Any:
        return self.lstm(x)[0][:, -1]


class Residual(torch.nn.Module):
    """Two convolutions with normalization, added to their input."""

    def __init__(self, arrays: list[Any]) -> None:
        super().__init__()
        self.first, self.second = (_convolution(*arrays[i : i + 2], padding="same") for i in (0, 6))
        filters = len(arrays[1])
        self.first_norm = torch.nn.BatchNorm2d(filters, eps=NORMALIZATION_EPSILON)
        self.second_norm = torch.nn.BatchNorm2d(filters, eps=NORMALIZATION_EPSILON)

    def forward(self, x: Any) -> Any:
        y = functional.relu(self.first_norm(self.first(x)))
        return functional.relu(x + self.second_norm(self.second(y)))


class Transformer(torch.nn.Module):
    """An encoder block, normalized after each addition."""

    def __init__(self, arrays: list[Any]) -> None:
        super().__init__()
        self.heads, width = arrays[0].shape[1], arrays[0].shape[0]
        kernels, biases = arrays[0:6:2], arrays[1:6:2]
        flat_kernels = [kernel.reshape(width, width) for kernel in kernels]
        joined = torch.nn.Linear(width, 3 * width)
        joined.weight.data = torch.cat([torch.from_numpy(kernel.T.copy()) for kernel in flat_kernels])
        joined.bias.data = torch.cat([torch.from_numpy(bias.reshape(width)) for bias in biases])
        self.joined, self.after = joined, _linear(arrays[6].reshape(width, width), arrays[7])
        self.wide, self.narrow = _linear(*arrays[10:12]), _linear(*arrays[12:14])
        self.first_norm = torch.nn.LayerNorm(width, eps=NORMALIZATION_EPSILON)
        self.second_norm = torch.nn.LayerNorm(width, eps=NORMALIZATION_EPSILON)

    def forward(self, x: Any) -> Any:
        batch, steps, width = x.shape
        joined = self.joined(x).view(batch, steps, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        found = functional.scaled_dot_product_attention(joined[0], joined[1], joined[2])
        x = self.first_norm(x + self.after(found.transpose(1, 2).reshape(batch, steps, width)))
        return self.second_norm(x + self.narrow(functional.relu(self.wide(x))))


LAYERS: dict[str, Callable[[list[Any], LayerSpec], Modules]] = {
    "Dense": _dense,
    "Conv2D": _conv2d,
    "MaxPooling2D": lambda arrays, layer: [torch.nn.MaxPool2d(layer.settings["pool_size"])],
    "Flatten": lambda arrays, layer: [Flat()],
    "GlobalAveragePooling1D": lambda arrays, layer: [MeanOf((1,))],
    "GlobalAveragePooling2D": lambda arrays, layer: [MeanOf((2, 3))],
    "LSTM": lambda arrays, layer: [LastOfLSTM(*arrays)],
    "ResidualBlock": lambda arrays, layer: [Residual(arrays)],
    "TransformerBlock": lambda arrays, layer: [Transformer(arrays)],
}
