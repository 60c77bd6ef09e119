"""Layers on images beyond what recorded calls cover: refusals, equal data formats, dtypes, masks, random widths."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from lamina import Input, errors, layers
from unit.layers.image_cases import CASES as IMAGE_CASES
from unit.layers.preprocessing_cases import CASES as PREPROCESSING_CASES
from unit.layers.preprocessing_cases import transformed
from unit.layers.shaping_cases import CASES as SHAPING_CASES

MESSAGES = {
    "no multiple of groups": (
        lambda: layers.Conv2D(4, 3, groups=3),
        errors.ArgumentError,
        "filters is 4 and groups is 3.\n  Expected filters to be a multiple of groups.",
    ),
    "channels no multiple of groups": (
        lambda: layers.Conv2D(4, 3, groups=2, name="c")(np.zeros((1, 8, 8, 3))),
        errors.ShapeError,
        "Conv2D got an input of shape (1, 8, 8, 3), and groups is 2.\n"
        "  Expected the number of channels (3) to be a multiple of groups.",
    ),
    "causal in two dimensions": (
        lambda: layers.Conv2D(4, 3, padding="causal"),
        errors.ArgumentError,
        "padding is 'causal'.\n  Expected one of 'valid', 'same'.",
    ),
    "unknown channels": (
        lambda: layers.Conv1D(4, 3)(Input((8, None))),
        errors.ShapeError,
        "Conv1D got an input of shape (None, 8, None): the number of channels is unknown.\n"
        "  Expected it to be known when the layer is built.\n  Fix: give the input's shape in full.",
    ),
    "other channels than before": (
        lambda: [layer := layers.Conv1D(4, 3), layer(np.zeros((1, 8, 2))), layer(np.zeros((1, 8, 3)))],
        errors.ShapeError,
        "Conv1D got an input of shape (1, 8, 3).\n"
        "  Expected axis 2 to be 2, as in the (None, None, 2) it was built for.\n"
        "  Fix: check the layer before, or make a new Conv1D.",
    ),
    "axes": (
        lambda: layers.Conv3D(4, 3, data_format="channels_first")(np.zeros((1, 8, 8, 3))),
        errors.ShapeError,
        "Conv3D got an input of shape (1, 8, 8, 3).\n  Expected 5 axes: (batch, channels, depth, height, width).",
    ),
    "smaller than the window": (
        lambda: layers.DepthwiseConv1D(3, dilation_rate=2)(np.zeros((1, 4, 3))),
        errors.ShapeError,
        "DepthwiseConv1D got an input of shape (1, 4, 3), which is smaller than its window (5,).\n"
        "  Expected each size to be at least that of the window.\n"
        "  Fix: pass padding='same', or take a smaller window.",
    ),
    "negative output padding": (
        lambda: layers.Conv2DTranspose(4, 3, output_padding=-1),
        errors.ArgumentError,
        "output_padding is -1.\n  Expected output_padding to be an integer of at least 0.",
    ),
    "output padding of a whole stride": (
        lambda: layers.Conv2DTranspose(4, 3, strides=(3, 2), output_padding=(1, 2)),
        errors.ArgumentError,
        "output_padding is (1, 2) with strides=(3, 2).\n  Expected less output padding than the stride on every axis.",
    ),
    "huge strides": (
        lambda: layers.MaxPooling1D(2, strides=2**31),
        errors.ArgumentError,
        "strides is 2147483648.\n  Expected strides to be an integer of at most 2147483647.",
    ),
    "cropping of three pairs": (
        lambda: layers.Cropping2D((1, 1, 1)),
        errors.ArgumentError,
        "cropping is (1, 1, 1).\n  Expected an integer, 2 integers, or 2 pairs (before, after).",
    ),
    "padding of a triple": (
        lambda: layers.ZeroPadding2D(((1, 1, 1), 1)),
        errors.ArgumentError,
        "padding has the entry (1, 1, 1).\n  Expected an integer, 2 integers, or 2 pairs (before, after).",
    ),
    "nothing left": (
        lambda: layers.Cropping1D(4)(np.zeros((1, 8, 3))),
        errors.ShapeError,
        "Cropping1D got an input of shape (1, 8, 3).\n"
        "  Expected axis 1 to have more than the 8 elements that are cut off.",
    ),
    "an axis twice": (
        lambda: layers.Permute((1, 1)),
        errors.ArgumentError,
        "dims is (1, 1).\n  Expected each of the axes 1 to 2 once, in any order.",
    ),
    "too few axes to permute": (
        lambda: layers.Permute((2, 1))(np.zeros((1, 8))),
        errors.ShapeError,
        "Permute got an input of shape (1, 8) for dims (2, 1).\n  Expected 2 axes behind the batch.",
    ),
    "repeated images": (
        lambda: layers.RepeatVector(2)(np.zeros((1, 8, 3))),
        errors.ShapeError,
        "RepeatVector got an input of shape (1, 8, 3).\n  Expected 2 axes: (batch, features).",
    ),
    "target shape as text": (
        lambda: layers.Reshape("23"),
        errors.ArgumentTypeError,
        "target_shape is '23'.\n  Expected an integer or a tuple of them, with at most one -1.",
    ),
    "unknown interpolation": (
        lambda: layers.UpSampling2D(2, interpolation="cubic"),
        errors.ArgumentError,
        "interpolation is 'cubic'.\n  Expected one of 'nearest', 'bilinear', 'bicubic', 'lanczos3', 'lanczos5', "
        "'bilinear_corners'.",
    ),
    "mask value nan": (
        lambda: layers.Masking(float("nan")),
        errors.ArgumentError,
        "mask_value is nan.\n  Expected mask_value to be finite and at least -inf.",
    ),
    "crop and pad": (
        lambda: layers.Resizing(2, 2, crop_to_aspect_ratio=True, pad_to_aspect_ratio=True),
        errors.ArgumentError,
        "crop_to_aspect_ratio and pad_to_aspect_ratio are both True.\n  Expected at most one of them.",
    ),
    "a vector to resize": (
        lambda: layers.Resizing(2, 2)(np.zeros((1, 8))),
        errors.ShapeError,
        "Resizing got an input of shape (1, 8).\n"
        "  Expected (batch, height, width, channels), or that without the batch.",
    ),
    "factor the wrong way round": (
        lambda: layers.RandomWidth((0.5, -0.5)),
        errors.ArgumentError,
        "factor is (0.5, -0.5).\n  Expected the lower bound first.",
    ),
    "scale as text": (
        lambda: layers.Rescaling("2"),
        errors.ArgumentTypeError,
        "scale is '2'.\n  Expected scale to be a number.",
    ),
    "unknown encoding": (
        lambda: layers.CategoryEncoding(3, "hot"),
        errors.ArgumentError,
        "output_mode is 'hot'.\n  Expected one of 'multi_hot', 'one_hot', 'count', 'tf_idf', 'int'.",
    ),
    "sparse encoding": (
        lambda: layers.CategoryEncoding(3, sparse=True),
        errors.ArgumentError,
        "sparse is True.\n  Expected False: sparse results are not supported.",
    ),
    "weights of another shape": (
        lambda: layers.CategoryEncoding(3, "count")(np.array([[0, 1]]), count_weights=np.ones((1, 3))),
        errors.ShapeError,
        "count_weights is (1, 3) and the input (1, 2).\n  Expected equal shapes.",
    ),
    "weights for one-hot vectors": (
        lambda: layers.CategoryEncoding(3, "one_hot")(np.array([[0, 1]]), count_weights=np.ones((1, 2))),
        errors.ArgumentError,
        "count_weights for the output_mode 'one_hot'.\n  Expected 'count' or 'tf_idf' with them.",
    ),
}


@pytest.mark.parametrize("what", MESSAGES)
def test_refused(what):
    call, error, message = MESSAGES[what]
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message


FORMATTED = [case for case in (*IMAGE_CASES, *SHAPING_CASES, *PREPROCESSING_CASES) if "data_format" in case.settings]


@pytest.mark.parametrize("case", FORMATTED, ids=str)
def test_channels_first_as_channels_last(case):
    """Activations of a whole row act on another axis; all other layers do the same in both formats."""
    settings = {key: value for key, value in case.settings.items() if key not in ("data_format", "activation")}
    first, last = (case.kind(**settings, data_format=f) for f in ("channels_first", "channels_last"))
    first(case.inputs)
    last(np.moveaxis(case.inputs, 1, -1).copy())
    for layer in (first, last):
        layer.set_weights(first.get_weights())
    y, z = first(case.inputs), last(np.moveaxis(case.inputs, 1, -1).copy())
    expected = z.numpy() if z.ndim == 2 else np.moveaxis(z.numpy(), -1, 1)
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-5, atol=1e-6)


def test_aliases_are_the_same_classes():
    assert layers.Convolution2DTranspose is layers.Conv2DTranspose
    assert layers.SeparableConvolution1D is layers.SeparableConv1D
    assert layers.AvgPool3D is layers.AveragePooling3D
    assert layers.GlobalMaxPool1D is layers.GlobalMaxPooling1D


@pytest.mark.parametrize("kind", [layers.Conv1D, layers.DepthwiseConv1D, layers.SeparableConv1D])
def test_causal_outputs_see_no_later_step(kind):
    needed = {} if kind is layers.DepthwiseConv1D else {"filters": 2}
    layer = kind(kernel_size=3, dilation_rate=2, padding="causal", **needed)
    x = np.random.default_rng(0).normal(size=(1, 9, 2)).astype(np.float32)
    changed = x.copy()
    changed[:, 5:] += 1.0
    before, after = layer(x).numpy(), layer(changed).numpy()
    assert before.shape[1] == 9
    np.testing.assert_array_equal(before[:, :5], after[:, :5])
    assert (before[:, 5:] != after[:, 5:]).any()


def of_keras(name):
    return {"module": "keras.initializers", "class_name": name, "config": {}, "registered_name": None}


def test_config_of_keras():
    plain = {
        "name": "conv", "trainable": True, "filters": 4, "kernel_size": [3, 3], "strides": [1, 1], "padding": "same",
        "data_format": "channels_last", "dilation_rate": [1, 1], "groups": 2, "activation": "relu", "use_bias": False,
        "kernel_regularizer": None, "bias_regularizer": None, "kernel_constraint": None, "bias_constraint": None,
    }  # fmt: skip
    policy = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": None}
    initializers = {"kernel_initializer": of_keras("Ones"), "bias_initializer": of_keras("Zeros")}
    layer = layers.Conv2D.from_config({**plain, **initializers, "dtype": policy, "activity_regularizer": None})
    assert layer(np.ones((1, 2, 2, 4))).numpy().max() == 8.0
    found = layer.get_config()
    assert {key: found[key] for key in plain} == plain
    assert found["kernel_initializer"] == {"class_name": "Ones", "config": {}}


def test_sizes_that_are_not_known_yet():
    image = Input((None, None, 3))
    assert layers.Conv2D(4, 3)(image).shape == (None, None, None, 4)
    assert layers.Conv2DTranspose(4, 3, strides=2)(image).shape == (None, None, None, 4)
    assert layers.MaxPooling2D()(image).shape == (None, None, None, 3)
    assert layers.GlobalAveragePooling2D()(image).shape == (None, 3)
    assert layers.AdaptiveMaxPooling2D((2, 3))(image).shape == (None, 2, 3, 3)
    assert layers.Cropping2D(1)(image).shape == (None, None, None, 3)
    assert layers.UpSampling2D(2)(image).shape == (None, None, None, 3)
    assert layers.Resizing(4, 5, crop_to_aspect_ratio=True)(image).shape == (None, 4, 5, 3)
    assert layers.CenterCrop(4, 5)(image).shape == (None, 4, 5, 3)
    assert layers.Flatten()(image).shape == (None, None)


class TestIntegers:
    @pytest.mark.parametrize(
        "layer",
        [
            layers.MaxPooling2D(), layers.GlobalMaxPooling2D(), layers.UpSampling2D(), layers.ZeroPadding2D(),
            layers.Cropping2D(1), layers.Flatten(), layers.Reshape((-1,)), layers.Resizing(2, 2),
            layers.CenterCrop(2, 2), layers.AdaptiveMaxPooling2D(3), layers.UpSampling2D(interpolation="bicubic"),
        ],
        ids=lambda layer: type(layer).__name__,
    )  # fmt: skip
    def test_stay_integers(self, layer):
        assert layer(np.ones((1, 4, 4, 2), np.uint8)).dtype == "uint8"

    def test_are_rounded(self):
        layer = layers.UpSampling2D((1, 2), interpolation="bicubic")
        assert layer(np.array([[[[0], [3], [10]]]], np.uint8)).numpy().ravel().tolist() == [0, 0, 2, 5, 9, 11]

    def test_become_floats_where_they_are_scaled(self):
        assert layers.Rescaling(0.5)(np.ones((1, 2), np.uint8)).dtype == "float32"
        for kind in (layers.GlobalAveragePooling2D, layers.AveragePooling2D, layers.Conv2DTranspose):
            layer = kind() if kind is not layers.Conv2DTranspose else kind(2, 3)
            assert layer(np.ones((1, 2, 2, 1), np.int32)).dtype == "float32"
        assert layers.AdaptiveAveragePooling2D(2)(np.ones((1, 3, 3, 1), np.uint8)).numpy().max() == 1.0


class TestMasks:
    def test_steps_of_the_mask_value_do_not_count(self):
        x = lamina.tensor([[[1.0, 1.0], [0.0, 0.0], [0.0, 3.0]], [[0.0, 0.0], [0.0, 0.0], [5.0, 7.0]]])
        masked = layers.Masking()(x)
        assert masked._mask.tolist() == [[True, False, True], [False, False, True]]
        assert layers.GlobalAveragePooling1D()(masked).tolist() == [[0.5, 2.0], [5.0, 7.0]]
        assert layers.GlobalAveragePooling1D()(masked)._mask is None

    def test_pass_through_identity_and_rescaling(self):
        masked = layers.Masking()(np.ones((1, 2, 3), np.float32))
        assert layers.Rescaling(2.0)(layers.Identity()(masked))._mask is not None

    def test_average_with_keepdims_and_channels_first(self):
        x = np.arange(6, dtype=np.float32).reshape(1, 2, 3)
        layer = layers.GlobalAveragePooling1D(data_format="channels_first", keepdims=True)
        assert layer(x, mask=np.array([[True, False, True]])).tolist() == [[[1.0], [4.0]]]


class TestRandomWidth:
    def test_one_width_for_the_batch_in_training(self):
        x = np.random.default_rng(0).normal(size=(3, 4, 20, 2)).astype(np.float32)
        layer = layers.RandomWidth(0.5, seed=3)
        widths = [layer(x, training=True).shape[2] for _ in range(20)]
        assert len(set(widths)) > 5
        assert all(10 <= width <= 30 for width in widths)
        again = layers.RandomWidth(0.5, seed=3)
        assert [again(x, training=True).shape[2] for _ in range(20)] == widths
        np.testing.assert_array_equal(layer(x).numpy(), x)

    def test_the_width_is_not_known_before(self):
        assert layers.RandomWidth(0.5)(Input((4, 20, 2))).shape == (None, 4, None, 2)

    def test_trains_eagerly(self):
        model = lamina.Sequential(
            [layers.RandomWidth(0.5, seed=1, input_shape=(4, 8, 1)), layers.GlobalAveragePooling2D(), layers.Dense(1)]
        )
        model.compile(optimizer="sgd", loss="mse")
        x, y = np.ones((8, 4, 8, 1), np.float32), np.ones((8, 1), np.float32)
        with pytest.warns(UserWarning, match="eager"):
            losses = model.fit(x, y, epochs=3, batch_size=4, verbose=0).history["loss"]
        assert losses[-1] < losses[0]


class TestCategoryEncoding:
    def test_one_integer(self):
        assert layers.CategoryEncoding(3)(lamina.tensor(1)).tolist() == [0.0, 1.0, 0.0]

    def test_integers_outside_give_zeros(self):
        assert layers.CategoryEncoding(2, "one_hot")(np.array([5, -1, 1])).tolist() == [[0, 0], [0, 0], [0, 1]]

    def test_weights_of_counts(self):
        layer = layers.CategoryEncoding(3, "count")
        found = layer(np.array([[0, 0, 2]]), count_weights=np.array([[0.5, 2.0, 3.0]], np.float32))
        assert found.tolist() == [[2.5, 0.0, 3.0]]

    def test_weights_of_tokens(self):
        layer = layers.CategoryEncoding(3, "tf_idf")
        found = layer(np.array([[0, 0, 2]]), count_weights=np.array([0.5, 1.0, 3.0], np.float32))
        assert found.tolist() == [[1.0, 0.0, 3.0]]

    def test_integers_as_they_are(self):
        assert layers.CategoryEncoding(3, "int")(np.array([[2.0, 0.0]])).tolist() == [[2, 0]]


class TestDiscretization:
    def test_ranges_that_hold_equally_many(self):
        layer = layers.Discretization(num_bins=4)
        with pytest.raises(errors.NotBuiltError):
            layer(np.zeros(3, np.float32))
        x = np.random.default_rng(0).normal(size=1000).astype(np.float32)
        layer.adapt(part for part in np.split(x, 10))
        assert np.bincount(layer(x).numpy()).tolist() == [249, 250, 250, 251]
        again = layers.Discretization.from_config(layer.get_config())
        np.testing.assert_array_equal(again(x).numpy(), layer(x).numpy())

    def test_refused(self):
        for settings in ({}, {"num_bins": 2, "bin_boundaries": [1.0]}, {"bin_boundaries": [2.0, 1.0]}):
            with pytest.raises(errors.ArgumentError):
                layers.Discretization(**settings)
        with pytest.raises(errors.DataError):
            layers.Discretization(num_bins=2).adapt([float("nan")])
        with pytest.raises(errors.ArgumentError):
            layers.Discretization([1.0]).adapt([1.0])


class TestSpectrograms:
    def test_kernels_are_those_of_the_transform(self):
        x = np.random.default_rng(0).normal(size=(2, 20, 3)).astype(np.float32)
        layer = layers.STFTSpectrogram("magnitude", frame_length=6, frame_step=3)
        np.testing.assert_allclose(layer(x).numpy(), transformed(x), rtol=1e-4, atol=1e-5)

    def test_modes(self):
        x = np.random.default_rng(0).normal(size=(2, 20, 1)).astype(np.float32)
        found = {mode: layers.STFTSpectrogram(mode, frame_length=6)(x).numpy() for mode in MODES}
        whole = found["real"] + 1j * found["imag"]
        np.testing.assert_allclose(found["stft"], np.concatenate([whole.real, whole.imag], -1), rtol=1e-6)
        times = np.array([1.0, 2.0, 2.0, 2.0, 1.0])  # a whole transform has the frequencies in between twice
        np.testing.assert_allclose(found["psd"], times * np.abs(whole) ** 2, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(found["magnitude"], np.abs(whole), rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(found["log"], np.log(found["magnitude"]), rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(np.cos(found["angle"]), np.cos(np.angle(whole)), atol=1e-5)

    def test_layouts(self):
        x = np.random.default_rng(0).normal(size=(2, 20, 3)).astype(np.float32)
        flat, apart = (layers.STFTSpectrogram(frame_length=6, expand_dims=e)(x).numpy() for e in (False, True))
        np.testing.assert_array_equal(flat, apart.swapaxes(2, 3).reshape(2, 5, 15))
        first = layers.STFTSpectrogram(frame_length=6, expand_dims=True, data_format="channels_first")
        np.testing.assert_array_equal(first(x.swapaxes(1, 2)).numpy(), apart.transpose(0, 3, 1, 2))

    def test_refused(self):
        for settings in ({"frame_length": 8, "fft_length": 4}, {"window": "flat"}, {"mode": "power"}, {"scaling": "x"}):
            with pytest.raises(errors.ArgumentError):
                layers.STFTSpectrogram(**settings)
        for settings in ({"sequence_length": 4096}, {"min_freq": 9000}, {"max_freq": 9000}, {"window": [1.0]}):
            with pytest.raises(errors.ArgumentError):
                layers.MelSpectrogram(**settings)
        with pytest.raises(errors.ShapeError):
            layers.MelSpectrogram()(np.zeros((1, 1024), np.float32))
        with pytest.raises(errors.ShapeError):
            layers.STFTSpectrogram()(np.zeros((1, 255, 1), np.float32))


MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")


def test_penalty_is_divided_by_the_batch():
    layer = layers.ActivityRegularization(l1=0.5)
    layer(np.array([[1.0, -3.0], [2.0, 0.0]]))
    assert [loss.item() for loss in layer.losses] == [1.5]
    assert set(layer.get_config()) == {"name", "trainable", "dtype", "l1", "l2"}
