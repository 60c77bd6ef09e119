"""Images, (batch, height, width, channels): resizing, cropping, warping, colours, and boxes in them."""

from lamina.ops.image.colors import flip_left_right, grayscale_to_rgb, rgb_to_grayscale
from lamina.ops.image.cropping import crop_and_resize
from lamina.ops.image.resampling import resize
from lamina.ops.image.resizing import resize_bilinear, resize_nearest_neighbor
from lamina.ops.image.sampling import sample_bilinear
from lamina.ops.image.suppression import (
    non_max_suppression,
    non_max_suppression_padded,
    non_max_suppression_with_score,
    suppress_boxes,
)
from lamina.ops.image.thresholding import threshold
from lamina.ops.image.warping import rotate_with_offset, transform

__all__ = [
    "crop_and_resize", "flip_left_right", "grayscale_to_rgb", "non_max_suppression", "non_max_suppression_padded",
    "non_max_suppression_with_score", "resize", "resize_bilinear", "resize_nearest_neighbor", "rgb_to_grayscale",
    "rotate_with_offset", "sample_bilinear", "suppress_boxes", "threshold", "transform",
]  # fmt: skip
