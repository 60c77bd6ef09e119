"""The thread that works ahead: it keeps to its buffer, passes errors on, and ends with its reader."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time

import pytest

import lamina
from lamina.data import from_generator, from_list


def threads():
    return [t for t in threading.enumerate() if t.name == "lamina-prefetch"]


def wait_for(condition):
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_elements_come_in_order():
    assert from_list(list(range(100))).prefetch(3).to_list() == list(range(100))
    wait_for(lambda: not threads())


def test_it_works_ahead_as_far_as_the_buffer_goes():
    made = []
    elements = iter(from_list(list(range(9))).map(lambda n: made.append(n) or n).prefetch(3))
    assert made == []
    next(elements)
    wait_for(lambda: len(made) == 4)
    time.sleep(0.02)
    assert len(made) == 4
    elements.close()
    assert threads() == []


def test_it_works_while_the_reader_does():
    made = [threading.Event() for _ in range(6)]
    for number in from_list(list(range(6))).map(lambda n: made[n].set() or n).prefetch(2):
        assert all(event.wait(5) for event in made[: number + 2])  # the next one comes while this one is at work


def test_errors_come_where_their_element_would_have():
    elements = iter(from_list([1, 0, 2]).map(lambda n: 1 // n).prefetch(5))
    assert next(elements) == 1
    with pytest.raises(ZeroDivisionError) as caught:
        next(elements)
    assert any("<lambda>" in entry.name for entry in caught.traceback)
    with pytest.raises(StopIteration):
        next(elements)
    assert threads() == []


def test_an_error_while_opening_comes_too():
    def broken():
        raise OSError("no such thing")

    with pytest.raises(OSError, match="no such thing"):
        next(iter(from_generator(broken).prefetch(1)))


def test_a_forgotten_iterator_takes_its_thread_along():
    elements = iter(from_list([1, 2, 3]).repeat().prefetch(2))
    next(elements)
    assert len(threads()) == 1
    del elements
    gc.collect()
    assert threads() == []


def test_breaking_out_of_a_loop_ends_the_thread():
    for element in from_list([1, 2, 3]).repeat().prefetch(2):
        if element == 3:
            break
    gc.collect()
    assert threads() == []


def test_an_iterator_that_was_never_used_has_no_thread():
    elements = iter(from_list([1]).prefetch(1))
    assert threads() == []
    elements.close()


def test_many_iterators_leave_nothing():
    for _ in range(50):
        elements = iter(from_list(list(range(5))).repeat().prefetch(2))
        next(elements)
        elements.close()
    assert threads() == []


def test_the_thread_works_on_the_readers_backend():
    pytest.importorskip("torch")
    with lamina.backend_scope("torch"):
        (name,) = from_list([1.0]).map(lambda n: lamina.tensor(n).backend.name).prefetch(1)
    assert name == "torch"


def test_random_numbers_follow_from_the_seed():
    def drawn():
        lamina.random.set_seed(3)
        data = from_list(list(range(4))).map(lambda _: lamina.random.uniform(()).item()).prefetch(4)
        mine = []
        found = []
        for value in data:
            mine.append(lamina.random.uniform(()).item())
            found.append(value)
        return found, mine

    first = drawn()
    assert first == drawn()
    assert not set(first[0]) & set(first[1])


def test_random_numbers_of_a_pass_can_be_had_again():
    data = from_list([0, 1]).map(lambda _: lamina.random.uniform(()).item()).prefetch(1)
    first, second = list(data), list(data)
    assert first != second
    assert [list(data.epoch(n)) for n in (1, 0)] == [second, first]


def test_a_tape_does_not_hear_the_thread():
    data = from_list([1.0, 2.0]).map(lamina.tensor).prefetch(1)
    gradient = lamina.grad(lambda x: sum((x * e for e in data), lamina.tensor(0.0)))
    assert gradient(lamina.tensor(2.0)).item() == 3.0


def test_the_interpreter_ends_while_a_thread_waits():
    program = (
        "from lamina.data import from_list; it = iter(from_list([1]).repeat().prefetch(1)); next(it); "
        "import builtins; builtins.kept = it"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=30).returncode == 0
