"""Optimizers whose steps Keras and TensorFlow.js compute in different ways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lamina.errors import ArgumentError
from lamina.optimizers.optimizer import Optimizer

KERAS: Final = "keras"
TENSORFLOW_JS: Final = "tensorflow.js"


class InTwoForms(Optimizer):
    """Base of optimizers that have a ``form``: ``"keras"``, or ``"tensorflow.js"`` to go on as TensorFlow.js would.

    The config of TensorFlow.js, which is known by its key ``learningRate``, makes an optimizer of the second form.

    >>> from lamina.optimizers import Adam
    >>> Adam().form, Adam.from_config({"learningRate": 0.1}).form
    ('keras', 'tensorflow.js')
    """

    def __init__(self, learning_rate: Any, *, form: str = KERAS, **settings: Any) -> None:
        if form not in (KERAS, TENSORFLOW_JS):
            raise ArgumentError(f"form is {form!r}.", expected=f"{KERAS!r} or {TENSORFLOW_JS!r}.")
        self.form = form
        super().__init__(learning_rate, **settings)

    @property
    def as_tensorflow_js(self) -> bool:
        """Whether steps are those of TensorFlow.js."""
        return self.form == TENSORFLOW_JS

    def get_config(self) -> dict[str, Any]:
        """As for every optimizer; the form is in it if it is not Keras's."""
        return {**super().get_config(), **({"form": self.form} if self.as_tensorflow_js else {})}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Optimizer:
        """As for every optimizer; a config of TensorFlow.js makes the form that takes its steps."""
        return super().from_config({"form": TENSORFLOW_JS, **config} if "learningRate" in config else config)
