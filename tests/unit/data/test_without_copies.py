"""What is larger than memory, or than one wants twice in it, is trained on without a copy of the whole."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

import lamina
from lamina.data import ArrayData, as_columns
from lamina.data.adapters import make_feed
from lamina.data.rows import LARGE, Columns, Converted

ROWS, COLUMNS = 1 << 17, 80
BYTES = ROWS * COLUMNS * 8


def _pandas(columns):
    return pytest.importorskip("pandas").DataFrame(columns)


def _polars(columns):
    return pytest.importorskip("polars").DataFrame(columns)


def _arrow(columns):
    return pytest.importorskip("pyarrow").table(columns)


LIBRARIES = [_pandas, _polars, _arrow]


def regression(columns=COLUMNS):
    model = lamina.Sequential([lamina.layers.Dense(1, input_shape=(columns,))])
    model.compile("sgd", "mse")
    return model


def peak_of(function):
    """The most bytes that were allocated at once while a function ran."""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def trained(model, x, y):
    model.fit(x, y, steps_per_epoch=2, epochs=2, validation_split=0.25, validation_steps=1, verbose=0)
    model.evaluate(x, y, steps=2, verbose=0)
    model.predict(x, steps=2)


@pytest.mark.parametrize("library", LIBRARIES)
def test_large_tables(library):
    assert BYTES >= LARGE
    frame = library({f"c{i}": np.full(ROWS, i / COLUMNS) for i in range(COLUMNS)})
    y, model = np.zeros(ROWS, np.float32), regression()
    assert peak_of(lambda: trained(model, frame, y)) < BYTES / 6
    assert isinstance(ArrayData(frame).x, Columns)


@pytest.mark.parametrize("library", LIBRARIES)
def test_columns_of_large_tables_by_name(library):
    frame = library({"a": np.zeros(1 << 24, np.float32), "b": np.ones(1 << 24, np.float32), "y": np.zeros(1 << 24)})
    inputs = {name: lamina.Input((1,), name=name) for name in ("a", "b")}
    model = lamina.Model(inputs, lamina.layers.Dense(1)(lamina.layers.Concatenate()(list(inputs.values()))))
    model.compile("sgd", "mse")
    y = np.zeros(1 << 24, np.float32)

    def run():
        model.fit(frame, y, steps_per_epoch=2, shuffle=False, verbose=0)
        model.predict(frame, steps=2)

    run()
    assert peak_of(run) < (1 << 24) * 4  # one column has that many bytes, and the flags of missing ones a quarter


def test_large_datasets_of_tables():
    frame = _polars({f"c{i}": np.full(ROWS, i / COLUMNS) for i in range(COLUMNS)})
    y, model = np.zeros(ROWS, np.float32), regression()

    def run():
        data = lamina.data.from_arrays((frame, y)).shuffle(ROWS, seed=1).batch(32)
        model.fit(data, steps_per_epoch=3, verbose=0)

    assert peak_of(run) < BYTES / 6


def test_large_arrays_of_another_dtype():
    x, y, model = np.zeros((ROWS, COLUMNS)), np.zeros(ROWS, np.float32), regression()
    assert peak_of(lambda: trained(model, x, y)) < BYTES / 6


def test_what_is_no_copy():
    """Batches in order are views of arrays of the model's dtype, whoever has them."""
    given = np.arange(40, dtype=np.float32).reshape(20, 2)
    column = given[:, 0].copy()
    sources = [(given, given), (column, column)]
    for library in LIBRARIES:
        series = library({"a": column})["a"]
        sources.append((series, np.asarray(series)))
    arrow = pytest.importorskip("pyarrow").array(column)
    sources.append((arrow, np.asarray(arrow)))
    for source, memory in sources:
        for (batch,), _ in make_feed(source, batch_size=8, dtype="float32").batches(0):
            assert np.shares_memory(batch, memory), type(source)


def test_tensors_of_torch_are_no_copies():
    torch = pytest.importorskip("torch")
    x = torch.rand(20, 3)
    for (batch,), _ in make_feed(x, batch_size=8, dtype="float32").batches(0):
        assert np.shares_memory(batch, x.numpy())


@pytest.mark.parametrize("library", LIBRARIES)
def test_columns_are_no_copies(library):
    frame = library({"a": np.arange(9.0), "b": np.arange(9)})
    for name, array in as_columns(frame).items():
        assert np.shares_memory(array, np.asarray(frame[name]))


def test_rows_of_columns():
    rows = Columns([np.arange(5), np.arange(5) * 0.5], np.dtype("float32"))
    assert (rows.shape, rows.ndim, rows.size, len(rows)) == ((5, 2), 2, 10, 5)
    assert rows[3].tolist() == [3, 1.5]
    assert rows[1:3].tolist() == [[1, 0.5], [2, 1]]
    assert rows.take(np.array([4, 0])).tolist() == [[4, 2], [0, 0]]
    assert rows.part(slice(2, None))[:1].tolist() == [[2, 1]]
    assert rows[:].dtype == np.float32


def test_class_weights_of_targets_in_a_file(tmp_path):
    labels = np.memmap(tmp_path / "y", "int64", "w+", shape=(6,))
    labels[:] = [0, 1, 1, 0, 1, 1]
    model = lamina.Sequential([lamina.layers.Dense(2, activation="softmax", input_shape=(1,))])
    model.compile("sgd", "sparse_categorical_crossentropy")
    x = np.arange(6, dtype=np.float32)
    losses = []
    for y in (labels, np.array(labels)):
        model.set_weights([np.ones((1, 2)), np.zeros(2)])
        losses.append(model.fit(x, y, class_weight={0: 2.0, 1: 0.5}, shuffle=False, verbose=0).history["loss"])
    assert losses[0] == losses[1]


def test_one_number_for_each_example_in_a_file(tmp_path):
    """The axis that the model's input has is added without reading the file."""
    there = np.memmap(tmp_path / "x", "float64", "w+", shape=(6,))
    there[:] = range(6)
    model = regression(1)
    expected = model.predict(np.arange(6.0)[:, None])
    np.testing.assert_array_equal(model.predict(there), expected)
    assert Converted(there, np.dtype("float32")).part((slice(None), None)).shape == (6, 1)


LARGER_THAN_MEMORY = """
import resource, sys
resource.setrlimit(resource.RLIMIT_DATA, (1 << 30, 1 << 30))  # what a process may hold of its own: 1 GiB
import numpy as np
import lamina

model = lamina.Sequential([lamina.layers.Dense(1, input_shape=(1 << 16,))])
model.compile("sgd", "mse")
raw = np.memmap(sys.argv[1], "float32", "r", shape=(1 << 15, 1 << 16))
for x in (raw, np.load(sys.argv[2], mmap_mode="r")):
    assert x.nbytes == 8 << 30
    y = np.zeros(len(x), np.float32)
    few = {"batch_size": 8, "verbose": 0}
    history = model.fit(x, y, steps_per_epoch=2, epochs=2, validation_split=0.25, validation_steps=2, **few)
    assert history.history["val_loss"][-1] == 0, history.history
    assert model.evaluate(x, y, steps=2, **few) == 0
    assert model.predict(x, steps=2, **few).shape == (16, 1)
    data = lamina.data.from_arrays((x, y)).shuffle(len(x), seed=1).batch(8)
    model.fit(data.take(len(data) - 10), steps_per_epoch=2, validation_data=data.skip(len(data) - 2), verbose=0)
try:
    x[:]  + 1
except MemoryError:
    print("and no more")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux limits what a process holds apart from maps of files")
def test_maps_of_files_larger_than_memory(tmp_path):
    """Files with holes, which take no room: 8 GiB as float32 numbers, and as float64 ones with NumPy's header."""
    raw, array = tmp_path / "x", tmp_path / "x.npy"
    np.memmap(raw, "float32", "w+", shape=(1 << 15, 1 << 16))
    np.lib.format.open_memmap(array, "w+", "float64", (1 << 14, 1 << 16))
    done = subprocess.run(
        [sys.executable, "-c", LARGER_THAN_MEMORY, raw, array], capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout) == (0, "and no more\n"), done.stderr


def test_batches_of_arrays_that_are_left_out_are_not_read():
    read = []

    class Counted(np.ndarray):
        def __getitem__(self, place):
            read.append(place)
            return super().__getitem__(place)

    batches = lamina.data.from_arrays(np.arange(20).view(Counted)).batch(3)
    assert [b.tolist() for b in batches.skip(1).take(2).skip(1)] == [[6, 7, 8]]
    assert len(batches.skip(1).take(2)) == 2
    assert [b.tolist() for b in batches.skip(6)] == [[18, 19]]
    assert read == [slice(6, 9), slice(18, 20)]
