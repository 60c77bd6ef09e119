"""NVIDIA's own compiler for kernels, which needs no device: the package nvidia-cuda-nvrtc-cu12, or where CUDA lies."""

from __future__ import annotations

import ctypes
import importlib.util
from pathlib import Path


def library() -> Path | None:
    """Where the compiler is, None if it is not installed."""
    try:
        spec = importlib.util.find_spec("nvidia.cuda_nvrtc")
    except ModuleNotFoundError:
        spec = None
    folders = [Path(place) / "lib" for place in spec.submodule_search_locations or ()] if spec else []
    folders += [Path("/usr/local/cuda/lib64")]
    found = [file for folder in folders for file in sorted(folder.glob("libnvrtc.so.*")) if ".alt" not in file.name]
    return found[0] if found else None


def compiled(code: str, options: tuple[str, ...]) -> bytes:
    """The code as PTX. Raises AssertionError with the compiler's words."""
    place = library()
    assert place is not None
    nvrtc = ctypes.CDLL(str(place))
    program, size = ctypes.c_void_p(), ctypes.c_size_t()
    assert nvrtc.nvrtcCreateProgram(ctypes.byref(program), code.encode(), b"kernels.cu", 0, None, None) == 0
    given = (ctypes.c_char_p * len(options))(*(o.encode() for o in options))
    status = nvrtc.nvrtcCompileProgram(program, len(options), given)
    nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    nvrtc.nvrtcGetProgramLog(program, log)
    assert status == 0, log.value.decode()
    nvrtc.nvrtcGetPTXSize(program, ctypes.byref(size))
    text = ctypes.create_string_buffer(size.value)
    nvrtc.nvrtcGetPTX(program, text)
    nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    return text.value
