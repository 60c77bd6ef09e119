"""Tables, loaders and generators given to fit, evaluate and predict as users have them."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from lamina import layers
from lamina.errors import ArgumentTypeError, DataError

RNG = np.random.default_rng(0)
COLUMNS = {"b": RNG.normal(size=40), "a": RNG.normal(size=40).astype(np.float32)}
MATRIX = np.column_stack(list(COLUMNS.values())).astype(np.float32)
Y = (COLUMNS["a"] - COLUMNS["b"]).astype(np.float32)


def _pandas(columns):
    return pytest.importorskip("pandas").DataFrame(columns)


def _polars(columns):
    return pytest.importorskip("polars").DataFrame(columns)


def _arrow(columns):
    return pytest.importorskip("pyarrow").table(columns)


def _batch(columns):
    return pytest.importorskip("pyarrow").record_batch({name: list(values) for name, values in columns.items()})


LIBRARIES = [_pandas, _polars, _arrow, _batch]


def plain():
    """A model of a matrix of two columns."""
    model = lamina.Sequential([layers.Dense(1, input_shape=(2,), kernel_initializer="ones")])
    model.compile("sgd", "mse")
    return model


def named():
    """A model with an input for each column, which weighs them differently."""
    a, b = lamina.Input((1,), name="a"), lamina.Input((1,), name="b")
    joined = layers.Concatenate()([a, layers.Rescaling(10.0)(b)])
    model = lamina.Model({"a": a, "b": b}, layers.Dense(1, kernel_initializer="ones")(joined))
    model.compile("sgd", "mse")
    return model


def losses(model, x, y=None, **settings):
    history = model.fit(x, y, batch_size=8, shuffle=False, verbose=0, **settings).history
    return {(name, epoch): value for name, values in history.items() for epoch, value in enumerate(values)}


@pytest.mark.parametrize("library", LIBRARIES)
class TestTables:
    def test_a_table_and_a_column_of_it(self, library):
        table = library({**COLUMNS, "y": Y})
        x, y = library(COLUMNS), table["y"]
        expected = losses(plain(), MATRIX, Y, validation_split=0.25, epochs=2)
        assert losses(plain(), x, y, validation_split=0.25, epochs=2) == pytest.approx(expected)
        assert plain().evaluate(x, y, verbose=0) == pytest.approx(plain().evaluate(MATRIX, Y, verbose=0))
        np.testing.assert_allclose(plain().predict(x), plain().predict(MATRIX), rtol=1e-6)

    def test_inputs_by_name(self, library):
        """The order of the columns does not matter, and others are not looked at."""
        table = library({"city": ["Oslo"] * 40, **COLUMNS, "y": Y})
        expected = losses(named(), {name: COLUMNS[name] for name in ("a", "b")}, Y, validation_split=0.25)
        assert losses(named(), table, table["y"], validation_split=0.25) == pytest.approx(expected)
        with_pair = losses(named(), table, table["y"], validation_data=(table, table["y"]))
        assert with_pair["val_loss", 0] == pytest.approx(named_after_an_epoch(table))
        np.testing.assert_allclose(named().predict(table)[:, 0], COLUMNS["a"] + 10 * COLUMNS["b"], rtol=1e-5, atol=1e-6)
        with pytest.raises(DataError, match="x has no column 'b'"):
            named().predict(library({"a": COLUMNS["a"]}))

    def test_weights_and_datasets(self, library):
        x, y = library(COLUMNS), library({"y": Y})["y"]
        weights = library({"w": np.arange(40.0)})["w"]
        expected = losses(plain(), MATRIX, Y, sample_weight=np.arange(40.0))
        assert losses(plain(), x, y, sample_weight=weights) == pytest.approx(expected)
        assert losses(plain(), lamina.data.from_arrays((x, y, weights)).batch(8)) == pytest.approx(expected)

    def test_batches_that_are_tables(self, library):
        parts = [slice(start, start + 8) for start in range(0, 40, 8)]
        batches = [
            (library({name: c[part] for name, c in COLUMNS.items()}), library({"y": Y[part]})["y"]) for part in parts
        ]
        expected = losses(plain(), MATRIX, Y)
        assert losses(plain(), lamina.data.from_generator(lambda: batches)) == pytest.approx(expected)
        assert losses(plain(), iter(batches), steps_per_epoch=5) == pytest.approx(expected)

    def test_missing_values_and_strings_name_the_column(self, library):
        for y in (Y[:3], library({"y": [1.0, 2.0, 3.0]})["y"]):
            with pytest.raises(DataError, match="the column 'b' of x has missing values, first in row 2"):
                plain().fit(library({"a": [1, 2, 3], "b": [1.0, 2.0, None]}), y, verbose=0)
        with pytest.raises(DataError, match="y has missing values, first in row 0"):
            plain().fit(MATRIX[:2], library({"y": [None, 2.0]})["y"], verbose=0)
        with pytest.raises(DataError, match=r"(?s)the column 'city' of x holds strings.*encode"):
            plain().predict(library({"a": [1.0], "city": ["Oslo"]}))


def named_after_an_epoch(table):
    model = named()
    losses(model, table, table["y"])
    return model.evaluate(table, table["y"], verbose=0)


def test_categories_of_each_library_name_the_column():
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    arrow = pytest.importorskip("pyarrow")
    tables = [
        pandas.DataFrame({"a": [1.0, 2.0], "city": pandas.Categorical(["Oslo", "Rome"])}),
        polars.DataFrame({"a": [1.0, 2.0], "city": polars.Series(["Oslo", "Rome"], dtype=polars.Categorical)}),
        arrow.table({"a": [1.0, 2.0], "city": arrow.array(["Oslo", "Rome"]).dictionary_encode()}),
    ]
    for table in tables:
        with pytest.raises(DataError, match=r"(?s)the column 'city' of x holds strings.*codes or one-hot"):
            plain().fit(table, [1.0, 2.0], verbose=0)


def test_a_column_of_arrow_in_pieces():
    arrow = pytest.importorskip("pyarrow")
    pieces = [arrow.table({name: c[part] for name, c in COLUMNS.items()}) for part in (slice(0, 7), slice(7, 40))]
    table = arrow.concat_tables(pieces)
    assert table["a"].num_chunks == 2
    np.testing.assert_allclose(plain().predict(table), plain().predict(MATRIX), rtol=1e-6)
    np.testing.assert_array_equal(lamina.data.as_array(table["a"]), COLUMNS["a"])
    assert lamina.data.as_array(arrow.array([True, False])).tolist() == [True, False]


def test_batches_read_from_arrow(tmp_path):
    """A file of Arrow's is read batch by batch, as often as there are epochs."""
    arrow = pytest.importorskip("pyarrow")
    table = arrow.table({**COLUMNS, "y": Y})
    with arrow.OSFile(str(tmp_path / "table.arrow"), "wb") as sink, arrow.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=8)

    def batches():
        with arrow.memory_map(str(tmp_path / "table.arrow")) as source:
            reader = arrow.ipc.open_file(source)
            for number in range(reader.num_record_batches):
                batch = reader.get_batch(number)
                yield batch.select(["b", "a"]), batch["y"]

    expected = losses(plain(), MATRIX, Y, epochs=2)
    assert losses(plain(), lamina.data.from_generator(batches), epochs=2) == pytest.approx(expected)


def test_a_plan_of_a_table_must_be_collected():
    with pytest.raises(ArgumentTypeError, match=r"(?s)LazyFrame.*collect"):
        plain().fit(_polars(COLUMNS).lazy(), Y, verbose=0)


class Pairs:
    """Examples one by one, as a Dataset of torch has them."""

    def __len__(self):
        return 40

    def __getitem__(self, place):
        return MATRIX[place], Y[place]


class NamedPairs(Pairs):
    def __getitem__(self, place):
        return {name: COLUMNS[name][place] for name in ("a", "b")}, Y[place]


def test_single_examples_must_be_put_into_batches():
    with pytest.raises(DataError, match=r"(?s)single number.*DataLoader"):
        plain().fit(Pairs(), verbose=0)


@pytest.mark.parametrize("workers", [0, 2])
def test_loaders_of_torch(workers):
    loading = pytest.importorskip("torch").utils.data

    def loader(data, **settings):
        return loading.DataLoader(data, batch_size=8, num_workers=workers, **settings)

    expected = losses(plain(), MATRIX, Y, epochs=2)
    assert losses(plain(), loader(Pairs()), epochs=2) == pytest.approx(expected)
    assert losses(plain(), loader(Pairs(), shuffle=True), validation_data=loader(Pairs()))["val_loss", 0] > 0
    by_name = losses(named(), {name: COLUMNS[name] for name in ("a", "b")}, Y)
    assert losses(named(), loader(NamedPairs())) == pytest.approx(by_name)
    assert plain().evaluate(loader(Pairs()), verbose=0) == pytest.approx(plain().evaluate(MATRIX, Y, verbose=0))
    np.testing.assert_allclose(plain().predict(loader(Pairs())), plain().predict(MATRIX), rtol=1e-6)
