"""Cases of images, against loops over pixels in float64."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lamina.errors import ArgumentError, ArgumentTypeError, DTypeError, ShapeError
from lamina.testing.inputs import between, bools, complex_normal, empty, ints, non_contiguous, normal, strings, values
from lamina.testing.table import case


def _flipped(image: Any) -> Any:
    return np.flip(image, -2)


case("flip_left_right", [normal(2, 2, 3, 2)], reference=_flipped)
case("flip_left_right", [ints(2, 3, 1)], reference=_flipped)
case("flip_left_right", [non_contiguous(2, 3, 2)], reference=_flipped)
case("flip_left_right", [empty(0, 2, 3, 1)], reference=_flipped)
case("flip_left_right", [normal(2, 3)], raises=ShapeError)

case("grayscale_to_rgb", [normal(2, 3, 1)], reference=lambda image: np.repeat(image, 3, -1))
case("grayscale_to_rgb", [ints(2, 1)], reference=lambda image: np.repeat(image, 3, -1))
case("grayscale_to_rgb", [normal(2, 3)], raises=ShapeError)
case("grayscale_to_rgb", [normal(1)], raises=ShapeError)


def _grey(image: Any) -> Any:
    grey = (image @ np.array([0.2989, 0.587, 0.114]))[..., None]
    return grey.astype(image.dtype)


case("rgb_to_grayscale", [normal(2, 2, 3)], reference=_grey)
case("rgb_to_grayscale", [non_contiguous(4, 3)], reference=_grey)
case("rgb_to_grayscale", [ints(2, 2, 3, low=0, high=200)], reference=_grey)
case("rgb_to_grayscale", [empty(0, 2, 3)], reference=_grey)
case("rgb_to_grayscale", [normal(3)], raises=ShapeError)
case("rgb_to_grayscale", [normal(2, 4)], raises=ShapeError)
case("rgb_to_grayscale", [strings([["a", "b", "c"]])], raises=DTypeError)


def _place(i: int, old: int, new: int, align: bool, half: bool, shift: float) -> float:
    scale = (old - 1) / (new - 1) if align and new > 1 else old / new
    return scale * (i + 0.5) - shift if half else scale * i


def _linear(x: Any, axis: int, new: int, align: bool, half: bool) -> Any:
    old, lines = x.shape[axis], []
    for i in range(new):
        at = min(max(_place(i, old, new, align, half, 0.5), 0.0), old - 1)
        low = int(at)
        high, part = min(low + 1, old - 1), at - low
        lines.append((1 - part) * x.take(low, axis) + part * x.take(high, axis))
    return np.stack(lines, axis)


def _resize_bilinear(images: Any, size: Any, align_corners: bool = False, half_pixel_centers: bool = False) -> Any:
    rows = _linear(images, -3, size[0], align_corners, half_pixel_centers)
    return _linear(rows, -2, size[1], align_corners, half_pixel_centers)


def _resize_nearest(images: Any, size: Any, align_corners: bool = False, half_pixel_centers: bool = False) -> Any:
    for axis, new in zip((-3, -2), size, strict=True):
        old = images.shape[axis]
        at = [_place(i, old, new, align_corners, half_pixel_centers, 0.0) for i in range(new)]
        chosen = [min(old - 1, math.floor(a + 0.5 if align_corners else a)) for a in at]
        images = images.take(chosen, axis)
    return images


_RESIZINGS: tuple[dict[str, Any], ...] = ({}, {"align_corners": True}, {"half_pixel_centers": True})
for _name, _reference in (("resize_bilinear", _resize_bilinear), ("resize_nearest_neighbor", _resize_nearest)):
    for _resizing in _RESIZINGS:
        case(_name, [normal(2, 3, 4, 2)], size=(5, 3), **_resizing, reference=_reference)
        case(_name, [normal(4, 3, 1)], size=(2, 7), **_resizing, reference=_reference)
        case(_name, [normal(1, 3, 2)], size=(1, 1), **_resizing, reference=_reference)
    case(_name, [non_contiguous(2, 3, 4, 2)], size=(4, 4), reference=_reference)
    case(_name, [empty(0, 3, 4, 2)], size=(2, 2), reference=_reference)
    case(_name, [normal(2, 2)], size=(2, 2), raises=ShapeError)
    case(_name, [empty(1, 0, 2, 1)], size=(2, 2), raises=ShapeError)
    case(_name, [normal(2, 2, 1)], size=(2, 2), align_corners=True, half_pixel_centers=True, raises=ArgumentError)
    case(_name, [normal(2, 2, 1)], size=(0, 2), raises=ArgumentError)
    case(_name, [normal(2, 2, 1)], size=(2,), raises=ArgumentTypeError)
    case(_name, [normal(2, 2, 1)], size=3, raises=ArgumentError)
case("resize_bilinear", [ints(2, 2, 1)], size=(3, 3), reference=lambda x, size: _resize_bilinear(x.astype(float), size))
case("resize_bilinear", [complex_normal(2, 2, 1)], size=(3, 3), raises=DTypeError)
case("resize_nearest_neighbor", [ints(2, 2, 1)], size=(3, 3), reference=_resize_nearest)
case("resize_nearest_neighbor", [bools(2, 2, 1)], size=(3, 3), reference=_resize_nearest)


def _read(image: Any, row: int, column: int, fill: Any) -> Any:
    inside = 0 <= row < image.shape[0] and 0 <= column < image.shape[1]
    return image[row, column] if inside else fill


def _blend(image: Any, y: float, x: float, fill: Any = 0.0) -> Any:
    row, column = math.floor(y), math.floor(x)
    down, right = y - row, x - column
    upper = (1 - right) * _read(image, row, column, fill) + right * _read(image, row, column + 1, fill)
    lower = (1 - right) * _read(image, row + 1, column, fill) + right * _read(image, row + 1, column + 1, fill)
    return (1 - down) * upper + down * lower


def _nearest(image: Any, y: float, x: float, fill: Any = 0.0) -> Any:
    return _read(image, math.floor(y + 0.5), math.floor(x + 0.5), fill)


def _line(start: float, end: float, size: int, count: int) -> list[float]:
    if count == 1:
        return [0.5 * (start + end) * (size - 1)]
    return [start * (size - 1) + i * ((end - start) * (size - 1) / (count - 1)) for i in range(count)]


def _crop(
    image: Any, boxes: Any, box_indices: Any, crop_size: Any, method: str = "bilinear", extrapolation_value: float = 0
) -> Any:
    height, width, channels = image.shape[1:]
    result = np.full((len(boxes), *crop_size, channels), extrapolation_value, float)
    read = _blend if method == "bilinear" else _nearest
    for box, (y1, x1, y2, x2) in enumerate(boxes):
        for i, y in enumerate(_line(y1, y2, height, crop_size[0])):
            for j, x in enumerate(_line(x1, x2, width, crop_size[1])):
                if 0 <= y <= height - 1 and 0 <= x <= width - 1:
                    result[box, i, j] = read(image[box_indices[box]], y, x)
    return result


_boxes = values([[0.11, 0.13, 0.87, 0.93], [0.81, 0.77, 0.17, 0.21], [-0.53, 0.07, 1.51, 1.13]])
_which = values([0, 1, 0], "int32")
for _method in ("bilinear", "nearest"):
    case("crop_and_resize", [normal(2, 4, 5, 2), _boxes, _which, (3, 2)], method=_method, reference=_crop)
    case("crop_and_resize", [non_contiguous(2, 3, 3, 1), _boxes, _which, (1, 3), _method, 2.5], reference=_crop)
    case("crop_and_resize", [normal(1, 3, 3, 1), empty(0, 4), ints(0), (2, 2), _method], reference=_crop)
case("crop_and_resize", [normal(1, 1, 1, 2), values([[0.0, 0.0, 0.5, 1.0]]), ints(1, low=0, high=1), (2, 2)],
     reference=_crop)  # fmt: skip
case("crop_and_resize", [ints(2, 4, 5, 1), _boxes, _which, (2, 2)], reference=_crop)
case("crop_and_resize", [normal(4, 5, 1), _boxes, _which, (2, 2)], raises=ShapeError)
case("crop_and_resize", [normal(2, 4, 5, 1), normal(3, 3), _which, (2, 2)], raises=ShapeError)
case("crop_and_resize", [normal(2, 4, 5, 1), _boxes, ints(2), (2, 2)], raises=ShapeError)
case("crop_and_resize", [normal(2, 4, 5, 1), _boxes, _which, (2, 2), "cubic"], raises=ArgumentError)
case("crop_and_resize", [normal(2, 4, 5, 1), _boxes, normal(3), (2, 2)], raises=DTypeError)


def _sampled(images: Any, batch: Any, rows: Any, columns: Any, fill: float | None = None) -> Any:
    batch, rows, columns = np.broadcast_arrays(batch, rows, columns)
    result = np.zeros((*rows.shape, images.shape[-1]))
    for place in np.ndindex(*rows.shape):
        image = images[batch[place]]
        padded = image if fill is not None else np.pad(image, ((9, 9), (9, 9), (0, 0)), "edge")
        border = 0 if fill is not None else 9
        result[place] = _blend(padded, rows[place] + border, columns[place] + border, fill)
    return result


_batch = values([[0], [1]], "int32")
for _fill in (None, 0.5):
    _places = [between(-1.4, 3.6, 2, 3), between(-1.4, 3.6, 3)]
    case("sample_bilinear", [normal(2, 3, 3, 2), _batch, *_places], fill=_fill, reference=_sampled)
_whole = [values([[1.0, 1.0, 0.5], [0.0, 1.5, 2.0]]), values([1.0, 0.5, 1.0])]
case("sample_bilinear", [normal(2, 3, 3, 2), _batch, *_whole], reference=_sampled, smooth=False)
case("sample_bilinear", [normal(2, 3, 3, 2), ints(4), normal(2), normal(3)], raises=ShapeError)


def _back(at: float, size: int, mode: str) -> float:
    """TensorFlow's rules, one place at a time."""
    if mode == "reflect" and not 0 <= at <= size - 1:
        at = at % (2 * size)
        at = 2 * size - at - 1 if at >= size else at
    elif mode == "wrap" and not 0 <= at <= size - 1:
        if size == 1:
            return 0.0
        at += size * (int(-at / (size - 1)) + 1) if at < 0 else -size * int(at / (size - 1))
    return at if mode == "constant" else min(max(at, 0.0), size - 1)


def _transform(
    image: Any, transforms: Any, interpolation: str = "nearest", fill_mode: str = "constant", fill_value: float = 0,
    output_shape: Any = None,
) -> Any:  # fmt: skip
    batch, height, width, channels = image.shape
    rows, columns = output_shape or (height, width)
    result = np.full((batch, rows, columns, channels), fill_value, float)
    read = _blend if interpolation == "bilinear" else _nearest
    for b, y, x in np.ndindex(batch, rows, columns):
        t = transforms[b if len(transforms) > 1 else 0]
        below = t[6] * x + t[7] * y + 1
        if below != 0:
            column = _back((t[0] * x + t[1] * y + t[2]) / below, width, fill_mode)
            row = _back((t[3] * x + t[4] * y + t[5]) / below, height, fill_mode)
            result[b, y, x] = read(image[b], row, column, fill_value)
    return result


_maps = values([[0.93, 0.21, -1.13, 0.11, 1.07, -0.57, 0.013, -0.021], [1.9, -0.3, 0.77, 0.2, -1.4, 1.31, 0.01, 0.02]])
_one_map = values([[1.13, 0.17, -0.41, -0.23, 0.91, 0.39, 0.0, 0.0]])
for _mode in ("constant", "reflect", "wrap", "nearest"):
    for _kind in ("nearest", "bilinear"):
        _image = normal(2, 4, 3, 2)
        case("transform", [_image, _maps, _kind, _mode], fill_value=0.5, reference=_transform, loose=10.0)
case("transform", [normal(2, 3, 4, 1), _one_map, "bilinear"], output_shape=(2, 5), reference=_transform, loose=10.0)
case("transform", [non_contiguous(1, 3, 4, 1), _one_map], reference=_transform)
case("transform", [normal(2, 1, 1, 1), _one_map, "bilinear", "wrap"], reference=_transform)
case("transform", [empty(0, 2, 2, 1), _one_map], reference=_transform)
_pole = values([[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, -0.5, 0.0]])
case("transform", [normal(1, 3, 3, 1), _pole, "bilinear"], fill_value=7.0, reference=_transform, gradient=False)
case("transform", [normal(2, 2, 1), _one_map], raises=ShapeError)
case("transform", [normal(1, 2, 2, 1), normal(1, 7)], raises=ShapeError)
case("transform", [normal(3, 2, 2, 1), normal(2, 8)], raises=ShapeError)
case("transform", [normal(1, 2, 2, 1), _one_map, "cubic"], raises=ArgumentError)
case("transform", [normal(1, 2, 2, 1), _one_map, "nearest", "mirror"], raises=ArgumentError)


def _rotate(image: Any, radians: float, fill_value: Any = 0, center: Any = 0.5) -> Any:
    _, height, width, channels = image.shape
    fill = [fill_value] * channels if isinstance(fill_value, (int, float)) else [*fill_value, 255.0][:channels]
    a, b = (center, center) if isinstance(center, float) else center
    result = np.zeros(image.shape)
    for y, x in np.ndindex(height, width):
        right, down = x - width * a, y - height * b
        column = right * math.cos(radians) - down * math.sin(radians) + width * a
        row = right * math.sin(radians) + down * math.cos(radians) + height * b
        for image_index in range(len(image)):
            result[image_index, y, x] = _nearest(image[image_index], row, column, np.array(fill))
    return result


case("rotate_with_offset", [normal(2, 4, 5, 3), 0.7], reference=_rotate)
case("rotate_with_offset", [normal(1, 4, 4, 4), -0.4, (1, 2, 3), (0.25, 0.75)], reference=_rotate)
case("rotate_with_offset", [non_contiguous(1, 3, 4, 2), 2, (1, 2)], reference=_rotate)
case("rotate_with_offset", [empty(0, 3, 4, 2), 1.0, 5], reference=_rotate)
case("rotate_with_offset", [normal(3, 4, 2), 1.0], raises=ShapeError)
case("rotate_with_offset", [normal(1, 3, 4, 2), 1.0, (1, 2, 3)], raises=ArgumentError)
case("rotate_with_offset", [normal(1, 3, 4, 2), 1.0, 0, (1, 2, 3)], raises=ArgumentError)
case("rotate_with_offset", [normal(1, 3, 4, 2), "left"], raises=ArgumentTypeError)


def _otsu(grey: Any) -> float:
    best, level = 0.0, -1
    for split in range(255):
        dark, light = grey[np.rint(grey) <= split], grey[np.rint(grey) > split]
        if dark.size and light.size:
            apart = np.rint(dark).mean() - np.rint(light).mean()
            if dark.size * light.size * apart**2 > best * (1 + 1e-12):
                best, level = dark.size * light.size * apart**2, split
    return level


def _threshold(image: Any, method: str = "binary", inverted: bool = False, thresh_value: float = 0.5) -> Any:
    grey = image if image.shape[2] == 1 else (image @ np.array([0.2989, 0.587, 0.114]))[..., None]
    level = _otsu(grey) if method == "otsu" else 255 * thresh_value
    return (255 * ((grey <= level) if inverted else (grey > level))).astype(np.int32)


for _method in ("binary", "otsu"):
    case("threshold", [ints(5, 4, 3, low=0, high=256)], method=_method, reference=_threshold)
    case("threshold", [ints(6, 5, 1, low=0, high=256)], method=_method, inverted=True, reference=_threshold)
    case("threshold", [values([[[9.0], [9.0]]])], method=_method, reference=_threshold)
    case("threshold", [values([[[0.25], [10.5], [33.75]], [[60.25], [127.5], [128.5]]])], method=_method,
         reference=_threshold)  # fmt: skip
case("threshold", [normal(2, 2, 2)], raises=ShapeError)
case("threshold", [normal(1, 2, 2, 1)], raises=ShapeError)
case("threshold", [normal(2, 2, 1)], method="mean", raises=ArgumentError)


def _overlap(a: Any, b: Any) -> float:
    low, high = np.minimum(a[:2], a[2:]), np.maximum(a[:2], a[2:])
    low_b, high_b = np.minimum(b[:2], b[2:]), np.maximum(b[:2], b[2:])
    areas = [float(np.prod(high - low)), float(np.prod(high_b - low_b))]
    common = float(np.prod(np.maximum(np.minimum(high, high_b) - np.maximum(low, low_b), 0.0)))
    return common / (sum(areas) - common) if min(areas) > 0 else 0.0


def _suppressed(
    boxes: Any, scores: Any, max_output_size: int, iou_threshold: float = 0.5, score_threshold: float = -math.inf,
    soft_nms_sigma: float = 0.0,
) -> list[Any]:  # fmt: skip
    """The definition: each round takes the best box left, then weighs the rest."""
    left = {i: float(s) for i, s in enumerate(scores) if s > score_threshold}
    chosen: list[int] = []
    reached: list[float] = []
    while left and len(chosen) < max_output_size:
        best = min(left, key=lambda i: (-left[i], i))
        chosen.append(best)
        reached.append(left.pop(best))
        for i in list(left):
            overlap = _overlap(boxes[i], boxes[best])
            left[i] *= math.exp(-0.5 * overlap**2 / soft_nms_sigma) if soft_nms_sigma else 1.0
            if overlap >= iou_threshold or left[i] <= score_threshold:
                del left[i]
    return [np.array(chosen, np.int32), np.array(reached, float)]


def _indices(*args: Any, **settings: Any) -> Any:
    return _suppressed(*args, **settings)[0]


def _padded(*args: Any, pad_to_max_output_size: bool = False, **settings: Any) -> Any:
    found = _indices(*args, **settings)
    room = max(0, min(args[2], len(args[1])) - len(found)) if pad_to_max_output_size else 0
    return [np.pad(found, (0, room)), np.array(len(found), np.int32)]


_tall = between(0.0, 1.0, 9, 4)
_scores = between(0.1, 1.0, 9)
_CHOICES: tuple[dict[str, Any], ...] = (
    {}, {"iou_threshold": 0.1}, {"score_threshold": 0.4}, {"iou_threshold": 1.0}, {"iou_threshold": 0.0},
)  # fmt: skip
for _chosen in _CHOICES:
    case("image.non_max_suppression", [_tall, _scores, 5], **_chosen, reference=_indices, replayed=False)
case("image.non_max_suppression", [_tall, values([0.5] * 9), 9], reference=_indices, replayed=False)
case("image.non_max_suppression", [empty(0, 4), empty(0), 3], reference=_indices, replayed=False)
case("image.non_max_suppression", [ints(4, 4), normal(4), 3], reference=_indices, replayed=False)
case("image.non_max_suppression", [normal(4, 3), normal(4), 3], raises=ShapeError)
case("image.non_max_suppression", [normal(4, 4), normal(3), 3], raises=ShapeError)
case("image.non_max_suppression", [_tall, _scores, 3, 1.5], raises=ArgumentError)
case("image.non_max_suppression", [_tall, _scores, -3], raises=ArgumentError)
case("image.non_max_suppression", [_tall, _scores, 3, 0.5, "low"], raises=ArgumentTypeError)
case("suppress_boxes", [_tall, _scores, 4, 0.3, 0.2, 0.5], reference=_indices, replayed=False)
_name = "image.non_max_suppression_with_score"
for _sigma in (0.0, 0.3, 1.0):
    _kept: dict[str, Any] = {"soft_nms_sigma": _sigma, "iou_threshold": 0.8, "score_threshold": 0.2}
    case(_name, [_tall, _scores, 6], **_kept, reference=_suppressed, replayed=False, gradient=True)
case(_name, [_tall, _scores, 6], soft_nms_sigma=2.0, raises=ArgumentError)
for _full in (False, True):
    _inputs = [_tall, _scores, 12]
    case("image.non_max_suppression_padded", _inputs, pad_to_max_output_size=_full, reference=_padded, replayed=False)
