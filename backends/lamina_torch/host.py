"""Where values may be read while a kernel runs."""

from __future__ import annotations

from typing import Any

import torch


def on_host(x: Any) -> bool:
    """Whether the values of a tensor are at hand: on a CPU, outside of torch's compiler.

    On any other device reading one would make the host wait for all work before it.
    """
    return bool(x.device.type == "cpu") and not torch.compiler.is_compiling()
