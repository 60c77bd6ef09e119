"""``layers.js``: the classes of all layers of a model in one file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lamina.models.exporting.javascript.layer_class import JavaScriptClass
from lamina.models.exporting.javascript.template import BEGINNING, ENDING
from lamina.models.exporting.javascript.text import quoted
from lamina.models.exporting.javascript.writing import indented

LAYERS_JS: Final = "layers.js"
"""The name of the file, beside ``model.json``."""


def classes_module(classes: Sequence[JavaScriptClass]) -> str:
    """The text of ``layers.js``, which registers a class for each class name among ``classes``.

    It is a classic script for a page that has ``tf`` as a global, and what Node.js and bundlers import: there its
    function ``register`` is to be called with TensorFlow.js.
    """
    names = list(dict.fromkeys(one.class_name for one in classes))
    parts = [_added(name, [one for one in classes if one.class_name == name]) for name in names]
    return "\n".join([BEGINNING, *parts, ENDING.rstrip()]) + "\n"


def _added(class_name: str, classes: Sequence[JavaScriptClass]) -> str:
    programs = ", ".join(indented(one.source, 2) for one in classes)
    return f"  add({quoted(class_name)}, [{programs}]);\n"
