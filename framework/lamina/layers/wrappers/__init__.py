"""Layers that apply another layer to sequences: in both directions, or to each step.

``Wrapper``, the base, is beside the room, for recurrent layers know it too.
"""

from lamina.layers.wrappers.bidirectional import Bidirectional
from lamina.layers.wrappers.time_distributed import TimeDistributed

__all__ = ["Bidirectional", "TimeDistributed"]
