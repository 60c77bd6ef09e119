"""What training has told, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lamina.markup import printable
from lamina.models.callbacks.callback import Callback
from lamina.models.printing import as_number

if TYPE_CHECKING:
    from lamina.models.drawing.charts import Chart


class History(Callback):
    """What ``fit`` returns: ``epoch``, a list of epoch numbers, and ``history``, a list of values per name.

    ``plot()`` draws them. Raises DataError when there is nothing to draw.

    >>> import lamina
    >>> model = lamina.Sequential([lamina.layers.Dense(1, input_shape=(2,))])
    >>> model.compile("sgd", "mse")
    >>> history = model.fit([[1.0, 2.0]], [[1.0]], epochs=2, verbose=0)
    >>> history.epoch, list(history.history)
    ([0, 1], ['loss'])
    """

    def __init__(self) -> None:
        self.epoch: list[int] = []
        self.history: dict[str, list[float]] = {}

    def on_train_begin(self, logs: Any = None) -> None:
        self.epoch, self.history = [], {}

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)

    def __repr__(self) -> str:
        last = [f"{printable(name)}={as_number(values[-1])}" for name, values in self.history.items() if values]
        count = len(self.epoch)
        return f"<History: {count} epoch{'' if count == 1 else 's'}{', ' if last else ''}{', '.join(last)}>"

    def _repr_html_(self) -> str:
        from lamina.models.notebook import history_html

        return history_html(self.epoch, self.history)

    def plot(self, names: Sequence[str] | None = None, to_file: Any = None) -> Chart:
        """A chart of what training told, or of some ``names`` of it; validation is drawn dashed. Needs matplotlib.

        ``to_file`` also writes it; its ending says the format, such as ``.png`` or ``.svg``. Raises ArgumentError for
        an unknown name, DataError for an empty history, MissingLibraryError without matplotlib.
        """
        from lamina.models.drawing.charts import history_chart

        chart = history_chart(self.epoch, self.history, names)
        if to_file is not None:
            chart.save(to_file)
        return chart

    def get_state(self) -> Mapping[str, Any]:
        return {"epoch": list(self.epoch), "history": {name: list(values) for name, values in self.history.items()}}

    def set_state(self, state: Mapping[str, Any]) -> None:
        self.epoch = list(state["epoch"])
        self.history = {name: list(values) for name, values in state["history"].items()}
