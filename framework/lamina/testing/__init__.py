"""The conformance kit: what every backend must do, as one class to subclass, and what holds for every layer and
IO handler.

Importable by anyone who writes a backend or a layer. Needs pytest, which ``import lamina`` does not load. Knows all of
lamina.
"""

import pytest

_CHECKING = (
    "arrays", "base", "devices", "families", "handlers", "hazards", "layers", "operations", "running", "threads",
)  # fmt: skip
for _tests in _CHECKING:
    pytest.register_assert_rewrite(f"{__name__}.{_tests}")  # before they are imported, so that failures say what was

from lamina.testing.base import BackendTests, Limitation, limitations_of, require_backend, why_not_available  # noqa: E402
from lamina.testing.behaviour import answers  # noqa: E402
from lamina.testing.checks import check_gradient, check_replay, check_result_rule, check_value  # noqa: E402
from lamina.testing.conformance import BackendConformance  # noqa: E402
from lamina.testing.coverage import gradient_gaps, kernel_source  # noqa: E402
from lamina.testing.handlers import check_handler  # noqa: E402
from lamina.testing.hazards import ReplayHazards  # noqa: E402
from lamina.testing.inputs import (  # noqa: E402
    Input,
    between,
    bools,
    broadcasting,
    complex_normal,
    distinct,
    empty,
    ints,
    non_contiguous,
    normal,
    positive,
    probabilities,
    strings,
    values,
)
from lamina.testing.layers import LayerCase, check_layer  # noqa: E402
from lamina.testing.table import Case, all_cases, case, ops_without_cases  # noqa: E402

__all__ = [
    "BackendConformance", "BackendTests", "Case", "Input", "LayerCase", "Limitation", "ReplayHazards", "all_cases",
    "answers", "between", "bools", "broadcasting", "case", "check_gradient", "check_handler", "check_layer",
    "check_replay", "check_result_rule", "check_value", "complex_normal", "distinct", "empty", "gradient_gaps", "ints",
    "kernel_source", "limitations_of", "non_contiguous", "normal", "ops_without_cases", "positive", "probabilities",
    "require_backend", "strings", "values", "why_not_available",
]  # fmt: skip
