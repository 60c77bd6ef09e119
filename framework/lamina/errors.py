"""The exceptions of lamina. Imports nothing of lamina.

Every error says what was wrong, what was expected and how to fix it, and is also the builtin people expect::

    LaminaError
    ├── ShapeError              (ValueError)           shapes that do not fit each other
    ├── DTypeError              (TypeError)            a dtype an op does not take, or one that is unknown
    ├── ArgumentError           (ValueError)           a setting outside its range
    ├── ArgumentTypeError       (TypeError)            a setting of the wrong kind
    ├── OutOfRangeError         (IndexError)           an index or axis outside a tensor
    ├── GradientError           (ValueError)           no path or no rule for a gradient
    ├── GraphError              (ValueError)           layers that cannot be connected as asked
    ├── NotBuiltError           (ValueError)           used before it was built or compiled
    ├── DataError               (ValueError)           training data that cannot be used
    ├── UnknownNameError        (ValueError)           a name no registry knows
    ├── BackendError            (RuntimeError)         a backend that cannot do what is asked
    │   ├── BackendNotAvailableError (ImportError)     a backend that is unknown, or whose library is missing
    │   ├── KernelMissingError  (NotImplementedError)  an op that this backend does not have
    │   └── OutOfMemoryError    (MemoryError)          a device that has not enough memory
    ├── MissingLibraryError     (ImportError)          an optional library that is not installed
    ├── PluginError             (RuntimeError)         a plugin that is broken or clashes
    ├── ReplayError             (RuntimeError)         a step that cannot be recorded and replayed
    │   └── HostReadError                              a value read on the host inside a recorded step
    ├── SerializationError      (ValueError)           an object without a config, or a config without an object
    └── ModelFileError          (ValueError)           a saved model that is damaged or not one
        ├── ModelNotFoundError  (FileNotFoundError)    no saved model at that address
        ├── UnknownClassError   (UnknownNameError)     a saved model with a class no registry knows
        └── UnsafeModelError                           a saved model that oversteps its bounds
"""

from __future__ import annotations


class LaminaError(Exception):
    """Base of all errors of lamina: what was wrong, what was expected, how to fix it."""

    def __init__(self, what: str, *, expected: str | None = None, fix: str | None = None) -> None:
        lines = [what]
        if expected is not None:
            lines.append(f"  Expected {expected}")
        if fix is not None:
            lines.append(f"  Fix: {fix}")
        super().__init__("\n".join(lines))
        self.what = what
        self.expected = expected
        self.fix = fix


class ShapeError(LaminaError, ValueError):
    """Shapes that do not fit each other, or the op."""


class DTypeError(LaminaError, TypeError):
    """A dtype an op does not take, or an unknown dtype."""


class ArgumentError(LaminaError, ValueError):
    """A setting outside its range."""


class ArgumentTypeError(LaminaError, TypeError):
    """A setting of the wrong kind."""


class OutOfRangeError(LaminaError, IndexError):
    """An index or an axis outside a tensor."""


class GradientError(LaminaError, ValueError):
    """No path from the result to a source, or an op without a gradient on it."""


class GraphError(LaminaError, ValueError):
    """Layers that cannot be connected as asked."""


class NotBuiltError(LaminaError, ValueError):
    """Something used before it was built or compiled."""


class DataError(LaminaError, ValueError):
    """Training data that cannot be used: empty, of unequal lengths, or of the wrong kind."""


class UnknownNameError(LaminaError, ValueError):
    """A name that no registry knows."""


class BackendError(LaminaError, RuntimeError):
    """A backend that cannot do what is asked of it."""


class BackendNotAvailableError(BackendError, ImportError):
    """A backend that is unknown, whose library is missing, or that has no device."""


class KernelMissingError(BackendError, NotImplementedError):
    """An op for which the active backend has no kernel."""


class OutOfMemoryError(BackendError, MemoryError):
    """A device that has not enough memory for what is asked of it; tensors that are there are as they were."""


class MissingLibraryError(LaminaError, ImportError):
    """An optional library that is not installed."""


class PluginError(LaminaError, RuntimeError):
    """A plugin that is broken, clashes with another, or implements an unknown hook."""


class ReplayError(LaminaError, RuntimeError):
    """A step that cannot be recorded once and replayed."""


class HostReadError(ReplayError):
    """A value of a recorded tensor was read on the host."""


class SerializationError(LaminaError, ValueError):
    """An object that has no config, or a config that gives no object."""


class ModelFileError(LaminaError, ValueError):
    """A saved model that is damaged, or is not one."""


class ModelNotFoundError(ModelFileError, FileNotFoundError):
    """No saved model at that address."""


class UnknownClassError(ModelFileError, UnknownNameError):
    """A saved model that names a class, or a function, that no registry knows."""


class UnsafeModelError(ModelFileError):
    """A saved model that oversteps its bounds: paths, sizes, names or kinds."""
