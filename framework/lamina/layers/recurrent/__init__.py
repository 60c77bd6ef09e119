"""Recurrent layers: cells, which do one step, and the layers that take them over time.

``loop`` is the loop over time, ``states`` what is known of the form of states; each family has a module with its cell
and its layer.
"""

from lamina.layers.recurrent.cell import DropoutRNNCell, RNNCell
from lamina.layers.recurrent.convolutional import ConvLSTM1D, ConvLSTM2D, ConvLSTM2DCell, ConvLSTM3D
from lamina.layers.recurrent.gru import GRU, GRUCell
from lamina.layers.recurrent.lstm import LSTM, LSTMCell
from lamina.layers.recurrent.rnn import RNN
from lamina.layers.recurrent.simple import SimpleRNN, SimpleRNNCell
from lamina.layers.recurrent.stacked import StackedRNNCells

__all__ = [
    "GRU", "LSTM", "RNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM2DCell", "ConvLSTM3D", "DropoutRNNCell", "GRUCell",
    "LSTMCell", "RNNCell", "SimpleRNN", "SimpleRNNCell", "StackedRNNCells",
]  # fmt: skip
