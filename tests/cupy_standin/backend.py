"""The CuPy backend over the stand-in. Its name says what it is; the real backend is loaded apart from it."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from cupy_standin import cudnn
from cupy_standin.namespace import modules

REPLACED = ("cudnn", "cupy", "cupyx", "lamina_cudnn", "lamina_cupy")


def load() -> dict[str, Any]:
    """The modules of ``lamina_cupy`` and ``lamina_cudnn``, imported anew over the stand-ins.

    Others find what they found.
    """
    before = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in REPLACED}
    sys.modules.update(modules(), cudnn=cudnn.module())
    try:
        importlib.import_module("lamina_cupy.backend")
        importlib.import_module("lamina_cudnn.kernels")
        return {name: module for name, module in sys.modules.items() if name.partition(".")[0] in REPLACED}
    finally:
        for name in [n for n in sys.modules if n.partition(".")[0] in REPLACED]:
            del sys.modules[name]
        sys.modules.update(before)


loaded = load()


class StandInBackend(loaded["lamina_cupy.backend"].CuPyBackend):
    """What CuPy would be given, computed by NumPy. Not a pass of CuPy."""

    name = "cupy_standin"
