"""Callbacks: what is told about training, evaluation and prediction while they run, and may act on it.

Each is told by the loops through hooks named ``on_...``; knows the model that it is set to, and nothing of the loops.
"""

from lamina.models.callbacks.callback import Callback, Logs
from lamina.models.callbacks.callback_list import CallbackList, check_callbacks
from lamina.models.callbacks.functions import LambdaCallback
from lamina.models.callbacks.history import History
from lamina.models.callbacks.progress import ProgbarLogger

__all__ = ["Callback", "CallbackList", "History", "LambdaCallback", "Logs", "ProgbarLogger", "check_callbacks"]
