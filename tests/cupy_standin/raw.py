"""Kernels in CUDA's language, built by a C++ compiler for the host's processor and run thread by thread.

What a device would do silently is an error here: an array that does not lie in order, an argument of another type than
the kernel's parameter, a write outside an array or into one that is const. What is read outside of one is NaN or -1.
Blocks and threads run from the last to the first, so that none counts on the one before. Threads of a block that wait
for each other, and memory that they share, are beyond it.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import itertools
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from cupy_standin import ledger
from cupy_standin.array import ndarray

COMPILER = os.environ.get("CXX") or shutil.which("g++") or shutil.which("clang++")
GUARD = 256
HEADER = """
extern "C" {
@DECLARED@
}
@OVERLOADED@
static inline double fabs(double x) { return x < 0 ? -x : x == 0 ? 0 : x; }
static inline float fabs(float x) { return x < 0 ? -x : x == 0 ? 0 : x; }
#define __global__
#define __device__
#define __forceinline__ inline
struct Place { unsigned x, y, z; };
static thread_local Place blockIdx, threadIdx, blockDim, gridDim;
"""
FUNCTIONS = {"exp": 1, "expm1": 1, "log": 1, "log1p": 1, "log2": 1, "sqrt": 1, "sin": 1, "cos": 1, "tan": 1, "tanh": 1,
             "floor": 1, "ceil": 1, "erf": 1, "pow": 2}  # fmt: skip
"""What CUDA has without a header, by the number of arguments; <math.h> would take most of the time of a build."""


def header() -> str:
    declared, overloaded = [], []
    for name, count in FUNCTIONS.items():
        doubles, floats, given = (", ".join(["double", "double"][:count]), ["float x", "float y"][:count], "xy"[:count])
        declared += [f"double {name}({doubles});", f"float {name}f({doubles.replace('double', 'float')});"]
        overloaded.append(f"static inline float {name}({', '.join(floats)}) {{ return {name}f({', '.join(given)}); }}")
    return HEADER.replace("@DECLARED@", "\n".join(declared)).replace("@OVERLOADED@", "\n".join(overloaded))


RUNNER = """
extern "C" void run_{name}(unsigned blocks, unsigned threads, void** a) {{
    gridDim.x = blocks;
    blockDim.x = threads;
    for (unsigned block = blocks; block-- > 0;)
        for (unsigned thread = threads; thread-- > 0;) {{
            blockIdx.x = block;
            threadIdx.x = thread;
            {name}({arguments});
        }}
}}
"""
TYPES = {"unsigned char": "uint8", "bool": "bool", "short": "int16", "int": "int32", "unsigned int": "uint32",
         "long long": "int64", "unsigned long long": "uint64", "float": "float32", "double": "float64"}  # fmt: skip


class RawModule:
    """As CuPy's, for kernels declared ``extern "C"``."""

    def __init__(self, *, code: str, options: tuple[str, ...] = ()) -> None:
        self.code, self.options = code, options

    def get_function(self, name: str) -> RawKernel:
        return RawKernel(self, name)


class RawKernel:
    """One kernel: ``kernel((blocks,), (threads,), arguments)``."""

    def __init__(self, module: RawModule, name: str) -> None:
        self.name = name
        self.parameters = parameters(module.code)[name]
        self._function = getattr(built(module.code), f"run_{name}")

    def __call__(self, grid: tuple[int, ...], block: tuple[int, ...], args: tuple[Any, ...]) -> None:
        ledger.launch(self.name)
        assert len(grid) == len(block) == 1
        assert 0 < grid[0] < 2**31
        assert 0 < block[0] <= 1024
        assert len(args) == len(self.parameters), f"{self.name} takes {len(self.parameters)} arguments, not {len(args)}"

        _run(self, grid[0], block[0], args)


def parameters(code: str) -> dict[str, list[tuple[str, bool, bool]]]:
    """For each kernel its parameters as (NumPy's name of the type, is a pointer, is const)."""
    names = dict(TYPES)
    names.update({new: TYPES[old] for old, new in re.findall(r"typedef ([\w ]+?) (\w+);", code)})
    found = {}
    for name, listed in re.findall(r'extern "C" __global__ void (\w+)\(([^)]*)\)', code):
        found[name] = [_parameter(text, names) for text in listed.split(",")]
    return found


def _parameter(text: str, names: dict[str, str]) -> tuple[str, bool, bool]:
    kind, pointer = text.rpartition(" ")[0].replace("__restrict__", "").strip(), "*" in text
    is_const = kind.startswith("const ")
    return names[kind.removeprefix("const ").replace("*", "").strip()], pointer, is_const


@functools.cache
def built(code: str) -> ctypes.CDLL:
    """The code as a library of the host, kept in the folder of temporary files by what it says."""
    text = header() + code
    for name, listed in parameters(code).items():
        kinds = [part.rpartition(" ")[0] for part in re.search(rf"void {name}\(([^)]*)\)", code)[1].split(",")]
        arguments = ", ".join(f"*({kind.replace('__restrict__', '')}*) a[{i}]" for i, kind in enumerate(kinds))
        assert len(listed) == len(kinds)
        text += RUNNER.format(name=name, arguments=arguments)
    command = [
        COMPILER,
        "-x",
        "c++",
        "-std=c++17",
        "-O1",
        "-ffp-contract=off",
        "-Wall",
        "-Wno-unused-function",
        "-Wno-tautological-compare",
        "-Werror",
    ]
    command += ["-shared", "-fPIC", "-w" if "clang" in COMPILER else "-Wno-unknown-pragmas"]
    key = hashlib.sha256(" ".join(command).encode() + text.encode()).hexdigest()[:32]
    folder = Path(tempfile.gettempdir()) / f"lamina-cupy-standin-{os.getuid()}"
    library = folder / f"{key}.so"
    if not library.exists():
        folder.mkdir(mode=0o700, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as made:
            (source := Path(made) / "kernels.cpp").write_text(text, encoding="utf-8")
            run = subprocess.run([*command, "-o", f"{made}/kernels.so", source], capture_output=True, text=True)
            assert run.returncode == 0, f"{run.stderr}\n{text}"
            os.replace(f"{made}/kernels.so", library)
    return ctypes.CDLL(str(library))


def _run(kernel: RawKernel, blocks: int, threads: int, args: tuple[Any, ...]) -> None:
    guarded: dict[tuple[int, int], np.ndarray] = {}
    pointers, kept = [], []
    for value, (dtype, is_pointer, _) in zip(args, kernel.parameters, strict=True):
        where = f"an argument of {kernel.name}"
        if is_pointer:
            assert isinstance(value, ndarray), f"{where} is a {type(value).__name__}, not an array"
            host = value.host
            assert host.flags.c_contiguous, f"{where} does not lie in order"
            assert host.dtype == dtype, f"{where} is {host.dtype}, not {dtype}"
            copy = guarded.setdefault((host.ctypes.data, host.nbytes), _with_guards(host))
            kept.append(ctypes.c_void_p(copy.ctypes.data + GUARD))
            pointers.append(ctypes.addressof(kept[-1]))
        else:
            assert isinstance(value, np.generic), f"{where} is a {type(value).__name__}, whose size is not known"
            assert value.dtype == dtype, f"{where} is {value.dtype}, not {dtype}"
            kept.append(np.asarray(value))
            pointers.append(kept[-1].ctypes.data)
    _check_apart(kernel, guarded)
    kernel._function(blocks, threads, (ctypes.c_void_p * len(pointers))(*pointers))
    for value, (_, is_pointer, is_const) in zip(args, kernel.parameters, strict=True):
        if is_pointer:
            _take_back(kernel, value.host, guarded[value.host.ctypes.data, value.host.nbytes], is_const)


def _with_guards(host: np.ndarray) -> np.ndarray:
    copy = np.full(host.nbytes + 2 * GUARD, 0xFF, np.uint8)
    copy[GUARD : GUARD + host.nbytes] = host.reshape(-1).view(np.uint8)
    return copy


def _check_apart(kernel: RawKernel, guarded: dict[tuple[int, int], np.ndarray]) -> None:
    spans = sorted(span for span in guarded if span[1])
    for (start, size), (following, _) in itertools.pairwise(spans):
        assert start + size <= following, f"two arguments of {kernel.name} overlap"


def _take_back(kernel: RawKernel, host: np.ndarray, copy: np.ndarray, is_const: bool) -> None:
    inner = copy[GUARD : GUARD + host.nbytes]
    edges = (copy[:GUARD], copy[GUARD + host.nbytes :])
    assert all((edge == 0xFF).all() for edge in edges), f"{kernel.name} wrote outside an array"
    if not is_const:
        host.reshape(-1).view(np.uint8)[...] = inner
