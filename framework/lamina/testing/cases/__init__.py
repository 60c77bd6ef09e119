"""The cases of lamina's own ops, a module for each module of ``lamina.ops``."""
