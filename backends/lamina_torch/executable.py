"""A recorded program on torch, by the reference interpreter."""

from __future__ import annotations

from lamina.program import Interpreter


class TorchExecutable(Interpreter):
    """Runs a program kernel by kernel."""
