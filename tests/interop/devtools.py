"""Chromium as somebody uses it: pages opened, drawn on with a pointer, looked at, over a pipe to Chromium."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from interop.chromium import FLAGS, TIMEOUT, BrowserError, chromium, end

Points = Sequence[tuple[float, float]]

# Becomes Chromium, which hears at descriptor 3 and answers at 4.
_START: Final = """
import os, sys
heard, answered, *command = sys.argv[1:]
os.dup2(int(heard), 3)
os.dup2(int(answered), 4)
os.execv(command[0], command)
"""


class Page:
    """A page in Chromium; ``said`` has what it wrote to its console, with errors that nothing caught."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers = commands, answers
        self._number = 0
        self._rest = b""
        self._session: dict[str, str] = {}
        self.said: list[str] = []
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._session = {"sessionId": session}
        for room in ("Page", "Runtime", "Log"):
            self._ask(f"{room}.enable")

    def open(self, url: str, width: int = 800, height: int = 600) -> None:
        """Goes to an address."""
        self._ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        found = self._ask("Page.navigate", url=url)
        if "errorText" in found:
            raise BrowserError(f"{url}: {found['errorText']}")

    def value(self, expression: str) -> Any:
        """What an expression in JavaScript gives, a promise's result included. Raises BrowserError if it raises."""
        found = self._ask("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in found:
            raise BrowserError(
                f"{found['exceptionDetails']['exception'].get('description')}; the page said: {self.said}"
            )
        return found["result"].get("value")

    def wait_for(self, expression: str, timeout: float = TIMEOUT) -> None:
        """Waits until an expression holds. Raises BrowserError if it does not in time."""
        latest = time.monotonic() + timeout
        while not self.value(expression):
            if time.monotonic() > latest:
                raise BrowserError(f"{expression} did not hold within {timeout} s; the page said: {self.said}")
            time.sleep(0.02)

    def drag(self, points: Points) -> None:
        """Presses the mouse's left button at the first point, moves to the others, and lets go at the last."""
        for kind, (x, y) in _pressed("mousePressed", "mouseMoved", "mouseReleased", points):
            self._ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)

    def touch(self, points: Points) -> None:
        """The same with a finger."""
        for kind, (x, y) in _pressed("touchStart", "touchMove", "touchEnd", points):
            places = [] if kind == "touchEnd" else [{"x": x, "y": y}]
            self._ask("Input.dispatchTouchEvent", type=kind, touchPoints=places)

    def picture(self) -> bytes:
        """What the page looks like, as PNG."""
        return base64.b64decode(self._ask("Page.captureScreenshot", format="png")["data"])

    def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters, **self._session}
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        latest = time.monotonic() + TIMEOUT
        while (answer := self._next(latest, method)).get("id") != self._number:
            self._hear(answer)
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error']['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    def _next(self, latest: float, method: str) -> dict[str, Any]:
        """The next message, which ends with a zero."""
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._answers], [], [], max(0.0, latest - time.monotonic()))
            part = os.read(self._answers, 1 << 20) if ready else b""
            if not part:
                raise BrowserError(f"Chromium {'ended' if ready else 'did not answer'} at {method}; said: {self.said}")
            self._rest += part
        message, _, self._rest = self._rest.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found

    def _hear(self, event: dict[str, Any]) -> None:
        what, told = event.get("method"), event.get("params", {})
        if what == "Runtime.exceptionThrown":
            details = told["exceptionDetails"]
            self.said.append(details.get("exception", {}).get("description") or details["text"])
        elif what == "Log.entryAdded":
            self.said.append(f"{told['entry']['text']} {told['entry'].get('url', '')}")
        elif what == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning"):
            self.said.append(" ".join(str(part.get("value", part.get("description"))) for part in told["args"]))


def _pressed(first: str, other: str, last: str, points: Points) -> Iterator[tuple[str, tuple[float, float]]]:
    yield first, points[0]
    yield from ((other, point) for point in points[1:])
    yield last, points[-1]


@contextmanager
def page() -> Iterator[Page]:
    """A page in a Chromium of its own, for as long as the block lasts."""
    heard, commands = _pipe()
    answers, answered = _pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [chromium(), *FLAGS, "--remote-debugging-pipe", f"--user-data-dir={profile}"]
        process = subprocess.Popen(
            [sys.executable, "-c", _START, str(heard), str(answered), *command],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True, cwd=profile, pass_fds=(heard, answered),
        )  # fmt: skip
        os.close(heard)
        os.close(answered)
        try:
            yield Page(commands, answers)
        finally:
            os.close(commands)
            os.close(answers)
            end(process)


def _pipe() -> list[int]:
    """A pipe whose ends are not among the first descriptors, where others are to be."""
    low = os.pipe()
    moved = [fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10) for descriptor in low]
    for descriptor in low:
        os.close(descriptor)
    return moved
