"""The transformer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin

from lamina.errors import DataError
from lamina_sklearn.building import autoencoder
from lamina_sklearn.estimator import HostArray, LaminaEstimator


class LaminaTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, LaminaEstimator):  # type: ignore[misc]
    """A network whose outputs, or those of a layer inside, are features for what comes next.

    Without a ``model`` it is an autoencoder of ``n_components`` numbers, and ``y`` is passed over. ``layer`` names the
    layer whose outputs are the features, None for the model's own. Other parameters are as for ``LaminaRegressor``.

    >>> from sklearn.datasets import load_iris
    >>> X = load_iris().data
    >>> LaminaTransformer(n_components=2, epochs=5, random_state=0).fit_transform(X).shape
    (150, 2)
    """

    _make_default: ClassVar[Callable[..., Any]] = staticmethod(autoencoder)

    def __init__(
        self,
        model: Any = None,
        *,
        n_components: int = 2,
        layer: str | None = None,
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
        self.n_components = n_components
        self.layer = layer
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
        tags.transformer_tags.preserves_dtype = ["float64", "float32"] if self.model is None else []
        return tags

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Trains a new model, or goes on with the last one if ``warm_start``; returns the estimator.

        A ``model`` of yours is trained towards ``y`` as it is, or towards ``X`` if there is none.
        """
        X = self._checked(X, reset=True)
        return self._fit(X, self._targets(X, y), self._weights(sample_weight, X, balanced=True))

    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Trains for one epoch on the data, and goes on where the last call or ``fit`` ended; returns the estimator."""
        X = self._checked(X, reset=not hasattr(self, "model_"))
        return self._partial_fit(X, self._targets(X, y), self._weights(sample_weight, X, balanced=False))

    def transform(self, X: Any) -> HostArray:
        """The features of X: what the layer ``layer`` gives, or the model if that is None; shape (samples, ...)."""
        return self._outputs(X, self._layer())

    @property
    def _n_features_out(self) -> int:
        return int(self.model_.output_shape[-1] if self._layer() is None else self._layer_size())

    def _layer(self) -> str | None:
        return "code" if self.model is None and self.layer is None else self.layer

    def _layer_size(self) -> int:
        return int(self.model_.get_layer(self._layer()).output.shape[-1])

    def _targets(self, X: HostArray, y: Any) -> HostArray:
        if y is None or self.model is None:
            return X
        targets = np.asarray(y)
        if targets.dtype.kind not in "biuf":
            raise DataError(f"y holds {targets.dtype}.", expected="numbers, as the loss of the model takes them.")
        return targets

    def _facts(self, X: HostArray, y: HostArray) -> dict[str, Any]:
        return {**super()._facts(X, y), "n_components": self.n_components}
