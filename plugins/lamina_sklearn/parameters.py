"""Parameters that go on to what an estimator is made of, such as ``model__hidden`` or ``optimizer__learning_rate``.

scikit-learn hands such names to estimators inside; a function, an optimizer's name or a loss is none, so that an
estimator keeps them as attributes of its own. Knows nothing of models.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sklearn.base import BaseEstimator, clone

from lamina.errors import ArgumentError

ROUTES: Final = ("model", "optimizer", "loss", "fit")
"""Where parameters go on to: the function that makes the model, the optimizer, the loss, and ``Model.fit``."""

_SHARED: Final = ("model", "optimizer", "loss", "metrics")
"""What clones have in common: it is never changed, each ``fit`` makes its own of it."""


class Routing(BaseEstimator):  # type: ignore[misc]
    """The part of an estimator that keeps parameters with ``__`` in their names."""

    def _keep_routed(self, given: Mapping[str, Any]) -> None:
        """Keeps parameters of the constructor that it does not name; ``fit`` refuses those that are none."""
        strange = {name: value for name, value in given.items() if not _is_routed(name)}
        if strange:
            self._strange = strange
        for name in given.keys() - strange.keys():
            setattr(self, name, given[name])

    def _refuse_strange(self) -> None:
        for name in vars(self).get("_strange", ()):
            raise ArgumentError(
                f"{type(self).__name__} has no parameter {name!r}.",
                expected=f"one of {', '.join(self._get_param_names())}, or a name that begins with "
                f"{', '.join(f'{route}__' for route in ROUTES)}.",
            )

    def _routed(self, route: str) -> dict[str, Any]:
        """What goes on to one of the routes, by the names it has there."""
        begin = f"{route}__"
        return {name.removeprefix(begin): value for name, value in vars(self).items() if name.startswith(begin)}

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters by name, those that go on to the model, optimizer, loss and ``fit`` too."""
        routed = {name: value for name, value in vars(self).items() if _is_routed(name)}
        return {**super().get_params(deep), **routed, **vars(self).get("_strange", {})}

    def set_params(self, **parameters: Any) -> Any:
        """Sets parameters, and returns the estimator itself. Raises ValueError for a name that it does not have."""
        strange = vars(self).get("_strange", {})
        own = {name: value for name, value in parameters.items() if not _is_routed(name) and name not in strange}
        super().set_params(**own)
        self._keep_routed({name: value for name, value in parameters.items() if name not in own})
        return self

    def __sklearn_clone__(self) -> Any:
        given = self.get_params(deep=False)
        made = type(self)(**{k: v if k in _SHARED else clone(v, safe=False) for k, v in given.items()})
        for name in ("_metadata_request", "_sklearn_output_config"):
            if name in vars(self):
                setattr(made, name, clone(vars(self)[name], safe=False))
        return made


def _is_routed(name: str) -> bool:
    return name.startswith(tuple(f"{route}__" for route in ROUTES))


def accepted(names: Iterable[str], given: Mapping[str, Any], route: str) -> None:
    """Raises ArgumentError for a parameter that what it goes on to does not take."""
    known = list(names)
    for name in given:
        if name not in known:
            raise ArgumentError(
                f"there is no parameter {route}__{name}.", expected=f"{route}__ and one of {', '.join(known)}."
            )
