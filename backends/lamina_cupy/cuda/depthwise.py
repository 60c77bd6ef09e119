"""Convolution of each channel by itself: no products of matrices, but one pass. Images as in ``windows``."""

from __future__ import annotations

from typing import Final

from lamina_cupy.cuda.launching import Kernels
from lamina_cupy.cuda.windows import PLACES

SOURCE: Final = (
    PLACES
    + """
// M filters for each channel; filter f belongs to channel f / M.
extern "C" __global__ void depthwise(const T* x, const T* kernel, T* y, int M,
    int D, int H, int W, int C, int OD, int OH, int OW, int KD, int KH, int KW, int SD, int SH, int SW,
    int PD, int PH, int PW, int ED, int EH, int EW, wide count) {
    EACH(i, count) {
        wide rest = i;
        SPLIT(f, rest, C * M) SPLIT(ow, rest, OW) SPLIT(oh, rest, OH) SPLIT(od, rest, OD)
        T sum = 0;
        for (int k = 0; k < KD * KH * KW; ++k) {
            int d = meets(od, k / (KH * KW), D, SD, PD, ED), h = meets(oh, k / KW % KH, H, SH, PH, EH);
            int w = meets(ow, k % KW, W, SW, PW, EW);
            if (d < 0 || h < 0 || w < 0) continue;
            sum += x[(((rest * D + d) * H + h) * W + w) * C + f / M] * kernel[(wide) k * C * M + f];
        }
        y[i] = sum;
    }
}

extern "C" __global__ void depthwise_input(const T* dy, const T* kernel, T* dx, int M,
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
            wide at = (((rest * OD + od) * OH + oh) * OW + ow) * C * M + c * M;
            for (int m = 0; m < M; ++m) sum += dy[at + m] * kernel[(wide) k * C * M + c * M + m];
        }
        dx[i] = sum;
    }
}

// A share of the windows for each thread; the shares are added afterwards.
extern "C" __global__ void depthwise_kernel(const T* x, const T* dy, T* shares, int M, wide windows, wide share,
    int D, int H, int W, int C, int OD, int OH, int OW, int KD, int KH, int KW, int SD, int SH, int SW,
    int PD, int PH, int PW, int ED, int EH, int EW, wide count) {
    EACH(i, count) {
        wide rest = i;
        SPLIT(f, rest, C * M) SPLIT(k, rest, KD * KH * KW)
        wide stop = (rest + 1) * share < windows ? (rest + 1) * share : windows;
        T sum = 0;
        for (wide window = rest * share; window < stop; ++window) {
            wide image = window;
            SPLIT(ow, image, OW) SPLIT(oh, image, OH) SPLIT(od, image, OD)
            int d = meets(od, k / (KH * KW), D, SD, PD, ED), h = meets(oh, k / KW % KH, H, SH, PH, EH);
            int w = meets(ow, k % KW, W, SW, PW, EW);
            if (d < 0 || h < 0 || w < 0) continue;
            sum += x[(((image * D + d) * H + h) * W + w) * C + f / M] * dy[window * C * M + f];
        }
        shares[i] = sum;
    }
}
"""
)

kernels: Final = Kernels(SOURCE)
