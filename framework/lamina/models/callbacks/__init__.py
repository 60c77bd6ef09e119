"""Callbacks: what is told about training, evaluation and prediction while they run, and may act on it.

Each is told by the loops through hooks named ``on_...``; knows the model that it is set to, and nothing of the loops.
"""

from lamina.models.callbacks.averages import SwapEMAWeights
from lamina.models.callbacks.backup import BackupAndRestore
from lamina.models.callbacks.callback import Callback, Logs
from lamina.models.callbacks.callback_list import CallbackList, check_callbacks
from lamina.models.callbacks.checkpoints import ModelCheckpoint
from lamina.models.callbacks.csv_logger import CSVLogger
from lamina.models.callbacks.functions import LambdaCallback
from lamina.models.callbacks.history import History
from lamina.models.callbacks.progress import ProgbarLogger
from lamina.models.callbacks.rates import LearningRateScheduler, ReduceLROnPlateau
from lamina.models.callbacks.registered import clear_callback_constructors, register_callback_constructor
from lamina.models.callbacks.stopping import EarlyStopping, TerminateOnNaN
from lamina.models.callbacks.tensorboard import TensorBoard

__all__ = [
    "BackupAndRestore", "CSVLogger", "Callback", "CallbackList", "EarlyStopping", "History", "LambdaCallback",
    "LearningRateScheduler", "Logs", "ModelCheckpoint", "ProgbarLogger", "ReduceLROnPlateau", "SwapEMAWeights",
    "TensorBoard", "TerminateOnNaN", "check_callbacks", "clear_callback_constructors", "register_callback_constructor",
]  # fmt: skip
