"""From an address to the one handler that serves it, and artifacts to there and from there.

Handlers of schemes come through the hook ``lamina_io_handlers``, the built-in ones too; an object that has ``save`` or
``load`` is its own handler.
"""

from __future__ import annotations

import difflib
import functools
import os
from collections.abc import Callable, Mapping
from typing import Any, Final

from lamina.contract import Provides
from lamina.contract.io import IOHandler, ModelArtifacts, SaveResult, split_address
from lamina.errors import ArgumentError, ArgumentTypeError, LaminaError, UnknownNameError
from lamina.io.checks import shown, shown_address
from lamina.io.objects import describe
from lamina.notices import note
from lamina.plugins import checked, plugins, resolve

Address = str | os.PathLike[str] | IOHandler
"""Where a model lies: an address such as ``"localstorage://digits"``, a path, or an object with save and/or load."""

_HOOK: Final = "lamina_io_handlers"
_WITHOUT: Final = {
    "save": "save it to another address, such as a folder.",
    "load": "load it from another address, such as a folder.",
    "remove": "remove it yourself; to move a model away from there, copy it first.",
    "remove_file": "remove it yourself; to move a model away from there, copy it first.",
    "read_file": "load the model from another address, such as a path.",
    "write_file": "save it to another address, such as a path; or, for the layout of folders, leave the ending out.",
}


def find_handler(address: Address, **settings: Any) -> Any:
    """The handler of an address, perhaps with settings of its own, such as ``limits`` or ``headers``.

    Raises UnknownNameError for a scheme that nobody serves, PluginError if two plugins do or the one cannot be loaded,
    ArgumentTypeError for something that is no address, ArgumentError for a chain of addresses as fsspec has them.
    """
    if isinstance(address, (str, os.PathLike)):
        scheme = split_address(address)[0] if isinstance(address, str) else "file"
        _check_chain(os.fsdecode(address))
        return _noting(resolve(offer_of(scheme, os.fsdecode(address))), address, address, **settings)
    if callable(getattr(address, "save", None)) or callable(getattr(address, "load", None)):
        return address
    raise ArgumentTypeError(
        f"{shown(address)} is not where a model can be.",
        expected="a folder, an address such as 'localstorage://my-model', or an object with save and/or load.",
    )


def _check_chain(address: str) -> None:
    if "::" in address and "://" in address:
        raise ArgumentError(
            f"{shown_address(address)} is a chain of addresses.",
            expected="one address: nothing is unpacked or cached on the way.",
        )


def is_http_scheme(url: str) -> bool:
    """Whether an address is one of the web.

    >>> is_http_scheme("HTTPS://example.org/model.json"), is_http_scheme("models/http")
    (True, False)
    """
    return split_address(url)[0] in ("http", "https")


def http(url: str, **settings: Any) -> Any:
    """The handler of an ``http://`` or ``https://`` address with settings of its own, such as headers and timeout.

    Without settings the plain address does. Raises ArgumentError for another scheme, PluginError if the plugin's
    library is missing.

    >>> http("file://model")
    Traceback (most recent call last):
    lamina.errors.ArgumentError: 'file://model' is not an address of the web.
      Expected http:// or https://.
    """
    if not is_http_scheme(url):
        raise ArgumentError(f"{shown_address(url)} is not an address of the web.", expected="http:// or https://.")
    return find_handler(url, **settings)


def remote(url: str, **settings: Any) -> Any:
    """The handler of an address such as ``s3://bucket/digits`` with settings of its own.

    ``max_bytes``, ``limits`` and ``on_progress`` are lamina's; others, such as ``key`` or ``token``, are options of the
    file system of fsspec that serves the scheme. Without settings the plain address does. Raises ArgumentError for an
    address of this machine or of the web, PluginError if fsspec is missing.

    >>> remote("localstorage://model")
    Traceback (most recent call last):
    lamina.errors.ArgumentError: 'localstorage://model' is not an address that fsspec serves.
      Expected one such as s3://bucket/model.
    """
    offer = offer_of(split_address(url)[0], url)
    if offer.needs != "fsspec":
        raise ArgumentError(
            f"{shown_address(url)} is not an address that fsspec serves.", expected="one such as s3://bucket/model."
        )
    return find_handler(url, **settings)


def offers() -> Mapping[str, Provides]:
    """What plugins offer, the built-in ones too, by scheme."""
    return plugins().provided(_HOOK)


def offer_of(scheme: str, address: str) -> Provides:
    """The one offer for a scheme. Raises UnknownNameError if there is none, PluginError if there are two."""
    found = offers()
    if scheme not in found:
        close = difflib.get_close_matches(scheme, found, 1)
        raise UnknownNameError(
            f"no handler is known for {shown_address(address)}.",
            expected=f"a path, or one of the schemes {', '.join(sorted(found))}.",
            fix=f"write {close[0]}:// for {scheme}://."
            if close
            else f"install a plugin that brings this scheme, or pass an object with save and/or load"
            f"{plugins().failures()}.",
        )
    return checked(found[scheme])


def able(address: Address, action: str) -> Any:
    """What the handler of an address does for ``action``: a key of ``_WITHOUT``.

    Raises ArgumentError if it does not, and what ``find_handler`` raises.
    """
    found = getattr(find_handler(address), action, None)
    if not callable(found):
        words = action.replace("_file", " a single file") if "_" in action else f"{action} a model"
        raise ArgumentError(f"{told(address)} cannot {words}.", fix=_WITHOUT[action])
    return functools.partial(_noting, found, address)


def _noting(action: Callable[..., Any], address: Address, *arguments: Any, **settings: Any) -> Any:
    """Runs what a handler does; an error that is none of lamina's says which handler's it is, and for which address."""
    try:
        return action(*arguments, **settings)
    except LaminaError:
        raise
    except Exception as error:
        kind = action if isinstance(action, type) else type(getattr(action, "__self__", action))
        note(error, f"In {kind.__qualname__} of {kind.__module__}, for {told(address)}.")
        raise


def save_artifacts(address: Address, artifacts: ModelArtifacts) -> SaveResult:
    """Stores a model, in place of one that is there. On failure what was there stays.

    Raises ArgumentError if the address cannot be saved to, UnsafeModelError or SerializationError for a model that
    could not be read again, ModelFileError if storing fails; and what ``find_handler`` raises.
    """
    found = able(address, "save")(artifacts)
    return found if isinstance(found, SaveResult) else describe(told(address), artifacts)


def load_artifacts(address: Address) -> ModelArtifacts:
    """The model at an address.

    Raises ModelNotFoundError if there is none, UnsafeModelError if it oversteps its bounds, ModelFileError if it
    cannot be read, ArgumentError if the address cannot be loaded from; and what ``find_handler`` raises.
    """
    found = able(address, "load")()
    if not isinstance(found, ModelArtifacts):
        raise ArgumentTypeError(f"{told(address)} loaded {shown(found)}.", expected="ModelArtifacts.")
    return found


def place_of(address: Address) -> object:
    """What two addresses of one place have in common.

    >>> place_of("model/model.json") == place_of("file://./model"), place_of("memory://a") == place_of("memory://b")
    (True, False)
    """
    text = getattr(find_handler(address), "address", None)
    if not isinstance(text, str):
        return id(address)
    scheme, rest = split_address(text)
    path = rest.removesuffix("/model.json").rstrip("/")
    return scheme, _file_identity(path) if scheme == "file" else path


def _file_identity(path: str) -> object:
    try:
        status = os.stat(path)
    except OSError:
        return os.path.realpath(path)
    return status.st_dev, status.st_ino


def told(address: Address) -> str:
    """An address as errors show it."""
    is_text = isinstance(address, (str, os.PathLike))
    return shown_address(os.fsdecode(address)) if is_text else type(address).__qualname__  # type: ignore[arg-type]
