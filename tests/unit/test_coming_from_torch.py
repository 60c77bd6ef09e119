"""The names of PyTorch in the page for those who come from there are PyTorch's."""

from __future__ import annotations

import pytest

from pages.elsewhere import rows

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("name", [theirs for theirs, _, _ in rows("from-pytorch")])
def test_a_name_is_there(name):
    found = torch
    for part in name.split(".")[1:]:
        found = getattr(found, part)
