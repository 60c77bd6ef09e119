"""The files of one place that fsspec reaches: read with bounds, put whole, failures told as errors of ours."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final

from fsspec.core import url_to_fs

from lamina.contract.io import Bytes
from lamina.errors import ArgumentError, LaminaError, ModelFileError, ModelNotFoundError, PluginError, UnsafeModelError
from lamina.io.checks import shown_address
from lamina.io.fetching import AT_ONCE
from lamina_remote.schemes import RENAMES, WITH_FOLDERS, install

_CHUNK: Final = 1 << 20


class RemoteFiles:
    """What is below an address. The connection is made at the first use, not before."""

    def __init__(self, address: str, scheme: str, options: Mapping[str, Any]) -> None:
        self._address = address
        self._scheme = scheme
        self._options = dict(options)
        self._system: Any = None
        self._path = ""
        self.where: str = shown_address(address)

    @property
    def at_once(self) -> int:
        """How many files may be read at once: more than one where fsspec takes calls of several threads."""
        with self._told("", "reached"):
            return AT_ONCE if getattr(self._opened(), "async_impl", False) else 1

    def read(
        self,
        name: str,
        most: int,
        into: bytearray | None = None,
        arrived: Callable[[int], Any] = lambda count: None,
    ) -> bytearray:
        """The bytes of a file, at most so many, after those of ``into``; ``name`` "" is the address itself.

        Raises ModelNotFoundError if there is none, UnsafeModelError if it is too long, ModelFileError otherwise.
        """
        data = bytearray() if into is None else into
        end = len(data) + most
        with self._told(name, "read"), self._opened().open(self._at(name), "rb") as file:
            while piece := file.read(min(_CHUNK, end - len(data) + 1)):
                if len(data) + len(piece) > end:
                    raise UnsafeModelError(f"{self._shown(name)} has more than {most} bytes.", expected="no more.")
                data += piece
                arrived(len(piece))
        return data

    def write(self, name: str, data: Bytes) -> None:
        """Puts a file in place, whole or not at all where the place can do that. Raises ModelFileError."""
        with self._told(name, "saved"):
            system, path = self._opened(), self._at(name)
            if self._scheme in WITH_FOLDERS:
                system.makedirs(path.rpartition("/")[0], exist_ok=True)
            if self._scheme not in RENAMES:
                system.pipe_file(path, bytes(data))
                return
            beside = f"{path.rpartition('/')[0]}/.lamina-{os.urandom(8).hex()}.tmp"
            try:
                system.pipe_file(beside, bytes(data))
                system.mv(beside, path)
            except BaseException:
                with suppress(Exception):  # the first error is the one to tell
                    system.rm_file(beside)
                raise

    def remove(self, name: str) -> None:
        """Removes a file. Raises ModelNotFoundError if there is none, ModelFileError if it stays."""
        with self._told(name, "removed"):
            self._opened().rm_file(self._at(name))

    def discard(self, name: str) -> None:
        """Removes a file, if that is possible: nothing depends on it."""
        with suppress(LaminaError):
            self.remove(name)

    def refresh(self) -> None:
        """Forgets what was known of the place, for others may have changed it."""
        with self._told("", "reached"):
            self._opened().invalidate_cache()

    def _opened(self) -> Any:
        if self._system is None:
            try:
                self._system, self._path = url_to_fs(self._address, **self._options)
            except ImportError as error:
                raise PluginError(
                    f"{self.where} needs a library that is not installed: {error}.", fix=install(self._scheme)
                ) from error
            except TypeError as error:
                raise ArgumentError(f"the options for {self.where} are not taken: {error}.") from error
        return self._system

    def _at(self, name: str) -> str:
        return f"{self._path.rstrip('/')}/{name}" if name else self._path

    def _shown(self, name: str) -> str:
        return shown_address(f"{self._address.rstrip('/')}/{name}") if name else self.where

    @contextmanager
    def _told(self, name: str, done: str) -> Iterator[None]:
        try:
            yield
        except LaminaError:
            raise
        except FileNotFoundError as error:
            raise ModelNotFoundError(
                f"there is nothing at {self._shown(name)}.", expected="a folder that holds a model.json, or a file."
            ) from error
        except NotImplementedError as error:
            raise ArgumentError(f"{self._shown(name)} cannot be {done} there.", expected="another place.") from error
        except Exception as error:  # each library behind fsspec has errors of its own
            raise ModelFileError(
                f"{self._shown(name)} could not be {done}: {type(error).__name__}: {str(error).rstrip('.')}.",
                fix="see that the place is right, and that you may use it.",
            ) from error
