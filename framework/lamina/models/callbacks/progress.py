"""Training shown while it runs."""

from __future__ import annotations

import importlib.util
import sys
import time
from typing import Any

from lamina.models.callbacks.callback import Callback

_REDRAW_SECONDS = 0.2  # a bar that is redrawn more often costs more than it tells


class ProgbarLogger(Callback):
    """Shows training: a bar on a terminal or in a notebook, one line per epoch elsewhere or with ``verbose=2``.

    ``fit`` adds one unless ``verbose`` is 0.

    >>> import lamina
    >>> model = lamina.Sequential([lamina.layers.Dense(1, input_shape=(2,))])
    >>> model.compile("sgd", "mse")
    >>> history = model.fit([[1.0, 2.0]], [[1.0]], callbacks=ProgbarLogger(verbose=2), verbose=0)  # doctest: +ELLIPSIS
    Epoch 1/1...
    """

    def __init__(self, verbose: Any = None) -> None:
        self._verbose = verbose
        self._bar: Any = None
        self._began: float | None = None
        self._drawn = 0.0

    def _wants_bar(self) -> bool:
        verbose = self.params.get("verbose", 1) if self._verbose is None else self._verbose
        return verbose in (1, "auto") and (sys.stderr.isatty() or in_notebook())

    def on_train_begin(self, logs: Any = None) -> None:
        self._close()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._began = time.perf_counter()
        if self._wants_bar():
            title = f"Epoch {epoch + 1}/{self.params['epochs']}"
            self._bar = _bar_class()(total=self.params["steps"], desc=title, leave=True, unit="step")

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        now = time.perf_counter()
        if self._bar is not None and now - self._drawn > _REDRAW_SECONDS:
            self._drawn = now
            self._bar.set_postfix_str(described(logs), refresh=False)
            self._bar.update(batch + 1 - self._bar.n)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        seconds = 0.0 if self._began is None else time.perf_counter() - self._began
        if self._bar is not None:
            self._bar.set_postfix_str(described(logs), refresh=False)
            self._bar.update((self.params["steps"] or self._bar.n) - self._bar.n)
            self._close()
        else:
            print(f"Epoch {epoch + 1}/{self.params['epochs']} - {seconds:.2f}s - {described(logs, ' - ')}", flush=True)

    def on_train_end(self, logs: Any = None) -> None:
        self._close()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def in_notebook() -> bool:
    """Whether this Python runs the cells of a notebook: its output is no terminal, but a bar moves there."""
    found = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return "IPKernelApp" in getattr(found, "config", ())


def _bar_class() -> Any:
    """tqdm's bar for where the output goes; one of text in a notebook without widgets."""
    if in_notebook() and importlib.util.find_spec("ipywidgets") is not None:
        from tqdm.notebook import tqdm
    else:
        from tqdm import tqdm
    return tqdm


def described(logs: Any, separator: str = ", ") -> str:
    """Numbers by name in words.

    >>> described({"loss": 0.5, "f1_score": [1.0, 0.25]})
    'loss: 0.5000, f1_score: [1.0000 0.2500]'
    """
    return separator.join(f"{name}: {_worded(value)}" for name, value in (logs or {}).items())


def _worded(value: Any) -> str:
    return f"[{' '.join(map(_worded, value))}]" if isinstance(value, list) else f"{value:.4f}"
