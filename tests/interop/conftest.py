"""TensorFlow.js for the tests of this folder: one process for all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from interop.tensorflowjs import TensorFlowJS


@pytest.fixture(scope="session")
def tfjs() -> Iterator[TensorFlowJS]:
    with TensorFlowJS() as running:
        yield running
