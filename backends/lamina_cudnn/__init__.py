"""cuDNN's convolutions for the CuPy backend, where NVIDIA's package ``nvidia-cudnn-frontend`` is installed.

Importing this module imports neither cupy nor cudnn.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable

from lamina.contract import Provides, hookimpl


@hookimpl
def lamina_kernels() -> Iterable[Provides]:
    if importlib.util.find_spec("cudnn") is None:
        return []
    install = "pip install --upgrade 'lamina[cudnn]', or uninstall nvidia-cudnn-frontend"
    return [Provides("cupy", "lamina_cudnn.kernels:kernels", needs="cudnn", least="1.10", install=install)]
