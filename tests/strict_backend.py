"""A backend of a few lines: the shared kernels over the namespace ``array_api_strict``."""

from __future__ import annotations

import array_api_strict

from lamina_arrayapi import ArrayAPIBackend, make_kernels


class StrictBackend(ArrayAPIBackend):
    name = "array_api_strict"
    xp = array_api_strict
    kernels = make_kernels(array_api_strict)
