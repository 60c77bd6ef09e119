"""Data of every kind as batches: how they are told apart, how passes become epochs."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from lamina.data import ArrayData
from lamina.data.adapters import ArrayFeed, IndexedFeed, Rounds, StreamFeed, as_batch, make_feed
from lamina.errors import ArgumentError, ArgumentTypeError, DataError

X = np.arange(10, dtype=np.float32).reshape(10, 1)


def numbers(pieces):
    """The numbers in the batches."""
    return [arrays[0].ravel().tolist() for arrays, _ in pieces]


def flat(pieces):
    return [n for batch in numbers(pieces) for n in batch]


def feed(x=X, y=None, w=None, **settings):
    return make_feed(x, y, w, dtype="float32", **settings)


def generator(count=5):
    for i in range(count):
        yield (X[2 * i % 10 : 2 * i % 10 + 2],)


class Numbered:
    def __init__(self):
        self.ends = 0

    def __len__(self):
        return 5

    def __getitem__(self, i):
        return X[2 * i : 2 * i + 2], X[2 * i : 2 * i + 2]

    def on_epoch_end(self):
        self.ends += 1


class Iterable:
    def __init__(self):
        self.passes = 0

    def __iter__(self):
        self.passes += 1
        return generator()


@pytest.mark.parametrize(
    ("x", "kind"),
    [
        (X, ArrayFeed),
        (X.tolist(), ArrayFeed),
        ({"a": X}, ArrayFeed),
        (range(3), ArrayFeed),
        (lamina.tensor(X), ArrayFeed),
        (generator(), StreamFeed),
        (Iterable(), StreamFeed),
        (iter([X]), StreamFeed),
        (Numbered(), IndexedFeed),
    ],
    ids=lambda value: type(value).__name__,
)
def test_kinds(x, kind):
    assert type(feed(x)) is kind


def test_frames_and_columns():
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    polars = pytest.importorskip("polars", reason="polars is not installed")
    table = {"a": [1.0, 2.0], "b": [3, 4]}
    for frame in (pandas.DataFrame(table), polars.DataFrame(table)):
        found = feed(frame, frame["a"]).first()
        np.testing.assert_array_equal(found.x, [[1, 3], [2, 4]])
        np.testing.assert_array_equal(found.y, [1, 2])


def test_tensors_of_torch():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    np.testing.assert_array_equal(feed(torch.tensor(X, requires_grad=True)).first().x, X)
    data = torch.utils.data.TensorDataset(torch.tensor(X), torch.arange(10))
    loader = feed(torch.utils.data.DataLoader(data, batch_size=4))
    assert loader.steps == 3
    assert numbers(loader.batches(0)) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


class TestBatches:
    @pytest.mark.parametrize(
        "element",
        [(X, X, X), [X, X, X], {"xs": X, "ys": X, "weights": X}],
        ids=["tuple", "list", "javascript"],
    )
    def test_three_parts(self, element):
        found = as_batch(element, "float32")
        for part in (found.x, found.y, found.sample_weight):
            np.testing.assert_array_equal(part, X)

    @pytest.mark.parametrize("element", [X, (X,), [X], {"xs": X}])
    def test_inputs_only(self, element):
        found = as_batch(element, "float32")
        np.testing.assert_array_equal(found.x, X)
        assert found.y is None

    def test_a_dict_of_inputs(self):
        assert list(as_batch(({"a": X, "ys": X}, X), "float32").x) == ["a", "ys"]
        assert list(as_batch({"a": X, "b": X}, "float32").x) == ["a", "b"]

    @pytest.mark.parametrize("element", [(), (X, X, X, X), (X, X[:5]), None, (X, np.full(10, np.nan))])
    def test_refused(self, element):
        with pytest.raises(DataError):
            as_batch(element, "float32")

    def test_a_list_of_batches(self):
        found = feed([(X[:4], X[:4]), (X[4:], X[4:])])
        assert flat(found.batches(0)) == list(range(10))
        assert found.steps == 2

    def test_a_list_of_inputs_is_no_list_of_batches(self):
        assert isinstance(feed([X, X]), ArrayFeed)
        assert isinstance(feed([(X, X), (X, X)], X), ArrayFeed)


class TestPasses:
    def test_arrays(self):
        assert numbers(feed(batch_size=4).batches(0)) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
        assert numbers(feed(batch_size=4).batches(0, 1)) == [[4, 5, 6, 7], [8, 9]]

    def test_orders_follow_from_key_and_number(self):
        one, other = feed(batch_size=3), feed(batch_size=3)
        one.key = other.key = 7
        assert numbers(one.batches(2)) == numbers(other.batches(2))
        assert numbers(one.batches(2, 2)) == numbers(one.batches(2))[2:]
        assert numbers(one.batches(1)) != numbers(one.batches(2))
        assert sorted(flat(one.batches(1))) == list(range(10))

    def test_whole_batches_in_random_order(self):
        shuffled = feed(batch_size=3, shuffle="batch")
        shuffled.key = 5
        found = numbers(shuffled.batches(0))
        assert sorted(found) == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9]]
        assert found[-1] == [9]
        assert {tuple(map(tuple, numbers(shuffled.batches(n)))) for n in range(20)} != {tuple(map(tuple, found))}

    def test_numbered_batches(self):
        source = Numbered()
        data = feed(source)
        data.first()
        assert flat(data.batches(0)) == list(range(10))
        data.key = 3
        assert sorted(flat(data.batches(1))) == list(range(10))
        assert flat(data.batches(1)) != list(range(10))
        assert source.ends == 3

    def test_looking_at_the_first_batch_loses_nothing(self):
        for source in (generator(), Iterable()):
            data = feed(source)
            np.testing.assert_array_equal(data.first().x, [[0], [1]])
            data.first()
            assert flat(data.batches(0)) == list(range(10))
        assert flat(data.batches(1)) == list(range(10))
        assert data._source.passes == 2

    def test_an_iterator_goes_on(self):
        data = feed(generator())
        assert flat(x for x, _ in zip(data.batches(0), range(2), strict=False)) == [0, 1, 2, 3]
        assert flat(data.batches(0))[-2:] == [8, 9]

    def test_every_batch_is_prepared(self):
        seen = []
        data = feed(generator())
        data.first()
        data.prepare = lambda batch: seen.append(batch.count)
        assert len(list(data.batches(0))) == len(seen) == 5

    def test_an_empty_one(self):
        with pytest.raises(DataError, match="gave no batch"):
            feed(iter(())).first()


class TestEpochs:
    def test_one_pass_each(self):
        rounds = Rounds(feed(batch_size=4), None)
        assert rounds.steps == 3
        assert flat(rounds.epoch(0)) == flat(rounds.epoch(1)) == list(range(10))

    @pytest.mark.parametrize("make", [lambda: X, Numbered, Iterable])
    def test_round_and_round(self, make):
        rounds = Rounds(feed(make(), batch_size=2), 3)
        epochs = [numbers(rounds.epoch(n)) for n in range(4)]
        assert [batch[0] for epoch in epochs for batch in epoch] == [0, 2, 4, 6, 8, 0, 2, 4, 6, 8, 0, 2]
        assert not rounds.ran_out

    def test_more_steps_than_a_pass_has(self):
        assert flat(Rounds(feed(batch_size=5), 3).epoch(0)) == [*range(10), *range(5)]

    def test_arrays_from_a_place(self):
        whole, part = Rounds(feed(batch_size=2), 3), Rounds(feed(batch_size=2), 3)
        epochs = [numbers(whole.epoch(n)) for n in range(4)]
        assert numbers(part.epoch(2, 1)) == epochs[2][1:]
        assert numbers(part.epoch(3)) == epochs[3]

    def test_a_generator_that_ends(self):
        rounds = Rounds(feed(generator()), 3)
        assert flat(rounds.epoch(0)) == list(range(6))
        assert not rounds.ran_out
        assert flat(rounds.epoch(1)) == [6, 7, 8, 9]
        assert rounds.ran_out

    def test_a_generator_without_steps(self):
        rounds = Rounds(feed(generator()), None)
        assert rounds.steps is None
        assert flat(rounds.epoch(0)) == list(range(10))
        assert not rounds.ran_out
        assert flat(rounds.epoch(1)) == []
        assert rounds.ran_out

    def test_the_length_is_learned(self):
        rounds = Rounds(feed(Iterable()), None)
        list(rounds.epoch(0))
        assert rounds.steps == 5

    @pytest.mark.parametrize("make", [generator, Iterable, Numbered, lambda: X])
    @pytest.mark.parametrize("steps", [None, 2])
    def test_skipping_what_was_used(self, make, steps):
        epochs = 1 if make is generator and steps is None else 2
        whole, part = (Rounds(feed(make(), batch_size=2), steps) for _ in range(2))
        found = [numbers(whole.epoch(n)) for n in range(epochs)]
        part.feed.first()
        part.skip_to(epochs - 1, 1)
        assert numbers(part.epoch(epochs - 1, 1)) == found[-1][1:]


class TestMemoryMaps:
    def make(self, tmp_path, dtype):
        there = np.memmap(tmp_path / "x", dtype, "w+", shape=(10, 1))
        there[:] = X
        there.flush()
        return np.memmap(tmp_path / "x", dtype, "r", shape=(10, 1))

    @pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
    def test_batches_are_read_when_they_are_asked_for(self, tmp_path, dtype):
        x = self.make(tmp_path, dtype)
        data = feed(x, x, batch_size=4)
        assert not isinstance(data.first().x, np.ndarray)
        found = [arrays for arrays, _ in data.batches(0)]
        assert [a[0].ravel().tolist() for a in found] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
        wanted = "int32" if dtype == "int32" else "float32"
        assert all(type(a) is np.ndarray and a.dtype == wanted and a.flags.writeable for b in found for a in b)
        data.key = 1
        assert sorted(flat(data.batches(0))) == list(range(10))

    def test_split_and_trained_on(self, tmp_path):
        x = self.make(tmp_path, "float64")
        first, last = ArrayData(x, x[:, 0]).split(0.3)
        assert (first.count, last.count) == (7, 3)
        np.testing.assert_array_equal(last.whole()[0], X[7:])
        model = lamina.Sequential([lamina.layers.Dense(1, input_shape=(1,))])
        model.compile("sgd", "mse")
        history = model.fit(x * 0.1, x, epochs=3, validation_split=0.2, verbose=0).history
        assert history["loss"][-1] < history["loss"][0]
        assert model.predict(x).shape == (10, 1)

    def test_nan_in_targets(self, tmp_path):
        there = np.memmap(tmp_path / "y", "float32", "w+", shape=(40000,))
        there[30001] = np.nan
        with pytest.raises(DataError, match="first in example 30001"):
            ArrayData(np.zeros(40000), there)


class TestRefused:
    def test_targets_beside_batches(self):
        for settings in ({"y": X}, {"w": X}):
            with pytest.raises(ArgumentError, match="beside x that gives batches"):
                feed(generator(), **settings)

    @pytest.mark.parametrize("x", [lambda: generator(), object()])
    def test_no_data(self, x):
        with pytest.raises(ArgumentTypeError):
            feed(x)

    @pytest.mark.parametrize("w", [np.full(10, np.nan), np.full(10, np.inf), np.full(10, 1j)])
    def test_sample_weights_that_are_not_finite(self, w):
        with pytest.raises(DataError, match="sample_weight"):
            feed(X, X, w)
