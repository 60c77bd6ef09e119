"""What can be done with stored models: list them, copy, move and remove them, as artifacts or as single files."""

from __future__ import annotations

from lamina.contract.io import SaveResult
from lamina.errors import ArgumentError, PluginError
from lamina.io.formats import Place, find_format
from lamina.io.router import (
    Address,
    able,
    load_artifacts,
    offer_of,
    offers,
    place_of,
    save_artifacts,
    told,
)
from lamina.notices import warn
from lamina.plugins import resolve


def list_models(scheme: str | None = None) -> dict[str, SaveResult]:
    """The models of all stores that can list theirs, or of one scheme, by address.

    Raises UnknownNameError for an unknown scheme, ArgumentError for one that cannot list. Without a scheme, a store
    whose plugin cannot be loaded is left out with a warning.
    """
    if scheme is not None:
        offer = offer_of(scheme, f"{scheme}://")
        kind = resolve(offer)
        if not hasattr(kind, "list_models"):
            raise ArgumentError(f"models under {scheme}:// cannot be listed.", expected="a scheme that keeps a list.")
        return dict(kind.list_models())
    found: dict[str, SaveResult] = {}
    for name, offer in offers().items():
        try:
            kind = resolve(offer)
        except PluginError as error:
            warn(f"models under {name}:// are not listed: {error}", RuntimeWarning)
            continue
        if hasattr(kind, "list_models"):
            found.update(kind.list_models())
    return found


def remove_model(address: Address) -> SaveResult:
    """Removes a stored model, and gives its record.

    Of a folder go the ``model.json`` and the weight files that it names, and the folder itself if that was all. A
    single file goes if it is what its ending says.

    Raises ModelNotFoundError if there is none, ArgumentError if the place cannot remove, or if a ``model.json`` names
    files that are not named like weight files, ModelFileError if it is damaged.
    """
    place = find_format(address)
    if place is None:
        found: SaveResult = able(address, "remove")()
        return found
    remove = able(address, "remove_file")
    size = len(place.read())
    remove()
    return SaveResult(place.where, 0, size)


def copy_model(source: Address, destination: Address) -> SaveResult:
    """Copies a model from one address to another, which may be in another medium.

    A single file is copied as it is, to a file of the same format.

    Raises ArgumentError if the two are the same or of different formats, and what loading and saving raise.
    """
    places = _checked(source, destination)
    if places is not None:
        return places[1].write([places[0].read()])
    return save_artifacts(destination, load_artifacts(source))


def move_model(source: Address, destination: Address) -> SaveResult:
    """Copies a model, and then, once the copy is complete, removes the source.

    Raises ArgumentError if the two are the same, of different formats, or the source cannot be removed, before
    anything is done; and what copying raises, and then the source is as it was.
    """
    places = _checked(source, destination)
    remove = able(source, "remove" if places is None else "remove_file")
    result = copy_model(source, destination)
    remove()
    return result


def _checked(source: Address, destination: Address) -> tuple[Place, Place] | None:
    """Both places if they are files of one format, None if both hold artifacts."""
    if source is destination or place_of(source) == place_of(destination):
        raise ArgumentError(f"{told(source)} would be copied onto itself.", expected="two different addresses.")
    origin, target = find_format(source), find_format(destination)
    if origin is None and target is None:
        return None
    if origin is None or target is None or type(origin.format) is not type(target.format):
        raise ArgumentError(
            f"{told(source)} is of another format than {told(destination)}.",
            expected="two files of one format, or two folders or stores.",
            fix="load the model and save it there, or use the command `lamina convert`.",
        )
    return origin, target
