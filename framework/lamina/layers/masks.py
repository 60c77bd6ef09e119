"""How masks travel: each hangs on the tensor that it belongs to, so that it stays on its own branch."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from lamina.ops.elementwise import identity
from lamina.runtime.tensor import Tensor
from lamina.structures import flatten, map_structure, unflatten


def masks_of(inputs: Any) -> Any:
    """The masks of tensors in the structure of these; None if no tensor has one."""
    if isinstance(inputs, Tensor):
        return inputs._mask
    masks = map_structure(lambda x: x._mask if isinstance(x, Tensor) else None, inputs)
    return masks if any(m is not None for m in flatten(masks)) else None


def with_mask(tensor: Tensor, mask: Tensor | None) -> Tensor:
    """The same values as a tensor of its own that has the mask."""
    if tensor._mask is mask:
        return tensor
    found = identity(tensor)
    found._mask = mask
    return found


def fill_masks(call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Adds the masks of the inputs to ``kwargs`` where ``call`` takes them; returns the mask of the first input.

    The first argument's goes to ``mask``, those of others, and its own too, to ``<argument>_mask``.
    """
    names = call_arguments(call)
    first = kwargs.get("mask")
    if args and isinstance(args[0], (list, tuple, dict)) and not isinstance(first, type(args[0])):
        first = None  # one mask for several inputs says nothing of each
    for name, value in (*zip(names, args, strict=False), *tuple(kwargs.items())):
        if value is None or isinstance(value, (bool, int, float, str)):
            continue
        mask = masks_of(value)
        if name == names[0]:
            first = mask if first is None else first
            if "mask" in names and first is not None:
                kwargs["mask"] = first
        wanted = f"{name}_mask"
        if mask is not None and wanted in names and kwargs.get(wanted) is None and names.index(wanted) >= len(args):
            kwargs[wanted] = mask
    return first


def attach_masks(layer: Any, inputs: Any, outputs: Any, mask: Any) -> Any:
    """The outputs of a layer with the masks that they have: what the layer says, or none if it does not support masks.

    Tensors that came in stay as they are: an output that is one of them becomes a tensor of its own.
    """
    leaves = flatten(outputs)
    if not layer.supports_masking:
        if mask is None or all(not isinstance(x, Tensor) or x._mask is None for x in leaves):
            return outputs
        found: list[Any] = [None] * len(leaves)
    elif any(isinstance(x, Tensor) and x._mask is not None and not _is_in(x, inputs) for x in leaves):
        return outputs  # a layer within has said it already
    else:
        said = layer.compute_mask(inputs, mask)
        found = flatten(said) if said is not None else [None]
        found += [None] * (len(leaves) - len(found))
    if all(x._mask is m for x, m in zip(leaves, found, strict=False) if isinstance(x, Tensor)):
        return outputs
    return unflatten(outputs, iter([_given(x, m, inputs) for x, m in zip(leaves, found, strict=False)]))


def _given(output: Any, mask: Any, inputs: Any) -> Any:
    if not isinstance(output, Tensor) or output._mask is mask:
        return output
    if _is_in(output, inputs):
        return with_mask(output, mask)
    output._mask = mask
    return output


def _is_in(tensor: Tensor, inputs: Any) -> bool:
    return any(tensor is x for x in flatten(inputs))


@functools.lru_cache(maxsize=512)
def call_arguments(call: Callable[..., Any]) -> tuple[str, ...]:
    """The names of the arguments of a bound ``call`` method's function, without self."""
    return tuple(inspect.signature(call).parameters)[1:]
