"""The training of models, put together; here are single batches from outside."""

from __future__ import annotations

from typing import Any

from lamina.data import ArrayData
from lamina.data.adapters import ArrayFeed
from lamina.models.evaluating import as_values
from lamina.models.fitting import Fitting
from lamina.runtime.backends import get_backend, on_backend


class Trainer(Fitting):
    """The part of a model that learns; ``Model`` inherits it."""

    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """One training step on one batch; returns loss and metrics of this batch, without those before it."""
        return self._on_batch("train", x, y, sample_weight, return_dict, class_weight)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """Loss and metrics of one batch."""
        return self._on_batch("test", x, y, sample_weight, return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch, as NumPy arrays."""
        return self.predict(x, batch_size=ArrayData(x, dtype=self.dtype).count)

    def _on_batch(
        self, kind: str, x: Any, y: Any, sample_weight: Any, return_dict: bool, class_weight: Any = None
    ) -> Any:
        data = ArrayData(x, y, sample_weight, dtype=self.dtype)
        with on_backend(self._home()):
            feed = ArrayFeed(data, data.count)
            self._prepare_training(feed, optimizing=kind == "train", class_weight=class_weight)
            self.reset_metrics()
            (batch,) = data.batches(data.count, get_backend())
            found = self._results(self._step(kind)(*batch))
        return found if return_dict else as_values(found)
