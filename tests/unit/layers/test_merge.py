"""Merging layers and their functions: what fits, what does not, unknown sizes, masks along time."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from lamina import Input, layers
from lamina.errors import ArgumentError, ArgumentTypeError, ShapeError

A, B = lamina.tensor([[1.0, 4.0]]), lamina.tensor([[2.0, 3.0]])


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (layers.add, [[3.0, 7.0]]),
        (layers.average, [[1.5, 3.5]]),
        (layers.concatenate, [[1.0, 4.0, 2.0, 3.0]]),
        (layers.dot, [[14.0]]),
        (layers.maximum, [[2.0, 4.0]]),
        (layers.minimum, [[1.0, 3.0]]),
        (layers.multiply, [[2.0, 12.0]]),
        (layers.subtract, [[-1.0, 1.0]]),
    ],
)
def test_functions(function, expected):
    assert function([A, B]).tolist() == expected
    symbolic = function([Input(shape=(2,)), Input(shape=(2,))], name="both")
    assert symbolic.name == "both"
    assert symbolic.shape == (None, len(expected[0]))


def test_functions_with_settings():
    assert layers.concatenate([A, B], axis=0).shape == (2, 2)
    found = layers.dot([A, B], axes=1, normalize=True)
    np.testing.assert_allclose(found, [[14 / np.sqrt(17 * 13)]], rtol=1e-6)


@pytest.mark.parametrize("kind", [layers.Add, layers.Multiply, layers.Average, layers.Maximum, layers.Concatenate])
def test_one_input_in_a_list_stays(kind):
    assert kind()([A]).tolist() == A.tolist()
    with pytest.raises(ArgumentTypeError, match="called on one tensor"):
        kind()(A)
    with pytest.raises(ArgumentTypeError, match="list of 0 tensors"):
        kind().check_input([])


@pytest.mark.parametrize("layer", [layers.Subtract(), layers.Dot(1)])
def test_exactly_two_inputs(layer):
    with pytest.raises(ArgumentTypeError, match=r"list of 3 tensors(.|\n)*exactly 2"):
        layer([A, A, A])


@pytest.mark.parametrize("kind", [layers.Add, layers.Maximum, layers.Subtract])
def test_shapes_that_do_not_broadcast(kind):
    with pytest.raises(ShapeError, match=rf"{kind.__name__} got inputs of shapes \(2, 3\), \(2, 4\)"):
        kind()([lamina.ones((2, 3)), lamina.ones((2, 4))])
    with pytest.raises(ShapeError):
        kind()([lamina.ones((2, 3)), lamina.ones((3, 3))])
    with pytest.raises(ShapeError, match="one batch size"):
        kind()([lamina.ones((1, 3)), lamina.ones((2, 3))])


def test_sizes_that_only_one_input_knows():
    x, y = Input(shape=(None, 4)), Input(shape=(3, 4))
    assert layers.Add()([x, y]).shape == (None, 3, 4)
    assert layers.Maximum()([x, Input(shape=(4,))]).shape == (None, None, 4)
    assert layers.Concatenate(axis=1)([x, y]).shape == (None, None, 4)


class TestDot:
    @pytest.mark.parametrize(
        ("axes", "shapes", "expected"),
        [
            (1, [(None,), (3,)], (None, 1)),
            ((2, 1), [(None, 4), (4,)], (None, None)),
            ((1, 2), [(5, None), (None, 5)], (None, None, None)),
            (-1, [(2, 4), (7, 4)], (None, 2, 7)),
        ],
    )
    def test_unknown_sizes(self, axes, shapes, expected):
        assert layers.Dot(axes)([Input(shape=shape) for shape in shapes]).shape == expected

    @pytest.mark.parametrize("axes", [0, 3, -3, (0, 1), (1, -4)])
    def test_axes_that_are_not_there(self, axes):
        with pytest.raises(ShapeError, match=r"Dot\(axes=(.|\n)* beside the batch"):
            layers.Dot(axes)([lamina.ones((2, 3, 3)), lamina.ones((2, 3, 3))])

    def test_sizes_that_differ(self):
        with pytest.raises(ShapeError, match=r"axis 1 of the first \(3\) and axis 2 of the second \(4\)"):
            layers.Dot((1, 2))([lamina.ones((2, 3)), lamina.ones((2, 3, 4))])
        with pytest.raises(ShapeError, match="batches of one size"):
            layers.Dot(1)([lamina.ones((2, 3)), lamina.ones((3, 3))])

    @pytest.mark.parametrize("axes", ["1", 1.0, None, (1.0, 1), True])
    def test_axes_of_another_kind(self, axes):
        with pytest.raises(ArgumentTypeError, match="axes"):
            layers.Dot(axes)
        with pytest.raises(ArgumentError, match="pair"):
            layers.Dot((1, 2, 3))

    def test_normalizing_nothing_is_finite(self):
        x = lamina.zeros((1, 3))
        gradient = lamina.grad(lambda v: layers.Dot(1, normalize=True)([v, x]).sum())(x)
        assert np.isfinite(gradient.numpy()).all()


def test_concatenated_masks_along_the_batch():
    layer = layers.Concatenate(axis=0)
    x = lamina.ones((1, 2, 3))
    found = layer.compute_mask([x, x], [lamina.tensor([[True, False]]), None])
    assert found.tolist() == [[True, False], [True, True]]
