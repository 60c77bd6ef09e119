"""The regressor."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin

from lamina.errors import DataError, ShapeError
from lamina_sklearn.estimator import HostArray, LaminaEstimator


class LaminaRegressor(RegressorMixin, LaminaEstimator):  # type: ignore[misc]
    """A network that predicts one number, or several, with the interface of scikit-learn.

    Parameters are as for ``LaminaClassifier``, but for ``class_weight``; without a loss it is the squared error.

    >>> import numpy as np
    >>> X = np.linspace(-1, 1, 60)[:, None]
    >>> found = LaminaRegressor(random_state=0).fit(X, X[:, 0] ** 2)
    >>> found.predict(X).shape, bool(found.score(X, X[:, 0] ** 2) > 0.9)
    ((60,), True)
    """

    def __init__(
        self,
        model: Any = None,
        *,
        hidden_layer_sizes: Any = (100,),
        optimizer: Any = None,
        loss: Any = None,
        metrics: Any = None,
        epochs: int = 100,
        batch_size: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        shuffle: Any = True,
        warm_start: bool = False,
        random_state: Any = None,
        verbose: Any = 0,
        **routed: Any,
    ) -> None:
        self.model = model
        self.hidden_layer_sizes = hidden_layer_sizes
        self.optimizer = optimizer
        self.loss = loss
        self.metrics = metrics
        self.epochs = epochs
        self.batch_size = batch_size
        self.callbacks = callbacks
        self.validation_split = validation_split
        self.shuffle = shuffle
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose
        self._keep_routed(routed)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Trains a new model, or goes on with the last one if ``warm_start``; returns the estimator."""
        X, y = self._checked(X, y, reset=True, multi_output=True, y_numeric=True)
        if not self.warm_start:
            self._target_shape: tuple[int, ...] | None = None
        return self._fit(X, self._targets(X, y), self._weights(sample_weight, X, balanced=True))

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Trains for one epoch on the data, and goes on where the last call or ``fit`` ended; returns the estimator."""
        X, y = self._checked(X, y, reset=not hasattr(self, "model_"), multi_output=True, y_numeric=True)
        return self._partial_fit(X, self._targets(X, y), self._weights(sample_weight, X, balanced=False))

    def predict(self, X: Any) -> HostArray:
        """What the model predicts, in the shape that ``y`` had: (samples,) or (samples, outputs)."""
        outputs = self._outputs(X)
        if self._target_shape == () and outputs.shape[1:] == (1,):
            return outputs[:, 0]
        if outputs.shape[1:] != self._target_shape:
            raise ShapeError(f"the model gives {outputs.shape[1:]} for a sample.", expected=f"{self._target_shape}.")
        return outputs

    def _targets(self, X: HostArray, y: HostArray) -> HostArray:
        before = getattr(self, "_target_shape", None)
        if before not in (None, y.shape[1:]):
            raise DataError(f"y has {y.shape[1:]} numbers for a sample.", expected=f"{before}, as before.")
        self._target_shape = y.shape[1:]
        self.n_outputs_ = y.shape[1] if y.ndim > 1 else 1
        return y.reshape(len(y), -1).astype(X.dtype if X.dtype.kind == "f" else np.float64, copy=False)

    def _facts(self, X: HostArray, y: HostArray) -> dict[str, Any]:
        return {**super()._facts(X, y), "n_outputs": self.n_outputs_, "output_activation": "linear"}
