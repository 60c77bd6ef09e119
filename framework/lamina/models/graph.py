"""A graph of layer calls between symbolic tensors: found by walking back from the outputs, run in order."""

from __future__ import annotations

from collections import Counter
from typing import Any

from lamina.errors import ArgumentTypeError, GraphError
from lamina.layers.core import InputLayer
from lamina.layers.layer import Layer
from lamina.layers.symbolic import Node, SymbolicTensor
from lamina.runtime.tensor import Tensor, spec_tensor
from lamina.shapes import Spec
from lamina.structures import flatten, map_structure, unflatten


class Graph:
    """The calls that lead from ``inputs`` to ``outputs``, in an order in which they can run.

    ``layers`` are in Keras's order: those farthest from the outputs first. Raises GraphError if an input does not come
    from ``Input``, if an output needs data that no input gives, or if two layers have one name.
    """

    def __init__(self, inputs: Any, outputs: Any) -> None:
        self.input_structure: Any = inputs
        self.output_structure: Any = outputs
        self._known: dict[Any, list[Spec]] = {}
        self.inputs: list[SymbolicTensor] = [_symbolic(x, "inputs") for x in flatten(inputs)]
        self.outputs: list[SymbolicTensor] = [_symbolic(x, "outputs") for x in flatten(outputs)]
        self._check_inputs()
        self.nodes: list[Node] = self._ordered_nodes()
        self.layers: list[Layer] = self._ordered_layers()
        self._check_names()

    def _check_inputs(self) -> None:
        if len({id(x) for x in self.inputs}) != len(self.inputs):
            raise GraphError("an input is given twice.", expected="each input once.")
        for x in self.inputs:
            if not isinstance(x.layer, InputLayer):
                raise GraphError(
                    f"the input {x!r} is the output of the layer {x.layer.name!r}.", expected="tensors made by Input."
                )

    def _ordered_nodes(self) -> list[Node]:
        """All calls, each after those it depends on; no recursion, for graphs may be deep."""
        known = {id(x.node) for x in self.inputs}
        ordered: list[Node] = [x.node for x in self.inputs]
        waiting = [x.node for x in reversed(self.outputs)]
        while waiting:
            node = waiting[-1]
            if id(node) in known:
                waiting.pop()
                continue
            missing = [x.node for x in node.inputs if id(x.node) not in known]
            if not missing:
                if isinstance(node.layer, InputLayer):
                    raise GraphError(
                        f"the graph is disconnected: it needs the input {node.layer.name!r}, which is not among the "
                        f"model's inputs {[x.name for x in self.inputs]}.",
                        fix=f"add {node.layer.name!r} to inputs.",
                    )
                known.add(id(node))
                ordered.append(node)
            waiting.extend(reversed(missing))
        return ordered

    def _ordered_layers(self) -> list[Layer]:
        """The layers by depth, that of a layer which is called several times being the greatest one of its calls.

        Those of one depth are in the order in which one comes to them from the outputs. Keras's files number layers so.
        """
        layers, nodes = self._from_outputs()
        depth: dict[int, int] = {}
        farthest: dict[int, int] = {}
        for node in reversed(nodes):
            own = max(depth.get(id(node), 0), farthest.get(id(node.layer), 0))
            farthest[id(node.layer)] = own
            for x in node.inputs:
                depth[id(x.node)] = max(depth.get(id(x.node), 0), own + 1)
        return sorted(layers, key=lambda layer: -farthest.get(id(layer), 0))

    def _from_outputs(self) -> tuple[list[Layer], list[Node]]:
        """The layers in the order in which one comes to them, and the calls in that in which one is done with them."""
        layers = {id(x.layer): x.layer for x in self.inputs}
        nodes: list[Node] = []
        waiting = [(x.node, False) for x in reversed(_by_key(self.output_structure))]
        seen: set[int] = set()
        while waiting:
            node, done = waiting.pop()
            if done:
                nodes.append(node)
            elif id(node) not in seen:
                seen.add(id(node))
                layers.setdefault(id(node.layer), node.layer)
                waiting.append((node, True))
                waiting.extend((x.node, False) for x in reversed(_by_key((node.args, node.kwargs))))
        return list(layers.values()), nodes

    def _check_names(self) -> None:
        repeated = [name for name, count in Counter(layer.name for layer in self.layers).items() if count > 1]
        if repeated:
            raise GraphError(
                f"the name {repeated[0]!r} is used by two layers of the model.",
                expected="unique names, under which weights are saved.",
                fix="give one of them another name.",
            )

    def output_of(self, layer: Layer) -> Any:
        """What a layer gives in this graph. Raises GraphError if it is called several times."""
        calls = [node for node in self.nodes if node.layer is layer]
        if len(calls) != 1:
            raise GraphError(
                f"the layer {layer.name!r} is called {len(calls)} times in this model.",
                expected="one call, so that its output is one.",
                fix="give the symbolic tensor itself.",
            )
        outputs = calls[0].outputs
        return outputs[0] if len(outputs) == 1 else outputs

    def run(self, inputs: list[Any], training: bool | None) -> Any:
        """The outputs for concrete inputs, in the outputs' structure; masks hang on the tensors themselves."""
        if any(x._backend is not None or x._mask is not None for x in inputs):
            return self._run(inputs, training)
        # Only shapes are worked out: once for each, or models that are shared at every level would take ages.
        key = (tuple(x.spec for x in inputs), training)
        if key not in self._known:
            found = self._run(inputs, training)
            if any(x._mask is not None for x in flatten(found)):
                return found
            self._known[key] = [x.spec for x in flatten(found)]
        return unflatten(self.output_structure, (spec_tensor(*spec) for spec in self._known[key]))

    def _run(self, inputs: list[Any], training: bool | None) -> Any:
        values = {id(x): value for x, value in zip(self.inputs, inputs, strict=True)}
        for node in self.nodes[len(self.inputs) :]:
            args, kwargs = map_structure(
                lambda x: values[id(x)] if isinstance(x, SymbolicTensor) else x, (node.args, node.kwargs)
            )
            if training is not None and "training" not in kwargs:
                kwargs["training"] = training
            outputs = flatten(node.layer(*args, **kwargs))
            values.update({id(x): value for x, value in zip(node.outputs, outputs, strict=True)})
        return map_structure(lambda x: values[id(x)], self.output_structure)


def _by_key(structure: Any) -> list[SymbolicTensor]:
    """The symbolic tensors in a structure, those of dicts by their keys, as Keras goes through them."""
    if isinstance(structure, dict):
        structure = [structure[key] for key in sorted(structure)]
    if isinstance(structure, (list, tuple)):
        return [x for part in structure for x in _by_key(part)]
    return [structure] if isinstance(structure, SymbolicTensor) else []


def _symbolic(x: Any, what: str) -> SymbolicTensor:
    if not isinstance(x, SymbolicTensor):
        given = f"a tensor of shape {x.shape}" if isinstance(x, Tensor) else repr(x)
        raise ArgumentTypeError(
            f"{what} of a Model holds {given}.", expected="symbolic tensors, from Input and layers."
        )
    return x
