"""What an HDF5 file holds, as plain values: groups with attributes, and arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Union

import numpy as np

SIGNATURE: Final = b"\x89HDF\r\n\x1a\n"
"""How every HDF5 file starts."""

HostArray = np.ndarray[Any, Any]
Child = Union["Group", HostArray]


@dataclass
class Group:
    """A group: its attributes (texts, numbers, lists of texts, arrays), and what lies in it, by name.

    >>> Group({"backend": "numpy"}, {"kernel": np.zeros((2, 3))}).children["kernel"].shape
    (2, 3)
    """

    attributes: dict[str, Any] = field(default_factory=dict)
    children: dict[str, Child] = field(default_factory=dict)

    def group(self, path: str) -> Group:
        """The group at a path below this one, made with those above it if it is not there."""
        found = self
        for part in path.split("/"):
            child = found.children.setdefault(part, Group())
            if not isinstance(child, Group):
                raise KeyError(path)
            found = child
        return found

    def find(self, path: str) -> Child | None:
        """What lies at a path below this group, None if nothing does."""
        found: Child | None = self
        for part in path.split("/"):
            found = found.children.get(part) if isinstance(found, Group) else None
        return found
