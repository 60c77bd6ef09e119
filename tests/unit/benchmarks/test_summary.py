"""Figures and tables from made-up timings."""

from __future__ import annotations

import json
import math

import pytest
from benchmarks import report
from benchmarks.coordinator import Result
from benchmarks.summary import Series, best_peer, disagreements, rows
from benchmarks.table import aligned, number, table
from benchmarks.workloads import find

OURS = Series("lamina-numpy", True, 1, [1e-6, 2e-6, 3e-6], check=1.0)
FAST = Series("plain-jax", False, 1, [4e-6, 4e-6, 4e-6], check=1.001)
SLOW = Series("keras-jax", False, 1, [9e-6, 90e-6, 8e-6], check=1.5)
MACHINE = {
    "date": "2025-01-02T03:04+00:00", "processor": "a processor", "cores": 2, "system": "Linux x86_64",
    "python": "3.11.0", "versions": {"numpy": "2.0.0"}, "revision": "abc", "load": 0.5,
}  # fmt: skip


class TestRows:
    def test_the_best_peer_is_the_fastest_that_is_not_ours(self):
        assert best_peer([SLOW, OURS, FAST]) is FAST
        assert best_peer([OURS]) is None

    def test_ratios_are_those_of_the_rounds(self):
        row = rows([SLOW, FAST, OURS])[0]
        assert (row.series, row.best_peer) == (OURS, "plain-jax")
        assert (row.lowest_ratio, row.ratio, row.highest_ratio) == pytest.approx((0.25, 0.5, 0.75))
        assert row.times_as_fast == pytest.approx(2.0)

    def test_one_bad_round_does_not_move_a_row(self):
        assert [r.series.name for r in rows([SLOW, FAST, OURS])] == ["lamina-numpy", "plain-jax", "keras-jax"]

    def test_each_number_of_threads_has_its_own_best_peer(self):
        other = Series("keras-torch", False, 2, [1e-6, 1e-6, 1e-6])
        assert [(r.series.name, r.best_peer) for r in rows([other, FAST])] == [
            ("plain-jax", "plain-jax"),
            ("keras-torch", "keras-torch"),
        ]

    def test_without_a_peer_there_is_no_ratio(self):
        assert rows([OURS])[0].ratio is None

    def test_series_of_different_lengths_are_refused(self):
        with pytest.raises(ValueError, match="zip"):
            rows([OURS, Series("plain-torch", False, 1, [1e-6])])


class TestDisagreements:
    def test_names_who_did_other_work(self):
        assert disagreements([OURS, FAST, SLOW], 0.02) == ["keras-jax"]

    def test_a_result_that_is_no_number_disagrees(self):
        assert disagreements([OURS, FAST, Series("x", False, 1, check=math.nan), FAST], 0.02) == ["x"]

    def test_without_checks_nobody_disagrees(self):
        assert disagreements([Series("import numpy", False)], 0.02) == []


class TestTable:
    def test_shows_medians_spreads_and_ratios(self):
        assert table(rows([SLOW, FAST, OURS]), "us").splitlines() == [
            "| implementation | threads | median us | min-max us | time / best peer |   min-max | times as fast |",
            "| -------------- | ------: | --------: | ---------: | ---------------: | --------: | ------------: |",
            "| lamina-numpy   |       1 |         2 |        1-3 |              0.5 | 0.25-0.75 |            2x |",
            "| plain-jax      |       1 |         4 |        4-4 |                1 |         - |     best peer |",
            "| keras-jax      |       1 |         9 |       8-90 |             2.25 |    2-22.5 |        0.444x |",
        ]

    def test_without_threads_and_peers(self):
        assert table(rows([Series("import lamina", True, None, [0.08])]), "ms").splitlines()[2].split() == (
            ["|", "import", "lamina", "|", "80", "|", "80-80", "|", "-", "|", "-", "|", "-", "|"]
        )

    def test_columns_line_up(self):
        assert len({len(line) for line in aligned([["a", "b"], ["longer", "1"], ["x", "123456"]]).splitlines()}) == 1

    @pytest.mark.parametrize(
        ("value", "shown"), [(1234.5, "1234"), (99.96, "100"), (45.67, "45.7"), (0.0456789, "0.0457"), (1, "1")]
    )
    def test_numbers_have_three_digits(self, value, shown):
        assert number(value) == shown


class TestReport:
    def result(self):
        not_run = {"plain-torch": "not installed: torch"}
        return Result(find("train-30-16-16-2"), [SLOW, FAST, OURS], not_run, load=[0.1, 0.2])

    def test_says_who_did_not_run_and_who_did_other_work(self):
        lines = report.text(MACHINE, [self.result()]).splitlines()
        assert "Not run: plain-torch (not installed: torch)." in lines
        assert "Did other work, its result differs: keras-jax." in lines
        assert "Load of the machine before the rounds: 0.1, 0.2." in lines
        assert lines[0].startswith("2025-01-02T03:04+00:00: 2 cores of a processor")

    def test_a_file_of_the_date_holds_every_timing(self, tmp_path):
        path = report.save(tmp_path, report.document(MACHINE, [self.result()], 3))
        assert path.name == "2025-01-02-0304.json"
        kept = json.loads(path.read_text(encoding="utf-8"))
        (workload,) = kept["workloads"]
        assert [r["implementation"] for r in workload["rows"]] == ["lamina-numpy", "plain-jax", "keras-jax"]
        assert workload["rows"][0]["values"] == OURS.values
        assert workload["disagreeing"] == ["keras-jax"]
