"""The compiled step: build, record, record again and compare, load, replay."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Final

from lamina import structures
from lamina.contract import Backend, Executable
from lamina.errors import ArgumentError, ReplayError
from lamina.logs import tell
from lamina.markup import titled
from lamina.notices import warn
from lamina.ops.random import default_generator
from lamina.program import Interpreter, Program, optimize
from lamina.program.source import line_that_raised
from lamina.replay.recorder import Recorder
from lamina.replay.signature import signature, with_tensors, without_sizes
from lamina.runtime.backends import get_backend, on_backend
from lamina.runtime.convert import move
from lamina.runtime.exhaustion import check_memory
from lamina.runtime.listeners import Replay, listeners, listening, must_run_eagerly
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable

CACHE_SIZE: Final = 64
"""Signatures a step keeps; further ones run eagerly, with one warning."""

LEVELS: Final = ("off", "interpret", "nopasses", "on")


def replay_level() -> str:
    """What ``LAMINA_REPLAY`` asks for: 'off' (always eager), 'interpret', 'nopasses' or 'on'."""
    level = os.environ.get("LAMINA_REPLAY") or "on"
    if level not in LEVELS:
        raise ArgumentError(f"LAMINA_REPLAY is {level!r}.", expected=f"one of {', '.join(LEVELS)}.")
    return level


class _Entry:
    """What is known of one signature. ``pattern`` is the signature without the sizes of axes."""

    def __init__(self, pattern: Hashable) -> None:
        self.pattern = pattern
        self.recorded: Program | None = None
        self.recorded_count = 0
        self.program: Program | None = None
        self.executable: Executable | None = None
        self.confirmed = False
        self.variables: list[Variable] = []
        self.structure: Any = None
        self.state: list[Any] | None = None
        self.change: int | None = None
        self.eager_because: str | None = None


class CompiledStep:
    """A function of tensors whose kernel calls are recorded twice and then replayed.

    The first two calls of a signature run eagerly to be recorded, and must give the same program. One that differs from
    such a signature by sizes only, and calls the same kernels on the same Variables, is recorded once. The results of
    recorded calls still come from the loaded program, so that every step of a run is computed alike, to the last bit.
    ``strict`` raises what keeps a step from being replayed; otherwise it warns once, says why, and stays eager.
    ``jit_compile`` hands the program to the compiler of the backend's library, where it has one.
    """

    def __init__(self, f: Callable[..., Any], *, strict: bool = True, jit_compile: bool = False) -> None:
        functools.update_wrapper(self, f)
        self._function = f
        self._strict = strict
        self._jit_compile = jit_compile
        self._entries: dict[Hashable, _Entry] = {}
        self._confirmed: dict[Hashable, tuple[_Form, list[Variable]]] = {}
        self._warned: set[str] = set()
        self._lock = threading.RLock()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        level = replay_level()
        if level == "off" or any(isinstance(listener, Recorder) for listener in listeners()):
            return self._function(*args, **kwargs)
        backend = get_backend()
        tensors: list[Tensor] = []
        key = (level, id(backend), signature(args, tensors, backend), signature(kwargs, tensors, backend))
        if any(t._backend is not backend for t in tensors):
            return self._call_elsewhere(tensors, args, kwargs)
        entry = self._entries.get(key)
        if entry is None:
            if len(self._entries) >= CACHE_SIZE:
                self._warn(
                    f"the cache of recorded steps is full ({CACHE_SIZE} signatures); further ones run eagerly; "
                    "give inputs of fewer shapes"
                )
                return self._function(*args, **kwargs)
            entry = self._entries[key] = _Entry((*key[:2], *map(without_sizes, key[2:])))
        if entry.eager_because is not None or must_run_eagerly():
            return self._function(*args, **kwargs)
        if entry.confirmed:
            return self._replay(entry, (args, kwargs), tensors)
        with self._lock:  # another thread may have recorded it in the meantime
            if not entry.confirmed and entry.eager_because is None:
                return self._record(entry, level, (args, kwargs), tensors)
        return self(*args, **kwargs)

    def _call_elsewhere(self, tensors: Sequence[Tensor], args: Any, kwargs: Any) -> Any:
        """Tensors that are all on one backend are worked on there, as by an op; otherwise all go to the active one."""
        homes = {id(t._backend): t._backend for t in tensors}
        home = next(iter(homes.values()))
        if None in homes.values():  # only shapes are being worked out
            return self._function(*args, **kwargs)
        if len(homes) == 1 and home is not None:
            with on_backend(home):
                return self(*args, **kwargs)
        args, kwargs = structures.map_structure(
            lambda x: move(x, get_backend()) if type(x) is Tensor else x, (args, kwargs)
        )
        return self(*args, **kwargs)

    def _record(self, entry: _Entry, level: str, arguments: Any, tensors: Sequence[Tensor]) -> Any:
        default_generator()  # it makes a Variable, which must not happen while recording
        tensors = [Tensor(t._array, t.spec, t._backend) for t in tensors]  # one given twice must count as two
        args, kwargs = with_tensors(arguments, iter(tensors))
        recorder = Recorder(tensors)
        try:
            with listening(recorder):
                result = self._function(*args, **kwargs)
            outputs = structures.flatten(result)
            program = recorder.program([t for t in outputs if isinstance(t, Tensor)])
        except ReplayError as error:
            recorder.undo()
            if self._strict:
                raise
            self._stay_eager(entry, str(error))
            return self._function(*args, **kwargs)
        except BaseException:
            recorder.undo()
            raise
        if recorder.not_replayable is not None:
            self._stay_eager(entry, recorder.not_replayable, quietly=self._strict)
            return result
        if entry.recorded is None:
            self._load(entry, level, program, recorder, result)
            self._trust(entry, program, recorder.variables)
        elif not self._agrees(entry, program, recorder.variables):
            return result
        recorder.undo()
        return self._replay(entry, arguments, tensors)

    def _load(self, entry: _Entry, level: str, program: Program, recorder: Recorder, result: Any) -> None:
        outputs = structures.flatten(result)
        entry.structure = structures.unflatten(result, (None if isinstance(x, Tensor) else _Static(x) for x in outputs))
        entry.recorded, entry.variables = program, recorder.variables
        entry.recorded_count = len(program.instructions)
        entry.program = program if level in ("nopasses", "interpret") else optimize(program)
        backend = get_backend()
        if level == "interpret":
            entry.executable = Interpreter(entry.program, backend.kernels, backend.from_host)
        else:
            load = backend.load_compiled if self._jit_compile else backend.load
            entry.executable = load(entry.program)
        count, left = len(program.instructions), len(entry.program.instructions)
        tell("the step %s is recorded: %s kernel calls, %s as it is replayed", self._name, count, left)

    def _trust(self, entry: _Entry, program: Program, variables: Sequence[Variable]) -> None:
        """Takes one recording for enough if it is that of another signature, in other sizes.

        What was confirmed there, that no number or branch changes from call to call, was confirmed of the same code.
        """
        form, known = self._confirmed.get(entry.pattern, (None, []))
        if form == _form(program) and len(known) == len(variables):
            entry.confirmed = all(a is b for a, b in zip(known, variables, strict=True))
            entry.recorded = None if entry.confirmed else entry.recorded

    def _agrees(self, entry: _Entry, program: Program, variables: Sequence[Variable]) -> bool:
        """Whether the second recording confirms the first."""
        assert entry.recorded is not None
        difference = entry.recorded.first_difference(program)
        if difference is None and any(a is not b for a, b in zip(entry.variables, variables, strict=True)):
            difference = "it uses other Variables"
        if difference is None:
            self._confirmed.setdefault(entry.pattern, (_form(program), list(variables)))
            entry.confirmed, entry.recorded = True, None
            return True
        self._stay_eager(entry, f"two recordings of it differ: {difference}")
        if self._strict:
            raise ReplayError(
                f"two recordings of the step {self._name!r} differ: {difference}.",
                expected="the same kernel calls with the same Python numbers at every call.",
                fix="keep what changes in a Variable or pass it as a tensor.",
            )
        return False

    def replayer(self, *args: Any) -> Callable[[Sequence[Any]], Any] | None:
        """For a caller that goes on with arguments like these: what replays the step on their native arrays.

        It saves working out the signature. None as long as such a step is not replayed. The caller stays on the same
        backend, outside of tapes.
        """
        backend, tensors = get_backend(), list[Tensor]()
        key = (replay_level(), id(backend), signature(args, tensors, backend), signature({}, tensors, backend))
        entry = self._entries.get(key)
        if entry is None or not entry.confirmed or must_run_eagerly():
            return None
        specs = [t.spec for t in tensors]

        def replay(arrays: Sequence[Any]) -> Any:
            outputs = self._run(entry, backend, arrays)
            if outputs is not None:
                return self._result(entry, outputs, backend)
            moved = iter([Tensor(a, spec, backend) for a, spec in zip(arrays, specs, strict=True)])
            return self._function(*structures.map_structure(lambda x: next(moved) if type(x) is Tensor else x, args))

        return replay

    def _replay(self, entry: _Entry, arguments: Any, tensors: Sequence[Tensor]) -> Any:
        backend = get_backend()
        outputs = self._run(entry, backend, [t._array for t in tensors])
        if outputs is None:  # a Variable has moved to another backend since
            return self._function(*arguments[0], **arguments[1])
        return self._result(entry, outputs, backend)

    @staticmethod
    def _result(entry: _Entry, outputs: Sequence[Any], backend: Backend) -> Any:
        if not outputs and type(entry.structure) is _Static:
            return entry.structure.value
        assert entry.program is not None
        slots = entry.program.slots
        found = (Tensor(a, slots[s], backend) for a, s in zip(outputs, entry.program.outputs, strict=True))
        return structures.map_structure(lambda x: x.value if isinstance(x, _Static) else next(found), entry.structure)

    def _run(self, entry: _Entry, backend: Backend, arrays: Sequence[Any]) -> Sequence[Any] | None:
        """Replays on native arrays; None, and nothing done, if a Variable is on another backend."""
        heard = listeners()
        if not heard:
            return self._run_unheard(entry, backend, arrays)
        for listener in heard:
            listener.before_call(backend, None)
        outputs = self._run_unheard(entry, backend, arrays)
        if outputs is not None:
            assert entry.program is not None
            replay = Replay(self._name, entry.program, backend)
            for listener in heard:
                listener.on_replay(replay)
        return outputs

    def _run_unheard(self, entry: _Entry, backend: Backend, arrays: Sequence[Any]) -> Sequence[Any] | None:
        executable, program, variables = entry.executable, entry.program, entry.variables
        assert executable is not None
        assert program is not None
        change = Variable.last_change
        if entry.change == change and entry.state is not None:  # no Variable was touched but by replayed steps
            return self._execute(executable, arrays, entry.state, backend)[0]
        state = self._storage(entry, backend)
        if state is None:
            return None
        outputs, written = self._execute(executable, arrays, state, backend)
        if executable.updates_in_place:
            for index, _ in program.writes:
                variables[index].was_overwritten()
            entry.change = change
            return outputs
        for (index, slot), array in zip(program.writes, written, strict=True):
            variables[index].assign(Tensor(array, program.slots[slot], backend))
        return outputs

    def _execute(
        self, executable: Executable, arrays: Sequence[Any], state: Sequence[Any], backend: Backend
    ) -> tuple[list[Any], list[Any]]:
        try:
            return executable(arrays, state)
        except Exception as error:
            line = line_that_raised(error)
            what = f"the recorded step {self._name!r}" + ("" if line is None else f", in the line {line!r}")
            check_memory(error, backend, what)
            error.add_note(f"In {what}.")
            raise

    @staticmethod
    def _storage(entry: _Entry, backend: Backend) -> list[Any] | None:
        """The Variables' arrays, as the same list object as long as they are the same arrays.

        None if a Variable is on another backend.
        """
        assert entry.executable is not None
        state = entry.state
        if state is None or not all(map(Variable.holds, entry.variables, state)):
            if any(v.backend is not backend for v in entry.variables):
                return None
            if not entry.executable.updates_in_place:
                return [v.value._array for v in entry.variables]
            fresh = [v.storage() for v in entry.variables]
            if state is None or any(a is not b for a, b in zip(state, fresh, strict=True)):
                state = entry.state = fresh
        return state

    def _stay_eager(self, entry: _Entry, reason: str, quietly: bool = False) -> None:
        entry.eager_because = reason
        tell("the step %s runs eagerly: %s", self._name, reason)
        entry.recorded = entry.program = entry.executable = None
        if not self._strict and not quietly:
            self._warn(f"the step {self._name!r} runs eagerly: {reason}")

    def _warn(self, message: str) -> None:
        if message not in self._warned:
            self._warned.add(message)
            warn(message)

    @property
    def _name(self) -> str:
        return getattr(self._function, "__name__", type(self._function).__name__)

    @property
    def programs(self) -> list[Program]:
        """The programs that are replayed, one per signature."""
        return [e.program for e in self._entries.values() if e.program is not None and e.confirmed]

    def explain(self) -> str:
        """What became of each signature: its program and what the backend made of it, or why it runs eagerly.

        First how many instructions the passes left, then what the backend's executable says of its rewrites, its
        lanes, its memory and its source, then the program. ``lamina.profile`` tells how long each line takes.
        """
        parts = []
        for entry in self._entries.values():
            if entry.eager_because is not None:
                parts.append(f"runs eagerly: {entry.eager_because}")
            elif entry.program is None or not entry.confirmed:
                parts.append("recorded once; the next call records again and compares")
            else:
                parts.append(_explained(entry, entry.program))
        return f"{self._name}: {len(parts)} signature(s)\n" + "\n\n".join(parts)

    def _repr_html_(self) -> str:
        shown = "".join(program._repr_html_() for program in self.programs)
        return titled(f"Recorded step {self._name!r}", shown or "<p>Nothing is replayed yet.</p>")


_Form = tuple[tuple[str, int, tuple[int, ...]], ...]


def _form(program: Program) -> _Form:
    """Which kernels are called on which inputs, state and results (counted; constants are -1), whatever the sizes."""
    found: list[tuple[str, int, tuple[int, ...]]] = []
    numbers = {slot: number for number, slot in enumerate((*program.inputs, *program.state))}
    for i in program.instructions:
        found.append((i.op, len(i.outputs), tuple(numbers.get(slot, -1) for slot in i.inputs)))
        numbers.update((slot, len(numbers)) for slot in i.outputs)
    return tuple(found)


def _explained(entry: _Entry, program: Program) -> str:
    """What is known of a signature that is replayed."""
    count, recorded = len(program.instructions), entry.recorded_count
    lines = [f"replays {count} instructions: {program.ops()}"]
    lines.append(f"passes: {recorded} instructions were recorded, {recorded - count} of them repeated or dead")
    explain: Callable[[], str] | None = getattr(entry.executable, "explain", None)
    if explain is not None:
        lines += [f"{type(entry.executable).__name__}: {explain()}"]
    return "\n".join([*lines, "program:", str(program)])


class _Static:
    """A result that is no tensor: it is returned as it was when the step was recorded."""

    def __init__(self, value: Any) -> None:
        self.value = value


def function(f: Callable[..., Any]) -> CompiledStep:
    """Makes a function of tensors run as a recorded step: the first two calls eagerly, then replayed.

    State belongs in Variables; Python numbers are part of the signature. Raises HostReadError where a value is read
    inside, ReplayError where two recordings differ. ``.explain()`` shows the program.

    >>> import lamina
    >>> @lamina.function
    ... def double(x):
    ...     return x * 2.0
    >>> [double(lamina.tensor([float(i)])).tolist() for i in range(4)]
    [[0.0], [2.0], [4.0], [6.0]]
    """
    return CompiledStep(f)
