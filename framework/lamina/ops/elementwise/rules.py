"""Result rules of the element-by-element ops."""

from __future__ import annotations

from typing import Any

from lamina.shapes import Spec, broadcast_shapes


def broadcast(name: str, arguments: tuple[str, ...] = ("a", "b"), dtype: str | None = None) -> Any:
    """Result rule: the broadcast shape, and the common dtype unless another is given."""

    def rule(*inputs: Any, **_: Any) -> Spec:
        """Raises ShapeError if the shapes do not broadcast."""
        last = inputs[-1]
        shape = last.shape
        for x in inputs:
            if x.shape != shape:
                shape = broadcast_shapes(name, arguments, [x.shape for x in inputs])
                break
        return Spec(shape, dtype or last.dtype)

    return rule
