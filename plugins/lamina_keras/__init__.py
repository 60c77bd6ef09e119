"""Files of Keras: ``.keras``, ``.weights.h5`` and ``.h5``. Nothing but lamina is needed, no HDF5 library either."""

from __future__ import annotations

from collections.abc import Iterable

from lamina.contract import Provides, hookimpl


@hookimpl
def lamina_formats() -> Iterable[Provides]:
    return [
        Provides(".keras", "lamina_keras.archive:KerasFile"),
        Provides(".weights.h5", "lamina_keras.weights_file:WeightsFile"),
        Provides(".h5", "lamina_keras.legacy:LegacyFile"),
        Provides(".hdf5", "lamina_keras.legacy:LegacyFile"),
    ]


@hookimpl
def lamina_layers() -> Iterable[Provides]:
    return [
        Provides("CustomScaleLayer", "lamina_keras.applications:CustomScaleLayer"),
        Provides("KerasFunction", "lamina_keras.functions:KerasFunction"),
        Provides("LayerScale", "lamina_keras.applications:LayerScale"),
        Provides("StochasticDepth", "lamina_keras.applications:StochasticDepth"),
    ]
