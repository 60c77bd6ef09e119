"""What explain and profile tell of recorded steps: passes, buffers, source, and the time of each line."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import lamina
from backends_here import scope
from lamina import Sequential, layers
from lamina.errors import ArgumentError, OutOfRangeError
from lamina.program import Instruction
from lamina.program.source import define, say_op, source_of
from lamina.runtime.lines import LineTimer

NUMBERS = np.ones((8, 3), np.float32)


@pytest.fixture(params=["numpy", "torch"])
def trained(request):
    if request.param == "torch":
        pytest.importorskip("torch", reason="torch is not installed")
    with lamina.backend_scope(request.param):
        model = Sequential([layers.Dense(4, activation="relu", input_shape=(3,)), layers.Dense(1)])
        model.compile(optimizer="adam", loss="mse")
        model.fit(NUMBERS, NUMBERS[:, :1], epochs=3, verbose=0)
        yield model


class TestExplain:
    def test_tells_passes_buffers_source_and_program(self, trained):
        step = trained.recorded_step()
        (program,) = step.programs
        told = step.explain()
        count = len(program.instructions)
        assert f"replays {count} instructions: {program.ops()}" in told
        assert f"passes: {count + 1} instructions were recorded, 1 of them repeated or dead" in told
        assert "buffers of" in told
        assert "def step(inputs, state):" in told
        assert "# relu\n" in told
        assert told.endswith(str(program))

    def test_before_it_is_replayed(self):
        step = lamina.function(lambda x: x * 2.0)
        step(lamina.ones((2,)))
        assert "recorded once" in step.explain()

    def test_on_the_interpreter_there_is_no_source(self, monkeypatch):
        monkeypatch.setenv("LAMINA_REPLAY", "interpret")
        step = lamina.function(lambda x: x * 2.0)
        for _ in range(3):
            step(lamina.ones((2,)))
        assert "replays 1 instructions: 1 multiply" in step.explain()
        assert "def step" not in step.explain()

    def test_steps_of_a_model_by_kind(self, trained):
        assert trained.recorded_step("predict") is None
        trained.predict(NUMBERS)
        assert "predict_step" in trained.recorded_step("predict").explain()
        with pytest.raises(ArgumentError, match="there is no step 'fit'"):
            trained.recorded_step("fit")


class TestProfile:
    def test_lines_of_a_replay_are_its_source_and_take_its_time(self, trained):
        seen = lamina.profile(lambda: trained.fit(NUMBERS, NUMBERS[:, :1], verbose=0))
        (replay,) = [record for record in seen.kernels if record.lines]
        explained = trained.recorded_step().explain()
        assert all(line.text in explained for line in replay.lines)
        assert any(line.text.endswith("adam_update") for line in replay.lines)
        assert all(line.milliseconds >= 0 for line in replay.lines)
        assert 0 < sum(line.milliseconds for line in replay.lines) <= replay.milliseconds
        assert replay.lines[-1].text in str(seen)

    def test_eager_kernels_have_no_lines(self):
        (record,) = lamina.profile(lambda: lamina.exp(lamina.ones(()))).kernels[-1:]
        assert record.lines == ()

    def test_what_traced_before_traces_again_even_after_an_error(self):
        step = lamina.function(lambda x: x * 2.0)
        for _ in range(3):
            step(lamina.ones((2,)))

        def fails():
            step(lamina.ones((2,)))
            raise ValueError

        before = sys.gettrace()
        with pytest.raises(ValueError, match=r"^$"):
            lamina.profile(fails)
        assert sys.gettrace() is before

    def test_results_are_those_of_a_run_without(self, trained):
        expected = trained.predict(NUMBERS)
        trained.predict(NUMBERS)
        np.testing.assert_array_equal(lamina.profile(lambda: trained.predict(NUMBERS)).result, expected)


class TestLineTimer:
    def test_a_function_inside_counts_for_itself(self):
        namespace = {"sleep": lambda: sum(range(200_000))}
        define("lane0", [], ["sleep()", "return 1"], namespace)
        step = define("step", [], ["x = lane0()", "return x"], namespace)
        timer = LineTimer()
        timer.start()
        assert step() == 1
        lines = {line.text: line.milliseconds for line in timer.stop()}
        assert list(lines) == ["x = lane0()", "sleep()", "return 1", "return x"]
        assert lines["sleep()"] > 10 * lines["x = lane0()"]
        assert source_of(step).count("def ") == 2

    def test_names_that_are_no_names_stay_out_of_the_source(self):
        lines = ["a", "b"]
        say_op(lines, 1, Instruction("exp\nimport os", (), (0,)))
        assert lines == ["a", "b  # an op"]
        say_op(lines, 0, Instruction("torch.mm", (), (0,)))
        assert lines[0] == "a  # torch.mm"


@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_an_error_tells_the_line_that_raised_it(name):
    with scope(name):
        step = lamina.function(lambda index: lamina.gather(lamina.tensor([1.0, 2.0]), index))
        for _ in range(3):
            step(lamina.tensor([1, 0]))
        assert len(step.programs) == 1
        with pytest.raises(OutOfRangeError) as caught:
            step(lamina.tensor([1, 2]))
    (note,) = caught.value.__notes__
    assert note.startswith("In the recorded step")
    assert note.endswith("# take'.")
