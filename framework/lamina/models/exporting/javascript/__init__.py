"""Layers that TensorFlow.js does not have, as classes in JavaScript made of its ops.

A layer is run, what it calls is recorded, and each call is written as one of TensorFlow.js. May use layers, programs
and the recorder; knows nothing of files.
"""

from lamina.models.exporting.javascript.layer_class import JavaScriptClass, NotWrittenError, javascript_class
from lamina.models.exporting.javascript.masks import has_mask, heeds_masks
from lamina.models.exporting.javascript.module import LAYERS_JS, classes_module

__all__ = [
    "LAYERS_JS", "JavaScriptClass", "NotWrittenError", "classes_module", "has_mask", "heeds_masks", "javascript_class",
]  # fmt: skip
