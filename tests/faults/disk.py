"""A disk that fails: any one call to the file system, before or after it has been done."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os

import pytest

from lamina.io import filesystem

CALLS = (
    "create", "write", "sync", "close", "replace", "remove", "list_folder", "make_folder", "remove_folder",
    "sync_folder", "open_file", "regular_size", "read_into", "read_file", "locked", "mode_of", "set_mode", "try_lock",
    "links", "remove_unlocked",
)  # fmt: skip


class Fault:
    """Makes the k-th call to the file system fail, before or after it has been done."""

    def __init__(self, at, error, after=False):
        self.left, self.error, self.after = at, error, after
        self.failed: str | None = None

    @contextlib.contextmanager
    def at_work(self):
        with pytest.MonkeyPatch.context() as patch:
            for name in CALLS:
                patch.setattr(filesystem, name, self._failing(name, getattr(filesystem, name)))
            yield

    def _failing(self, name, call):
        def failing(*given):
            self.left -= 1
            if self.left == 0:
                self.failed = name
                if self.after or name == "close":  # a close that fails has closed nonetheless
                    call(*given)
                raise self.error
            return call(*given)

        return failing


def snapshot(folder):
    """Every file of a folder with its bytes; None if there is no such folder."""
    if not folder.exists():
        return None
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def faults(error, after=False, least=20):
    """A fault at the first call, at the second, ... until one finds no call left to fail."""
    for k in itertools.count(1):
        fault = Fault(k, error, after)
        yield fault
        if fault.failed is None:
            assert k > least
            return


ERRORS = [OSError(code, os.strerror(code)) for code in (errno.EIO, errno.ENOSPC, errno.EINTR)]
