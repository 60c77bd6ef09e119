"""``compile``, and what is made and checked before the first step: errors come before anything has changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lamina import losses, optimizers
from lamina import metrics as metric_room
from lamina.data import ArrayData, as_columns, class_weights, is_frame
from lamina.data.adapters import ArrayFeed, Feed, make_feed
from lamina.data.arrays import StepData
from lamina.errors import ArgumentError, ArgumentTypeError, DataError, HostReadError, NotBuiltError
from lamina.models.compiling import CompiledLoss, CompiledMetrics, check_metrics, names_within, without_configs
from lamina.models.inputs import check_inputs, input_names, with_feature_axis
from lamina.models.rehearsal import rehearsing
from lamina.models.steps import Steps, with_sublayers
from lamina.runtime.backends import get_backend
from lamina.runtime.convert import from_numpy
from lamina.runtime.tensor import spec_tensor
from lamina.shapes import as_int
from lamina.structures import flatten, map_structure

_MOST_FORMS: Final = 256
"""How many forms of data are remembered as checked."""


class Preparing(Steps):
    """The part of a model that gets ready for steps; ``Trainer`` inherits it."""

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Chooses how to train: optimizer, loss and metrics, by name, object or function.

        For several outputs, ``loss``, ``loss_weights``, ``metrics`` and ``weighted_metrics`` may be lists or dicts by
        the outputs' names. Without a ``loss`` the layers' own losses (``add_loss``, regularizers) are minimized. Sample
        and class weights count in the loss and in ``weighted_metrics``, not in ``metrics``.

        ``run_eagerly`` runs every step op by op instead of recording and replaying it. ``steps_per_execution`` is how
        many batches run between two calls of callbacks. ``jit_compile=True`` hands the whole recorded training step
        to the compiler of the backend's library: on Torch to ``torch.compile``, which may take a minute at the first
        step of each shape; other backends run recorded steps as always. ``auto_scale_loss`` is accepted for Keras's
        sake: losses are scaled where the optimizer has a ``loss_scale_factor``.

        Raises UnknownNameError for a name that is not known, ArgumentError or ArgumentTypeError for a setting out of
        range, and then changes nothing.
        """
        for name, value in (("run_eagerly", run_eagerly), ("auto_scale_loss", auto_scale_loss)):
            if not isinstance(value, bool):
                raise ArgumentTypeError(f"{name} is {value!r}.", expected="True or False.")
        if not isinstance(jit_compile, bool) and jit_compile != "auto":
            raise ArgumentTypeError(f"jit_compile is {jit_compile!r}.", expected="True, False or 'auto'.")
        steps = as_int(steps_per_execution, "steps_per_execution", minimum=1)
        chosen = optimizers.get(optimizer)
        if chosen is None:
            raise ArgumentTypeError("optimizer is None.", expected="a name or an Optimizer.")
        loss = without_configs(loss, losses.get)
        metrics, weighted_metrics = (without_configs(m, metric_room.get) for m in (metrics, weighted_metrics))
        check_metrics(metrics)
        check_metrics(weighted_metrics)
        CompiledLoss(loss, loss_weights, self._names_for(loss))
        self._start_trainer()
        self.optimizer = chosen
        self._loss_given, self._loss_weights_given = loss, loss_weights
        self._metrics_given, self._weighted_metrics_given = metrics, weighted_metrics
        self.run_eagerly: bool = run_eagerly
        self.steps_per_execution: int = steps
        self.jit_compile: Any = jit_compile

    def _names_for(self, loss: Any) -> list[str]:
        """The outputs' names if they are known, else as many as a list or dict of losses has."""
        graph = getattr(self, "graph", None)
        if graph is not None:
            return self._output_names(len(graph.outputs))
        if isinstance(loss, Mapping):
            return names_within(loss)
        return [f"output_{i + 1}" for i, _ in enumerate(flatten(loss))]

    # -- data ------------------------------------------------------------------------------------------------------

    def _feed(self, x: Any, y: Any, sample_weight: Any, batch_size: int, shuffle: Any = False) -> Feed:
        """Data of any kind as batches; of a frame a model with inputs by name takes the columns of their names."""
        graph = getattr(self, "graph", None)
        if graph is not None and is_frame(x):
            names = input_names(graph)
            x = as_columns(x, columns=names) if names else x
        return make_feed(x, y, sample_weight, batch_size=batch_size, shuffle=shuffle, dtype=self.dtype)

    def _check_whole_batches(self, feed: Feed) -> None:
        """Raises DataError if a model that keeps states from batch to batch would get a smaller batch."""
        if (
            isinstance(feed, ArrayFeed)
            and feed.data.count % feed.batch_size
            and any(map(_is_stateful, with_sublayers(self)))
        ):
            raise DataError(
                f"there are {feed.data.count} examples in batches of {feed.batch_size}, and the model {self.name!r} "
                "keeps the state of each example from batch to batch.",
                expected="a number of examples that is a multiple of batch_size.",
            )

    def _weigh_classes(self, data: ArrayData, class_weight: Any) -> None:
        """Multiplies the sample weights by those of the classes, which may be given for each output."""
        if class_weight is None:
            return
        targets = flatten(data.y) if data.y is not None else []
        names = self._output_names(len(targets))
        if isinstance(data.y, dict):
            names = names_within(data.y)
        chosen = _class_weights_per_output(class_weight, names)
        own = self._weights_per_output(data.sample_weight, targets)
        if isinstance(data.sample_weight, dict):
            named = dict(zip(names_within(data.sample_weight), flatten(data.sample_weight), strict=True))
            own = [named.get(name) for name in names]
        found = []
        for target, weights, present in zip(targets, chosen, own, strict=True):
            by_class = None if weights is None else class_weights(target, weights)
            found.append(present if by_class is None else by_class if present is None else by_class * present[:])
        data.sample_weight = found[0] if len(found) == 1 else dict(zip(names, found, strict=True))
        data.refresh()

    def _prepare_model(self, x: Any) -> Any:
        """Builds the model for the shapes of ``x`` if it is not built, and checks x against its inputs."""
        if not self.built and self._has_call():
            leaf = flatten(x)[0]
            if hasattr(self, "_stack"):
                self.build((None, *leaf.shape[1:]))
            else:
                self._trial(x)
        x = with_feature_axis(self, x)
        check_inputs(self, x)
        return x

    def _has_call(self) -> bool:
        """Whether the model can be called: one with only a ``train_step`` of its own need not."""
        return getattr(self, "graph", None) is not None or hasattr(self, "_stack") or _overrides(self, "call")

    def _prepare_training(self, *feeds: Feed, optimizing: bool, class_weight: Any = None) -> None:
        """Builds everything that makes Variables, and runs the model once without values, so that errors come first.

        ``class_weight`` is for the first feed.
        """
        if self.optimizer is None:
            raise NotBuiltError(
                f"the model {self.name!r} is not compiled.", fix="call compile(optimizer=..., loss=...) first."
            )
        firsts = [feed.first() for feed in feeds]
        for number, (feed, data) in enumerate(zip(feeds, firsts, strict=True)):
            by_class = class_weight if number == 0 else None
            self._weigh_classes(data, by_class)
            data.x = self._prepare_model(data.x)
            data.refresh()
            feed.prepare = self._batch_checker(by_class)
            self._check_whole_batches(feed)
        weights, holders = self.trainable_weights, with_sublayers(self)
        # Also the flags: a frozen normalization runs as in inference, whether it has weights or not.
        trained = (*map(id, weights), *(layer.trainable for layer in holders))
        if trained != self._trained:
            self._steps, self._trained = {}, trained
        if self._has_call():
            for data in firsts:
                self._check_targets(data, "train_step" if optimizing else "test_step")
        if optimizing:
            if not weights:
                raise NotBuiltError(
                    f"the model {self.name!r} has no trainable weights.",
                    fix="set trainable = True on a layer, or give it layers with weights.",
                )
            self.optimizer.build(weights)
            self._rehearse(firsts[0], feeds[0].batch_size)
        self._found_metrics = self._named_metrics(holders)

    def _batch_checker(self, class_weight: Any) -> Any:
        def check(data: ArrayData) -> None:
            self._weigh_classes(data, class_weight)
            data.x = self._prepare_model(data.x)
            data.refresh()
            if self._has_call():
                self._check_targets(data, "train_step")

        return check

    def _rehearse(self, data: ArrayData, batch_size: int | None) -> None:
        """Lets a ``train_step`` of the user's own make the Variables that it makes at its first run."""
        if self._rehearsed or not _overrides(self, "train_step"):
            return
        self._rehearsed = True
        arrays = next(data.slices(batch_size or data.count))
        with rehearsing():
            self.train_step(StepData(*data.batch(arrays, get_backend())))

    def _check_targets(self, data: ArrayData, method: str) -> None:
        """Checks data of each new form against outputs and losses, then makes what these need, at the first data."""
        form = data.form()
        known = self._checked.get(form)
        outputs, part = known or self._trial(data.x)
        loss = self._loss or CompiledLoss(self._loss_given, self._loss_weights_given, self._output_names(len(outputs)))
        targets = None if data.y is None else self._per_output(data.y, outputs)
        own = _overrides(self, method) or _overrides(self, "compute_loss")
        if not loss.present and not own and not self.losses:
            raise NotBuiltError(
                f"the model {self.name!r} has no loss.", fix="call compile(optimizer=..., loss=...) first."
            )
        if targets is not None:
            loss.check_labels(targets, outputs)
        elif loss.present and not own:
            raise DataError(
                f"y is None, and the model {self.name!r} has a loss.",
                expected="targets, one for each example.",
                fix="call fit(x, y).",
            )
        if targets is not None and known is None and loss.present:
            y, weights = map_structure(lambda a: _without_values(a, part), (targets, data.sample_weight))
            loss.check(y, outputs, self._weights_per_output(weights, outputs))
        if self._loss is None:
            self._make_losses(loss, targets, outputs)
        if len(self._checked) >= _MOST_FORMS:
            self._checked.clear()
        self._checked[form] = outputs, part

    def _trial(self, x: Any) -> tuple[list[Any], slice]:
        """The outputs without values for all examples, or, if a layer reads values, the outputs of the first one."""
        part = slice(self.carried_batch_size)
        try:
            return flatten(self(map_structure(lambda a: _without_values(a, part), x), training=False)), part
        except HostReadError:
            first = map_structure(lambda a: from_numpy(a[:1], get_backend()), x)
            return flatten(self(first, training=False)), slice(1)

    def _make_losses(self, loss: CompiledLoss, targets: Any, outputs: Any) -> None:
        found = CompiledMetrics(self._metrics_given, self._weighted_metrics_given, loss.names, loss)
        found.resolve(outputs if targets is None else targets, outputs)
        several = len(outputs) > 1
        named = zip(loss.names, loss.losses, strict=True)
        self._trackers = [metric_room.Mean(name="loss")]
        self._trackers += [metric_room.Mean(name=f"{name}_loss") for name, one in named if several and one is not None]
        self._loss, self._metrics = loss, found


def _overrides(model: Any, method: str) -> bool:
    """Whether a model has a method of its own, not that of lamina's models."""
    function = getattr(type(model), method)
    return not getattr(function, "__module__", "").startswith("lamina.")


def _class_weights_per_output(given: Any, names: list[str]) -> list[Any]:
    if not names:
        raise DataError("class_weight was given, and there are no targets.", expected="y, or batches (x, y).")
    if isinstance(given, (list, tuple)):
        if len(given) != len(names):
            raise ArgumentError(
                f"class_weight has {len(given)} entries for {len(names)} outputs.", expected="one for each output."
            )
        return list(given)
    if not isinstance(given, Mapping):
        raise ArgumentTypeError(f"class_weight is {given!r}.", expected="a dict from class number to weight.")
    if given and all(isinstance(value, Mapping) or value is None for value in given.values()):
        unknown = [name for name in given if name not in names]
        if unknown and len(names) > 1:
            raise DataError(
                f"class_weight has an entry {unknown[0]!r}.", expected=f"only entries of {', '.join(names)}."
            )
        return [given.get(name) for name in names] if len(names) > 1 else list(given.values())
    if len(names) > 1:
        raise ArgumentError(
            f"class_weight is one dict for {len(names)} outputs.",
            expected="a list of dicts, or a dict of dicts by the outputs' names.",
        )
    return [given]


def _is_stateful(layer: Any) -> bool:
    return bool(getattr(layer, "stateful", False))


def _without_values(array: Any, part: slice = slice(None)) -> Any:
    if array is None:
        return None
    return spec_tensor((len(range(*part.indices(len(array)))), *array.shape[1:]), array.dtype.name)
