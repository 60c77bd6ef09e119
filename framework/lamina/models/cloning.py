"""Copies of models: the same layers and joints, with weights of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lamina.errors import ArgumentError, ArgumentTypeError, SerializationError
from lamina.layers.core import InputLayer
from lamina.layers.layer import Layer
from lamina.layers.symbolic import SymbolicTensor
from lamina.models.model import Model
from lamina.models.sequential import Sequential
from lamina.structures import flatten, map_structure, unflatten

CloneFunction = Callable[[Any], Any]
CallFunction = Callable[..., Any]


def clone_model(
    model: Any,
    input_tensors: Any = None,
    clone_function: CloneFunction | None = None,
    call_function: CallFunction | None = None,
    recursive: bool = False,
) -> Any:
    """A model with the same layers, joined in the same way, under the same names; weights are as initializers give.

    ``input_tensors`` are symbolic tensors to begin from, in the structure of the model's inputs, instead of new ones.
    ``clone_function(layer)`` makes the copy of each layer but the inputs (the layer itself is shared then), by default
    from its config; models inside are copied whole, or layer by layer if ``recursive``. ``call_function(layer, *args,
    **kwargs)`` calls the copies. How the model was compiled is not copied.

    Raises ArgumentError for a model with a ``call`` of its own and settings that need a graph, ArgumentTypeError if a
    clone function gives something else than a layer.

    >>> import lamina
    >>> model = lamina.Sequential([lamina.layers.Dense(2, input_shape=(3,), name="d")])
    >>> copy = clone_model(model)
    >>> copy.get_layer("d").units, copy.get_layer("d") is model.get_layer("d")
    (2, False)
    """
    if not isinstance(model, Model):
        raise ArgumentTypeError(f"clone_model got {model!r}.", expected="a model.")
    if model.graph is None and not isinstance(model, Sequential):
        if input_tensors is not None or clone_function is not None or call_function is not None:
            raise ArgumentError(
                f"the model {model.name!r} has a call of its own.",
                expected="a graph of layers for input_tensors, clone_function and call_function.",
            )
        return _from_config(model)
    copies = _Copies(clone_function or _from_config, call_function or _called, recursive)
    if isinstance(model, Sequential) and call_function is None:
        return copies.stack(model, input_tensors)
    return copies.graph(model, input_tensors)


def _from_config(layer: Any) -> Any:
    try:
        return type(layer).from_config(layer.get_config())
    except TypeError as error:
        raise SerializationError(
            f"the layer {layer.name!r} cannot be made of its config: {error}.", fix="write get_config and from_config."
        ) from error


def _called(layer: Any, *args: Any, **kwargs: Any) -> Any:
    return layer(*args, **kwargs)


class _Copies:
    """The copies of one model's layers, each made once."""

    def __init__(self, clone: CloneFunction, call: CallFunction, recursive: bool) -> None:
        self._clone = clone
        self._call = call
        self._recursive = recursive
        self._made: dict[int, Layer] = {}

    def _of(self, layer: Any) -> Layer:
        if id(layer) not in self._made:
            if self._recursive and getattr(layer, "graph", None) is not None:
                made = clone_model(layer, None, self._clone, self._call, True)
            else:
                made = self._clone(layer)
            if not isinstance(made, Layer):
                raise ArgumentTypeError(f"clone_function gave {made!r} for {layer.name!r}.", expected="a layer.")
            self._made[id(layer)] = made
        return self._made[id(layer)]

    def stack(self, model: Any, input_tensors: Any) -> Sequential:
        """A copy of a Sequential."""
        begin = [] if input_tensors is None else [_only(flatten(input_tensors), model)]
        copies = [self._of(layer) for layer in model.layers]
        if not begin and model.graph is not None:
            begin = [_input_like(model.inputs[0])]
        return Sequential([*begin, *copies], name=model.name)

    def graph(self, model: Any, input_tensors: Any) -> Model:
        """A copy of a graph of layers."""
        structure = model.graph.input_structure
        given = flatten(input_tensors) if input_tensors is not None else [_input_like(x) for x in model.inputs]
        if len(given) != len(model.inputs) or not all(isinstance(x, SymbolicTensor) for x in given):
            raise ArgumentError(
                f"input_tensors holds {len(given)} entries for the {len(model.inputs)} inputs of {model.name!r}.",
                expected="a symbolic tensor for each of them.",
            )
        found: dict[int, Any] = {id(x): new for x, new in zip(model.inputs, given, strict=True)}

        def new(leaf: Any) -> Any:
            return found[id(leaf)] if isinstance(leaf, SymbolicTensor) else leaf

        for node in model.graph.nodes[len(model.inputs) :]:
            args, kwargs = map_structure(new, (node.args, node.kwargs))
            outputs = flatten(self._call(self._of(node.layer), *args, **kwargs))
            found.update({id(x): output for x, output in zip(node.outputs, outputs, strict=True)})
        return Model(
            unflatten(structure, iter(given)), map_structure(new, model.graph.output_structure), name=model.name
        )


def _input_like(x: SymbolicTensor) -> SymbolicTensor:
    made = InputLayer.from_config(x.layer.get_config())
    tensor: SymbolicTensor = made._nodes[0].outputs[0]
    return tensor


def _only(tensors: list[Any], model: Any) -> Any:
    if len(tensors) != 1 or not isinstance(tensors[0], SymbolicTensor):
        raise ArgumentError(f"input_tensors of the Sequential {model.name!r}.", expected="one symbolic tensor.")
    return tensors[0]
