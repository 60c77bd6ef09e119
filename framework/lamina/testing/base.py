"""What every test class of the kit stands on: the backend, and what it is known not to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

import pytest

from lamina.contract import Backend
from lamina.errors import BackendNotAvailableError
from lamina.runtime.backends import backend_scope, find_backend

NOT_RUN: Final[dict[str, str]] = {}
"""Backends whose tests did not run in this session, and why."""


@dataclass(frozen=True)
class Limitation:
    """Something a backend cannot do: ``op`` (or '*') under ``when``, because of ``reason``.

    ``when`` is a check ('value', 'gradient', 'replay', 'result rule') or, with op '*', a dtype or the name of a test of
    the kit. It is strict: some case of what is listed must fail, so a repaired limitation makes the run fail until it
    is taken off the list.
    """

    op: str
    when: str
    reason: str


class BackendTests:
    """Base of the kit's test classes: gives each test the backend, active while the test runs."""

    backend_name: ClassVar[str]
    device: ClassVar[str | None] = None
    limitations: ClassVar[tuple[Limitation, ...]] = ()
    area: ClassVar[str] = "further tests"
    """What the tests written in a class are about: a line of the report."""

    @pytest.fixture
    def backend(self, request: pytest.FixtureRequest) -> Iterator[Backend]:
        reason = why_not_available(self.backend_name, self.device)
        if reason is not None:
            NOT_RUN[self.backend_name] = reason
            pytest.skip(f"{self.backend_name} does not run here: {reason}")
        limitation = self.limited("*", request.function.__name__)
        if limitation is not None:
            request.applymarker(pytest.mark.xfail(reason=limitation.reason, strict=True))
        with backend_scope(self.backend_name, device=self.device) as backend:
            yield backend

    def limited(self, op: str, when: str) -> Limitation | None:
        """The limitation that covers a check of an op, if one is listed."""
        return next((x for x in self.limitations if x.op == op and x.when == when), None)

    def hold(self, op: str, when: str, check: Callable[[], None]) -> None:
        """Runs a check; one that is listed as a limitation may fail, and is then reported as expected."""
        limitation = self.limited(op, when)
        if limitation is None:
            check()
            return
        try:
            check()
        except Exception as error:  # whatever a backend does where it is known not to work
            pytest.xfail(f"{limitation.reason} ({type(error).__name__})")
        if op == "*":  # there is one check of a dtype, and many of an op
            pytest.fail(f"{limitation} is no longer true: take it off the list")


def limitations_of(name: str, device: str | None = None) -> tuple[Limitation, ...]:
    """What a backend itself says that it cannot do; nothing if it does not work here."""
    if why_not_available(name, device) is not None:
        return ()
    return tuple(Limitation(*said) for said in find_backend(name, device).limitations)


def why_not_available(name: str, device: str | None = None) -> str | None:
    """None if a backend works here, else one line on why it does not."""
    try:
        find_backend(name, device)
    except BackendNotAvailableError as error:
        return " ".join(str(error).split())
    return None


def require_backend(name: str, device: str | None = None) -> None:
    """Skips the whole module that calls it if a backend does not work here; the report says so and why."""
    reason = why_not_available(name, device)
    if reason is not None:
        NOT_RUN[name] = reason
        pytest.skip(f"{name} does not run here: {reason}", allow_module_level=True)
