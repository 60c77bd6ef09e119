"""Random numbers: functions of an explicit seed, the same on every backend.

A seed is a pair of int32: a key and the number of the draw. Bits come from hashing (key, draw, position), so a stream
needs no memory and splits freely; a ``SeedGenerator`` is a Variable that counts the draws, so replayed steps draw anew.

Every function takes ``seed``: an int, which always gives the same numbers; a ``SeedGenerator``, which gives others at
each call; or None for the generator of the thread, which ``set_seed`` starts anew. No two functions draw from one
stream: each has a draw of its own for int seeds, and generators count elsewhere.

Uniform numbers, integers, booleans and normal numbers agree bit for bit on every backend, and so do all that are made
of them by sums, products and comparisons; gamma numbers and choices by weight hang on the backend's logarithm.
"""

from lamina.ops.random.choices import multinomial, permutation, shuffle
from lamina.ops.random.continuous import gamma, normal, standard_normal, truncated_normal, uniform
from lamina.ops.random.discrete import bernoulli, rand, randint
from lamina.ops.random.draws import random_integers, random_normal, random_uniform
from lamina.ops.random.seeds import SeedGenerator, default_generator, set_seed

__all__ = [
    "SeedGenerator", "bernoulli", "default_generator", "gamma", "multinomial", "normal", "permutation", "rand",
    "randint", "random_integers", "random_normal", "random_uniform", "set_seed", "shuffle", "standard_normal",
    "truncated_normal", "uniform",
]  # fmt: skip
