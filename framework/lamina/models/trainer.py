"""The training of models, put together; here are single batches from outside."""

from __future__ import annotations

from typing import Any

from lamina.data import ArrayData
from lamina.data.adapters import ArrayFeed
from lamina.models.callbacks import History
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

    def fit_dataset(
        self,
        dataset: Any,
        epochs: int = 1,
        batches_per_epoch: int | None = None,
        verbose: str | int = 1,
        callbacks: Any = None,
        validation_data: Any = None,
        validation_batch_size: int | None = 32,
        validation_batches: int | None = None,
        initial_epoch: int = 0,
        class_weight: Any = None,
    ) -> History:
        """``fit`` in the words of TensorFlow.js, for data that give batches."""
        return self.fit(
            dataset,
            epochs=epochs,
            verbose=verbose,
            callbacks=callbacks,
            validation_data=validation_data,
            class_weight=class_weight,
            initial_epoch=initial_epoch,
            steps_per_epoch=batches_per_epoch,
            validation_steps=validation_batches,
            validation_batch_size=validation_batch_size,
        )

    def evaluate_dataset(self, dataset: Any, batches: int | None = None, verbose: str | int = 0) -> Any:
        """``evaluate`` in the words of TensorFlow.js, for data that give batches."""
        return self.evaluate(dataset, steps=batches, verbose=verbose)

    def _on_batch(
        self, kind: str, x: Any, y: Any, sample_weight: Any, return_dict: bool, class_weight: Any = None
    ) -> Any:
        data = ArrayData(x, y, sample_weight, dtype=self.dtype)
        with on_backend(self._home()):
            feed = ArrayFeed(data, data.count)
            self._prepare_training(feed, optimizing=kind == "train", class_weight=class_weight)
            self._reset_found_metrics()
            (batch,) = data.batches(data.count, get_backend())
            found = self._results(self._step(kind)(*batch))
        return found if return_dict else as_values(found)
