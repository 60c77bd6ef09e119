"""Rounds with workers that only pretend, and the plain data of the workloads."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks import implementations, workloads
from benchmarks.coordinator import LEAST_ROUNDS, Allowance, Result, measure, measure_rounds
from benchmarks.implementations import IMPLEMENTATIONS, Implementation
from benchmarks.imports import unwanted
from benchmarks.process import WorkerFailedError, environment, last_error
from benchmarks.worker import Worker
from benchmarks.workloads import WORKLOADS, Training, dense


class Pretender:
    """Answers like a worker, and writes down in which order it was asked."""

    def __init__(self, name, asked, fails_at=None, ours=False):
        self.name = name
        self.implementation = Implementation(name, "", (), (), ours=ours)
        self._asked, self._fails_at, self._count = asked, fails_at, 0

    def ask(self, request, *arguments):
        self._asked.append((self.name, request))
        self._count += 1
        if self._count == self._fails_at:
            raise WorkerFailedError("no more memory")
        return {"prepare": {"check": 0.5}, "round": {"seconds": self._count, "cores": 1.0}, "release": {}}[request]


def run(*workers, rounds=2, goes_on=lambda rounds: True):
    result = Result(workloads.find("train-30-16-16-2"))
    measure_rounds(result, workers, 1, rounds, goes_on, rest=0)
    return result


class TestRounds:
    def test_workers_take_turns(self):
        asked = []
        result = run(Pretender("a", asked, ours=True), Pretender("b", asked))
        assert asked == [
            ("a", "prepare"), ("b", "prepare"), ("a", "round"), ("b", "round"), ("a", "round"), ("b", "round"),
            ("a", "release"), ("b", "release"),
        ]  # fmt: skip
        assert [(s.name, s.ours, s.threads, s.values, s.check) for s in result.series] == [
            ("a", True, 1, [2, 3], 0.5),
            ("b", False, 1, [2, 3], 0.5),
        ]

    @pytest.mark.parametrize("fails_at", [1, 2, 3])
    def test_one_that_fails_is_left_out_with_the_reason(self, fails_at):
        result = run(Pretender("a", [], fails_at), Pretender("b", []))
        assert [s.name for s in result.series] == ["b"]
        assert result.not_run == {"a": "failed: no more memory"}
        assert len(result.series[0].values) == 2


class TestAllowance:
    def test_without_an_end_there_is_always_one_more(self):
        assert Allowance(None, 3).next_part()(10_000)

    def test_time_is_shared_by_what_is_left(self, monkeypatch):
        now = [0.0]
        monkeypatch.setattr("benchmarks.coordinator.time.monotonic", lambda: now[0])
        allowance = Allowance(90.0, 3)
        first = allowance.next_part()
        now[0] = 29.0
        assert first(20)
        now[0] = 31.0
        assert not first(20)
        second = allowance.next_part()  # 59 s for two
        now[0] = 60.0
        assert second(20)
        now[0] = 61.0
        assert not second(20)
        assert second(LEAST_ROUNDS - 1)

    def test_few_rounds_are_done_even_if_the_time_is_up(self):
        late = Allowance(0.0, 1).next_part()
        result = run(Pretender("a", []), rounds=9, goes_on=late)
        assert len(result.series[0].values) == LEAST_ROUNDS

    def test_what_compiles_long_is_left_out_when_the_time_is_up(self, monkeypatch):
        class Silent(Pretender):
            def __init__(self, implementation, threads):
                super().__init__(implementation.name, [])
                self.implementation = implementation

            def close(self):
                pass

        monkeypatch.setattr("benchmarks.coordinator.WorkerProcess", Silent)
        monkeypatch.setattr("benchmarks.coordinator.REST", 0)
        monkeypatch.setattr(Implementation, "missing", lambda self: [])
        who = [Implementation("quick", "", (), ("training",)), implementations.find("compiled-torch")]
        for seconds, names in ((None, ["quick", "compiled-torch"]), (0.0, ["quick"])):
            (found,) = measure([workloads.find("train-784-32-10")], who, {1: None}, 2, lambda said: None, seconds)
            assert [one.name for one in found.series] == names
            assert list(found.not_run) == [i.name for i in who if i.name not in names]


class TestWorkers:
    def test_threads_and_own_settings_are_in_the_environment(self):
        made = environment(implementations.find("keras-jax"), 2)
        assert (made["KERAS_BACKEND"], made["OMP_NUM_THREADS"], made["OPENBLAS_NUM_THREADS"]) == ("jax", "2", "2")

    def test_a_worker_repeats_short_tasks(self, monkeypatch):
        monkeypatch.setattr("benchmarks.worker.ROUND_SECONDS", 0.2)
        monkeypatch.setattr(Worker, "_fix_threads", lambda self: None)  # they are those of the other tests, too
        worker = Worker("lamina-numpy", 1)
        first = worker.prepare("predict-784-32-10")
        assert first["steps"] > 1
        assert np.isfinite(first["check"])
        assert worker.round()["seconds"] > 0
        assert worker.release() == {}

    def test_the_reason_of_a_failure_is_its_exception(self):
        said = (
            "warning\nTraceback (most recent call last):\n  File x\n    y()\nValueError: no\n  Fix: yes\nIn layer 'z'\n"
        )
        assert last_error(said) == "ValueError: no"
        assert last_error("starting\nKilled\n") == "Killed"
        assert last_error("") == ""

    def test_what_is_not_installed_is_missing(self):
        assert Implementation("x", "x", ("numpy", "no_such_library"), ()).missing() == ["no_such_library"]


class TestWorkloads:
    def test_names_are_unique_and_found(self):
        assert [workloads.find(w.name) for w in WORKLOADS] == list(WORKLOADS)
        assert [implementations.find(i.name) for i in IMPLEMENTATIONS] == list(IMPLEMENTATIONS)
        with pytest.raises(KeyError, match="predict-784-32-10"):
            workloads.find("nothing")

    def test_data_are_the_same_each_time_and_cut_in_order(self):
        workload = Training("small", "", dense(3, 4, 2), batch=5, batches=4)
        x, y = workload.data()
        again = workload.in_batches()
        assert [len(part) for part, _ in again] == [5] * 4
        np.testing.assert_array_equal(np.concatenate([part for part, _ in again]), x)
        np.testing.assert_array_equal(np.concatenate([part for _, part in again]), y)
        assert (x.dtype, y.dtype) == ("float32", "int32")
        assert set(y.tolist()) == {0, 1}

    def test_weights_fit_the_network(self):
        shapes = [w.shape for w in dense(784, 32, 10).weights()]
        assert shapes == [(784, 32), (32,), (32, 10), (10,)]

    def test_unwanted_modules_are_found_by_their_first_name(self):
        assert unwanted(["lamina", "lamina.ops", "lamina_numpy.backend", "torch._C", "torchless"]) == [
            "lamina_numpy",
            "torch",
        ]
