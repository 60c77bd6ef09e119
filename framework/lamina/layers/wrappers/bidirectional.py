"""A recurrent layer in both directions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from lamina import ops
from lamina.errors import ArgumentError, ArgumentTypeError
from lamina.layers.layer import Layer
from lamina.layers.masks import with_mask
from lamina.layers.recurrent.states import apart, as_list
from lamina.layers.wrapper import Wrapper
from lamina.serialization import deserialize, serialize

MERGES: Final[dict[str | None, Callable[[Any, Any], Any]]] = {
    "concat": lambda a, b: ops.concatenate([a, b], -1),
    "sum": ops.add,
    "mul": ops.multiply,
    "ave": lambda a, b: (a + b) * 0.5,
    None: lambda a, b: [a, b],
}
"""How the outputs of both directions become one; None leaves them apart."""

_FORWARD, _BACKWARD = "forward_", "backward_"
_COMMON: Final = ("return_sequences", "return_state", "stateful")


class Bidirectional(Wrapper):
    """A recurrent layer over a sequence in both directions (Schuster and Paliwal 1997).

    ``layer`` is a recurrent layer, of which two copies with weights of their own are made, named ``forward_`` and
    ``backward_`` before its name; the second goes the other way. ``backward_layer`` is another layer for the way back.
    With ``return_sequences`` the outputs of the way back are turned, so that both are in the order of time, and are 0
    where a mask is False. ``merge_mode`` is 'concat' (along the last axis), 'sum', 'mul', 'ave' (mean), or None for a
    list of both outputs. With ``return_state`` the states of the forward layer follow, then those of the backward
    layer; ``initial_state`` has them in the same order. As Keras. Raises ArgumentTypeError for what is no recurrent
    layer, ArgumentError for another ``merge_mode``, ShapeError for an input that the layer does not take.

    >>> import lamina
    >>> Bidirectional(lamina.layers.LSTM(4))(lamina.zeros((2, 5, 3))).shape
    (2, 8)
    """

    supports_masking = True

    def __init__(
        self,
        layer: Any,
        merge_mode: str | None = "concat",
        backward_layer: Any = None,
        **common: Any,
    ) -> None:
        if merge_mode not in MERGES:
            raise ArgumentError(f"merge_mode is {merge_mode!r}.", expected=f"one of {', '.join(map(repr, MERGES))}.")
        layer = _as_layer(layer, "layer")
        self._given_name, plain = layer.name, layer.name.removeprefix(_FORWARD)
        super().__init__(layer=_copy(layer, _FORWARD + plain), **common)
        self.merge_mode = merge_mode
        self.forward_layer: Any = self.layer
        self._given_backward = backward_layer is not None
        if backward_layer is None:
            self.backward_layer: Any = _copy(layer, _BACKWARD + plain, go_backwards=not layer.go_backwards)
        else:
            self.backward_layer = _as_layer(backward_layer, "backward_layer")
        self._check_pair()
        self.stateful: bool = layer.stateful

    def _check_pair(self) -> None:
        """The two directions must return the same kinds of things."""
        forward, backward = self.forward_layer, self.backward_layer
        if forward.go_backwards == backward.go_backwards:
            raise ArgumentError(
                f"backward_layer has go_backwards={backward.go_backwards}, as the forward layer has.",
                expected="layers that go in different directions.",
                fix=f"make backward_layer with go_backwards={not forward.go_backwards}.",
            )
        for name in _COMMON:
            if getattr(forward, name) != getattr(backward, name):
                raise ArgumentError(
                    f"the forward layer has {name}={getattr(forward, name)}, backward_layer {getattr(backward, name)}.",
                    expected=f"the same {name} in both.",
                )

    @property
    def return_sequences(self) -> bool:
        """Whether the output has all steps."""
        return bool(self.forward_layer.return_sequences)

    @property
    def return_state(self) -> bool:
        """Whether the states are returned too."""
        return bool(self.forward_layer.return_state)

    def check_input(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        shape, states = apart(sequences_shape, initial_state_shape)
        halves = self._halves(states if states is None or isinstance(states, list) else [states])
        for layer, half in zip((self.forward_layer, self.backward_layer), halves, strict=True):
            layer.check_input(shape, half)

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        shape, _ = apart(sequences_shape, initial_state_shape)
        for layer in (self.forward_layer, self.backward_layer):
            self.build_wrapped(layer, shape, layer.name)

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        """The shape of the output, or the list of the shapes of all outputs."""
        shape, _ = apart(sequences_shape, initial_state_shape)
        found = [layer.compute_output_shape(shape) for layer in (self.forward_layer, self.backward_layer)]
        (first, *ahead), (second, *behind) = [one if self.return_state else [one] for one in found]
        if self.merge_mode is None:
            return [first, second, *ahead, *behind]
        merged = (*first[:-1], first[-1] + second[-1]) if self.merge_mode == "concat" else first
        return [merged, *ahead, *behind] if self.return_state else merged

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        x, given = apart(sequences, initial_state)
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        ahead, behind = (
            as_list(layer(x, initial_state=half, mask=mask, training=training))
            for layer, half in zip((self.forward_layer, self.backward_layer), self._halves(given), strict=True)
        )
        back = with_mask(ops.flip(behind[0], 1), ahead[0]._mask) if self.return_sequences else behind[0]
        outputs = as_list(MERGES[self.merge_mode](ahead[0], back))
        outputs += [*ahead[1:], *behind[1:]]
        return outputs if len(outputs) > 1 else outputs[0]

    def _halves(self, given: Any) -> tuple[Any, Any]:
        """The initial states of each direction."""
        if given is None:
            return None, None
        states = as_list(given)
        if len(states) % 2:
            raise ArgumentError(
                f"Bidirectional got {len(states)} initial state{'' if len(states) == 1 else 's'}.",
                expected="those of the forward layer, then as many of the backward layer.",
            )
        half = len(states) // 2
        return states[:half], states[half:]

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        found = mask if self.return_sequences else None
        return [found, found] if self.merge_mode is None else found

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        layer = serialize(self.forward_layer)
        layer["config"]["name"] = self._given_name
        backward = serialize(self.backward_layer) if self._given_backward else None
        return {**config, "layer": layer, "backward_layer": backward}


def _as_layer(given: Any, name: str) -> Any:
    """A recurrent layer from an object or a config."""
    layer = deserialize("layers", given, Layer) if isinstance(given, Mapping) else given
    if not (isinstance(layer, Layer) and all(hasattr(layer, name) for name in ("go_backwards", *_COMMON))):
        raise ArgumentTypeError(f"{name} is {given!r}.", expected="a recurrent layer, such as LSTM(10), or its config.")
    return layer


def _copy(layer: Any, name: str, **settings: Any) -> Any:
    """A layer of the same settings but some, with weights of its own."""
    config = {**layer.get_config(), "name": name, **settings}
    if layer.return_sequences:
        config["zero_output_for_mask"] = True
    return type(layer).from_config(config)
