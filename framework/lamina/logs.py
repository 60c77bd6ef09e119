"""What lamina tells of its doings: ``LAMINA_LOG=info`` on the standard error stream, or the logger ``lamina``.

Nothing is told, and the module ``logging`` is not even loaded, unless ``LAMINA_LOG`` is set or the program itself uses
``logging``. Told are rare things, such as a backend that is chosen or a step that is recorded; never one kernel call.
"""

from __future__ import annotations

import functools
import os
import sys
from typing import TYPE_CHECKING, Final

from lamina.errors import ArgumentError

if TYPE_CHECKING:
    from logging import Logger

LEVELS: Final = ("debug", "info", "warning", "error")
"""What ``LAMINA_LOG`` may be; "info" is what is told in this room's words, the others are those of ``logging``."""


def tell(message: str, *values: object) -> None:
    """Tells something at the level "info"; ``values`` are put in place of the ``%s`` of the message if it is heard.

    Raises ArgumentError if ``LAMINA_LOG`` is no level.
    """
    wanted = os.environ.get("LAMINA_LOG", "")
    if wanted or "logging" in sys.modules:
        _logger(wanted).info(message, *values, stacklevel=2)


@functools.cache
def _logger(wanted: str) -> Logger:
    """The logger, with an output of its own if ``LAMINA_LOG`` asks for one."""
    import logging

    logger = logging.getLogger("lamina")
    if wanted:
        if wanted.lower() not in LEVELS:
            raise ArgumentError(f"LAMINA_LOG is {wanted!r}.", expected=f"one of {', '.join(LEVELS)}.")
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("lamina %(levelname)s: %(message)s"))
        logger.addHandler(handler)
        logger.setLevel(wanted.upper())
        logger.propagate = False  # else a program that logs too would show all twice
    return logger
