"""What becomes of each layer of a model in TensorFlow.js, found without writing anything: the doctor's part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from lamina.dtypes import FLOATING
from lamina.layers.core import InputLayer
from lamina.layers.layer import Layer
from lamina.layers.symbolic import Node, shapes_of
from lamina.models.exporting.javascript import JavaScriptClass, NotWrittenError, has_mask, heeds_masks, javascript_class
from lamina.models.exporting.lowering import REFUSALS, RULES, Plan, Refused, remarks
from lamina.models.exporting.masks import masked_layers
from lamina.models.exporting.words import DTYPES, HEED_MASKS, LAYERS, MODELS, known_config
from lamina.models.tfjs import METRICS, OPTIMIZERS, loss_name, tfjs_training_config
from lamina.models.topology import shared_names
from lamina.structures import flatten

EXACT: Final = "exact"
JAVASCRIPT: Final = "javascript"
REFUSED: Final = "refused"
NOTE: Final = "note"


class Finding(NamedTuple):
    """Something about a model that TensorFlow.js would not take as it is.

    ``severity`` is "exact" for a layer that is replaced by others which compute the same, "javascript" for one that
    gets a class in JavaScript, "refused" for one that has no way there, "note" for what is only told. ``layer`` and
    ``class_name`` are empty for what concerns the whole model.
    """

    severity: str
    layer: str
    class_name: str
    what: str
    fix: str | None = None

    def __str__(self) -> str:
        where = f"{self.layer} ({self.class_name}): " if self.layer else ""
        return f"{self.severity:<10} {where}{self.what}" + (f" Fix: {self.fix}" if self.fix else "")


class Survey(NamedTuple):
    """The findings, and the plan or the JavaScript class of each layer that needs one, by its identity."""

    findings: list[Finding]
    plans: dict[int, Plan]
    classes: dict[int, JavaScriptClass]
    repeating: list[str]
    """The names of layers that are called on one tensor twice."""


def tfjs_findings(model: Any) -> list[Finding]:
    """What an export of a model to TensorFlow.js would change, leave out, or refuse; an empty list if nothing.

    The model must be built. Nothing is written, and the model stays as it is.

    >>> import lamina
    >>> x, y = lamina.Input((3,)), lamina.Input((3,))
    >>> difference = lamina.layers.Subtract(name="difference")([x, y])
    >>> print(findings_text(tfjs_findings(lamina.Model([x, y], difference))))
    exact      difference (Subtract): becomes Add, of the first and the second times -1.
    """
    return survey(model).findings


def findings_text(findings: list[Finding]) -> str:
    """Findings as lines of text, those that hinder an export first."""
    order = [REFUSED, JAVASCRIPT, EXACT, NOTE]
    return "\n".join(map(str, sorted(findings, key=lambda found: order.index(found.severity))))


def survey(model: Any) -> Survey:
    """The findings of a model, with what an export is to do."""
    found = Survey([], {}, {}, [])
    if getattr(model, "graph", None) is None:
        found.findings.append(_without_graph(model))
        return found
    nodes = _calls(model)
    for layer, calls in nodes.values():
        _survey_layer(layer, calls, found)
    known = {id(layer) for layer in model.layers} & set(found.classes)  # written for the masks that they get here
    for layer, reason, fix in masked_layers(model, {*found.plans, *found.classes}):
        if id(layer) not in known:
            severity = NOTE if fix is None else REFUSED
            found.findings.append(Finding(severity, layer.name, layer.class_name, f"{reason}.", fix))
    if names := shared_names(model):
        what = (
            f"nested models share layers ({', '.join(names)}): their layers are written as those of the model itself."
        )
        found.findings.append(Finding(EXACT, "", "", what))
    found.findings.extend(_of_training(model))
    return found


def _without_graph(model: Any) -> Finding:
    own = hasattr(model, "_has_own_call") and model._has_own_call()
    what = "its call method is Python." if own else "it has no layers with known shapes yet."
    return Finding(REFUSED, "", "", what, "build it as a graph of layers." if own else "build it, or call it on data.")


def _calls(model: Any) -> dict[int, tuple[Layer, list[Node]]]:
    """All layers but models and inputs, those of nested models too, with their calls."""
    found: dict[int, tuple[Layer, list[Node]]] = {}
    waiting, seen = [model], {id(model)}
    while waiting:
        holder = waiting.pop(0)
        for node in holder.graph.nodes:
            layer = node.layer
            if getattr(layer, "graph", None) is not None:
                if id(layer) not in seen:
                    seen.add(id(layer))
                    waiting.append(layer)
            else:
                found.setdefault(id(layer), (layer, []))[1].append(node)
    return found


def _survey_layer(layer: Layer, calls: list[Node], found: Survey) -> None:
    def tell(severity: str, what: str, fix: str | None = None) -> None:
        found.findings.append(Finding(severity, layer.name, layer.class_name, what, fix))

    if isinstance(layer, InputLayer):
        if layer.dtype in DTYPES:
            tell(NOTE, f"its dtype {layer.dtype} becomes {DTYPES[layer.dtype]}.")
        return
    try:
        _check_calls(layer, calls)
        _check_masks(layer, calls)
        plan = plan_of(layer, _common_shapes(calls))
    except Refused as refused:
        _use_class(layer, calls, refused, found, tell)
        _survey_repeats([node for node in calls if isinstance(node.args[0], (list, tuple))], found, tell)
        return
    _survey_repeats(calls, found, tell)
    if plan is not None:
        found.plans[id(layer)] = plan
        tell(EXACT, f"becomes {plan.what}.")
        for note in plan.notes:
            tell(NOTE, f"{note}.")
    for note in remarks(layer):
        tell(NOTE, f"{note}.")
    for what in known_config(layer.get_config())[1]:
        tell(NOTE, f"TensorFlow.js does not know {what}: it is left out, and matters for training only.")
    if layer.dtype in FLOATING and layer.dtype != "float32" and layer.weights:
        tell(NOTE, f"its weights are stored as float32 instead of {layer.dtype}.")


def _survey_repeats(calls: list[Node], found: Survey, tell: Any) -> None:
    if any(len({id(x) for x in inputs_of(node)}) < len(inputs_of(node)) for node in calls):
        found.repeating.append(calls[0].layer.name)
        tell(EXACT, "is called on one tensor twice: gets a copy, for TensorFlow.js loses it otherwise.")


def _use_class(layer: Layer, calls: list[Node], refused: Refused, found: Survey, tell: Any) -> None:
    """A class in JavaScript for a layer that cannot be put together, if one can be written; else it is refused."""
    reason = refused.reason.rstrip(".")
    try:
        found.classes[id(layer)] = javascript_class(layer, calls)
    except NotWrittenError as error:
        why = error.reason.rstrip(".")
        tell(REFUSED, f"{reason}; and no class can be written for it in JavaScript: {why}.", error.fix or refused.fix)
    else:
        tell(
            JAVASCRIPT,
            f"becomes a class in layers.js, for {reason[0].lower() if reason[:2] == 'It' else reason[0]}{reason[1:]}.",
        )


def plan_of(layer: Layer, shapes: Any) -> Plan | None:
    """How a layer is replaced; None if it stays as it is. Raises Refused if there is no way."""
    name = layer.class_name
    if name in REFUSALS:
        raise Refused(REFUSALS[name])
    inner = getattr(layer, "layer", None)
    if name in ("TimeDistributed", "Bidirectional") and isinstance(inner, Layer):
        _check_wrapped(layer, inner, shapes)
    plan = RULES[name](layer, shapes) if name in RULES else None
    if plan is None and name not in LAYERS | MODELS:
        raise Refused(f"TensorFlow.js has no layer {name}, and it is not made of layers that it has.")
    return plan


def _check_wrapped(layer: Layer, inner: Layer, shapes: Any) -> None:
    """A wrapped layer has to be one that stays as it is."""
    given = (shapes[0], *shapes[2:]) if layer.class_name == "TimeDistributed" else shapes
    if getattr(inner, "graph", None) is not None:
        raise Refused("it wraps a model.", "wrap each of its layers.")
    plan = plan_of(inner, given)
    if plan is not None:
        raise Refused(f"it wraps a {inner.class_name}, which has to become {plan.what}.", "use it without the wrapper.")


def _check_calls(layer: Layer, calls: list[Node]) -> None:
    for node in calls:
        for key, value in node.kwargs.items():
            if value is not None and value is not False and key not in ("initial_state", "value", "key"):
                raise Refused(
                    f"it is called with {key}, which TensorFlow.js does not heed in models.",
                    f"call it without {key}.",
                )


def _check_masks(layer: Layer, calls: list[Node]) -> None:
    """Masks reach only few layers there, and none that stand for a layer."""
    heeds = heeds_masks(layer) and layer.class_name not in HEED_MASKS
    if heeds and any(has_mask(x) for node in calls for x in node.inputs):
        raise Refused("TensorFlow.js does not heed the masks that come with its inputs", "end them before it.")


def _common_shapes(calls: list[Node]) -> Any:
    """The shape of the first argument of all calls, or a list of shapes of several inputs; None where they differ."""
    shapes = [_shapes(node) for node in calls]
    first = shapes[0]
    if isinstance(first, list):
        return [_common([shape[i] for shape in shapes]) for i in range(len(first))]
    return _common(shapes)


def _shapes(node: Node) -> Any:
    tensors = inputs_of(node)
    return shapes_of(tensors[0]) if tensors is None or len(tensors) == 1 else [tuple(x.shape) for x in tensors]


def inputs_of(node: Node) -> list[Any]:
    """The tensors that a layer is called on, one behind the other."""
    own = node.kwargs if "initial_state" not in node.kwargs else {}
    return flatten([node.args, [own[key] for key in ("value", "key") if own.get(key) is not None]])


def _common(shapes: list[Any]) -> Any:
    if len({len(shape) for shape in shapes}) > 1:
        raise Refused("it is called on inputs with different numbers of axes.", "use a layer for each.")
    return tuple(sizes[0] if all(size == sizes[0] for size in sizes) else None for sizes in zip(*shapes, strict=True))


def _of_training(model: Any) -> Iterator[Finding]:
    """What TensorFlow.js does not know of how the model was compiled."""
    if model.optimizer is None or tfjs_training_config(model) is not None:
        return
    for what in _unknown_training(model):
        yield Finding(NOTE, "", "", f"{what}: the model loads there uncompiled.")


def _unknown_training(model: Any) -> list[str]:
    found = []
    name = {"RMSprop": "RMSProp"}.get(type(model.optimizer).__name__, type(model.optimizer).__name__)
    unknown_losses = [str(one) for one in flatten(model._loss_given) if one is not None and loss_name(one) is None]
    unknown_metrics = [str(one) for one in flatten(model._metrics_given) if one is not None and one not in METRICS]
    if name not in OPTIMIZERS:
        found.append(f"TensorFlow.js has no optimizer {name} whose state it keeps")
    if unknown_losses:
        found.append(f"TensorFlow.js has no loss {', '.join(unknown_losses)} with these settings")
    if unknown_metrics:
        found.append(f"TensorFlow.js has no metric {', '.join(unknown_metrics)} by name")
    if model._loss_weights_given is not None:
        found.append("TensorFlow.js keeps no weights of losses")
    return found or [f"TensorFlow.js has no {name} with these settings"]
