"""From an address to the one handler that serves it, and what can be done with addresses.

Handlers of schemes come through the hook ``lamina_io_handlers``, the built-in ones too; an object that has ``save`` or
``load`` is its own handler.
"""

from __future__ import annotations

import os
import warnings
from typing import Any, Final

from lamina.contract.io import IOHandler, ModelArtifacts, SaveResult, split_address
from lamina.errors import ArgumentError, ArgumentTypeError, PluginError, UnknownNameError
from lamina.io.checks import shown
from lamina.io.objects import describe
from lamina.plugins import plugins, resolve

Address = str | os.PathLike[str] | IOHandler
"""Where a model lies: an address such as ``"localstorage://digits"``, a path, or an object with save and/or load."""

_HOOK: Final = "lamina_io_handlers"
_WITHOUT: Final = {
    "save": "save it to another address, such as a folder.",
    "load": "load it from another address, such as a folder.",
    "remove": "remove it yourself; to move a model away from there, copy it first.",
    "read_file": "load the model from another address, such as a path.",
    "write_file": "save it to another address, such as a path; or, for the layout of folders, leave the ending out.",
}


def find_handler(address: Address) -> Any:
    """The handler of an address.

    Raises UnknownNameError for a scheme that nobody serves, PluginError if two plugins do or the one cannot be loaded,
    ArgumentTypeError for something that is no address.
    """
    if isinstance(address, (str, os.PathLike)):
        scheme = split_address(address)[0] if isinstance(address, str) else "file"
        return resolve(_offer(scheme, os.fsdecode(address)))(address)
    if callable(getattr(address, "save", None)) or callable(getattr(address, "load", None)):
        return address
    raise ArgumentTypeError(
        f"{shown(address)} is not where a model can be.",
        expected="a folder, an address such as 'localstorage://my-model', or an object with save and/or load.",
    )


def http(url: str, **settings: Any) -> Any:
    """The handler of an ``http://`` or ``https://`` address with settings of its own, such as headers and timeout.

    Without settings the plain address does. Raises ArgumentError for another scheme, PluginError if the plugin's
    library is missing.

    >>> http("file://model")
    Traceback (most recent call last):
    lamina.errors.ArgumentError: 'file://model' is not an address of the web.
      Expected http:// or https://.
    """
    scheme = split_address(url)[0]
    if scheme not in ("http", "https"):
        raise ArgumentError(f"{shown(url)} is not an address of the web.", expected="http:// or https://.")
    return resolve(_offer(scheme, url))(url, **settings)


def _offer(scheme: str, address: str) -> Any:
    offers = plugins().provided(_HOOK)
    if scheme not in offers:
        raise UnknownNameError(
            f"no handler is known for {shown(address)}.",
            expected=f"a path, or one of {', '.join(f'{known}://' for known in sorted(offers))}.",
            fix="install a plugin that brings this scheme, or pass an object with save and/or load.",
        )
    return offers[scheme]


def able(address: Address, action: str) -> Any:
    """What the handler of an address does for ``action``: save, load, remove, read_file or write_file.

    Raises ArgumentError if it does not, and what ``find_handler`` raises.
    """
    found = getattr(find_handler(address), action, None)
    if not callable(found):
        words = action.replace("_file", " a single file") if "_" in action else f"{action} a model"
        raise ArgumentError(f"{_shown(address)} cannot {words}.", fix=_WITHOUT[action])
    return found


def save_artifacts(address: Address, artifacts: ModelArtifacts) -> SaveResult:
    """Stores a model, in place of one that is there. On failure what was there stays.

    Raises ArgumentError if the address cannot be saved to, UnsafeModelError or SerializationError for a model that
    could not be read again, ModelFileError if storing fails; and what ``find_handler`` raises.
    """
    found = able(address, "save")(artifacts)
    return found if isinstance(found, SaveResult) else describe(_shown(address), artifacts)


def load_artifacts(address: Address) -> ModelArtifacts:
    """The model at an address.

    Raises ModelNotFoundError if there is none, UnsafeModelError if it oversteps its bounds, ModelFileError if it
    cannot be read, ArgumentError if the address cannot be loaded from; and what ``find_handler`` raises.
    """
    found = able(address, "load")()
    if not isinstance(found, ModelArtifacts):
        raise ArgumentTypeError(f"{_shown(address)} loaded {shown(found)}.", expected="ModelArtifacts.")
    return found


def list_models(scheme: str | None = None) -> dict[str, SaveResult]:
    """The models of all stores that can list theirs, or of one scheme, by address.

    Raises UnknownNameError for an unknown scheme, ArgumentError for one that cannot list. Without a scheme, a store
    whose plugin cannot be loaded is left out with a warning.
    """
    if scheme is not None:
        offer = _offer(scheme, f"{scheme}://")
        kind = resolve(offer)
        if not hasattr(kind, "list_models"):
            raise ArgumentError(f"models under {scheme}:// cannot be listed.", expected="a scheme that keeps a list.")
        return dict(kind.list_models())
    found: dict[str, SaveResult] = {}
    for name, offer in plugins().provided(_HOOK).items():
        try:
            kind = resolve(offer)
        except PluginError as error:
            warnings.warn(f"models under {name}:// are not listed: {error}", RuntimeWarning, stacklevel=2)
            continue
        if hasattr(kind, "list_models"):
            found.update(kind.list_models())
    return found


def remove_model(address: Address) -> SaveResult:
    """Removes a stored model, and gives its record.

    Raises ModelNotFoundError if there is none, ArgumentError if the store cannot remove (folders: delete them).
    """
    found: SaveResult = able(address, "remove")()
    return found


def copy_model(source: Address, destination: Address) -> SaveResult:
    """Copies a model from one address to another, which may be in another medium.

    Raises ArgumentError if the two are the same, and what loading and saving raise.
    """
    _check_apart(source, destination)
    return save_artifacts(destination, load_artifacts(source))


def move_model(source: Address, destination: Address) -> SaveResult:
    """Copies a model, and then, once the copy is complete, removes the source.

    Raises ArgumentError if the two are the same or the source cannot be removed, before anything is done.
    """
    _check_apart(source, destination)
    remove = able(source, "remove")
    result = save_artifacts(destination, load_artifacts(source))
    remove()
    return result


def _check_apart(source: Address, destination: Address) -> None:
    if source is destination or _place(source) == _place(destination):
        raise ArgumentError(f"{_shown(source)} would be copied onto itself.", expected="two different addresses.")


def _place(address: Address) -> object:
    """What two addresses of one place have in common."""
    if not isinstance(address, (str, os.PathLike)):
        return id(address)
    scheme, rest = split_address(address) if isinstance(address, str) else ("file", os.fsdecode(address))
    return scheme, os.path.realpath(rest) if scheme == "file" else rest


def _shown(address: Address) -> str:
    is_text = isinstance(address, (str, os.PathLike))
    return shown(os.fsdecode(address)) if is_text else type(address).__qualname__  # type: ignore[arg-type]
