"""Which kinds of records there are, in whose recordings, and what checks one of them.

A folder is TensorFlow.js's or Keras's by the files it holds; the two have files of the same names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import checking
import keras_layers
import keras_training
import layer_errors
import layers
import model_files
import models
import training
from adapting import NotOffered
from records import artifacts, records

Record = dict[str, Any]
_SUBJECTS = ("op", "className", "class_name", "factory", "name", "kind")


@dataclass(frozen=True)
class Kind:
    """The records of one file (or folder of files), and the check of one."""

    name: str
    file: str
    check: Callable[[Record], None]

    def records(self, folder: Path) -> Iterator[Record]:
        """All records of this kind in a folder; none if it lacks the file."""
        return artifacts(folder) if self.file == "artifacts" else records(folder, self.file)

    def failure(self, record: Record) -> str | None:
        """What is wrong with lamina's answer to a recorded call, or None."""
        try:
            self.check(record)
        except AssertionError as error:
            return str(error)
        except NotOffered as error:
            return str(error)
        except Exception as error:
            return f"{type(error).__name__}: {error}".splitlines()[0]
        return None


TENSORFLOW_JS = (
    Kind("ops", "ops", checking.check_op),
    Kind("op_errors", "op_errors", checking.check_op_error),
    Kind("grads", "grads", checking.check_gradient),
    Kind("layers", "layers", layers.check),
    Kind("layer_errors", "layer_errors", layer_errors.check),
    Kind("losses_metrics", "losses_metrics", training.check_loss_or_metric),
    Kind("optimizers", "optimizers", training.check_optimizer),
    Kind("models", "models", models.check),
    Kind("model_errors", "model_errors", models.check_error),
    Kind("artifacts", "artifacts", model_files.check_artifact),
)
KERAS = (
    Kind("keras_layers", "layers", keras_layers.check),
    Kind("keras_losses", "losses", keras_training.check_loss),
    Kind("keras_metrics", "metrics", keras_training.check_metric),
    Kind("keras_optimizers", "optimizers", keras_training.check_optimizer),
    Kind("keras_misc", "misc", keras_training.check_misc),
)
NAMES = tuple(kind.name for kind in (*TENSORFLOW_JS, *KERAS))


def kinds_in(folder: Path) -> tuple[Kind, ...]:
    """The kinds whose files a folder holds."""
    suite = KERAS if _is_keras(folder) else TENSORFLOW_JS
    return tuple(kind for kind in suite if _has(folder, kind.file))


def _is_keras(folder: Path) -> bool:
    if any(_has(folder, file) for file in ("losses", "metrics", "misc")):
        return True
    shared = (next(records(folder, file), {}) for file in ("layers", "optimizers"))
    return any("class_name" in record for record in shared)


def _has(folder: Path, file: str) -> bool:
    return (folder / ("artifacts" if file == "artifacts" else f"{file}.jsonl.gz")).exists()


def subject(record: Record) -> str:
    """What a record is about: an op, a class, a function, or what was done with a model."""
    return str(next(record[key] for key in _SUBJECTS if key in record))
