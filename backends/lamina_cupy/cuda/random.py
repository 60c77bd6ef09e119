"""Random bits as hashes of key, draw and position: what ``lamina_arrayapi.kernels.random`` computes, in one pass."""

from __future__ import annotations

from typing import Final

from lamina_arrayapi.kernels.random import COSINE, LN_2, LOGARITHM, PI_2_32, SINE
from lamina_cupy.cuda.launching import Kernels


def polynomial(name: str, coefficients: tuple[float, ...]) -> str:
    """A function of z by Horner's rule, rounded after each product and each sum."""
    steps = "".join(f"    y = (y + {c!r}) * z;\n" for c in coefficients[-2:0:-1])
    return (
        f"static __device__ __forceinline__ double {name}(double z) {{\n    double y = z * {coefficients[-1]!r};\n"
        f"{steps}    return y + {coefficients[0]!r};\n}}\n"
    )


POLYNOMIALS: Final = polynomial("LOGARITHM", LOGARITHM) + polynomial("SINE", SINE) + polynomial("COSINE", COSINE)
SOURCE: Final = (
    f"#define LN_2 {LN_2!r}\n#define PI_2_32 {PI_2_32!r}\n{POLYNOMIALS}"
    + """
typedef unsigned int word;
typedef unsigned long long words;

static __device__ __forceinline__ word mixed(word x) {
    x ^= x >> 16;
    x *= 0x7FEB352Du;
    x ^= x >> 15;
    x *= 0x846CA68Bu;
    return x ^ x >> 16;
}

static __device__ __forceinline__ word bits(const int* seed, wide position) {
    word first = mixed((word) seed[0] + 0x9E3779B1u);
    word second = mixed((word) seed[1] * 0x9E3779B1u + first);
    return mixed(mixed((word) position * 0x9E3779B1u + first) + second);
}

extern "C" __global__ void uniform(const int* seed, float* y, int kept, wide count) {
    float unit = 1.0f / (float) (1u << kept);
    EACH(i, count) y[i] = (float) (bits(seed, i) >> (32 - kept)) * unit;
}

extern "C" __global__ void uniform_double(const int* seed, double* y, wide count) {
    EACH(i, count) {
        double high = (double) (bits(seed, i) >> 5), low = (double) (bits(seed, count + i) >> 6);
        y[i] = (high * 67108864.0 + low) * (1.0 / 9007199254740992.0);
    }
}

extern "C" __global__ void integers(const int* seed, int* y, wide low, unsigned long long span, int is_wide,
    wide count) {
    EACH(i, count) {
        words product = (words) bits(seed, i) * span;
        if (is_wide) product += (words) bits(seed, count + i) * span >> 32;
        y[i] = (int) ((wide) (product >> 32) + low);
    }
}

// sqrt(-2 ln u) of u = (x + 1/2) / 2^32.
static __device__ __forceinline__ double radius(word x) {
    double number = (double) x + 0.5;
    double exponent = floor(log2(number) + 0.5);
    double f = number * (double) (1ll << (33 - (wide) exponent)) * (1.0 / 8589934592.0) - 1.0;
    double s = f / (f + 2.0), z = s * s;
    double p = LOGARITHM(z);
    double square = (f - (f - p * z) * s + (exponent - 32.0) * LN_2) * -2.0;
    return square * (1.0 / sqrt(square));
}

extern "C" __global__ void normal(const int* seed, T* y, wide pairs, wide count) {
    EACH(i, count) {
        wide pair = i < pairs ? i : i - pairs;
        word x = bits(seed, pairs + pair);
        double length = radius(bits(seed, pair)) * (1.0 - 2.0 * (double) (x >> 31));
        double half = (1073741824.0 - (double) (x & 0x7FFFFFFFu)) * PI_2_32;
        double z = half * half;
        double s = SINE(z) * z * half + half;
        double c = COSINE(z) * z + 1.0;
        y[i] = (T) (i < pairs ? s * c * 2.0 * length : (c + s) * (c - s) * length);
    }
}
"""
)

kernels: Final = Kernels(SOURCE)
