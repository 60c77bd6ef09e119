"""Models to and from addresses: topology, weights, how to train, optimizer state, random streams.

``places`` decides between the two ways in which a model lies somewhere: as artifacts in a folder or a store, in the
layout of TensorFlow.js (``artifacts``), or as one file of a format that a plugin brings. What both have in common is
in ``training`` and ``fingerprints``.
"""

from lamina.models.saving.artifacts import layers_config, model_topology
from lamina.models.saving.places import is_there, load_model, load_weights, save_model, save_weights

__all__ = ["is_there", "layers_config", "load_model", "load_weights", "model_topology", "save_model", "save_weights"]
