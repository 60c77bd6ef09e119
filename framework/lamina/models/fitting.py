"""The loop of training: ``fit``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lamina.data.adapters import ArrayFeed, Feed, Rounds, is_in_memory
from lamina.errors import ArgumentError, ArgumentTypeError
from lamina.models.callbacks import (
    BackupAndRestore,
    Callback,
    CallbackList,
    History,
    Logs,
    ProgbarLogger,
    SwapEMAWeights,
    check_callbacks,
)
from lamina.models.callbacks.registered import registered_callbacks
from lamina.models.evaluating import Evaluating, batch_size_of, steps_of
from lamina.models.guarding import Guard
from lamina.models.interrupts import interrupts_asking
from lamina.notices import noted, warn
from lamina.ops import random
from lamina.replay import CompiledStep
from lamina.runtime.backends import get_backend, on_backend
from lamina.runtime.exhaustion import adopted
from lamina.shapes import as_int


@dataclass
class Run:
    """A ``fit`` that is under way: where it is, and what it needs to go on."""

    rounds: Rounds
    told: CallbackList
    epochs: range
    held_out: Rounds | None = None
    validation_epochs: frozenset[int] = frozenset()
    guard: Guard | None = None
    epoch: int = 0
    batch: int = 0
    logs: dict[str, Any] = field(default_factory=dict)
    resumed: bool = False
    interrupted: bool = False

    @property
    def history(self) -> History:
        """The history that ``fit`` returns."""
        return next(callback for callback in self.told if isinstance(callback, History))

    @property
    def begun(self) -> bool:
        """Whether it goes on in the middle of an epoch."""
        return self.resumed and self.batch > 0

    def hold_out(self, feed: Feed, steps: int | None, epochs: frozenset[int]) -> None:
        """Adds validation after some epochs."""
        self.held_out, self.validation_epochs = Rounds(feed, steps), epochs

    def skip_to(self, epoch: int, batch: int, logs: dict[str, Any]) -> None:
        """Makes the run go on at a batch of an epoch, as one that came there."""
        self.epoch, self.batch, self.logs, self.resumed = epoch, batch, logs, True
        self.rounds.skip_to(epoch, batch)


class Fitting(Evaluating):
    """The part of a model that trains on data; ``Trainer`` inherits it."""

    stop_training: bool = False
    history: History | None = None

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: str | int = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool | str = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Sequence[int] = 1,
        seed: int | None = None,
    ) -> History:
        """Trains for ``epochs`` passes over the data (counted from ``initial_epoch``), in batches (32 by default).

        ``x`` and ``y`` are arrays (of any library, frames and columns too), or lists or dicts of them; or ``x`` gives
        batches (x, y) or (x, y, sample_weight): a list of such tuples, a generator, an iterable such as a
        ``DataLoader`` or a ``lamina.data.Dataset``, or an object with ``__len__`` and ``__getitem__``.

        With ``shuffle`` the examples come in a new order each epoch ("batch": whole batches do); ``seed`` makes the
        orders reproducible: they depend on it and the number of the epoch only. An epoch is one pass over the data, or
        ``steps_per_epoch`` batches: then the next epoch goes on where this one ended, round and round; a generator that
        ends before ends the training, with a warning.

        ``class_weight`` is a dict from class number to weight, or a list or dict of such for several outputs.
        ``sample_weight`` is one array, or a list or dict by outputs. ``validation_split`` takes the last part of the
        arrays, ``validation_data`` is (x, y), (x, y, sample_weight), or gives batches; it is gone through after each
        ``validation_freq``-th epoch, or after those listed (counted from 1), up to ``validation_steps`` batches.
        ``verbose`` 0 is silent, 1 shows a progress bar, 2 a line per epoch. Returns the history, also after Ctrl-C,
        which ends training at the next step; a second one raises KeyboardInterrupt. Raises DataError or ShapeError
        before the first step if the data do not fit.
        """
        size = batch_size_of(batch_size)
        held_size = batch_size_of(validation_batch_size, "validation_batch_size", size)
        seed = None if seed is None else as_int(seed, "seed")
        last = as_int(epochs, "epochs", minimum=0)
        planned = range(as_int(initial_epoch, "initial_epoch", minimum=0), last)
        told = _told(verbose, check_callbacks(callbacks))
        if self.is_training:
            raise ArgumentError("fit was called while fit is running on the same model.")
        feed = self._feed(x, y, sample_weight, size, _checked_shuffle(shuffle))
        held_out = self._validation(validation_data, held_size)
        if held_out is None and validation_split:
            feed, held_out = _split(feed, validation_split, size, held_size, shuffle)
        run = Run(Rounds(feed, steps_of(steps_per_epoch, "steps_per_epoch"), planned.start), told, planned)
        if held_out is not None:
            run.hold_out(held_out, steps_of(validation_steps, "validation_steps"), _validated(validation_freq, last))
        with on_backend(self._home()):
            feeds = [feed] if held_out is None else [feed, held_out]
            self._prepare_training(*feeds, optimizing=True, class_weight=class_weight)
            feed.key = _shuffle_key(seed) if shuffle else None
            self._train(run, verbose)
        return run.history

    @property
    def first_not_finite(self) -> str | None:
        """While ``TerminateOnNaN`` listens: where the first number came from that is not finite; None so far."""
        guard = None if self._run_of_fit is None else self._run_of_fit.guard
        return None if guard is None else guard.culprit

    @property
    def is_training(self) -> bool:
        """Whether ``fit`` is running."""
        return self._run_of_fit is not None

    def _train(self, run: Run, verbose: Any) -> None:
        """Goes through the epochs, and leaves the model ready for the next ``fit``, whatever happens."""
        run.told.set_model(self)
        steps, names = run.rounds.steps, [name for name, _ in self._found_metrics]
        run.told.set_params({"epochs": run.epochs.stop, "steps": steps, "verbose": verbose, "metrics": names})
        self.history, self.stop_training = run.history, False
        run.epoch = run.epochs.start
        if any(callback.watches_values for callback in run.told):
            self._guard = run.guard = (self._guard or Guard(self)).begin()
        self._run_of_fit, self._guarded = run, None if run.guard is None else run.guard.guarded

        def stop() -> None:
            run.interrupted = self.stop_training = True

        try:
            with interrupts_asking(stop):
                run.told.on_train_begin({})
                while run.epoch < run.epochs.stop and (run.begun or not self.stop_training):
                    self._epoch(run)
                self._end(run)
        finally:
            self._run_of_fit = self._guarded = None

    def _end(self, run: Run) -> None:
        """The end of training; what was interrupted is kept as it is before anybody changes it."""
        if run.interrupted:
            for callback in run.told:
                if isinstance(callback, BackupAndRestore):
                    callback.keep_interrupted()
        else:
            self._put_averages(run)
        run.told.on_train_end(dict(run.logs))
        if run.interrupted:
            self._put_averages(run)
            if run.batch:
                run.history.on_epoch_end(run.epoch, run.logs)

    def _put_averages(self, run: Run) -> None:
        """Gives the weights the values of their moving averages, if the optimizer keeps them."""
        for callback in run.told:
            if isinstance(callback, SwapEMAWeights):
                callback.put_back()
        if run.epochs and getattr(self.optimizer, "use_ema", False):
            assert self.optimizer is not None
            self.optimizer.finalize_variable_values(self.trainable_weights)

    def _epoch(self, run: Run) -> None:
        epoch, begun = run.epoch, run.begun
        if not begun:
            run.told.on_epoch_begin(epoch, {})
            self._reset_found_metrics()
            run.batch = 0
        came, run.resumed = run.batch, False
        with noted(lambda: f"In fit: epoch {epoch}, batch {run.rounds.at} (counted from 0)."):
            returned = self._batches(run)
        if run.batch > came or not begun:
            if run.rounds.ran_out and run.batch == 0:
                self._warn_of_the_end(run)
                return
            run.logs = self._results(returned)
        if run.rounds.ran_out:
            self._warn_of_the_end(run)
        logs = dict(run.logs)
        if run.held_out is not None and epoch + 1 in run.validation_epochs and not run.interrupted:
            with noted(lambda: f"In fit: validation after epoch {epoch} (counted from 0)."):
                found = self._evaluate(run.held_out, run.told)
            logs.update({f"val_{name}": value for name, value in found.items()})
        if run.interrupted:
            return
        run.logs, run.epoch, run.batch = logs, epoch + 1, 0
        run.told.on_epoch_end(epoch, logs)

    def _warn_of_the_end(self, run: Run) -> None:
        self.stop_training = True
        warn(
            f"the data ended in epoch {run.epoch + 1}, after {run.batch} batches; training stops there. A generator "
            "must give steps_per_epoch * epochs batches, or be something that can be gone through again, such as "
            "lamina.data.from_generator(function)."
        )

    def _batches(self, run: Run) -> Any:
        """Trains on the rest of the epoch's batches; what the last step returned."""
        told, group = run.told, self.steps_per_execution
        begins, ends = told.hears("on_train_batch_begin"), told.hears("on_train_batch_end")
        size, guard = run.rounds.feed.batch_size, run.guard
        step, backend = self._step("train"), get_backend()
        replay: Any = None
        returned: Any = None
        number = told_of = run.batch
        if self.stop_training:
            return None
        for arrays, data in run.rounds.epoch(run.epoch, run.batch):
            if begins and number == told_of:
                told.on_train_batch_begin(number, {})
            if replay is not None and len(arrays[0]) == size:
                returned = replay([adopted(array, backend) for array in arrays])
            else:
                batch = data.batch(arrays, backend)
                returned = step(*batch)
                if size is not None and isinstance(step, CompiledStep) and len(arrays[0]) == size:
                    replay = step.replayer(*batch)
            number += 1
            if guard is not None:
                guard.look(data, arrays)
            if number - told_of == group or self.stop_training:
                run.batch = number
                if ends:
                    told.on_train_batch_end(number - 1, self._logs(returned))
                told_of = number
                if self.stop_training:
                    break
        run.batch = number
        if ends and number > told_of:
            told.on_train_batch_end(number - 1, self._logs(returned))
        return returned

    def _logs(self, returned: Any) -> Logs:
        return Logs(lambda: self._results(returned))

    def _validation(self, given: Any, size: int) -> Feed | None:
        if given is None:
            return None
        pair = isinstance(given, (list, tuple))
        if len(given) not in (2, 3) if pair else is_in_memory(given):
            raise ArgumentTypeError("validation_data is not a pair.", expected="(x, y) or (x, y, sample_weight).")
        x, y, sample_weight = (*given, None)[:3] if pair else (given, None, None)
        return self._feed(x, y, sample_weight, size)


def _split(feed: Feed, fraction: float, size: int, held_size: int, shuffle: Any) -> tuple[Feed, Feed]:
    if not isinstance(feed, ArrayFeed):
        raise ArgumentError(
            "validation_split was given, and x gives batches.",
            expected="arrays.",
            fix="pass validation_data, such as dataset.take(n), and train on dataset.skip(n).",
        )
    data, held_out = feed.data.split(fraction)
    return ArrayFeed(data, size, shuffle), ArrayFeed(held_out, held_size)


def _validated(frequency: Any, epochs: int) -> frozenset[int]:
    """The epochs after which there is validation, counted from 1."""
    if isinstance(frequency, (list, tuple, set, frozenset, range)):
        return frozenset(as_int(epoch, "validation_freq", minimum=1) for epoch in frequency)
    every = as_int(frequency, "validation_freq", minimum=1)
    return frozenset(range(every, epochs + 1, every))


def _told(verbose: Any, listed: list[Callback]) -> CallbackList:
    """Who is told about the training: the callbacks given, and those that ``fit`` adds."""
    if isinstance(verbose, bool) or verbose not in (0, 1, 2, "auto"):
        raise ArgumentError(f"verbose is {verbose!r}.", expected="0, 1, 2 or 'auto'.")
    shown = verbose == 0 or any(isinstance(callback, ProgbarLogger) for callback in listed)
    added = [*([] if shown else [ProgbarLogger(verbose)]), *registered_callbacks(verbose)]
    return CallbackList([*added, *listed], add_history=True)


def _checked_shuffle(shuffle: Any) -> Any:
    if not isinstance(shuffle, bool) and shuffle != "batch":
        raise ArgumentTypeError(f"shuffle is {shuffle!r}.", expected="True, False or 'batch'.")
    return shuffle


def _shuffle_key(seed: int | None) -> int:
    if seed is not None:
        return seed
    return int(random.default_generator().next().numpy()[1]) ^ random.default_generator().seed
