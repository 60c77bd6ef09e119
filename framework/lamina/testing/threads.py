"""Several threads at once: scopes, kernels, recorded steps and training, each as if it were alone."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

import lamina
from lamina.contract import Backend
from lamina.runtime.backends import find_backend, on_backend
from lamina.runtime.op import OPS
from lamina.runtime.tensor import Tensor
from lamina.structures import flatten
from lamina.testing.base import BackendTests
from lamina.testing.compare import assert_same
from lamina.testing.families import FAMILIES, train
from lamina.testing.inputs import Array
from lamina.testing.table import Case, all_cases

THREADS: Final = 4


def at_once(works: Sequence[Callable[[], None]]) -> None:
    """Runs functions in a thread each, started together; raises what the first of them that failed raised."""
    barrier = threading.Barrier(len(works), timeout=60)
    failures: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        try:
            barrier.wait()
            work()
        except BaseException as error:  # handed to the thread that waits
            failures.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


class ThreadTests(BackendTests):
    """Each thread has its own active backend, tapes, recordings and results."""

    area = "threads"

    def test_scopes_and_tapes_of_threads_are_apart(self, backend: Backend) -> None:
        barrier = threading.Barrier(2, timeout=30)
        found: dict[str, Any] = {}

        def work(active: Backend, factor: float) -> None:
            with on_backend(active):
                barrier.wait()
                x = lamina.tensor([1.0, 2.0, 3.0])

                def f(x: Any) -> Any:
                    barrier.wait()
                    return (x * x * factor).sum()

                gradient = lamina.grad(f)(x)
                assert lamina.get_backend() is gradient.backend is active
                found[str(factor)] = gradient.tolist()

        at_once([lambda: work(find_backend("numpy"), 2.0), lambda: work(backend, 3.0)])
        assert found == {"2.0": [4.0, 8.0, 12.0], "3.0": [6.0, 12.0, 18.0]}

    def test_a_thread_starts_with_the_default_backend(self, backend: Backend) -> None:
        seen: list[str] = []
        at_once([lambda: seen.append(lamina.get_backend().name)])
        assert seen == [find_backend(os.environ.get("LAMINA_BACKEND") or "numpy").name]

    def test_tasks_have_backends_of_their_own(self, backend: Backend) -> None:
        """Two asyncio tasks that take turns, one here and one on NumPy."""
        found: list[list[Backend]] = []

        async def work(place: Backend) -> None:
            seen = []
            with on_backend(place):
                for _ in range(3):
                    await asyncio.sleep(0)
                    seen.append((lamina.tensor([1.0]) + 1.0).backend)
            found.append(seen)

        async def both() -> None:
            await asyncio.gather(work(backend), work(find_backend("numpy")))

        asyncio.run(both())
        assert found == [[backend] * 3, [find_backend("numpy")] * 3]
        assert lamina.get_backend() is backend

    def test_kernels_in_several_threads(self, backend: Backend) -> None:
        """A case of each op, at once on different values: each thread gets what it would alone."""
        limited = {x.op for x in self.limitations}
        wanted = [(case, _results(case, backend)) for case in _one_of_each_op() if case.op not in limited]

        def work(number: int) -> None:
            with on_backend(backend):
                for case, alone in wanted:
                    for found, expected in zip(_result(case, backend, number), alone[number], strict=True):
                        what = f"{case}, beside other threads"
                        assert_same(found, expected, str(found.dtype), what)

        at_once([lambda number=number: work(number) for number in range(THREADS)])  # type: ignore[misc]

    def test_one_step_in_several_threads(self, backend: Backend) -> None:
        """A step that many threads replay gives each its own results."""
        step = lamina.function(lambda x: lamina.exp(x * 0.5).sum(axis=0) + 1.0)
        data = [lamina.tensor(np.full((3, 4), float(i), np.float32)) for i in range(THREADS)]
        for _ in range(3):
            step(data[0])

        def work(number: int) -> None:
            with on_backend(backend):
                for _ in range(20):
                    wanted = np.full(4, 3.0 * np.exp(number * 0.5) + 1.0)
                    np.testing.assert_allclose(step(data[number]).numpy(), wanted, 1e-5)

        at_once([lambda number=number: work(number) for number in range(THREADS)])  # type: ignore[misc]

    def test_two_trainings_at_once_are_those_of_one_after_the_other(self, backend: Backend) -> None:
        """A model on this backend and one on NumPy."""
        places = [backend, find_backend("numpy")]
        alone = [train(FAMILIES["dense"], place) for place in places]
        found: dict[int, Any] = {}

        def work(number: int) -> None:
            found[number] = train(FAMILIES["dense"], places[number])

        at_once([lambda number=number: work(number) for number in range(2)])  # type: ignore[misc]
        for number, serial in enumerate(alone):
            np.testing.assert_allclose(found[number].losses, serial.losses, 1e-6)
            np.testing.assert_allclose(found[number].predictions, serial.predictions, 1e-5, 1e-6)


def _one_of_each_op() -> list[Case]:
    found: dict[str, Case] = {}
    for case in all_cases():
        if case.op in OPS and case.raises is None and case.replayed and not case.dtypes & {"string"}:
            found.setdefault(case.op, case)
    return list(found.values())


def _results(case: Case, backend: Backend) -> list[list[Array]]:
    return [_result(case, backend, number) for number in range(THREADS)]


def _result(case: Case, backend: Backend, number: int) -> list[Array]:
    """What an op gives for the values of one thread, in float32."""
    arrays = case.arrays("float32", salt=number)
    if any(backend.supports(str(a.dtype)) is not None for a in arrays):
        return []
    leaves = flatten(case.call(case.tensors(backend, arrays)))
    return [leaf.numpy() for leaf in leaves if isinstance(leaf, Tensor)]
