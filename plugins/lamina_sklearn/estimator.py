"""What the classifier, the regressor and the transformer have in common: making a model, training it, its state."""

from __future__ import annotations

import contextvars
import copy
import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from lamina import models, optimizers
from lamina.errors import ArgumentError, DataError
from lamina.ops.random import set_seed
from lamina_sklearn.building import LEARNING_RATE, changed_loss, compiled_as, dense_model, made_model, new_optimizer
from lamina_sklearn.parameters import Routing, accepted
from lamina_sklearn.state import live_state, plain_state

HostArray = np.ndarray[Any, Any]

LARGEST_AUTO_BATCH: Final = 200
_PREDICTED_AT_ONCE: Final = 1024


class LaminaEstimator(Routing):
    """The base of the estimators; what it needs to know of the targets, they say."""

    _make_default: ClassVar[Callable[..., Any]] = staticmethod(dense_model)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        return tags

    # -- data ------------------------------------------------------------------------------------------------------

    def _checked(self, X: Any, y: Any = "no_validation", *, reset: bool, **targets: Any) -> Any:
        """X, and y where given, as arrays; the default model takes tables of floats, others what they are made for."""
        self._refuse_strange()
        kind: Any = (np.float64, np.float32) if self.model is None else "numeric"
        return validate_data(self, X, y, reset=reset, dtype=kind, allow_nd=self.model is not None, **targets)

    def _weights(self, sample_weight: Any, X: HostArray, balanced: bool) -> HostArray | None:
        """One weight for each sample, divided by their mean if ``balanced``, or None if there are none."""
        if sample_weight is None:
            return None
        weights: HostArray = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        mean = weights.mean()
        if mean == 0:
            raise DataError("every sample_weight is 0.", expected="at least one positive weight.")
        return weights / mean if balanced else weights

    # -- the model -------------------------------------------------------------------------------------------------

    def _facts(self, X: HostArray, y: HostArray) -> dict[str, Any]:
        """What a function that makes the model may ask for by the names of its parameters."""
        return {
            "X": X, "y": y, "input_shape": X.shape[1:], "n_features_in": X.shape[1],
            "dtype": str(X.dtype), "hidden_layer_sizes": self.hidden_layer_sizes,
        }  # fmt: skip

    def _new_model(self, X: HostArray, y: HostArray) -> Any:
        made = made_model(self.model, self._make_default, self._facts(X, y), self._routed("model"))
        if not made.built:
            made.build((None, *X.shape[1:]))
        self._compile(made)
        return made

    def _compile(self, model: Any) -> None:
        """Compiles the model with what the estimator was given; else as it is, or with what suits the estimator."""
        before = compiled_as(model)
        given = {
            name: value
            for name, value in (("optimizer", self.optimizer), ("loss", self.loss), ("metrics", self.metrics))
            if value is not None
        }
        routed = self._routed("optimizer"), self._routed("loss")
        if before and not given and not any(routed):
            return
        settings = {"optimizer": optimizers.Adam(LEARNING_RATE), **before, **given}
        if settings.get("loss") is None:
            settings["loss"] = self._default_loss(model)
        settings["optimizer"] = new_optimizer(settings["optimizer"], routed[0])
        settings["loss"] = changed_loss(settings["loss"], routed[1])
        model.compile(**settings)

    def _default_loss(self, model: Any) -> str:
        return "mean_squared_error"

    # -- training --------------------------------------------------------------------------------------------------

    def _begin(self, X: HostArray, y: HostArray) -> None:
        """A new model, and the seed that all of its random numbers follow from."""
        self._seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        self.model_ = _seeded(self._seed, lambda: self._new_model(X, y))
        self.history_: dict[str, list[float]] = {}
        self.n_epochs_ = 0

    def _fit(self, X: HostArray, y: HostArray, weights: HostArray | None) -> Any:
        if not (self.warm_start and hasattr(self, "model_")):
            self._begin(X, y)
        self._train(X, y, weights, self.epochs, self.validation_split)
        return self

    def _partial_fit(self, X: HostArray, y: HostArray, weights: HostArray | None) -> Any:
        if not hasattr(self, "model_"):
            self._begin(X, y)
        self._train(X, y, weights, 1, 0.0)
        return self

    def _train(self, X: HostArray, y: HostArray, weights: HostArray | None, epochs: int, held_out: float) -> None:
        routed = self._routed("fit")
        accepted(inspect.signature(models.Model.fit).parameters, routed, "fit")
        settings = {
            "batch_size": self._batch_size(len(X)),
            "epochs": self.n_epochs_ + epochs,
            "initial_epoch": self.n_epochs_,
            "callbacks": copy.deepcopy(self.callbacks),
            "validation_split": held_out,
            "shuffle": self.shuffle,
            "verbose": self.verbose,
            "seed": self._seed,
            **routed,
        }
        if epochs == 0:
            return  # the model is taken as it is
        history = _seeded(
            self._seed + self.n_epochs_ + 1, lambda: self.model_.fit(X, y, sample_weight=weights, **settings)
        )
        for name, values in history.history.items():
            self.history_.setdefault(name, []).extend(values)
        self.n_epochs_ += len(history.epoch)

    def _batch_size(self, count: int) -> int:
        if self.batch_size == "auto":
            return min(LARGEST_AUTO_BATCH, count)
        if isinstance(self.batch_size, str):
            raise ArgumentError(f"batch_size is {self.batch_size!r}.", expected="'auto' or a number.")
        return int(self.batch_size)

    # -- use -------------------------------------------------------------------------------------------------------

    def _outputs(self, X: Any, layer: str | None = None) -> HostArray:
        """What the model, or one of its layers, gives for X."""
        check_is_fitted(self, "model_")
        X = self._checked(X, reset=False)
        model = self.model_ if layer is None else models.Model(self.model_.input, self.model_.get_layer(layer).output)
        found: HostArray = np.asarray(model.predict(X, batch_size=_PREDICTED_AT_ONCE, verbose=0))
        return found

    # -- state -----------------------------------------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        return plain_state(super().__getstate__())

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        super().__setstate__(live_state(state))


def _seeded(seed: int, function: Callable[[], Any]) -> Any:
    """Calls a function whose random numbers follow from a seed; those of the caller stay as they are."""
    context = contextvars.copy_context()
    context.run(set_seed, seed)
    return context.run(function)
