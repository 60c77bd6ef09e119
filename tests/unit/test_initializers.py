"""Initializers: recorded values and statistics, seeds, names and bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from lamina import initializers
from lamina.errors import (
    ArgumentError,
    ArgumentTypeError,
    OutOfRangeError,
    SerializationError,
    ShapeError,
    UnknownNameError,
)
from lamina.ops.random import SeedGenerator
from lamina.serialization import serialize
from recorded import assert_near, records

RANDOM = (
    "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "LecunNormal", "LecunUniform", "RandomNormal",
    "RandomUniform", "TruncatedNormal", "VarianceScaling",
)  # fmt: skip


@pytest.mark.parametrize("name", ["Ones", "Constant", "STFT"])
def test_values_as_keras(name: str) -> None:
    for record in records("keras", "misc.jsonl.gz", kind="initializer", class_name=name):
        made = initializers.get({"class_name": name, "config": record["config"]})
        assert_near(made(record["shape"]), record["result"], record["id"])


def test_identity_as_keras() -> None:
    for record in records("keras", "misc.jsonl.gz", kind="initializer", class_name="Identity"):
        made = initializers.Identity(gain=record["result"][0, 0])  # Keras leaves the gain out of its config
        assert_near(made(record["shape"]), record["result"], record["id"])


@pytest.mark.parametrize("name", ["Zeros", "Ones", "Constant", "Identity"])
def test_values_as_tensorflow_js(name: str) -> None:
    for record in records("tensorflow.js", "losses_metrics.jsonl.gz", kind="initializer", name=name):
        made = initializers.get({"class_name": name, "config": record["config"]})
        if record["args"][1:] and record["args"][1] != str(record["result"].dtype):
            continue  # TensorFlow.js widens an int32 weight to hold the value; here the dtype is kept
        found = made(*record["args"])
        assert_near(found, record["result"], record["id"])
        assert found.dtype == str(record["result"].dtype)


@pytest.mark.parametrize("name", RANDOM)
def test_statistics_as_keras(name: str) -> None:
    for record in records("keras", "misc.jsonl.gz", kind="initializer_stats", class_name=name):
        made = initializers.get({"class_name": name, "config": record["config"]})
        values = made(record["shape"]).numpy()
        stats, count = record["stats"], record["stats"]["n"]
        assert abs(values.mean()) < 5.0 * stats["std"] / np.sqrt(count)
        assert values.std() == pytest.approx(stats["std"], rel=0.1)
        if "Uniform" in name or "Truncated" in name or made.get_config().get("distribution") == "truncated_normal":
            assert values.max() == pytest.approx(stats["max"], rel=0.05)
            assert values.min() == pytest.approx(stats["min"], rel=0.05)


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (5, 3), (2, 3, 4)])
def test_orthogonal(shape: tuple[int, ...]) -> None:
    matrix = initializers.Orthogonal(gain=2.0, seed=2)(shape).numpy().reshape(-1, shape[-1])
    small = matrix @ matrix.T if matrix.shape[0] < matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(small, 4.0 * np.eye(min(matrix.shape)), atol=1e-5)


@pytest.mark.parametrize("name", [*RANDOM, "Orthogonal"])
def test_seeds(name: str) -> None:
    kind = getattr(initializers, name)
    seeded = kind(seed=5)
    assert seeded((3, 4)).tolist() == seeded((3, 4)).tolist() == kind(seed=5)((3, 4)).tolist()
    assert kind(seed=6)((3, 4)).tolist() != seeded((3, 4)).tolist()
    free = kind()
    lamina.random.set_seed(1)
    first, second = free((3, 4)).tolist(), free((3, 4)).tolist()
    lamina.random.set_seed(1)
    assert first == free((3, 4)).tolist() != second
    stream = kind(seed=SeedGenerator(3))
    assert stream((3, 4)).tolist() != stream((3, 4)).tolist()


@pytest.mark.parametrize("name", [*RANDOM, "Orthogonal", "Zeros", "Ones", "Constant", "Identity"])
def test_config_makes_an_equal_one(name: str) -> None:
    kind = getattr(initializers, name)
    made = kind(seed=3) if name in (*RANDOM, "Orthogonal") else kind()
    again = initializers.get(serialize(made))
    assert type(again) is kind
    assert again((3, 3)).tolist() == made((3, 3)).tolist()
    assert again.get_config() == made.get_config()


@pytest.mark.parametrize(
    ("spelling", "kind"),
    [
        ("glorotNormal", initializers.GlorotNormal),
        ("glorot_uniform", initializers.GlorotUniform),
        ("leCunNormal", initializers.LecunNormal),
        ("LeCunUniform", initializers.LecunUniform),
        ("zeros", initializers.Zeros),
        ("normal", initializers.RandomNormal),
        (initializers.Ones, initializers.Ones),
    ],
)
def test_spellings(spelling: Any, kind: type) -> None:
    assert type(initializers.get(spelling)) is kind


@pytest.mark.parametrize("config", [("fan_avg", "normal"), ("fanAvg", "truncatedNormal"), ("FAN_AVG", "Normal")])
def test_spellings_of_tensorflow_js_in_settings(config: tuple[str, str]) -> None:
    values = {"scale": 1, "mode": config[0], "distribution": config[1], "seed": None}
    made = initializers.get({"class_name": "VarianceScaling", "config": values})
    assert (made.mode, made.distribution) == ("fan_avg", "truncated_normal")


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: initializers.get("glorot_unform"), UnknownNameError),
        (lambda: initializers.get(7), ArgumentTypeError),
        (lambda: initializers.get({"class_name": "Zeros", "config": {"value": 1}}), SerializationError),
        (lambda: initializers.RandomNormal(stddev=-1.0), ArgumentError),
        (lambda: initializers.RandomNormal(mean=float("nan")), ArgumentError),
        (lambda: initializers.RandomUniform(1.0, 0.0), ArgumentError),
        (lambda: initializers.RandomUniform(seed="7"), ArgumentTypeError),
        (lambda: initializers.VarianceScaling(scale=0.0), ArgumentError),
        (lambda: initializers.VarianceScaling(mode="fan"), ArgumentError),
        (lambda: initializers.GlorotUniform(input_axes=[0]), ArgumentError),
        (lambda: initializers.GlorotUniform(input_axes=[0.5], output_axes=[1]), ArgumentTypeError),
        (lambda: initializers.HeNormal(input_axes=[2], output_axes=[1])((3, 3)), OutOfRangeError),
        (lambda: initializers.Constant.from_config(5), SerializationError),
        (lambda: initializers.VarianceScaling(distribution="gamma"), ArgumentError),
        (lambda: initializers.Orthogonal()((3,)), ShapeError),
        (lambda: initializers.Identity()((3,)), ShapeError),
        (lambda: initializers.Constant("a"), ArgumentTypeError),
    ],
)
def test_bad_input(make: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        make()


def test_a_function_is_taken_as_it_is() -> None:
    def halves(shape: Any, dtype: Any = "float32") -> Any:
        return lamina.full(shape, 0.5, dtype)

    assert initializers.get(halves) is halves


def test_dtypes() -> None:
    assert initializers.Zeros()((2,), "int32").dtype == "int32"
    assert initializers.GlorotUniform(seed=1)((2, 2), "float64").dtype == "float64"
    assert initializers.Orthogonal(seed=1)((2, 2), "float16").dtype == "float16"


def test_axes_that_count_as_inputs_and_outputs() -> None:
    shape, seed = (4, 5, 6, 7), 3
    given = initializers.GlorotUniform(seed, input_axes=[0, -1], output_axes=(1, 2))
    limit = np.sqrt(6.0 / (4 * 7 + 5 * 6))
    assert float(np.abs(given(shape).numpy()).max()) == pytest.approx(limit, rel=0.02)
    again = initializers.deserialize(initializers.serialize(given))
    assert again.get_config() == {"seed": 3, "input_axes": [0, -1], "output_axes": [1, 2]}
    assert again(shape).tolist() == given(shape).tolist()


def test_a_seed_generator_goes_into_the_config() -> None:
    made = initializers.RandomNormal(seed=SeedGenerator(7))
    again = initializers.RandomNormal.from_config(made.get_config())
    assert isinstance(again.seed, SeedGenerator)
    assert again((2,)).tolist() == initializers.RandomNormal(seed=SeedGenerator(7))((2,)).tolist()


def test_other_names_of_the_same() -> None:
    assert initializers.glorot_uniform is initializers.GlorotUniform
    assert type(initializers.get("OrthogonalInitializer")) is initializers.orthogonal is initializers.Orthogonal


def test_fourier_kernels_as_numpy() -> None:
    frames = np.random.default_rng(1).normal(size=(6, 8))
    window = np.hamming(9)[:8]
    wanted = np.fft.rfft(frames * window) / np.sqrt(np.sum(window**2))
    for side, part in (("real", wanted.real), ("imag", wanted.imag)):
        kernel = initializers.STFT(side, "hamming", periodic=True)((8, 1, 5)).numpy()
        np.testing.assert_allclose(frames @ kernel[:, 0], part, atol=1e-5)


def test_fourier_windows() -> None:
    given = initializers.STFT(window=[1.0, 2.0], scaling="spectrum")
    assert initializers.get(serialize(given))((2, 1, 2)).tolist() == given((2, 1, 2)).tolist()
    for make, text in (
        (lambda: initializers.STFT("left"), "side is 'left'"),
        (lambda: initializers.STFT(window="square"), "window is 'square'"),
        (lambda: initializers.STFT(scaling="sum"), "scaling is 'sum'"),
        (lambda: given((3, 1, 2)), "a window of shape"),
        (lambda: given((2, 2)), "a Fourier kernel of shape"),
    ):
        with pytest.raises(ValueError, match=text):
            make()
