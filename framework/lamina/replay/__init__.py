"""Steps recorded once and replayed: the recorder, the signature, the compiled step and its cache.

Listens on the wire; knows programs and backends' ``load``. Knows nothing of gradients, layers or models: those arrive
as kernel calls like everything else.
"""

from lamina.replay.recorder import Recorder
from lamina.replay.step import CompiledStep, function, replay_level

__all__ = ["CompiledStep", "Recorder", "function", "replay_level"]
