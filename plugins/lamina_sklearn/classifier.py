"""The classifier."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets

from lamina import losses, ops
from lamina.errors import ArgumentError, DataError, ShapeError
from lamina_sklearn.estimator import HostArray, LaminaEstimator


class LaminaClassifier(ClassifierMixin, LaminaEstimator):  # type: ignore[misc]
    """A network that classifies, with the interface of scikit-learn.

    ``model`` is a function that makes a model, a model to begin with a copy of, or None for dense layers of the sizes
    ``hidden_layer_sizes``. ``optimizer``, ``loss`` and ``metrics`` are as for ``compile``; None leaves them as the
    model was compiled, else it is Adam with the rate 0.01 and cross-entropy. ``batch_size`` "auto" is 200, or all
    if there are fewer. ``callbacks`` are copied for each ``fit``. ``class_weight`` is a dict by labels, or "balanced".
    ``warm_start`` makes ``fit`` go on with the model that is there; all random numbers follow from ``random_state``.
    Parameters that begin with ``model__``, ``optimizer__``, ``loss__`` and ``fit__`` go on to these.

    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> found = LaminaClassifier(hidden_layer_sizes=(16,), random_state=0).fit(X, y)
    >>> bool(found.score(X, y) > 0.9), found.predict_proba(X).shape
    (True, (150, 3))
    """

    classes_: HostArray

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
        class_weight: Any = None,
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
        self.class_weight = class_weight
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose
        self._keep_routed(routed)

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Trains a new model, or goes on with the last one if ``warm_start``; returns the estimator."""
        X, y = self._checked(X, y, reset=True)
        check_classification_targets(y)
        weights = self._weights(sample_weight, X, balanced=False)
        classes = np.unique(y)
        seen = classes if weights is None else np.unique(y[weights > 0])
        if len(seen) < 2:
            raise DataError(f"y has one class only, {seen.tolist()[:1]}.", expected="at least two classes.")
        if self.warm_start and hasattr(self, "classes_") and not np.array_equal(classes, self.classes_):
            raise DataError(f"with warm_start y has the classes {classes}.", expected=f"{self.classes_}, as before.")
        self.classes_ = classes
        return self._fit(X, self._numbers(y), self._weights(self._weighed(weights, y), X, balanced=True))

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Any:
        """Trains for one epoch on the data, and goes on where the last call or ``fit`` ended; returns the estimator.

        ``classes`` are all classes there will be; the first call needs them.
        """
        begins = not hasattr(self, "model_")
        X, y = self._checked(X, y, reset=begins)
        check_classification_targets(y)
        if self.class_weight == "balanced":
            raise ArgumentError("class_weight is 'balanced' for partial_fit.", expected="a dict, or None.")
        if begins and classes is None:
            raise ArgumentError("classes is None.", expected="all classes, at the first call of partial_fit.")
        if classes is not None:
            known = np.unique(classes)
            if not begins and not np.array_equal(known, self.classes_):
                raise ArgumentError(f"classes is {known}.", expected=f"{self.classes_}, as before.")
            self.classes_ = known
        weights = self._weights(sample_weight, X, balanced=False)
        return self._partial_fit(X, self._numbers(y), self._weighed(weights, y))

    def predict(self, X: Any) -> HostArray:
        """The most probable class of each sample, of the kind that ``y`` had, shape (samples,)."""
        probabilities = self.predict_proba(X)
        found: HostArray = self.classes_[probabilities.argmax(axis=1)]
        return found

    def predict_proba(self, X: Any) -> HostArray:
        """The probabilities of the classes, in the order of ``classes_``, shape (samples, classes)."""
        outputs = self._outputs(X)
        sigmoid = outputs.shape[1:] in ((), (1,)) and len(self.classes_) == 2
        if not sigmoid and outputs.shape[1:] != (len(self.classes_),):
            raise ShapeError(
                f"the model gives {outputs.shape[1:]} numbers for a sample.",
                expected=f"one for each of the {len(self.classes_)} classes, or one if there are two classes.",
            )
        if self._gives_logits():
            activate = ops.sigmoid if sigmoid else ops.softmax
            outputs = activate(ops.tensor(outputs)).numpy()
        if sigmoid:
            second = outputs.reshape(-1)
            return np.stack([1 - second, second], axis=1)
        return outputs

    def _weighed(self, weights: HostArray | None, y: HostArray) -> HostArray | None:
        """The weights of samples, times those of their classes."""
        if self.class_weight is None:
            return weights
        found: HostArray = compute_sample_weight(self.class_weight, y)
        return found if weights is None else weights * found

    def _numbers(self, y: HostArray) -> HostArray:
        numbers: HostArray = np.searchsorted(self.classes_, y)
        known = np.minimum(numbers, len(self.classes_) - 1)
        strange = self.classes_[known] != y
        if strange.any():
            raise DataError(f"y has the class {y[strange].tolist()[0]!r}.", expected=f"one of {self.classes_}.")
        return numbers.astype(np.int32)

    def _facts(self, X: HostArray, y: HostArray) -> dict[str, Any]:
        count = len(self.classes_)
        return {**super()._facts(X, y), "n_outputs": count, "n_classes": count, "output_activation": "softmax"}

    def _default_loss(self, model: Any) -> str:
        one = model.output_shape[-1] == 1
        return "binary_crossentropy" if one else "sparse_categorical_crossentropy"

    def _gives_logits(self) -> bool:
        loss = losses.get(self.model_.loss)
        return bool(isinstance(loss, losses.Loss) and loss.get_config().get("from_logits", False))
