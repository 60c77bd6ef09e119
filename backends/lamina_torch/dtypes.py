"""Names of dtypes to torch's objects."""

from __future__ import annotations

from typing import Final

import torch

TORCH_DTYPES: Final = {
    "bool": torch.bool, "uint8": torch.uint8, "int8": torch.int8, "int16": torch.int16, "int32": torch.int32,
    "int64": torch.int64, "float16": torch.float16, "bfloat16": torch.bfloat16, "float32": torch.float32,
    "float64": torch.float64, "complex64": torch.complex64, "complex128": torch.complex128,
}  # fmt: skip
"""Every dtype of lamina that torch has: all but strings."""
