"""Pages in headless Chromium: TensorFlow.js as a user's page has it, from a server on the loopback.

No driver is needed: the page posts its result to the server that it came from. Chromium is looked for under the name
that LAMINA_CHROMIUM gives, else under its usual ones; where it or the npm package is missing, tests fail.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import numpy as np

from interop.tensorflowjs import node_modules

HERE: Final = Path(__file__).parent
TIMEOUT: Final = 60.0
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS: Final = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--no-default-browser-check",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
    "--disable-dev-shm-usage", "--metrics-recording-only", "--mute-audio", "--noerrdialogs", "--no-proxy-server",
)  # fmt: skip
_TYPES: Final = {".html": "text/html", ".js": "text/javascript", ".json": "application/json"}


class BrowserError(Exception):
    """The page failed, or gave no result in time; the message has what it said."""


def chromium() -> str:
    """The program of Chromium. Raises BrowserError if there is none."""
    names = [os.environ["LAMINA_CHROMIUM"]] if os.environ.get("LAMINA_CHROMIUM") else _NAMES
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        raise BrowserError(
            f"there is no {' or '.join(names)}. Fix: install Chromium (Debian: apt-get install chromium), or name its "
            "program in LAMINA_CHROMIUM."
        )
    return found


class Site(ThreadingHTTPServer):
    """Serves what ``files`` maps paths to, bytes or a file's path, and keeps what pages post."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.files: dict[str, bytes | Path] = {}
        self.results: queue.Queue[dict[str, Any]] = queue.Queue()
        self.missing: list[str] = []

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def add_folder(self, path: str, folder: Path) -> None:
        """Serves the files of a folder below a path."""
        self.files.update({f"{path}/{file.name}": file for file in folder.iterdir()})


class _Request(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        found = self.server.files.get(self.path)
        if found is None:
            self.server.missing.append(self.path)
            self._answer(404, b"")
            return
        data = found if isinstance(found, bytes) else found.read_bytes()
        self._answer(200, data, _TYPES.get(os.path.splitext(self.path)[1] or ".html", "application/octet-stream"))

    def do_POST(self) -> None:
        self.server.results.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self._answer(200, b"")

    def _answer(self, status: int, data: bytes, kind: str = "text/plain") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def site() -> Iterator[Site]:
    """A server for pages, for as long as the block lasts."""
    with Site() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def run(server: Site, main: str, scripts: Sequence[Path] = (), timeout: float = TIMEOUT, **settings: Any) -> Any:
    """What ``main(settings)``, an async function in JavaScript, gives in a page with TensorFlow.js.

    ``scripts`` are classic scripts that the page has after TensorFlow.js. In ``settings`` arrays become
    ``{dtype, shape, values}``, of which the page's ``tensor`` makes tensors; its ``plain`` is the reverse, and such in
    the result become arrays. Raises BrowserError if the function raises, or there is no result in time.
    """
    server.files |= {
        "/tf.min.js": node_modules() / "@tensorflow" / "tfjs" / "dist" / "tf.min.js",
        "/page.js": HERE / "browser" / "page.js",
        "/main.js": main.encode(),
        "/settings.json": json.dumps(_encoded(settings)).encode(),
        **{f"/script{number}.js": path for number, path in enumerate(scripts)},
        "/favicon.ico": b"",
    }
    names = ["tf.min", *(f"script{number}" for number in range(len(scripts))), "main", "page"]
    tags = "\n".join(f'<script src="/{name}.js"></script>' for name in names)
    server.files["/"] = f'<!doctype html>\n<meta charset="utf-8">\n<title>test</title>\n{tags}\n'.encode()
    folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    with (
        folder as profile,
        tempfile.TemporaryFile() as said,
        _browser(server.origin + "/", profile, said) as process,
    ):
        answer = _awaited(server, process, timeout, said)
    if "error" in answer:
        raise BrowserError(f"{answer['error']}\nThe page said: {answer['said']}; not there: {server.missing}")
    return _decoded(answer["result"])


@contextmanager
def _browser(url: str, profile: str, said: Any) -> Iterator[subprocess.Popen[bytes]]:
    command = [chromium(), *FLAGS, f"--user-data-dir={profile}", url]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True, cwd=profile
    )
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends a browser that has a group of its own: its renderers end with it."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
            process.wait(5)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
    process.wait()


def _awaited(server: Site, process: subprocess.Popen[bytes], timeout: float, said: Any) -> dict[str, Any]:
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        try:
            return server.results.get(timeout=0.2)
        except queue.Empty:
            if process.poll() is not None:
                break
    ended = f"ended with {process.returncode}" if process.poll() is not None else f"gave no result within {timeout} s"
    said.seek(0)
    words = said.read()[-3000:].decode("utf-8", "replace")
    raise BrowserError(f"Chromium {ended}; not there: {server.missing}; it said: {words}")


def _encoded(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        dtype = {"f": "float32", "i": "int32", "b": "bool"}[value.dtype.kind]
        return {"dtype": dtype, "shape": list(value.shape), "values": value.ravel().tolist()}
    if isinstance(value, Mapping):
        return {key: _encoded(v) for key, v in value.items()}
    return [_encoded(v) for v in value] if isinstance(value, (list, tuple)) else value


def _decoded(value: Any) -> Any:
    if isinstance(value, dict) and set(value) == {"dtype", "shape", "values"}:
        return np.array(value["values"], value["dtype"]).reshape(value["shape"])
    if isinstance(value, dict):
        return {key: _decoded(v) for key, v in value.items()}
    return [_decoded(v) for v in value] if isinstance(value, list) else value
