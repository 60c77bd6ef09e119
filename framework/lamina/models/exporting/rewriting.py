"""A model rewritten in layers that TensorFlow.js knows: a model of its own, with weights and optimizer state."""

from __future__ import annotations

from typing import Any

from lamina.errors import LaminaError
from lamina.layers.activation import Activation
from lamina.layers.core import Input
from lamina.layers.layer import Layer
from lamina.layers.symbolic import SymbolicTensor
from lamina.layers.weights import weights_from
from lamina.models.cloning import clone_model
from lamina.models.exporting.findings import Survey, inputs_of
from lamina.models.exporting.lowering import Block, Plan, Source, Sources, each_once
from lamina.models.exporting.words import known_config
from lamina.models.model import Model
from lamina.models.saving.training import compile_as, training_config
from lamina.models.topology import shared_names
from lamina.optimizers import SGD, Momentum, Optimizer
from lamina.structures import flatten, map_structure


def rewritten(model: Any, found: Survey) -> tuple[Any, Sources]:
    """The model with each layer that has a plan replaced, and where its weights come from."""
    rewriting = _Rewriting(model, found)
    with weights_from(rewriting.sources.value):
        made = rewriting.model(model)
    made._metadata, made._made_by = model.get_user_defined_metadata(), model._made_by
    return made, rewriting.sources


class _Rewriting:
    """The rewriting of one model; a layer that is called in several places is replaced once."""

    def __init__(self, model: Any, found: Survey) -> None:
        self._plans = found.plans
        self._classes = found.classes
        self._inputs = _first_inputs(model, found.plans)
        self._inlines = bool(shared_names(model))
        self._repeats = bool(found.repeating)
        self._copies = 0
        self._replaced: dict[int, Layer] = {}
        self._of_several: set[int] = set()
        self.sources = Sources({v.name: Source(v) for v in model.weights})

    def model(self, model: Any) -> Any:
        several = any(len(self._inputs[key]) > 1 for key in self._plans)
        call = self._call if several or self._inlines or self._repeats else None
        return clone_model(model, None, self._clone, call, recursive=True)

    def _clone(self, layer: Any) -> Layer:
        if id(layer) not in self._replaced:
            plan = self._plans.get(id(layer))
            self._replaced[id(layer)] = self._copied(layer) if plan is None else self._built(layer, plan)
        return self._replaced[id(layer)]

    def _copied(self, layer: Any) -> Layer:
        """A layer that stays; one with a class of its own in JavaScript, which compares settings, with all of them."""
        config = layer.get_config()
        found: Layer = type(layer).from_config(config if id(layer) in self._classes else known_config(config)[0])
        return found

    def _built(self, layer: Any, plan: Plan) -> Layer:
        block = Block(layer, self.sources, plan.single)
        given = self._inputs[id(layer)]
        inputs = [
            Input(batch_shape=shape, dtype=dtype, name=f"{layer.name}_input{i}")
            for i, (shape, dtype) in enumerate(given)
        ]
        outputs = plan.build(block, inputs if len(inputs) > 1 else inputs[0])
        if plan.single:
            assert block.last is not None
            block.last._nodes.clear()
            return block.last
        made = Model(inputs if len(inputs) > 1 else inputs[0], outputs, name=layer.name)
        if len(inputs) > 1:
            self._of_several.add(id(made))
        return made

    def _same(self, x: Any) -> Any:
        """The symbolic tensor once more, as that of another layer."""
        self._copies += 1
        return Activation("linear", name=f"{x.name}_again{self._copies}")(x)

    def _call(self, layer: Any, *args: Any, **kwargs: Any) -> Any:
        if id(layer) in self._of_several:
            given = flatten([args, [kwargs[key] for key in ("value", "key") if kwargs.get(key) is not None]])
            return layer(each_once(given, lambda x, _: self._same(x)))
        if isinstance(args[0], (list, tuple)):
            args = (each_once(list(args[0]), lambda x, _: self._same(x)), *args[1:])
        if self._inlines and getattr(layer, "graph", None) is not None:
            return self._inlined(layer.graph, flatten(args))
        return layer(*args, **kwargs)

    def _inlined(self, graph: Any, tensors: list[Any]) -> Any:
        """The calls of a nested model as calls of its holder: TensorFlow.js shares no layers between models."""
        found = {id(x): new for x, new in zip(graph.inputs, tensors, strict=True)}

        def new(leaf: Any) -> Any:
            return found[id(leaf)] if isinstance(leaf, SymbolicTensor) else leaf

        for node in graph.nodes[len(graph.inputs) :]:
            args, kwargs = map_structure(new, (node.args, node.kwargs))
            outputs = flatten(self._call(node.layer, *args, **kwargs))
            found.update({id(x): output for x, output in zip(node.outputs, outputs, strict=True)})
        return map_structure(new, graph.output_structure)


def _first_inputs(model: Any, plans: dict[int, Plan]) -> dict[int, list[tuple[Any, str]]]:
    """The shapes and dtypes of the inputs of each layer that is replaced; a size that differs by call is None."""
    found: dict[int, list[tuple[Any, str]]] = {}
    waiting = [model]
    while waiting:
        holder = waiting.pop()
        for node in holder.graph.nodes:
            if getattr(node.layer, "graph", None) is not None:
                waiting.append(node.layer)
            elif id(node.layer) in plans:
                given = [(tuple(x.shape), x.dtype) for x in inputs_of(node)]
                before = found.get(id(node.layer), given)
                found[id(node.layer)] = [
                    (tuple(a if a == b else None for a, b in zip(one[0], two[0], strict=True)), one[1])
                    for one, two in zip(before, given, strict=True)
                ]
    return found


def compiled_as(made: Any, model: Any, sources: Sources) -> None:
    """Compiles the rewritten model as the model is, with the state of its optimizer, rearranged as the weights are.

    SGD with momentum becomes Momentum, which takes the same steps and is known to TensorFlow.js.
    """
    given = training_config(model)
    optimizer = _optimizer_like(model.optimizer)
    compile_as(made, {**given, "optimizer": optimizer})
    _carry_state(made, model.optimizer, sources)


def _optimizer_like(optimizer: Any) -> Any:
    config = optimizer.get_config()
    if (
        type(optimizer) is SGD
        and optimizer.momentum
        and isinstance(config["learning_rate"], float)
        and config["learning_rate"]
    ):
        others = {key: value for key, value in config.items() if key not in ("name", "momentum", "nesterov")}
        return Momentum(momentum=optimizer.momentum, use_nesterov=optimizer.nesterov, **others)
    return type(optimizer).from_config(config)


def _carry_state(made: Any, optimizer: Any, sources: Sources) -> None:
    """Gives the optimizer of the rewritten model the state of the original's; slots without one begin anew."""
    target: Any = made.optimizer
    if not isinstance(optimizer, Optimizer) or not optimizer.built:
        target.iterations.assign(optimizer.iterations.value)
        return
    target.build(made.trainable_weights)
    turned = type(target) is not type(optimizer)
    for variable in made.trainable_weights:
        source = sources[variable.name]
        try:
            held = optimizer.slots_of(source.variable) if source.variable is not None else {}
        except LaminaError:
            held = {}  # a weight that was never trained has no state
        for slot, own in target.slots_of(variable).items():
            kept = held.get(slot)
            if kept is None or source.variable is None or kept.shape != source.variable.shape:
                continue
            values = source.rearranged(kept.numpy())
            own.assign(-values / float(optimizer.get_config()["learning_rate"]) if turned else values)
    for slot, own in target._shared.items():
        own.assign(optimizer._shared[slot].value)
    target.iterations.assign(optimizer.iterations.value)
