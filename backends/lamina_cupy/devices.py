"""Which CUDA devices there are, asked of a runtime that is handed in. Imports no cupy."""

from __future__ import annotations

from typing import Any

from lamina.errors import BackendNotAvailableError


def count_devices(runtime: Any) -> int:
    """How many devices ``cupy.cuda.runtime`` finds.

    Raises BackendNotAvailableError if the driver is missing, too old, or has none.
    """
    reason = ""
    try:
        count = int(runtime.getDeviceCount())
    except RuntimeError as error:  # CuPy's own errors of the runtime are RuntimeErrors
        count, reason = 0, f" ({error})"
    if not count:
        raise BackendNotAvailableError(
            f"the backend 'cupy' is not available: no CUDA device{reason}.",
            expected="an NVIDIA GPU and its driver.",
            fix="check nvidia-smi, or use the backend numpy or torch.",
        )
    return count


def find_device(runtime: Any, name: str | None, backend: str = "cupy") -> tuple[int, int]:
    """The number of the device of a name such as ``cuda:0``, and how many there are; None takes the first.

    Raises BackendNotAvailableError, which lists the devices that are there.
    """
    count = count_devices(runtime)
    names = [f"cuda:{i}" for i in range(count)]
    wanted = names[0] if name in (None, "cuda") else name
    if wanted not in names:
        raise BackendNotAvailableError(
            f"the backend {backend!r} has no device {name!r}.",
            expected=f"one of {', '.join(names)}.",
            fix="check LAMINA_DEVICE or the argument.",
        )
    return names.index(wanted), count
