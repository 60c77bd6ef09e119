"""Layers that TensorFlow.js lacks, or computes otherwise, put together from those that it has, exactly.

A module for each family has rules: functions of a layer and the shapes of its inputs (``plans``). Knows layers by
their public names and settings; what becomes of a whole model is said in ``rewriting``.
"""

from lamina.models.exporting.lowering import (
    activating,
    borders,
    convolving,
    equations,
    merging,
    normalizing,
    others,
    pooling,
)
from lamina.models.exporting.lowering.plans import REFUSALS, RULES, Block, Plan, Refused, Source, Sources, each_once
from lamina.models.exporting.lowering.remarks import remarks

__all__ = [
    "REFUSALS", "RULES", "Block", "Plan", "Refused", "Source", "Sources", "activating", "borders", "convolving",
    "each_once", "equations", "merging", "normalizing", "others", "pooling", "remarks",
]  # fmt: skip
