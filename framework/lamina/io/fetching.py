"""The weight files of a distant model: several are under way at once, and their bytes come back in order.

For handlers of places where each file costs a round trip. Knows nothing of where the files are.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Final, Protocol

from lamina.errors import ModelFileError, UnsafeModelError

AT_ONCE: Final = 6
"""As many as a browser asks one server for."""


class Fetch(Protocol):
    """Adds a file of at most so many bytes to ``into``, and calls ``arrived`` with the length of each part."""

    def __call__(self, name: str, most: int, into: bytearray, arrived: Callable[[int], object], /) -> object: ...


def fetch_files(
    names: Sequence[str], fetch: Fetch, most: int, arrived: Callable[[int], object], at_once: int = AT_ONCE
) -> bytearray:
    """The bytes of all files, one after the other, together at most ``most``.

    ``fetch`` runs in other threads where ``at_once`` is more than 1, ``arrived`` always in this one. Raises
    UnsafeModelError for more bytes, and what ``fetch`` raises for the first file that fails; the others are given up.

    >>> files = {"a": b"12", "b": b"3"}
    >>> def fetch(name, most, into, arrived):
    ...     into += files[name]
    ...     arrived(len(files[name]))
    >>> fetch_files(["a", "b"], fetch, 3, lambda count: None)
    bytearray(b'123')
    """
    data = bytearray()
    if len(names) < 2 or at_once < 2:
        for name in names:
            fetch(name, most - len(data), data, arrived)
        return data
    with ThreadPoolExecutor(at_once, "lamina-fetch") as pool:
        ahead = _Ahead(pool, fetch, most)
        try:
            for position in range(len(names)):
                while len(ahead.jobs) < at_once and position + len(ahead.jobs) < len(names):
                    ahead.start(names[position + len(ahead.jobs)])
                data += ahead.first(arrived)
        finally:
            ahead.given_up.set()
            pool.shutdown(cancel_futures=True)
    return data


class _Ahead:
    """Files under way, the first of which is awaited."""

    def __init__(self, pool: ThreadPoolExecutor, fetch: Fetch, most: int) -> None:
        self.jobs: deque[Future[bytearray]] = deque()
        self.given_up: threading.Event = threading.Event()
        self._pool, self._fetch, self._most, self._left = pool, fetch, most, most
        self._lock = threading.Lock()
        self._counts: SimpleQueue[int] = SimpleQueue()

    def start(self, name: str) -> None:
        """Sets out for one more file."""
        job = self._pool.submit(self._run, name)
        job.add_done_callback(lambda _: self._counts.put(0))  # wakes who waits, once the job counts as done
        self.jobs.append(job)

    def first(self, arrived: Callable[[int], object]) -> bytearray:
        """The whole of the file that set out first; tells meanwhile of what arrives of any. Raises what the job did."""
        job = self.jobs.popleft()
        while not job.done() or not self._counts.empty():
            if count := self._counts.get():
                arrived(count)
        return job.result()

    def _run(self, name: str) -> bytearray:
        data = bytearray()
        self._fetch(name, self._most, data, self._came)
        return data

    def _came(self, count: int) -> None:
        if self.given_up.is_set():
            raise ModelFileError("another weight file could not be had.")
        with self._lock:
            self._left -= count
            if self._left < 0:
                raise UnsafeModelError(
                    f"the weight files have more than {self._most} bytes together.", expected="no more than that."
                )
        self._counts.put(count)
