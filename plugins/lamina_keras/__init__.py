"""Files of Keras: ``.keras``, ``.weights.h5`` and ``.h5``. Importing this module imports no HDF5 library."""

from __future__ import annotations

from collections.abc import Iterable

from lamina.contract import Provides, hookimpl


@hookimpl
def lamina_formats() -> Iterable[Provides]:
    library = {"needs": "h5py", "install": "pip install 'lamina[keras]'"}
    return [
        Provides(".keras", "lamina_keras.archive:KerasFile", **library),
        Provides(".weights.h5", "lamina_keras.weights_file:WeightsFile", **library),
        Provides(".h5", "lamina_keras.legacy:LegacyFile", **library),
        Provides(".hdf5", "lamina_keras.legacy:LegacyFile", **library),
    ]
