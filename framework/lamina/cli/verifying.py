"""``lamina verify``: whether two saved models give the same, and TensorFlow.js with them."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from lamina import io
from lamina.cli import tensorflowjs
from lamina.cli.reading import add_imports, load
from lamina.cli.tables import printed
from lamina.errors import ArgumentError
from lamina.layers import Embedding
from lamina.structures import flatten

Arrays = list[np.ndarray[Any, Any]]

_UNKNOWN_SIZE = 32


def add(commands: Any) -> None:
    """Describes the command."""
    parser = commands.add_parser(
        "verify",
        help="compare the predictions of two saved models, or of one here and in TensorFlow.js",
        description="Both models predict for the same random inputs. A model in the layout of TensorFlow.js is also "
        "run by TensorFlow.js itself, where node and the package @tensorflow/tfjs are found.",
    )
    parser.add_argument("first", help="a path or address of a saved model")
    parser.add_argument("second", nargs="?", help="another; without one, the first is compared with TensorFlow.js")
    parser.add_argument("--tolerance", type=float, default=1e-5, help="the largest difference allowed (default 1e-5)")
    parser.add_argument("--examples", type=int, default=2, help="how many inputs (default 2)")
    parser.add_argument("--seed", type=int, default=0, help="of the random inputs (default 0)")
    parser.add_argument("--tfjs", metavar="FOLDER", help="where the package @tensorflow/tfjs or its node_modules is")
    parser.add_argument("--script", action="append", default=[], help="a layers.js of yours that TensorFlow.js needs")
    add_imports(parser)
    parser.set_defaults(run=verify)


def verify(given: argparse.Namespace) -> int:
    """Prints the largest difference of each output; the status is 1 if one is too large."""
    model = load(given, given.first, compile=False)
    inputs = random_inputs(model, given.examples, given.seed)
    names = output_names(model)
    expected = predicted(model, inputs)
    rows, agree = [], True
    for side, outputs in _others(given, inputs):
        found, fits = compared(side, names, expected, outputs, given.tolerance)
        rows += found
        agree = agree and fits
    print(f"{given.first} against:")
    print(printed(["side", "output", "largest difference", "largest value"], rows))
    print(f"agree within {given.tolerance:g}: {'yes' if agree else 'no'}")
    return 0 if agree else 1


def _others(given: argparse.Namespace, inputs: Arrays) -> list[tuple[str, Arrays]]:
    """What is compared with the first model: the second one, and TensorFlow.js where it can run one of them."""
    found = []
    if given.second is not None:
        found.append((given.second, predicted(load(given, given.second, compile=False), inputs)))
    place = given.second if given.second is not None else given.first
    if io.find_format(place) is None:
        package = tensorflowjs.find(given.tfjs)
        if package is not None:
            artifacts = io.load_artifacts(place)
            found.append((f"{place} in TensorFlow.js", tensorflowjs.predict(package, artifacts, inputs, given.script)))
        elif given.second is None or given.tfjs:
            raise ArgumentError("node or the package @tensorflow/tfjs was not found.", fix=tensorflowjs.HOW_TO_GET)
    if not found:
        raise ArgumentError(f"{given.first} has nothing to be compared with.", fix="give a second model.")
    return found


def random_inputs(model: Any, examples: int, seed: int) -> Arrays:
    """Inputs for a model, in the order of its graph: normal numbers, or indices where an embedding looks them up."""
    random = np.random.default_rng(seed)
    arrays = []
    for tensor in model.graph.inputs:
        first, *rest = tensor.shape
        shape = (first or examples, *(size or _UNKNOWN_SIZE for size in rest))
        limit = _indices(model, tensor)
        drawn = random.standard_normal(shape) if limit is None else random.integers(0, limit, shape)
        arrays.append(drawn.astype(tensor.dtype))
    return arrays


def _indices(model: Any, tensor: Any) -> int | None:
    """How many indices an input may hold, if it is one of indices."""
    users = [node.layer for node in model.graph.nodes if any(x is tensor for x in flatten((node.args, node.kwargs)))]
    limits = [layer.input_dim for layer in users if isinstance(layer, Embedding)]
    return min(limits) if limits else None


def output_names(model: Any) -> list[str]:
    """The layers that give the outputs."""
    return [tensor.name for tensor in model.graph.outputs]


def predicted(model: Any, inputs: Arrays) -> Arrays:
    """What a model gives for inputs in the order of its graph. Raises ArgumentError if it takes other ones."""
    wanted = [tuple(tensor.shape) for tensor in model.graph.inputs]
    if len(wanted) != len(inputs) or not all(map(_fits, wanted, inputs)):
        raise ArgumentError(
            f"the models take other inputs: {[a.shape for a in inputs]} and {wanted}.",
            expected="two forms of one model.",
        )
    structure = model.graph.input_structure
    given = dict(zip(structure, inputs, strict=True)) if isinstance(structure, dict) else list(inputs)
    outputs = model.predict(given if len(inputs) > 1 or isinstance(structure, (dict, list)) else inputs[0], verbose=0)
    return [np.asarray(output) for output in flatten(outputs)]


def _fits(shape: tuple[int | None, ...], array: np.ndarray[Any, Any]) -> bool:
    return len(shape) == array.ndim and all(a is None or a == b for a, b in zip(shape, array.shape, strict=True))


def compared(
    side: str, names: list[str], expected: Arrays, found: Arrays, tolerance: float
) -> tuple[list[list[str]], bool]:
    """A row for each output, and whether all differences are within the tolerance.

    >>> compared("b", ["y"], [np.ones(2)], [np.array([1.0, 1.5])], 1e-5)
    ([['b', 'y (2,)', '0.5', '1']], False)
    """
    rows, agree = [], len(expected) == len(found)
    for name, one, other in zip(names, expected, found, strict=False):
        if one.shape != other.shape:
            rows.append([side, f"{name} {one.shape}", f"another shape: {other.shape}", ""])
            agree = False
            continue
        a, b = one.astype(np.float64), other.astype(np.float64)
        with np.errstate(invalid="ignore"):
            apart = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, np.abs(a - b))
        largest = float(np.max(apart, initial=0.0))
        rows.append([side, f"{name} {one.shape}", f"{largest:.3g}", f"{np.max(np.abs(a), initial=0.0):.3g}"])
        agree = agree and largest <= tolerance
    return rows, agree
