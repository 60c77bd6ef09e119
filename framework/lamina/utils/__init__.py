"""Helpers around training, as in Keras: preparing arrays, splitting data, seeds, progress, pictures of models.

On top of everything else: may use every room below.
"""

from lamina.models.drawing import model_to_dot, plot_confusion_matrix, plot_model, plot_weights
from lamina.serialization import (
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from lamina.utils.arrays import normalize, to_categorical
from lamina.utils.progress import Progbar
from lamina.utils.seeds import set_random_seed
from lamina.utils.sequences import pad_sequences, timeseries_dataset_from_array
from lamina.utils.splitting import split_dataset
from lamina.utils.versions import show_versions, versions

CustomObjectScope = custom_object_scope

__all__ = [
    "CustomObjectScope", "Progbar", "custom_object_scope", "get_custom_objects", "get_registered_name",
    "get_registered_object", "model_to_dot", "normalize", "pad_sequences", "plot_confusion_matrix",
    "plot_model", "plot_weights", "register_keras_serializable", "set_random_seed", "show_versions",
    "split_dataset", "timeseries_dataset_from_array", "to_categorical", "versions",
]  # fmt: skip
