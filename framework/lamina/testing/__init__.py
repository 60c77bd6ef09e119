"""The conformance kit: what every backend must do, as one class to subclass.

Importable by anyone who writes a backend. Needs pytest, which ``import lamina`` does not load. Knows all of lamina
below the models.
"""

from lamina.testing.base import BackendTests, Limitation, require_backend, why_not_available
from lamina.testing.checks import check_gradient, check_replay, check_result_rule, check_value
from lamina.testing.conformance import BackendConformance
from lamina.testing.hazards import ReplayHazards
from lamina.testing.inputs import (
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
from lamina.testing.table import Case, all_cases, case, ops_without_cases

__all__ = [
    "BackendConformance", "BackendTests", "Case", "Input", "Limitation", "ReplayHazards", "all_cases", "between",
    "bools", "broadcasting", "case", "check_gradient", "check_replay", "check_result_rule", "check_value",
    "complex_normal", "distinct", "empty", "ints", "non_contiguous", "normal", "ops_without_cases", "positive",
    "probabilities", "require_backend", "strings", "values", "why_not_available",
]  # fmt: skip
