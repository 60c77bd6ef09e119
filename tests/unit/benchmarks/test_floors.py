"""What networks cost at the least, the machine's rates, and tables with floors: no times are asserted."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks import coordinator, rates, report, workloads
from benchmarks.coordinator import Result, floors
from benchmarks.costs import COSTS, Cost, Rates, prediction_cost, training_cost
from benchmarks.networks import INITIAL, dense, lstm, residual, transformer, two_convolutions
from benchmarks.overview import overview
from benchmarks.process import WorkerFailedError
from benchmarks.summary import Series, rows
from benchmarks.table import table

OURS = Series("lamina-numpy", True, 1, [2e-6, 3e-6])
PEER = Series("plain-jax", False, 1, [4e-6, 4e-6])


class TestCosts:
    def test_dense_layers_have_three_products_and_the_first_two(self):
        cost = training_cost(dense(3, 4, 2), 5)
        assert cost.operations == 5 * (2 * (2 * 3 * 4) + 3 * (2 * 4 * 2))
        parameters, kept = 3 * 4 + 4 + 4 * 2 + 2, 4 + 2
        assert cost.bytes == 4 * (5 * (3 + 2 * kept) + 6 * parameters)

    def test_prediction_reads_examples_and_parameters_once(self):
        assert prediction_cost(dense(3, 4, 2), 5) == Cost(5 * 2 * (12 + 8), 4 * (5 * (3 + 2) + 26))

    def test_convolutions(self):
        forward = 2 * 26 * 26 * 9 * 1 * 32 + 2 * 11 * 11 * 9 * 32 * 64 + 2 * 1600 * 10
        assert prediction_cost(two_convolutions(), 1).operations == forward

    def test_recurrent_layers(self):
        assert prediction_cost(lstm(50, 32, 64), 1).operations == 50 * 2 * (32 + 64) * 256 + 2 * 64 * 10

    def test_blocks(self):
        assert prediction_cost(residual(3, 32, 16), 1).operations == 6 * (2 * 1024 * 9 * 16 * 16) + 2 * 16 * 10
        block = 4 * 2 * 64 * 128 * 128 + 2 * 2 * 64 * 64 * 128 + 2 * 2 * 64 * 128 * 512
        assert prediction_cost(transformer(2, 64, 128, 4), 1).operations == 2 * block + 2 * 128 * 10

    def test_each_kind_of_layer_has_a_cost(self):
        assert COSTS.keys() == INITIAL.keys()

    def test_a_floor_is_the_longer_of_computing_and_copying(self):
        speeds = Rates(operations=100.0, bytes=10.0)
        assert Cost(200.0, 10.0).seconds(speeds) == 2.0
        assert Cost(200.0, 50.0).seconds(speeds) == 5.0

    def test_floors_of_each_number_of_threads(self):
        workload = workloads.find("train-784-32-10")
        found = floors(workload, {1: Rates(1e9, 1e12), 2: Rates(2e9, 1e12)})
        assert found[1] == 2 * found[2] == workload.floor().operations / 1e9
        assert floors(workloads.find("build-10"), {1: Rates(1e9, 1e12)}) == {}


class TestRates:
    def test_copying_copies_all_with_each_number_of_threads(self, monkeypatch):
        made = []
        monkeypatch.setattr(rates.np, "ones", lambda *a: made.append(np.arange(40, dtype=np.float32)) or made[-1])
        for threads in (1, 2, 3):
            made.clear()
            task = rates.copying(threads, 160)
            made[1][:] = -1
            task()
            np.testing.assert_array_equal(made[1], np.arange(40))

    def test_the_best_of_some_tries_counts(self):
        calls = []
        assert rates.best(lambda: calls.append(1), 1, tries=3) > 0
        assert len(calls) == 4

    def test_rates_are_numbers(self, monkeypatch):
        monkeypatch.setattr(rates, "SIDE", 8)
        monkeypatch.setattr(rates, "COPIED", 4096)
        found = rates.measured(1)
        assert found.operations > 0
        assert found.bytes > 0


class TestTables:
    def test_rows_say_how_far_from_the_floor_they_are(self):
        found = rows([OURS, PEER], {1: 1e-6, 2: 9.0})
        assert [row.over_floor for row in found] == pytest.approx([2.5, 4.0])
        assert table(found, "us").splitlines()[0].endswith("time / floor |")

    def test_a_series_may_be_the_floor_and_is_no_peer(self):
        numpy = Series("import numpy", False, None, [1.0, 1.0], is_floor=True)
        found = rows([Series("import lamina", True, None, [2.0, 2.0]), numpy, Series("k", False, None, [8.0, 8.0])])
        assert [(r.series.name, r.best_peer, r.over_floor) for r in found] == [
            ("import numpy", "k", 1.0), ("import lamina", "k", 2.0), ("k", "k", 8.0),
        ]  # fmt: skip

    def test_all_in_one_table(self):
        result = Result(workloads.find("train-30-16-16-2"), [PEER, OURS], floors={1: 1e-6})
        (cells,) = [line.strip("|").split("|") for line in overview([result]).splitlines()[2:]]
        assert [c.strip() for c in cells] == [
            "train-30-16-16-2", "1", "lamina-numpy", "2.5 us", "plain-jax", "4 us", "0.625", "0.5-0.75",
            "-", "2.5", "4",
        ]  # fmt: skip

    def test_processor_time_is_compared_with_the_peer_that_used_least(self):
        ours = Series("lamina-numpy", True, 1, [8.0, 8.0, 2.0], [0.25, 0.25, 1.0])
        fast = Series("plain-jax", False, 1, [4.0, 4.0, 4.0], [1.0, 1.0, 1.0])
        thrifty = Series("plain-torch", False, 1, [5.0, 5.0, 5.0], [0.8, 0.2, 0.2])
        found = {row.series.name: row for row in rows([ours, fast, thrifty])}
        assert found["lamina-numpy"].ratio == 2.0
        assert {name: row.busy_ratio for name, row in found.items()} == {
            "lamina-numpy": 2.0, "plain-jax": 4.0, "plain-torch": 1.0,
        }  # fmt: skip
        assert rows([OURS, PEER])[0].busy_ratio is None

    def test_memory_is_in_megabytes(self):
        result = Result(workloads.find("memory-lstm-64"), [Series("lamina-numpy", True, 1, [70.0, 71.0])])
        assert "70.5 MB" in overview([result])
        assert report.document({}, [result], 2)["workloads"][0]["unit"] == "MB"


class TestChoosing:
    def test_names_and_starts_of_names(self):
        assert [w.name for w in workloads.chosen(["build", "import"])][:2] == ["import", "build-10"]
        assert len(workloads.chosen([])) == len(workloads.WORKLOADS)
        with pytest.raises(KeyError, match="no workload 'buil'"):
            workloads.chosen(["buil"])

    def test_each_network_is_trained_predicted_and_weighed(self):
        names = {w.name for w in workloads.WORKLOADS}
        for subject in workloads.SUBJECTS:
            kinds = ("train", "predict", "predict-1000", "first-step", "memory")
            assert {f"{kind}-{subject.name}" for kind in kinds} <= names


class TestMemory:
    def test_each_run_has_a_process_of_its_own(self, monkeypatch):
        started = []

        class Pretender:
            def __init__(self, implementation, threads):
                self.name = implementation.name
                started.append(self.name)

            def ask(self, request, workload):
                if self.name == "b":
                    raise WorkerFailedError("no more memory")
                return {"check": 0.5, "before": 10.0, "after": 30.0}

            def close(self):
                started.append("closed")

        monkeypatch.setattr(coordinator, "WorkerProcess", Pretender)
        who = [coordinator.Implementation(name, "", (), ("training",)) for name in ("a", "b")]
        result = Result(workloads.find("memory-lstm-64"))
        coordinator.measure_memory(result, result.workload, who, 1, 2)
        assert started == ["a", "closed", "b", "closed", "a", "closed"]
        assert [(s.name, s.values) for s in result.series] == [("a", [30.0, 30.0])]
        assert result.not_run == {"b": "failed: no more memory"}


class TestSameWork:
    """Each kind of workload, through the libraries that are installed here, gives the same number."""

    def module(self, name):
        pytest.importorskip("torch")
        return pytest.importorskip(f"benchmarks.implementations.{name}")

    @pytest.mark.parametrize("name", ["predict-2-convolutions", "predict-3-residual-blocks", "predict-lstm-64"])
    def test_predictions(self, name):
        workload = workloads.find(name)
        ours, theirs = (self.module(m).prediction(workload)() for m in ("lamina_fit", "plain_torch"))
        assert ours == pytest.approx(theirs, rel=1e-3, abs=1e-4)

    @pytest.mark.parametrize("op", ["add", "relu", "sum", "matmul"])
    def test_ops(self, op):
        workload = workloads.find(f"eager-{op}-10")
        found = [self.module(m).eager(workload)() for m in ("lamina_fit", "plain_torch", "plain_numpy")]
        assert found == pytest.approx([found[0]] * 3, rel=1e-5)

    def test_first_steps(self):
        workload = workloads.find("first-step-30-16-16-2")
        ours, theirs = (self.module(m).first_step(workload)() for m in ("lamina_fit", "plain_torch"))
        assert ours == pytest.approx(theirs, rel=1e-4)

    def test_models_have_as_many_weights(self):
        assert {self.module(m).building(workloads.find("build-10"))() for m in ("lamina_fit", "plain_torch")} == {20.0}
