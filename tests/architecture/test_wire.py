"""Kernels are called eagerly in one place: everything else goes over the wire."""

from __future__ import annotations

import ast

from architecture.sources import modules, name, tree

HANDS_ON = {
    "framework/lamina/contract/kernels.py",  # the table itself
    "framework/lamina/contract/backend.py",  # hands the table to the reference interpreter
    "framework/lamina/replay/step.py",  # hands the table to the reference interpreter
    "framework/lamina/runtime/backends.py",  # merges tables
    "framework/lamina/runtime/dispatch.py",  # calls kernels
    "framework/lamina/runtime/op.py",  # asks whether a backend has a kernel of its own for a composite
    "framework/lamina/runtime/profiling.py",  # calls so what it has seen; it knows no table
}
"""Who may mention a backend's kernels at all. The conformance kit, which tests tables, is not asked."""


def _is_table(node: ast.expr) -> bool:
    """``x.kernels``, ``x.kernels.functions`` and ``x.kernels.entries``."""
    if isinstance(node, ast.Attribute) and node.attr in ("functions", "entries"):
        return _is_table(node.value)
    return isinstance(node, ast.Attribute) and node.attr == "kernels"


def _takes_a_kernel(node: ast.AST) -> bool:
    """Whether an expression takes a function out of a kernel table."""
    if isinstance(node, ast.Subscript):
        return _is_table(node.value)
    method = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.value
    return bool(method) and _is_table(method) and node.func.attr not in ("merge", "add")


def _framework():
    return [path for path in modules("framework/lamina") if "testing" not in path.parts]


def test_only_dispatch_takes_kernels_out_of_a_table():
    found = {name(path) for path in _framework() for node in ast.walk(tree(path)) if _takes_a_kernel(node)}
    assert found == {"framework/lamina/runtime/dispatch.py"}


def test_few_modules_know_that_backends_have_kernels():
    found = {name(p) for p in _framework() for n in ast.walk(tree(p)) if isinstance(n, ast.Attribute) and _is_table(n)}
    assert found <= HANDS_ON


def test_the_check_sees_a_kernel_being_taken():
    for text in ("backend.kernels['add'](x)", "b.kernels.functions.get('add')", "self.kernels.entries['add']"):
        assert any(_takes_a_kernel(node) for node in ast.walk(ast.parse(text)))
