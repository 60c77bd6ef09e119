"""A recorded computation as plain data: print it, check it, rewrite it, run it, turn it into source.

Knows shapes and dtypes. Knows nothing of tensors, ops, backends or layers: an op is a name here.
"""

from lamina.program.interpreter import Interpreter
from lamina.program.passes import drop_dead, optimize, share_common
from lamina.program.program import Effect, Instruction, Program
from lamina.program.source import to_source

__all__ = ["Effect", "Instruction", "Interpreter", "Program", "drop_dead", "optimize", "share_common", "to_source"]
