"""Images as columns of their windows and back, and pooling: images are (batch, 3 spatial axes, channels)."""

from __future__ import annotations

import math
from typing import Any, Final

from lamina_cupy.cuda.launching import Kernels

PLACES: Final = """
#define SPLIT(name, rest, size) int name = (int) (rest % (size)); rest /= (size);

// Where the place k of a window that begins at output o lies on an axis, -1 outside.
static __device__ __forceinline__ int meets(int o, int k, int size, int stride, int pad, int dilation) {
    int at = o * stride + k * dilation - pad;
    return at >= 0 && at < size ? at : -1;
}

// Which output's window has its place k at a position of an axis, -1 if none.
static __device__ __forceinline__ int window_at(int at, int k, int count, int stride, int pad, int dilation) {
    int start = at + pad - k * dilation;
    if (start < 0 || start % stride) return -1;
    return start / stride < count ? start / stride : -1;
}
"""
"""Which element of an image a place of a window meets, and the reverse."""
SOURCE: Final = (
    PLACES
    + """
extern "C" __global__ void im2col(const T* x, T* columns, int first, int rows, int G,
    int D, int H, int W, int C, int OD, int OH, int OW, int KD, int KH, int KW, int SD, int SH, int SW,
    int PD, int PH, int PW, int ED, int EH, int EW, wide count) {
    EACH(i, count) {
        wide rest = i;
        SPLIT(c, rest, C / G) SPLIT(kw, rest, KW) SPLIT(kh, rest, KH) SPLIT(kd, rest, KD) SPLIT(row, rest, rows)
        int group = (int) rest;
        rest = row;
        SPLIT(ow, rest, OW) SPLIT(oh, rest, OH) SPLIT(od, rest, OD)
        int d = meets(od, kd, D, SD, PD, ED), h = meets(oh, kh, H, SH, PH, EH), w = meets(ow, kw, W, SW, PW, EW);
        T value = 0;
        if (d >= 0 && h >= 0 && w >= 0)
            value = x[((((wide) first + rest) * D + d) * H + h) * W * C + (wide) w * C + group * (C / G) + c];
        columns[i] = value;
    }
}

extern "C" __global__ void col2im(const T* columns, T* dx, int first, int rows, int G,
    int D, int H, int W, int C, int OD, int OH, int OW, int KD, int KH, int KW, int SD, int SH, int SW,
    int PD, int PH, int PW, int ED, int EH, int EW, wide count) {
    EACH(i, count) {
        wide rest = i;
        SPLIT(c, rest, C) SPLIT(w, rest, W) SPLIT(h, rest, H) SPLIT(d, rest, D)
        int group = c / (C / G);
        T sum = 0;
        for (int kd = 0; kd < KD; ++kd) {
            int od = window_at(d, kd, OD, SD, PD, ED);
            for (int kh = 0; od >= 0 && kh < KH; ++kh) {
                int oh = window_at(h, kh, OH, SH, PH, EH);
                for (int kw = 0; oh >= 0 && kw < KW; ++kw) {
                    int ow = window_at(w, kw, OW, SW, PW, EW);
                    if (ow < 0) continue;
                    wide row = ((rest * OD + od) * OH + oh) * OW + ow;
                    wide at = (((group * (wide) rows + row) * KD + kd) * KH + kh) * KW + kw;
                    sum += columns[at * (C / G) + c % (C / G)];
                }
            }
        }
        dx[(wide) first * D * H * W * C + i] = sum;
    }
}

// The place of the first largest element of each window, from 1, and the element; NaN is larger than all. Padding is
// -infinity and has the place 0.
extern "C" __global__ void largest(const T* x, T* y, int* place,
    int D, int H, int W, int C, int OD, int OH, int OW, int KD, int KH, int KW, int SD, int SH, int SW,
    int PD, int PH, int PW, int ED, int EH, int EW, wide count) {
    EACH(i, count) {
        wide rest = i;
        SPLIT(c, rest, C) SPLIT(ow, rest, OW) SPLIT(oh, rest, OH) SPLIT(od, rest, OD)
        T best = (T) -1 / (T) 0;  // CUDA has no name for infinity
        int found = 0;
        for (int k = 0; k < KD * KH * KW; ++k) {
            int d = meets(od, k / (KH * KW), D, SD, PD, ED), h = meets(oh, k / KW % KH, H, SH, PH, EH);
            int w = meets(ow, k % KW, W, SW, PW, EW);
            if (d < 0 || h < 0 || w < 0) continue;
            if (k == 0) found = 1;
            T value = x[(((rest * D + d) * H + h) * W + w) * C + c];
            if (best == best && (value > best || value != value)) {
                best = value;
                found = k + 1;
            }
        }
        y[i] = best;
        place[i] = found;
    }
}

extern "C" __global__ void to_largest(const T* dy, const int* place, T* dx,
    int D, int H, int W, int C, int OD, int OH, int OW, int KD, int KH, int KW, int SD, int SH, int SW,
    int PD, int PH, int PW, int ED, int EH, int EW, wide count) {
    EACH(i, count) {
        wide rest = i;
        SPLIT(c, rest, C) SPLIT(w, rest, W) SPLIT(h, rest, H) SPLIT(d, rest, D)
        T sum = 0;
        for (int k = 0; k < KD * KH * KW; ++k) {
            int od = window_at(d, k / (KH * KW), OD, SD, PD, ED), oh = window_at(h, k / KW % KH, OH, SH, PH, EH);
            int ow = window_at(w, k % KW, OW, SW, PW, EW);
            if (od < 0 || oh < 0 || ow < 0) continue;
            wide at = (((rest * OD + od) * OH + oh) * OW + ow) * C + c;
            if (place[at] == k + 1) sum += dy[at];
        }
        dx[i] = sum;
    }
}

extern "C" __global__ void from_largest(const T* v, const int* place, T* y,
    int D, int H, int W, int C, int OD, int OH, int OW, int KD, int KH, int KW, int SD, int SH, int SW,
    int PD, int PH, int PW, int ED, int EH, int EW, wide count) {
    EACH(i, count) {
        wide rest = i;
        SPLIT(c, rest, C) SPLIT(ow, rest, OW) SPLIT(oh, rest, OH) SPLIT(od, rest, OD)
        int k = place[i] - 1;
        T value = 0;
        if (k >= 0) {
            int d = meets(od, k / (KH * KW), D, SD, PD, ED), h = meets(oh, k / KW % KH, H, SH, PH, EH);
            value = v[(((rest * D + d) * H + h) * W + meets(ow, k % KW, W, SW, PW, EW)) * C + c];
        }
        y[i] = value;
    }
}

// How many elements of a window are no padding.
static __device__ __forceinline__ int elements(int o, int K, int size, int stride, int pad, int dilation) {
    int found = 0;
    for (int k = 0; k < K; ++k) found += meets(o, k, size, stride, pad, dilation) >= 0;
    return found;
}

extern "C" __global__ void mean(const T* x, T* y,
    int D, int H, int W, int C, int OD, int OH, int OW, int KD, int KH, int KW, int SD, int SH, int SW,
    int PD, int PH, int PW, int ED, int EH, int EW, wide count) {
    EACH(i, count) {
        wide rest = i;
        SPLIT(c, rest, C) SPLIT(ow, rest, OW) SPLIT(oh, rest, OH) SPLIT(od, rest, OD)
        T sum = 0;
        int found = 0;
        for (int k = 0; k < KD * KH * KW; ++k) {
            int d = meets(od, k / (KH * KW), D, SD, PD, ED), h = meets(oh, k / KW % KH, H, SH, PH, EH);
            int w = meets(ow, k % KW, W, SW, PW, EW);
            if (d < 0 || h < 0 || w < 0) continue;
            sum += x[(((rest * D + d) * H + h) * W + w) * C + c];
            ++found;
        }
        y[i] = sum / found;
    }
}

extern "C" __global__ void mean_gradient(const T* dy, T* dx,
    int D, int H, int W, int C, int OD, int OH, int OW, int KD, int KH, int KW, int SD, int SH, int SW,
    int PD, int PH, int PW, int ED, int EH, int EW, wide count) {
    EACH(i, count) {
        wide rest = i;
        SPLIT(c, rest, C) SPLIT(w, rest, W) SPLIT(h, rest, H) SPLIT(d, rest, D)
        T sum = 0;
        for (int k = 0; k < KD * KH * KW; ++k) {
            int od = window_at(d, k / (KH * KW), OD, SD, PD, ED), oh = window_at(h, k / KW % KH, OH, SH, PH, EH);
            int ow = window_at(w, k % KW, OW, SW, PW, EW);
            if (od < 0 || oh < 0 || ow < 0) continue;
            int found = elements(od, KD, D, SD, PD, ED) * elements(oh, KH, H, SH, PH, EH)
                * elements(ow, KW, W, SW, PW, EW);
            sum += dy[(((rest * OD + od) * OH + oh) * OW + ow) * C + c] / found;
        }
        dx[i] = sum;
    }
}
"""
)

kernels: Final = Kernels(SOURCE)
AXES: Final = 3
Sizes = tuple[int, ...]


def geometry(
    size: Sizes, channels: int, output: Sizes, window: Sizes, strides: Sizes, pads: Any, dilations: Sizes
) -> list[int]:
    """The arguments that all these kernels take, of an image of up to three spatial axes."""
    missing = AXES - len(size)
    one, nothing = (1,) * missing, (0,) * missing
    before = [pad[0] for pad in pads]
    return [
        *one, *size, channels, *one, *output, *one, *window, *one, *strides, *nothing, *before, *one, *dilations,
    ]  # fmt: skip


def can(dtype: str, *sizes: Sizes) -> bool:
    """Whether these kernels can: the dtype is theirs, the axes are three at most, and positions fit into an int."""
    return dtype in ("float32", "float64") and all(
        len(size) <= AXES + 2 and all(s < 2**30 for s in size) and math.prod(size[1:]) < 2**31 for size in sizes
    )
