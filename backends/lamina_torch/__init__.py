"""The PyTorch backend, on a CPU or a CUDA device. Importing this module imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from lamina.contract import Provides, hookimpl


@hookimpl
def lamina_backends() -> Iterable[Provides]:
    return [
        Provides("torch", "lamina_torch.backend:TorchBackend", needs="torch", install="pip install 'lamina[torch]'")
    ]
