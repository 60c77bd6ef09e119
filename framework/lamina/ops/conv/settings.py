"""What the settings of the public convolutions mean, checked against the tensors."""

from __future__ import annotations

from typing import Any

from lamina.errors import ShapeError
from lamina.ops.windows import AXES, FORMATS, Pads, Sizes, checked_format, first_axis, pads_around, per_axis, positions
from lamina.shapes import Shape, Spec, as_int


def spatial(shape: Shape, count: int, data_format: str) -> Sizes:
    """The sizes of the spatial axes of an image, with or without a batch."""
    first = first_axis(len(shape), count, data_format)
    return shape[first : first + count]


def channels(shape: Shape, count: int, data_format: str) -> int:
    """The number of channels of an image, with or without a batch."""
    return shape[-1] if data_format == FORMATS[0] else shape[first_axis(len(shape), count, data_format) - 1]


def with_spatial(shape: Shape, count: int, data_format: str, sizes: Sizes, filters: int) -> Shape:
    """The shape of an image with other spatial sizes and channels."""
    batch = shape[: len(shape) - count - 1]
    return (*batch, *sizes, filters) if data_format == FORMATS[0] else (*batch, filters, *sizes)


def convolved(
    x: Any, kernel: Any, *, strides: Sizes, padding: Pads, dilations: Sizes, data_format: str, **_: Any
) -> Spec:
    """Result rule of a convolution."""
    return _result(x, kernel, strides, padding, dilations, data_format, kernel.shape[-1])


def convolved_by_depth(
    x: Any, kernel: Any, *rest: Any, strides: Sizes, padding: Pads, dilations: Sizes, data_format: str, **_: Any
) -> Spec:
    """Result rule of a depthwise convolution, with one by points behind it if there is such a kernel."""
    filters = rest[0].shape[-1] if rest else kernel.shape[-2] * kernel.shape[-1]
    return _result(x, kernel, strides, padding, dilations, data_format, filters)


def _result(
    x: Any, kernel: Any, strides: Sizes, padding: Pads, dilations: Sizes, data_format: str, filters: int
) -> Spec:
    count = len(strides)
    sizes = positions(spatial(x.shape, count, data_format), kernel.shape[:-2], strides, padding, dilations)
    return Spec(with_spatial(x.shape, count, data_format, sizes, filters), x.dtype)


def transposed(x: Any, kernel: Any, *, output_shape: Sizes, groups: int, data_format: str, **_: Any) -> Spec:
    """Result rule of a transposed convolution."""
    filters = kernel.shape[-2] * groups
    return Spec(with_spatial(x.shape, len(output_shape), data_format, output_shape, filters), x.dtype)


def convolution_settings(name: str, count: int, x: Any, kernel: Any, settings: dict[str, Any]) -> dict[str, Any]:
    """The settings of a convolution along ``count`` axes in their one form."""
    found = _checked_axes(name, count, x, kernel, settings, kernel_axes="channels / groups, filters")
    groups = as_int(settings["groups"], "groups", minimum=1)
    given = channels(x.shape, count, found["data_format"])
    if given != kernel.shape[-2] * groups or kernel.shape[-1] % groups:
        raise ShapeError(
            f"{name}(x, kernel, groups={groups}): x is {x.shape} and kernel is {kernel.shape}.",
            expected=f"{given} channels of x to be those of kernel ({kernel.shape[-2]}) times the groups ({groups}), "
            "and its filters to be as many in each group.",
        )
    return {**_with_pads(spatial(x.shape, count, found["data_format"]), kernel, found), "groups": groups}


def depthwise_settings(name: str, x: Any, kernel: Any, settings: dict[str, Any]) -> dict[str, Any]:
    """The settings of a depthwise convolution in their one form."""
    found = _checked_axes(name, 2, x, kernel, settings, kernel_axes="channels, multiplier")
    given = channels(x.shape, 2, found["data_format"])
    if given != kernel.shape[-2]:
        raise ShapeError(
            f"{name}(x, kernel): x is {x.shape} and kernel is {kernel.shape}.",
            expected=f"the third axis of kernel ({kernel.shape[-2]}) to be the channels of x ({given}).",
        )
    return _with_pads(spatial(x.shape, 2, found["data_format"]), kernel, found)


def transposed_settings(name: str, count: int, x: Any, kernel: Any, settings: dict[str, Any]) -> dict[str, Any]:
    """The settings of a transposed convolution in their one form; ``output_shape`` becomes its spatial sizes."""
    found = _checked_axes(name, count, x, kernel, settings, kernel_axes="filters / groups, channels")
    groups = as_int(settings["groups"], "groups", minimum=1)
    given = channels(x.shape, count, found["data_format"])
    if given != kernel.shape[-1] or given % groups:
        raise ShapeError(
            f"{name}(x, kernel, groups={groups}): x is {x.shape} and kernel is {kernel.shape}.",
            expected=f"the last axis of kernel ({kernel.shape[-1]}) to be the channels of x ({given}), "
            "and as many in each group.",
        )
    size = _output_size(name, count, x, kernel, {**found, "groups": groups})
    whole = {**_with_pads(size, kernel, found), "groups": groups, "output_shape": size}
    _check_that_output_gives_input(name, count, x, kernel, whole)
    return whole


def _checked_axes(
    name: str, count: int, x: Any, kernel: Any, settings: dict[str, Any], kernel_axes: str
) -> dict[str, Any]:
    if x.ndim not in (count + 1, count + 2) or kernel.ndim != count + 2:
        axes = ", ".join(AXES[-count:])
        raise ShapeError(
            f"{name}(x, kernel): x is {x.shape} and kernel is {kernel.shape}.",
            expected=f"x (batch, {axes}, channels), with or without the batch, and kernel ({axes}, {kernel_axes}).",
        )
    return {
        **settings,
        "data_format": checked_format(settings["data_format"]),
        "strides": per_axis(settings["strides"], count, "strides"),
        "dilations": per_axis(settings["dilations"], count, "dilations"),
    }


def _with_pads(sizes: Sizes, kernel: Any, settings: dict[str, Any]) -> dict[str, Any]:
    strides, dilations, rounding = settings["strides"], settings["dilations"], settings.get("dim_rounding_mode")
    pads = pads_around(sizes, kernel.shape[:-2], strides, dilations, settings["padding"], rounding)
    rounded = {"dim_rounding_mode": None} if "dim_rounding_mode" in settings else {}
    return {**settings, "padding": pads, **rounded}


def _output_size(name: str, count: int, x: Any, kernel: Any, settings: dict[str, Any]) -> Sizes:
    """The spatial sizes that ``output_shape`` asks for, or those that follow from the other settings."""
    wanted = settings["output_shape"]
    if wanted is None:
        return _natural_size(spatial(x.shape, count, settings["data_format"]), kernel, settings)
    shape = per_axis(wanted, len(wanted) if hasattr(wanted, "__len__") else count, "output_shape", minimum=0)
    filters = kernel.shape[-2] * settings["groups"]
    if len(shape) == count:
        return shape
    size = spatial(shape, count, settings["data_format"]) if len(shape) == x.ndim else ()
    expected = with_spatial(x.shape, count, settings["data_format"], size, filters) if size else None
    if shape != expected:
        raise ShapeError(
            f"{name}(x, kernel, output_shape={shape}): x is {x.shape} and kernel is {kernel.shape}.",
            expected=f"{count} spatial sizes, or with them the batch of x and the filters of kernel ({filters}).",
        )
    return size


def _natural_size(given: Sizes, kernel: Any, settings: dict[str, Any]) -> Sizes:
    padding, count = settings["padding"], len(given)
    reach = [d * (k - 1) + 1 for d, k in zip(settings["dilations"], kernel.shape[:-2], strict=True)]
    if padding == "same":
        return tuple(n * s for n, s in zip(given, settings["strides"], strict=True))
    if padding == "valid":
        return tuple((n - 1) * s + max(r, s) for n, s, r in zip(given, settings["strides"], reach, strict=True))
    pads = pads_around((0,) * count, (1,) * count, (1,) * count, (1,) * count, padding, None)
    axes = zip(given, settings["strides"], reach, pads, strict=True)
    return tuple(max(0, (n - 1) * s + r - sum(pad)) for n, s, r, pad in axes)


def _check_that_output_gives_input(name: str, count: int, x: Any, kernel: Any, settings: dict[str, Any]) -> None:
    size, pads = settings["output_shape"], settings["padding"]
    back = positions(size, kernel.shape[:-2], settings["strides"], pads, settings["dilations"])
    given = spatial(x.shape, count, settings["data_format"])
    if back != given:
        raise ShapeError(
            f"{name}(x, kernel): x has the spatial sizes {given}, and output_shape is {size}.",
            expected=f"sizes that a convolution with these settings brings to {given}, not to {back}.",
            fix="leave output_shape out, or choose sizes within one stride of those that come then.",
        )
