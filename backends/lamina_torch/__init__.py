"""The PyTorch backend, on a CPU or a CUDA device. Importing this module imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from lamina.contract import Provides, hookimpl


@hookimpl
def lamina_backends() -> Iterable[Provides]:
    target, install = "lamina_torch.backend:TorchBackend", "pip install --upgrade 'lamina[torch]'"
    return [Provides("torch", target, needs="torch", least="2.6", install=install)]
