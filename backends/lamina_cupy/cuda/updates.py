"""Updates of optimizers: each element is read, updated and written once, and may be written where it was read."""

from __future__ import annotations

from typing import Final

from lamina_cupy.cuda.launching import Kernels

SOURCE: Final = """
extern "C" __global__ void adam(const T* alpha, const T* p, const T* g, const T* m, const T* v,
    T* new_p, T* new_m, T* new_v, T rate_1, T rate_2, T epsilon, wide count) {
    EACH(i, count) {
        T first = m[i] + (g[i] - m[i]) * rate_1;
        T second = v[i] + (g[i] * g[i] - v[i]) * rate_2;
        T step = first * alpha[0] / (sqrt(second) + epsilon);
        new_p[i] = p[i] - step;
        new_m[i] = first;
        new_v[i] = second;
    }
}

extern "C" __global__ void momentum(const T* rate, const T* p, const T* g, const T* m, T* new_p, T* new_m,
    T momentum, int nesterov, wide count) {
    EACH(i, count) {
        T step = g[i] * rate[0];
        T velocity = m[i] * momentum - step;
        new_p[i] = p[i] + (nesterov ? velocity * momentum - step : velocity);
        new_m[i] = velocity;
    }
}

extern "C" __global__ void correction(const double* steps, T* y, double log_1, double log_2, wide count) {
    EACH(i, count) y[i] = (T) (sqrt(-expm1(steps[i] * log_2)) / -expm1(steps[i] * log_1));
}
"""

kernels: Final = Kernels(SOURCE)
