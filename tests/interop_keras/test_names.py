"""The names of Keras in the page for those who come from there are Keras's."""

from __future__ import annotations

import keras
import pytest

from pages.elsewhere import rows


@pytest.mark.parametrize("name", [theirs for theirs, _, _ in rows("from-keras")])
def test_a_name_is_there(name):
    found = keras
    for part in name.split(".")[1:]:
        found = getattr(found, part)
