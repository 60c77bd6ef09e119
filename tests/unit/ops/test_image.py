"""What the case table does not say of images: what is local, exact, and not replayed."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from backends_here import scope
from lamina import image
from lamina.errors import OutOfRangeError

BOXES = [[0.0, 0.0, 1.0, 1.0], [0.0, 0.1, 1.0, 1.1], [0.0, 2.0, 1.0, 3.0]]


@pytest.fixture(params=["numpy", "torch"], autouse=True)
def backend(request):
    with scope(request.param) as found:
        yield found


@pytest.mark.parametrize("resize", [image.resize_bilinear, image.resize_nearest_neighbor])
@pytest.mark.parametrize("settings", [{}, {"align_corners": True}, {"half_pixel_centers": True}])
def test_an_image_of_its_own_size_stays_itself(resize, settings) -> None:
    x = lamina.random.normal((2, 3, 5, 2))
    np.testing.assert_array_equal(resize(x, (3, 5), **settings).numpy(), x.numpy())


def test_nearest_pixels_are_copied_whatever_they_are() -> None:
    x = lamina.tensor([[[np.nan], [1.0]], [[2.0], [np.inf]]])
    found = image.resize_nearest_neighbor(x, (4, 4)).numpy()[..., 0]
    np.testing.assert_array_equal(found, np.kron(x.numpy()[..., 0], np.ones((2, 2))))


def test_a_crop_of_a_box_that_is_no_image_is_refused() -> None:
    x = lamina.ones((1, 2, 2, 1))
    with pytest.raises(OutOfRangeError):
        image.crop_and_resize(x, [[0.0, 0.0, 1.0, 1.0]], [1], (2, 2))


def test_the_slope_on_a_pixel_is_the_mean_of_both_sides() -> None:
    x = lamina.tensor([[[[1.0], [2.0], [6.0]]]])

    def middle(boxes: lamina.Tensor) -> lamina.Tensor:
        return lamina.sum(image.crop_and_resize(x, boxes, [0], (1, 1)))

    slope = lamina.grad(middle)(lamina.tensor([[0.0, 0.25, 0.0, 0.75]])).numpy()[0]
    np.testing.assert_allclose(slope[[1, 3]], [2.5, 2.5])  # a half of two pixels times (1 + 4) / 2


def test_a_quarter_turn_four_times_is_no_turn() -> None:
    x = lamina.random.uniform((1, 5, 5, 3))
    turned = x
    for _ in range(4):
        turned = image.rotate_with_offset(turned, np.pi / 2, center=0.4)
    np.testing.assert_array_equal(turned.numpy(), x.numpy())


def test_suppression_keeps_the_better_of_two() -> None:
    found = image.non_max_suppression(BOXES, [0.7, 0.9, 0.8], 3)
    assert (found.dtype, found.tolist()) == ("int32", [1, 2])


def test_soft_suppression_lowers_scores() -> None:
    found = image.non_max_suppression_with_score(BOXES, [0.7, 0.9, 0.8], 3, 1.0, soft_nms_sigma=0.5)
    assert found.selected_indices.tolist() == [1, 2, 0]
    overlap = 0.9 / 1.1
    np.testing.assert_allclose(found.selected_scores.numpy(), [0.9, 0.8, 0.7 * np.exp(-(overlap**2))], rtol=1e-6)


def test_one_level_has_no_two_classes() -> None:
    assert image.threshold(np.full((2, 2, 1), 9.0), "otsu").tolist() == [[[255], [255]]] * 2
