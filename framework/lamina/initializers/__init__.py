"""Initializers: what a weight holds before training.

Called once, when a layer is built; random ones draw through ``lamina.random``, so they follow its seed. Knows ops and
the registry; knows nothing of layers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lamina.initializers.distributions import RandomNormal, RandomUniform, TruncatedNormal
from lamina.initializers.fourier import STFT
from lamina.initializers.initializer import Initializer, RandomInitializer
from lamina.initializers.scaling import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    Orthogonal,
    VarianceScaling,
    compute_fans,
)
from lamina.initializers.values import Constant, Identity, Ones, Zeros
from lamina.serialization import custom_object_scope, get_object, serialize_as

__all__ = [
    "STFT", "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Identity", "IdentityInitializer",
    "Initializer", "LecunNormal", "LecunUniform", "Ones", "Orthogonal", "OrthogonalInitializer",
    "RandomInitializer", "RandomNormal", "RandomUniform", "STFTInitializer", "TruncatedNormal", "VarianceScaling",
    "Zeros", "compute_fans", "constant", "deserialize", "get", "glorot_normal", "glorot_uniform", "he_normal",
    "he_uniform", "identity", "lecun_normal", "lecun_uniform", "ones", "orthogonal", "random_normal",
    "random_uniform", "serialize", "stft", "truncated_normal", "variance_scaling", "zeros",
]  # fmt: skip

# Keras's other names of the same classes.
IdentityInitializer = identity = Identity
OrthogonalInitializer = orthogonal = Orthogonal
constant = Constant
ones = Ones
zeros = Zeros
glorot_normal = GlorotNormal
glorot_uniform = GlorotUniform
he_normal = HeNormal
he_uniform = HeUniform
lecun_normal = LecunNormal
lecun_uniform = LecunUniform
random_normal = RandomNormal
random_uniform = RandomUniform
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
STFTInitializer = stft = STFT

ALIASES: Final = {
    "eye": "Identity",
    "identityinitializer": "Identity",
    "normal": "RandomNormal",
    "one": "Ones",
    "orthogonalinitializer": "Orthogonal",
    "stftinitializer": "STFT",
    "uniform": "RandomUniform",
    "zero": "Zeros",
}


def get(identifier: Any) -> Any:
    """The initializer that a name, config, class, function or initializer stands for; None for None.

    Names may be spelled as in Keras or TensorFlow.js. Raises UnknownNameError, SerializationError, ArgumentTypeError.

    >>> get("glorotNormal").settings
    (1.0, 'fan_avg', 'truncated_normal')
    """
    return get_object("initializers", identifier, Initializer, ALIASES)


def serialize(initializer: Any) -> Any:
    """What stands for an initializer in a config: see ``lamina.serialization.serialize_as``.

    Raises SerializationError for what has no name.

    >>> serialize(RandomUniform(0.0, 1.0, seed=3))
    {'class_name': 'RandomUniform', 'config': {'seed': 3, 'minval': 0.0, 'maxval': 1.0}}
    """
    return serialize_as("initializers", initializer, ALIASES)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The initializer of a config or name, where ``custom_objects`` are known too.

    Raises UnknownNameError for a name that nothing has.

    >>> deserialize(serialize(Constant(0.5)))((2,)).tolist()
    [0.5, 0.5]
    """
    with custom_object_scope(custom_objects or {}):
        return get(config)
