"""Strings on every backend."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from backends_here import scope
from lamina.errors import ArgumentError, KernelMissingError
from lamina.runtime.op import OPS, TensorLike, host_op, same_as


@pytest.fixture(params=["numpy", "torch"])
def backend(request):
    with scope(request.param) as found:
        yield found


def test_strings_meet_numbers_of_the_active_backend(backend):
    words = lamina.tensor(["a", "b", "c"])
    assert words.backend.name == "numpy"
    places = lamina.tensor([2, 0])
    assert places.backend is backend
    assert lamina.gather(words, places).tolist() == ["c", "a"]
    assert lamina.concatenate([words[:1], lamina.tensor(["z"])]).tolist() == ["a", "z"]


def test_numbers_of_strings_go_on_on_the_active_backend(backend):
    found = lamina.strings.to_hash_bucket_fast(["a", "b"], 3)
    rows = lamina.gather(lamina.tensor([[0.0], [1.0], [2.0]]), found)
    assert rows.backend is backend
    assert rows.tolist() == [[0.0], [1.0]]


def test_splits_of_ngrams_may_be_on_the_active_backend(backend):
    found = lamina.strings.ngrams(["a", "b", "c"], lamina.tensor([0, 2, 3]), "", 2, pad_width=0)
    assert (found.ngrams.tolist(), found.splits.tolist()) == (["ab"], [0, 1, 1])


@pytest.mark.parametrize("splits", [[1, 3], [0, 2], [0, 2, 1, 3], [0, 4]])
def test_splits_must_run_from_nothing_to_the_size(splits):
    with pytest.raises(ArgumentError, match="data_splits"):
        lamina.strings.ngrams(["a", "b", "c"], splits)


def test_widths_of_ngrams_with_an_empty_row():
    found = lamina.strings.ngrams(["a"], [0, 0, 1], "|", [3], "L", "R")
    assert found.ngrams.tolist() == ["L|L|R", "L|R|R", "L|L|a", "L|a|R", "a|R|R"]
    assert lamina.strings.ngrams(np.array([], object), [0, 0], "|", [3], "L", "R").ngrams.tolist() == []


def test_splitting_into_characters():
    found = lamina.strings.split(["né", ""], "")
    assert (found.values.tolist(), found.shape.tolist()) == (["n", "é"], [2, 2])


def test_replacing_in_long_strings_is_refused_where_it_may_not_end():
    with pytest.raises(ArgumentError, match="repeats a repetition"):
        lamina.strings.static_regex_replace(["a" * 10_001], "(a+)+b", "")
    assert lamina.strings.static_regex_replace(["a" * 10_001], "a+", "x").tolist() == ["x"]


def test_bytes_are_utf8():
    words = np.array([b"caf\xc3\xa9", "café"], object)
    a, b = lamina.strings.to_hash_bucket_fast(words, 1 << 40).tolist()
    assert a == b


def test_an_algorithm_of_the_host_runs_everywhere(backend):
    @host_op(result=same_as(), public=False)
    def sort_for_this_test(x: TensorLike):
        return np.sort(x)

    try:
        x = lamina.tensor([2.0, 1.0])
        found = sort_for_this_test(x)
        assert found.backend is x.backend
        assert found.tolist() == [1.0, 2.0]
    finally:
        del OPS["sort_for_this_test"]


def test_an_op_without_a_kernel_is_still_an_error(backend, monkeypatch):
    monkeypatch.delitem(backend.kernels.functions, "tanh")
    with pytest.raises(KernelMissingError, match="tanh"):
        lamina.ops.tanh([1.0])
