"""The built-in layers and other named objects, announced through the same hooks that plugins use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from lamina.contract import Provides, hookimpl

LAYERS = (
    "Activation", "ActivityRegularization", "AdaptiveAveragePooling1D", "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D", "AdaptiveMaxPooling1D", "AdaptiveMaxPooling2D", "AdaptiveMaxPooling3D", "Add",
    "AdditiveAttention", "AlphaDropout", "Attention", "Average", "AveragePooling1D", "AveragePooling2D",
    "AveragePooling3D", "BatchNormalization", "Bidirectional", "CategoryEncoding", "CenterCrop", "Concatenate",
    "Conv1D", "Conv1DTranspose", "Conv2D", "Conv2DTranspose", "Conv3D", "Conv3DTranspose", "ConvLSTM1D", "ConvLSTM2D",
    "ConvLSTM2DCell", "ConvLSTM3D", "Cropping1D", "Cropping2D", "Cropping3D", "Dense", "DepthwiseConv1D",
    "DepthwiseConv2D", "Discretization", "Dot", "Dropout", "EinsumDense", "ELU", "Embedding", "Flatten",
    "GaussianDropout", "GaussianNoise", "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D",
    "GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D", "GroupNormalization", "GroupQueryAttention",
    "GRU", "GRUCell", "Identity", "InputLayer", "Lambda", "LayerNormalization", "LeakyReLU", "LSTM", "LSTMCell",
    "Masking", "Maximum", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "MelSpectrogram", "Minimum",
    "MultiHeadAttention", "Multiply", "Normalization", "Permute", "PReLU", "PositionEmbedding", "RandomWidth", "ReLU",
    "RepeatVector", "Rescaling", "Reshape", "Resizing", "ReversibleEmbedding", "RMSNormalization", "RNN",
    "SeparableConv1D", "SeparableConv2D", "SimpleRNN", "SimpleRNNCell", "Softmax", "SpatialDropout1D",
    "SpatialDropout2D", "SpatialDropout3D", "SpectralNormalization", "StackedRNNCells", "STFTSpectrogram", "Subtract",
    "ThresholdedReLU", "TimeDistributed", "UnitNormalization", "UpSampling1D", "UpSampling2D", "UpSampling3D",
    "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D",
)  # fmt: skip


@hookimpl
def lamina_layers() -> Iterable[Provides]:
    return [Provides(name, f"lamina.layers:{name}") for name in LAYERS] + [
        Provides("Sequential", "lamina.models:Sequential"),
        Provides("Model", "lamina.models:Model"),
        Provides("Functional", "lamina.models:Model"),
    ]


OBJECTS: Final[dict[str, tuple[str, ...]]] = {
    "activations": (
        "celu", "elu", "exponential", "gelu", "gelu_new", "glu", "hard_shrink", "hard_sigmoid", "hard_sigmoid_tfjs",
        "hard_silu", "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6",
        "selu", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid",
        "sparsemax", "squareplus", "tanh", "tanh_shrink", "threshold",
    ),
    "constraints": ("MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm"),
    "initializers": (
        "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Identity", "LecunNormal",
        "LecunUniform", "Ones", "Orthogonal", "RandomNormal", "RandomUniform", "STFT", "TruncatedNormal",
        "VarianceScaling", "Zeros",
    ),
    "losses": (
        "BinaryCrossentropy", "BinaryFocalCrossentropy", "CTC", "CategoricalCrossentropy",
        "CategoricalFocalCrossentropy", "CategoricalGeneralizedCrossEntropy", "CategoricalHinge", "Circle",
        "CosineSimilarity", "Dice", "Hinge", "Huber", "KLDivergence", "LogCosh", "LossFunctionWrapper",
        "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredError", "MeanSquaredLogarithmicError",
        "Poisson", "SparseCategoricalCrossentropy", "SquaredHinge", "Tversky", "binary_crossentropy",
        "binary_focal_crossentropy", "categorical_crossentropy", "categorical_focal_crossentropy",
        "categorical_generalized_cross_entropy", "categorical_hinge", "circle", "cosine_similarity", "ctc", "dice",
        "hinge", "huber", "kl_divergence", "log_cosh", "mean_absolute_error", "mean_absolute_percentage_error",
        "mean_squared_error", "mean_squared_logarithmic_error", "poisson", "sparse_categorical_crossentropy",
        "squared_hinge", "tversky",
    ),
    "metrics": (
        "AUC", "Accuracy", "BinaryAccuracy", "BinaryCrossentropy", "BinaryIoU", "CategoricalAccuracy",
        "CategoricalCrossentropy", "CategoricalHinge", "ConcordanceCorrelation", "CosineSimilarity", "F1Score",
        "FBetaScore", "FalseNegatives", "FalsePositives", "Hinge", "IoU", "KLDivergence", "LogCoshError", "Mean",
        "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanIoU", "MeanMetricWrapper", "MeanSquaredError",
        "MeanSquaredLogarithmicError", "OneHotIoU", "OneHotMeanIoU", "PearsonCorrelation", "Poisson", "Precision",
        "PrecisionAtRecall", "R2Score", "Recall", "RecallAtPrecision", "RootMeanSquaredError",
        "SensitivityAtSpecificity", "SparseCategoricalAccuracy", "SparseCategoricalCrossentropy",
        "SparseTopKCategoricalAccuracy", "SpecificityAtSensitivity", "SquaredHinge", "Sum", "TopKCategoricalAccuracy",
        "TrueNegatives", "TruePositives", "accuracy", "binary_accuracy", "binary_crossentropy",
        "binary_focal_crossentropy", "categorical_accuracy", "categorical_crossentropy",
        "categorical_focal_crossentropy", "categorical_hinge", "concordance_correlation", "cosine_proximity", "hinge",
        "huber", "kl_divergence", "log_cosh", "mean_absolute_error", "mean_absolute_percentage_error",
        "mean_squared_error", "mean_squared_logarithmic_error", "pearson_correlation", "poisson", "precision",
        "r2_score", "recall", "sparse_categorical_accuracy", "sparse_categorical_crossentropy",
        "sparse_top_k_categorical_accuracy", "squared_hinge", "top_k_categorical_accuracy",
    ),
    "optimizers": (
        "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lamb", "Lion", "LossScaleOptimizer",
        "Momentum", "Muon", "Nadam", "RMSprop", "SGD", "ScheduleFreeAdamW",
    ),
    "regularizers": ("L1", "L1L2", "L2", "OrthogonalRegularizer"),
    "schedules": (
        "CosineDecay", "CosineDecayRestarts", "ExponentialDecay", "InverseTimeDecay", "PiecewiseConstantDecay",
        "PolynomialDecay",
    ),
}  # fmt: skip

BUILT_IN_NAMES = frozenset(LAYERS).union({"Functional", "Model", "Sequential"}, *OBJECTS.values())
"""What a class or function of a user's cannot be registered as."""

_ROOMS = {"schedules": "optimizers.schedules"}


@hookimpl
def lamina_objects() -> Iterable[Provides]:
    return [
        Provides(f"{kind}/{name}", f"lamina.{_ROOMS.get(kind, kind)}:{name}")
        for kind, names in OBJECTS.items()
        for name in names
    ]


@hookimpl
def lamina_io_handlers() -> Iterable[Provides]:
    return [
        Provides("downloads", "lamina.io.downloads:DownloadsHandler"),
        Provides("file", "lamina.io.file:FileHandler"),
        Provides("indexeddb", "lamina.io.store:IndexedDBHandler"),
        Provides("localstorage", "lamina.io.store:LocalStorageHandler"),
        Provides("memory", "lamina.io.memory:MemoryHandler"),
    ]
