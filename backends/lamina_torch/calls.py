"""Names of the calls that only lowered programs have, and which ops work element by element."""

from __future__ import annotations

from lamina_torch.kernels.elementwise import ROWS

MM, ADDMM, MV, TURN = "torch.mm", "torch.addmm", "torch.mv", "torch.t"
THRESHOLD, DENSE = "torch.threshold_backward", "torch.dense"
LOG_SOFTMAX_BACKWARD = "torch.log_softmax_backward"
LSTM, LSTM_BACKWARD = "torch.lstm", "torch.lstm_backward"
CLAMP_MIN = "torch.clamp_min"
ADDCMUL, SUBCMUL = "torch.addcmul", "torch.subcmul"
"""x + a * b and x - a * b, of the arguments x, a and b."""

ADAM = "torch.adam_update"
"""``adam_update`` that takes the rate and the number of the step in place of the step size."""

ELEMENTWISE = {*ROWS, "tanh", "sigmoid", "relu", THRESHOLD, "clip", CLAMP_MIN, ADDCMUL, SUBCMUL}
"""Ops whose result may lie in the memory of an argument of the same shape: each element is read before it is set."""
