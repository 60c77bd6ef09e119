"""lamina's conformance kit on JAX. All of it takes half an hour, for JAX compiles every op for every shape anew."""

from __future__ import annotations

from lamina.testing import BackendConformance


class TestJAX(BackendConformance):
    backend_name = "jax"
