"""A program as straight-line Python: what the fast executables run, and what a user can read.

Kernels, attributes and constants are bound by name in a namespace, never written into the text, so nothing of a
user's or a file's ever becomes source.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from types import CodeType
from typing import Any, Final

from lamina.program.program import Instruction, Program

_SOURCES: Final = "__sources__"
"""The name under which a step's namespace keeps the texts that were compiled in it, by the functions' names."""


def to_source(program: Program, name: str = "step") -> str:
    """The program as readable Python source, for people; attributes are shown as comments would be.

    >>> from lamina.shapes import Spec
    >>> s = Spec((2,), "float32")
    >>> exp = Instruction("exp", (0,), (1,))
    >>> print(to_source(Program(slots=(s, s), inputs=(0,), instructions=(exp,), outputs=(1,))))
    def step(inputs, state):
        s0, = inputs
        s1 = exp(s0)
        return [s1], []
    """
    return _assemble(name, _head(program) + [_readable(i) for i in program.instructions] + [_tail(program)])


def compile_source(
    program: Program, kernels: Mapping[str, Callable[..., Any]], constants: Mapping[int, Any], name: str = "step"
) -> Callable[[Sequence[Any], Sequence[Any]], tuple[list[Any], list[Any]]]:
    """A Python function of ``(inputs, state)`` that calls the kernels one after the other and frees what is done."""
    namespace: dict[str, Any] = {f"s{slot}": array for slot, array in constants.items()}
    lines = _head(program)
    last = program.last_uses()
    for index, instruction in enumerate(program.instructions):
        namespace[f"k{index}"] = kernels[instruction.op]
        lines.append(call_line(index, instruction, namespace))
        say_op(lines, len(lines) - 1, instruction)
        gone = {s for s in (*instruction.inputs, *instruction.outputs) if last.get(s, index) == index}
        gone -= constants.keys()
        if gone:
            lines.append("del " + ", ".join(f"s{slot}" for slot in sorted(gone)))
    lines.append(_tail(program))
    return bind(name, lines, namespace)


def call_line(index: int, instruction: Instruction, namespace: dict[str, Any]) -> str:
    """``s3 = k1(s0, s2, axis=k1_axis)``; the attributes' values go into the namespace."""
    arguments = [f"s{slot}" for slot in instruction.inputs]
    for key, value in instruction.attrs.items():
        namespace[f"k{index}_{key}"] = value
        arguments.append(f"{key}=k{index}_{key}")
    return f"{_targets(instruction)} = k{index}({', '.join(arguments)})"


def bind(name: str, lines: list[str], namespace: dict[str, Any]) -> Callable[..., Any]:
    """Compiles the lines into a function of (inputs, state) whose globals are ``namespace``."""
    return define(name, ["inputs", "state"], lines, namespace)


def define(name: str, parameters: Sequence[str], lines: list[str], namespace: dict[str, Any]) -> Callable[..., Any]:
    """Compiles the lines into a function whose globals are ``namespace``, in which it is put."""
    text = _assemble(name, lines, ", ".join(parameters))
    namespace.setdefault(_SOURCES, {})[name] = text
    exec(_code(text, name), namespace)  # noqa: S102 - text made above from slot numbers only
    function: Callable[..., Any] = namespace[name]
    return function


@functools.lru_cache(maxsize=256)
def _code(text: str, name: str) -> CodeType:
    """The compiled text: a step for another batch size is mostly the same text with other arrays."""
    return compile(text, f"<lamina {name}>", "exec")


def say_op(lines: list[str], start: int, instruction: Instruction) -> None:
    """Writes behind the lines from ``start`` on which op they are of, for people who look at them."""
    known = instruction.op.replace(".", "_").isidentifier()  # nothing of a plugin's becomes source either
    name = instruction.op if known else "an op"
    lines[start:] = [f"{line}  # {name}" for line in lines[start:]]


def source_of(function: Callable[..., Any]) -> str:
    """The text that ``bind`` compiled to a function, after that of the functions it calls.

    >>> print(source_of(bind("step", ["return [], []"], {})))
    def step(inputs, state):
        return [], []
    """
    return "\n\n".join(function.__globals__[_SOURCES].values())


def line_of(code: CodeType, namespace: Mapping[str, Any], number: int) -> str | None:
    """A line of a function that ``bind`` or ``define`` made; None if another made it."""
    if not code.co_filename.startswith("<lamina "):
        return None
    text: str | None = namespace.get(_SOURCES, {}).get(code.co_name)
    return None if text is None else text.splitlines()[number - 1].strip()


def line_that_raised(error: BaseException) -> str | None:
    """The line of a function that ``bind`` or ``define`` made in which an error was raised; None if in none."""
    found = None
    trace = error.__traceback__
    while trace is not None:
        frame = trace.tb_frame
        found = line_of(frame.f_code, frame.f_globals, trace.tb_lineno) or found
        trace = trace.tb_next
    return found


def _assemble(name: str, lines: list[str], parameters: str = "inputs, state") -> str:
    return "\n".join([f"def {name}({parameters}):", *(f"    {line}" for line in lines)])


def _head(program: Program) -> list[str]:
    lines = []
    if program.inputs:
        lines.append("".join(f"s{slot}, " for slot in program.inputs).rstrip() + " = inputs")
    if program.state:
        lines.append("".join(f"s{slot}, " for slot in program.state).rstrip() + " = state")
    return lines


def _tail(program: Program) -> str:
    outputs = ", ".join(f"s{slot}" for slot in program.outputs)
    writes = ", ".join(f"s{slot}" for _, slot in program.writes)
    return f"return [{outputs}], [{writes}]"


def _targets(instruction: Instruction) -> str:
    names = ", ".join(f"s{slot}" for slot in instruction.outputs)
    return f"{names}," if instruction.in_tuple and len(instruction.outputs) == 1 else names


def _readable(instruction: Instruction) -> str:
    arguments = [f"s{slot}" for slot in instruction.inputs]
    arguments += [f"{key}={value!r}" for key, value in instruction.attrs.items()]
    return f"{_targets(instruction)} = {instruction.op}({', '.join(arguments)})"
