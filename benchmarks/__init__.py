"""Measures lamina against other libraries: ``python -m benchmarks``.

Ratios within one run, never a test: nothing here passes or fails by a time. A workload is an entry in ``workloads``,
a library an entry in ``implementations``. Knows lamina only as a user does.
"""
