"""Forecasts an hourly load from a CSV file with an LSTM, better than yesterday's value at the same hour.

Run ``python examples/time_series.py``. The script writes the file itself: a year of a made-up town's load, with days,
weeks, a season and noise.
"""

import csv
import sys
import tempfile
from pathlib import Path

import numpy as np

import lamina
from lamina import layers

HOURS, WINDOW, DAY = 24 * 200, 48, 24


def write_table(path):
    """One row an hour: the hour of the day, the day of the week, the load in megawatts."""
    random = np.random.default_rng(0)
    hours = np.arange(HOURS)
    working = np.where(hours // DAY % 7 < 5, 1.0, 0.6)
    drift = np.cumsum(random.normal(0.0, 0.15, HOURS))
    load = 60 + 20 * working * np.sin(2 * np.pi * (hours % DAY - 8) / DAY) + 8 * working + drift
    with open(path, "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["hour", "weekday", "load"])
        table.writerows(zip(hours % DAY, hours // DAY % 7, np.round(load + random.normal(0, 1, HOURS), 3), strict=True))


def read_table(path):
    """The load, and for each hour what is known of it: the load, scaled, and where it stands in day and week."""
    columns = np.array([[row["hour"], row["weekday"], row["load"]] for row in lamina.data.csv(str(path))], np.float64)
    hour, weekday, load = columns.T
    day, week = 2 * np.pi * hour / 24, 2 * np.pi * weekday / 7
    known = np.stack([(load - load.mean()) / load.std(), np.sin(day), np.cos(day), np.sin(week), np.cos(week)], axis=1)
    return load, known.astype("float32")


def windows(known, first, last):
    """Pairs of two days of what is known and the scaled load one hour later."""
    return lamina.utils.timeseries_dataset_from_array(
        known[first : last - 1], known[first + WINDOW : last, 0], WINDOW, batch_size=64
    )


def make_model():
    """The last hours go through an LSTM; what it makes of them becomes one number."""
    lamina.random.set_seed(1)
    model = lamina.Sequential([layers.Input((WINDOW, 5)), layers.LSTM(24), layers.Dense(1)], name="load")
    model.compile(lamina.optimizers.Adam(0.005), "mean_squared_error", metrics=["mae"])
    return model


def check(what, holds):
    """Says whether something is as promised, and stops if it is not."""
    print(f"{what}: {'yes' if holds else 'NO'}")
    if not holds:
        sys.exit(1)


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "load.csv")
        write_table(path)
        load, known = read_table(path)
    split = HOURS * 3 // 4
    model = make_model()
    model.summary()
    stop = lamina.callbacks.EarlyStopping(patience=2, restore_best_weights=True)
    unseen = windows(known, split, HOURS)
    model.fit(windows(known, 0, split), validation_data=unseen, epochs=12, callbacks=[stop], verbose=2)

    unit = load.std()
    scores = model.evaluate(unseen, return_dict=True, verbose=0)
    naive = np.abs(load[split + WINDOW :] - load[split + WINDOW - DAY : -DAY]).mean()
    print(f"mean error: LSTM {scores['mae'] * unit:.2f} MW, the same hour of the day before {naive:.2f} MW")
    check("the LSTM's error is at most 60 % of the naive forecast's", scores["mae"] * unit <= 0.6 * naive)


if __name__ == "__main__":
    main()
