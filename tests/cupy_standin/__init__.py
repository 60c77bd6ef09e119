"""A stand-in for CuPy: NumPy underneath, with CuPy's manners. It is not CuPy, and nothing that passes on it is a pass.

It has the functions that the CuPy backend calls, with CuPy's own parameters, and refuses what CuPy refuses: arrays of
NumPy in place of its own, and its own where NumPy's are due. What would make the host wait for a device is counted in
``ledger``. Kernels in CUDA's language are built for the host's processor and run thread by thread (``raw``). It knows
nothing of lamina but ``backend``, which loads the CuPy backend over it.
"""
