"""Classifies tumours by 30 measurements of cells: a pipeline, a grid search with cross-validation, a pickle.

Run ``python examples/tabular.py``; it needs ``pip install 'lamina[sklearn]'``. The data come with scikit-learn.
"""

import pickle
import sys
import time

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import classification_report
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import lamina
from lamina import layers
from lamina_sklearn import LaminaClassifier


def make_model(input_shape, n_classes, units=16, rate=0.0):
    """One hidden layer with dropout; the search chooses ``units`` and ``rate``."""
    return lamina.Sequential(
        [
            layers.Dense(units, activation="relu", input_shape=input_shape),
            layers.Dropout(rate),
            layers.Dense(n_classes, activation="softmax"),
        ]
    )


def check(what, holds):
    """Says whether something is as promised, and stops if it is not."""
    print(f"{what}: {'yes' if holds else 'NO'}")
    if not holds:
        sys.exit(1)


def main():
    data = load_breast_cancer()
    labels = data.target_names[data.target]
    split = train_test_split(data.data, labels, test_size=0.25, stratify=labels, random_state=0)
    x_train, x_test, y_train, y_test = split
    print(f"lamina {lamina.__version__} on {lamina.get_backend().name}; {len(x_train)} samples to train on")

    classifier = LaminaClassifier(make_model, epochs=30, batch_size=32, class_weight="balanced", random_state=0)
    pipeline = make_pipeline(StandardScaler(), classifier)
    grid = {
        "laminaclassifier__model__units": [4, 32],
        "laminaclassifier__model__rate": [0.0, 0.3],
        "laminaclassifier__optimizer__learning_rate": [0.0003, 0.01],
    }
    started = time.perf_counter()
    search = GridSearchCV(pipeline, grid, cv=3).fit(x_train, y_train)
    print(f"{len(search.cv_results_['params'])} settings tried in {time.perf_counter() - started:.1f} s")
    for name, value in search.best_params_.items():
        print(f"{name:>45}: {value}")
    print(classification_report(y_test, search.predict(x_test)))

    check("at least 95 % in cross-validation are right", search.best_score_ >= 0.95)
    check("at least 94 % of the test samples are right", search.score(x_test, y_test) >= 0.94)
    again = pickle.loads(pickle.dumps(search.best_estimator_))  # noqa: S301 - made on this line
    same = np.array_equal(again.predict_proba(x_test), search.predict_proba(x_test))
    check("a pickled copy predicts the same, bit for bit", same)


if __name__ == "__main__":
    main()
