"""The conformance kit on array_api_strict: the shared kernels use the standard and nothing else."""

from __future__ import annotations

from lamina.testing import BackendConformance, Limitation, require_backend

require_backend("array_api_strict")

MISSING = "the Array API standard does not have it"


class TestArrayAPIStrict(BackendConformance):
    backend_name = "array_api_strict"
    limitations = (
        Limitation("*", "float16", MISSING),
        Limitation("*", "bfloat16", MISSING),
    )
