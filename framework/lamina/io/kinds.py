"""Files told by their first bytes."""

from __future__ import annotations

from typing import Final

from lamina.contract.io import Bytes

_MAGIC: Final = {
    b"\x89HDF\r\n\x1a\n": "an HDF5 file",
    b"PK\x03\x04": "a ZIP archive, as .keras and .pt files are",
    b"PK\x05\x06": "an empty ZIP archive",
    b"\x80\x02": "a pickle",
    b"\x80\x03": "a pickle",
    b"\x80\x04": "a pickle",
    b"\x80\x05": "a pickle",
    b"\x93NUMPY": "an array of NumPy",
}
_START_OF_JSON: Final = slice(8, 10)
SAFETENSORS: Final = "a file of safetensors"
UNKNOWN: Final = "a file of no known kind"


def kind_of(data: Bytes) -> str:
    """What a file is by its first bytes, in words.

    >>> kind_of(b"PK" + bytes([3, 4]))
    'a ZIP archive, as .keras and .pt files are'
    """
    start = bytes(memoryview(data)[:16])
    known = next((kind for magic, kind in _MAGIC.items() if start.startswith(magic)), None)
    if known is None and start[_START_OF_JSON] in (b'{"', b"{}"):
        return SAFETENSORS
    return known or (UNKNOWN if start else "an empty file")
