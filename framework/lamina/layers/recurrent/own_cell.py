"""Recurrent layers that make their own cell, whose settings are then theirs."""

from __future__ import annotations

from typing import Any, ClassVar

from lamina.layers.checks import check_axes, check_size
from lamina.layers.config import all_arguments, read_config
from lamina.layers.layer import Layer
from lamina.layers.naming import snake_case
from lamina.layers.recurrent.cell import StepCell
from lamina.layers.recurrent.rnn import RNN


class OwnCellRNN(RNN):
    """Base of recurrent layers with a cell of the class ``cell_class``.

    The settings and weights of the cell are the layer's too: ``LSTM(4).units`` is that of its cell.
    """

    lends_settings = True
    cell_class: ClassVar[type[StepCell]]

    def __init__(self, **settings: Any) -> None:
        of_cell = {name: settings.pop(name) for name in self._cell_settings() if name in settings}
        dtype = settings.get("dtype")
        name = snake_case(self.cell_class.__name__)
        super().__init__(self.cell_class(**of_cell, dtype=dtype, name=name), **settings)

    @classmethod
    def _cell_settings(cls) -> tuple[str, ...]:
        return all_arguments(cls.cell_class, Layer)

    @classmethod
    def setting_names(cls) -> tuple[str, ...]:
        return (*(name for name in all_arguments(cls) if name != "cell"), *cls._cell_settings())

    def __getattr__(self, name: str) -> Any:
        cell = self.__dict__.get("cell")
        if cell is None or name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(cell, name)

    def check_sequence(self, shape: Any) -> None:
        check_axes(self, shape, self.sequence_form)
        if self.cell.built:
            check_size(self, shape, -1, self.cell.kernel.shape[0])

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), **read_config(self.cell, Layer)}
        return {key: value for key, value in config.items() if key != "cell"}
