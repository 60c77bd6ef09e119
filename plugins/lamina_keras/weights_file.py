"""``.weights.h5``: the weights of a model, and the state of its optimizer, by their paths."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final

import numpy as np

from lamina.contract.io import Bytes
from lamina.errors import ModelFileError, NotBuiltError
from lamina.io.checks import check_name, shown
from lamina.models.saving.sources import assign_all, values_of
from lamina.notices import warn
from lamina_keras.hdf5 import Group, read_hdf5, write_hdf5
from lamina_keras.paths import OLDER, Place, optimizer_places, places_of

HostArray = np.ndarray[Any, Any]

MAGIC: Final = b"\x89HDF\r\n\x1a\n"

_OPTIMIZER: Final = "optimizer/"
_BEFORE_KERAS_3: Final = "_layer_checkpoint_dependencies"


class WeightsFile:
    """The format: weights only, as ``Model.save_weights`` of Keras 3 writes them."""

    title: ClassVar[str] = "a file of Keras's weights"
    magic: ClassVar[tuple[bytes, ...]] = (MAGIC,)

    def save_weights(self, model: Any, where: str) -> Iterable[Bytes]:
        """The file of a model's weights, and of its optimizer's state. Raises NotBuiltError before there are any."""
        return write_hdf5(weights_group(model, include_optimizer=True))

    def load_weights(self, model: Any, data: memoryview, where: str, *, strict: bool) -> None:
        """Gives a model the weights of a file; all, or none if something does not fit.

        The state of the optimizer comes along if the model is compiled with such an optimizer.
        """
        assign_weights(model, read_hdf5(data, where), where, strict)


def weights_group(model: Any, include_optimizer: bool) -> Group:
    """The weights of a model, and the state of its optimizer, as they lie in the file."""
    if not model.built:
        raise NotBuiltError(
            f"the model {model.name!r} has no weights yet.", fix="call it on data, or build it with an input shape."
        )
    root = Group()
    trains = include_optimizer and model.optimizer is not None
    for place in [*places_of(model), *(optimizer_places(model.optimizer) if trains else ())]:
        check_name(place.name, "the model")
        group = root.group(f"{place.path}/vars".lstrip("/"))
        group.attributes["name"] = place.name
        group.children.update({str(i): values_of(variable) for i, variable in enumerate(place.variables)})
    return root


def assign_weights(model: Any, root: Group, where: str, strict: bool) -> None:
    """Gives a model the weights of a file, and its optimizer the state, if there is one and it fits."""
    if not model.built:
        raise NotBuiltError(
            f"the model {model.name!r} has no weights yet.", fix="call it on data, or build it with an input shape."
        )
    state = _load(model, root, where, strict)
    if state and model.optimizer is not None:
        try:
            restore_optimizer(model, state, where)
        except ModelFileError as error:
            warn(
                f"the optimizer keeps its state: {error.what} Compile with the file's optimizer to take its state.",
                RuntimeWarning,
            )


def load_whole(model: Any, root: Group, where: str) -> Mapping[str, HostArray]:
    """Gives a model that was just read the weights of its file. What comes back is the optimizer's state."""
    return _load(model, root, where, strict=True, owned=True)


def _load(model: Any, root: Group, where: str, strict: bool, owned: bool = False) -> Mapping[str, HostArray]:
    found = arrays_in(root)
    state = {path: found.pop(path) for path in list(found) if path.startswith(_OPTIMIZER)}
    # Beside a state of an optimizer, the memory of that would stay as well.
    assign_all(_matched(places_of(model), found, where, strict), owned=owned and not state)
    return state


def restore_optimizer(model: Any, state: Mapping[str, HostArray], where: str) -> None:
    """Gives the optimizer of a model the state that a file has. Raises ModelFileError if it does not fit."""
    optimizer = model.optimizer
    optimizer.build(model.trainable_weights)
    places = optimizer_places(optimizer)
    own = [path for path in state if path.startswith("optimizer/vars/")]
    if len(own) < len(places[0].variables) and len(own) <= 2:
        # An optimizer that was saved before its first step has no slots: those made now are as they were.
        places = [Place(places[0].path, places[0].name, places[0].variables[: len(own)])]
        state = {path: state[path] for path in own}
    assign_all(_matched(places, state, where, strict=True))


def stored_bytes(root: Group) -> int:
    """The bytes of all arrays of a file."""
    return sum(array.nbytes for array in arrays_in(root).values())


def arrays_in(root: Group) -> dict[str, HostArray]:
    """All arrays of a file by path, those of files from before Keras 3 under the path of now."""
    found: dict[str, HostArray] = {}
    waiting: list[tuple[str, Any]] = [("", root)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, Group):
            waiting += [(f"{path}/{name}", child) for name, child in reversed(value.children.items())]
        else:
            found[path[1:]] = value
    if _BEFORE_KERAS_3 in root.children and "layers" not in root.children:
        found = {path.replace(_BEFORE_KERAS_3, "layers"): array for path, array in found.items()}
    return found


def _matched(
    places: Sequence[Place], found: Mapping[str, HostArray], where: str, strict: bool
) -> list[tuple[Any, HostArray]]:
    """Variables and their arrays. Raises ModelFileError that names the path of one that is missing, or does not fit."""
    pairs, used = [], set()
    for place in places:
        for index, variable in enumerate(place.variables):
            path = place.path_of(index)
            if path not in found:
                path = _older(path) if _older(path) in found else path
            if path not in found:
                if strict:
                    raise ModelFileError(
                        f"{where} has no {shown(path)}, which is the weight {variable.name!r} of the model.",
                        expected="the weights of a model with the same layers in the same order.",
                    )
                continue
            if found[path].shape != variable.shape:
                raise ModelFileError(
                    f"{where} has {shown(path)} of shape {found[path].shape}, and {variable.name!r} has the shape "
                    f"{variable.shape}.",
                    expected="the weights of a model with the same layers in the same order.",
                )
            used.add(path)
            pairs.append((variable, found[path]))
    surplus = sorted(set(found) - used)
    if strict and surplus:
        raise ModelFileError(
            f"{where} has {shown(surplus[0])}, for which the model has no weight.",
            expected="the weights of a model with the same layers in the same order.",
        )
    return pairs


def _older(path: str) -> str:
    return "/".join(OLDER.get(part, part) for part in path.split("/"))
