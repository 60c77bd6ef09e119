"""PyTorch by hand as in ``plain_torch``, with the network and its loss under ``torch.compile``.

Its caches are off, so that a first step compiles as it does where nobody has compiled the same before.
"""

from __future__ import annotations

import functools

from benchmarks.implementations import plain_torch

training = functools.partial(plain_torch.training, compiled=True)
prediction = functools.partial(plain_torch.prediction, compiled=True)
first_step = functools.partial(plain_torch.first_step, compiled=True)
