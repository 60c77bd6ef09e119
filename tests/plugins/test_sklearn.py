"""Estimators of lamina in scikit-learn: its own checks, copies and pickles, searches and pipelines, what is trained."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris, make_regression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import lamina
from lamina import layers
from lamina.errors import (
    ArgumentError,
    ArgumentTypeError,
    DataError,
    MissingLibraryError,
    SerializationError,
    ShapeError,
)
from lamina_sklearn import LaminaClassifier, LaminaRegressor, LaminaTransformer

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]
X_NUMBERS, Y_NUMBERS = make_regression(120, 5, n_targets=2, noise=1.0, random_state=0)
Y_NUMBERS = Y_NUMBERS / Y_NUMBERS.std(axis=0)


@parametrize_with_checks([LaminaClassifier(), LaminaRegressor(), LaminaTransformer()])
def test_checks_of_scikit_learn(estimator, check):
    check(estimator)


def make_small(input_shape, n_classes, hidden=8, rate=0.0):
    return lamina.Sequential(
        [
            layers.Dense(hidden, activation="tanh", input_shape=input_shape),
            layers.Dropout(rate),
            layers.Dense(n_classes, activation="softmax"),
        ]
    )


def make_compiled(n_features_in):
    model = lamina.Sequential([layers.Dense(1, input_shape=(n_features_in,))])
    model.compile(lamina.optimizers.SGD(0.05), "mae", metrics=["mse"])
    return model


def small(**settings):
    return LaminaClassifier(make_small, **{"epochs": 20, "batch_size": 32, "random_state": 0, **settings})


def with_weights(model):
    return [w.tolist() for w in model.get_weights()]


# -- what is trained ---------------------------------------------------------------------------------------------------


def test_a_classifier_gives_the_labels_it_was_given():
    found = LaminaClassifier(random_state=0).fit(X, NAMES)
    assert found.score(X, NAMES) > 0.95
    assert found.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    np.testing.assert_allclose(found.predict_proba(X).sum(axis=1), 1.0)
    assert found.n_features_in_ == 4
    assert len(found.history_["loss"]) == found.n_epochs_ == 100
    assert found.history_["loss"][-1] < 0.2 * found.history_["loss"][0]


@pytest.mark.parametrize("targets", [Y_NUMBERS, Y_NUMBERS[:, 0], Y_NUMBERS[:, :1]])
def test_a_regressor_predicts_in_the_shape_of_the_targets(targets):
    found = LaminaRegressor(random_state=0).fit(X_NUMBERS, targets)
    assert found.predict(X_NUMBERS).shape == targets.shape
    assert found.score(X_NUMBERS, targets) > 0.9


def test_a_transformer_learns_to_give_back_what_it_gets():
    scaled = StandardScaler().fit_transform(X)
    found = LaminaTransformer(n_components=2, random_state=0).fit(scaled)
    assert found.transform(scaled).shape == (150, 2)
    assert found.history_["loss"][-1] < 0.1
    assert found.get_feature_names_out().tolist() == ["laminatransformer0", "laminatransformer1"]


def test_a_transformer_gives_what_a_layer_inside_gives():
    def make(input_shape):
        return lamina.Sequential(
            [layers.Dense(6, input_shape=input_shape, name="inner"), layers.Dense(3, activation="softmax")]
        )

    settings = {"loss": "sparse_categorical_crossentropy", "epochs": 2, "random_state": 0}
    inner = LaminaTransformer(make, layer="inner", **settings).fit(X, Y)
    kernel, bias = inner.model_.get_layer("inner").get_weights()
    np.testing.assert_allclose(inner.transform(X), X @ kernel + bias, rtol=1e-4, atol=1e-5)
    assert LaminaTransformer(make, **settings).fit(X, Y).transform(X).shape == (150, 3)


def test_epochs_0_take_a_trained_model_as_it_is():
    trained = small().fit(X, Y).model_
    found = LaminaTransformer(trained, epochs=0).fit(X)
    assert np.array_equal(found.transform(X), trained.predict(X))


def test_data_of_more_dimensions_go_to_models_of_ones_own():
    images = np.random.default_rng(0).normal(size=(60, 4, 4, 1))
    labels = (images.mean(axis=(1, 2, 3)) > 0).astype(int)

    def make(input_shape, n_outputs):
        return lamina.Sequential(
            [
                layers.Conv2D(4, 3, input_shape=input_shape),
                layers.Flatten(),
                layers.Dense(n_outputs, activation="softmax"),
            ]
        )

    found = LaminaClassifier(make, random_state=0).fit(images, labels)
    assert found.score(images, labels) > 0.8


@pytest.mark.parametrize(("units", "activation", "from_logits"), [(1, "sigmoid", 0), (1, None, 1), (2, None, 1)])
def test_outputs_become_probabilities(units, activation, from_logits):
    def make(input_shape):
        return lamina.Sequential([layers.Dense(units, activation=activation, input_shape=input_shape)])

    settings = {"loss__from_logits": True} if from_logits else {}
    found = LaminaClassifier(make, random_state=0, **settings).fit(X[:100], NAMES[:100])
    probabilities = found.predict_proba(X[:100])
    assert probabilities.min() >= 0
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-5)
    assert found.score(X[:100], NAMES[:100]) == 1.0


# -- parameters --------------------------------------------------------------------------------------------------------


def test_parameters_go_on_to_model_optimizer_loss_and_fit():
    found = small(model__hidden=5, optimizer__learning_rate=0.5, fit__validation_freq=2, validation_split=0.2)
    found.set_params(epochs=4).fit(X, Y)
    assert found.model_.layers[0].units == 5
    assert found.model_.optimizer.learning_rate.numpy() == np.float32(0.5)
    assert len(found.history_["val_loss"]) == 2
    assert found.get_params()["model__hidden"] == 5
    assert clone(found).get_params() == found.get_params()
    assert "model__hidden=5" in repr(found)


def test_a_loss_takes_settings():
    found = LaminaRegressor(loss="huber", loss__delta=0.25, epochs=1).fit(X_NUMBERS, Y_NUMBERS)
    assert found.model_.loss.get_config()["delta"] == 0.25


def test_a_compiled_model_stays_so_unless_told_otherwise():
    found = LaminaRegressor(make_compiled, epochs=1, random_state=0).fit(X_NUMBERS, Y_NUMBERS[:, 0])
    assert isinstance(found.model_.optimizer, lamina.optimizers.SGD)
    assert list(found.history_) == ["loss", "mse"]
    found.set_params(optimizer__learning_rate=0.125, metrics=["mae"]).fit(X_NUMBERS, Y_NUMBERS[:, 0])
    assert isinstance(found.model_.optimizer, lamina.optimizers.SGD)
    assert found.model_.optimizer.learning_rate.numpy() == np.float32(0.125)
    assert list(found.history_) == ["loss", "mae"]
    np.testing.assert_allclose(found.history_["loss"], found.history_["mae"], rtol=1e-5)  # the loss is still mae


def test_a_model_is_copied_with_its_weights_and_optimizer():
    model = make_compiled(5)
    before, optimizer = with_weights(model), lamina.optimizers.Adam(0.25)
    found = LaminaRegressor(model, epochs=0).fit(X_NUMBERS, Y_NUMBERS[:, 0])
    assert with_weights(found.model_) == before
    assert isinstance(found.model_.optimizer, lamina.optimizers.SGD)
    found.set_params(epochs=3, optimizer=optimizer).fit(X_NUMBERS, Y_NUMBERS[:, 0])
    assert with_weights(model) == before != with_weights(found.model_)
    assert found.model_.optimizer is not optimizer
    assert clone(found).model is model


def test_callbacks_are_copied_for_each_fit():
    stop = lamina.callbacks.EarlyStopping(monitor="loss", min_delta=10.0)
    found = LaminaRegressor(callbacks=[stop], epochs=20).fit(X_NUMBERS, Y_NUMBERS)
    assert found.n_epochs_ < 5
    assert found.fit(X_NUMBERS, Y_NUMBERS).n_epochs_ < 5
    assert stop.model is None


def test_the_same_seed_gives_the_same_numbers_and_leaves_others_alone():
    lamina.random.set_seed(3)
    expected = lamina.random.uniform((2,)).numpy()
    lamina.random.set_seed(3)
    first, second = (small(model__rate=0.3).fit(X, Y).predict_proba(X) for _ in range(2))
    assert np.array_equal(lamina.random.uniform((2,)).numpy(), expected)
    assert np.array_equal(first, second)
    assert not np.array_equal(first, small(model__rate=0.3, random_state=1).fit(X, Y).predict_proba(X))


def test_weights_count_like_samples_and_classes_like_weights():
    weights = np.where(Y == 1, 0.0, 2.0)
    found = LaminaClassifier(random_state=0, epochs=30).fit(X, NAMES, sample_weight=weights)
    assert found.score(X, NAMES, weights) > 0.9
    assert (found.predict(X) == "versicolor").sum() == 0
    heavy = {"setosa": 1.0, "versicolor": 1e-6, "virginica": 1.0}
    by_class = LaminaClassifier(random_state=0, epochs=30, class_weight=heavy).fit(X, NAMES)
    assert (by_class.predict(X) == "versicolor").sum() == 0


def test_warm_start_and_partial_fit_go_on():
    once = small(epochs=6).fit(X, Y)
    warm = small(epochs=3, warm_start=True).fit(X, Y).fit(X, Y)
    parts = small()
    for _ in range(6):
        parts.partial_fit(X, Y, classes=[0, 1, 2])
    for other in (warm, parts):
        assert with_weights(other.model_) == with_weights(once.model_)
        assert other.history_ == once.history_
    assert small(epochs=3).fit(X, Y).fit(X, Y).n_epochs_ == 3


# -- copies ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("made", [lambda e: pickle.loads(pickle.dumps(e)), copy.deepcopy, copy.copy])
def test_copies_predict_the_same_and_train_on_exactly(made):
    first = small(model__rate=0.3, optimizer=lamina.optimizers.Adam(0.02), metrics=["accuracy"]).fit(X, Y)
    second = made(first)
    assert second.model_ is not first.model_
    assert np.array_equal(first.predict_proba(X), second.predict_proba(X))
    for _ in range(2):
        first.partial_fit(X, Y)
        second.partial_fit(X, Y)
    assert with_weights(first.model_) == with_weights(second.model_)
    assert first.history_ == second.history_
    assert second.optimizer.get_config() == first.optimizer.get_config()


def test_a_regressor_in_float64_is_pickled_exactly():
    first = LaminaRegressor(epochs=5, random_state=0).fit(X_NUMBERS, Y_NUMBERS)
    second = pickle.loads(pickle.dumps(first))
    assert second.predict(X_NUMBERS).dtype == np.float64
    assert np.array_equal(first.predict(X_NUMBERS), second.predict(X_NUMBERS))
    pairs = zip(first.model_.get_weights(), second.partial_fit(X_NUMBERS, Y_NUMBERS).model_.get_weights(), strict=True)
    first.partial_fit(X_NUMBERS, Y_NUMBERS)
    assert with_weights(first.model_) == with_weights(second.model_)
    assert all(a.dtype == b.dtype == np.float64 for a, b in pairs)


def test_a_pickle_holds_models_as_files_and_no_class_of_theirs():
    model = make_compiled(5)
    state = LaminaRegressor(model, epochs=1).fit(X_NUMBERS, Y_NUMBERS[:, 0]).__getstate__()
    assert [list(state[name]) for name in ("model", "model_")] == [["lamina model", "dtype"]] * 2
    text = pickle.dumps(LaminaRegressor(model))
    assert b"lamina.layers" not in text
    assert with_weights(pickle.loads(text).model) == with_weights(model)


def test_a_model_without_weights_is_not_pickled():
    with pytest.raises(SerializationError, match="no weights yet"):
        pickle.dumps(LaminaRegressor(lamina.Sequential([layers.Dense(1)])))


# -- in scikit-learn ---------------------------------------------------------------------------------------------------


def test_searches_give_the_same_in_one_process_and_in_two(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[2])  # the second process imports this module
    pipeline = make_pipeline(StandardScaler(), small(epochs=8))
    grid = {"laminaclassifier__model__hidden": [4, 16], "laminaclassifier__optimizer__learning_rate": [0.001, 0.03]}
    searches = [GridSearchCV(pipeline, grid, cv=2, n_jobs=jobs).fit(X, NAMES) for jobs in (1, 2)]
    scores = [search.cv_results_["mean_test_score"].tolist() for search in searches]
    assert scores[0] == scores[1]
    assert searches[0].best_params_["laminaclassifier__optimizer__learning_rate"] == 0.03
    assert searches[0].best_score_ > 0.85


def test_cross_validation_and_a_transformer_in_a_pipeline():
    steps = make_pipeline(StandardScaler(), LaminaTransformer(n_components=3, random_state=0), small(epochs=40))
    assert cross_val_score(steps, X, Y, cv=2).mean() > 0.8


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("estimator", "error", "message"),
    [
        (LaminaClassifier(epoch=3), ArgumentError, "no parameter 'epoch'"),
        (LaminaClassifier(3), ArgumentTypeError, "model is 3"),
        (LaminaClassifier(lambda: 3), ArgumentTypeError, "gave 3"),
        (LaminaClassifier(model__hiden=3), ArgumentError, "model__hiden"),
        (LaminaClassifier(optimizer__rate=3), ArgumentError, "optimizer__rate"),
        (LaminaClassifier(loss__rate=3), ArgumentError, "loss__rate"),
        (LaminaClassifier(fit__epoch=3), ArgumentError, "fit__epoch"),
        (LaminaClassifier(make_compiled(4), model__hidden=3), ArgumentError, "model is a model"),
        (LaminaClassifier(batch_size="all"), ArgumentError, "batch_size is 'all'"),
    ],
)
def test_fit_refuses_parameters_that_are_none(estimator, error, message):
    with pytest.raises(error, match=message):
        estimator.fit(X, Y)


def test_set_params_refuses_names_that_are_none():
    with pytest.raises(ValueError, match="Invalid parameter 'epoch'"):
        LaminaClassifier().set_params(epoch=3)


def test_data_that_do_not_fit_are_refused():
    with pytest.raises(DataError, match="one class"):
        LaminaClassifier().fit(X[:50], Y[:50])
    with pytest.raises(ValueError, match=r"every sample_weight is 0|non-zero"):
        LaminaRegressor().fit(X, Y, np.zeros(150))
    with pytest.raises(ArgumentError, match="classes is None"):
        LaminaClassifier().partial_fit(X, Y)
    begun = small(epochs=1, warm_start=True).fit(X, Y)
    with pytest.raises(DataError, match="class 7"):
        begun.partial_fit(X, np.full(150, 7))
    with pytest.raises(ArgumentError, match="as before"):
        begun.partial_fit(X, Y, classes=[0, 1])
    with pytest.raises(DataError, match="as before"):
        begun.fit(X[:100], Y[:100])
    with pytest.raises(ArgumentError, match="balanced"):
        LaminaClassifier(class_weight="balanced").partial_fit(X, Y, classes=[0, 1, 2])
    with pytest.raises(DataError, match="numbers"):
        LaminaTransformer(make_small, model__n_classes=4).fit(X, NAMES)
    with pytest.raises(ShapeError, match="one for each of the 3 classes"):
        LaminaClassifier(make_compiled, epochs=0).fit(X, Y).predict(X)


def test_without_scikit_learn_the_import_says_what_to_install():
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "from lamina.errors import MissingLibraryError\n"
        "try:\n    import lamina_sklearn\nexcept MissingLibraryError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "pip install 'lamina[sklearn]'" in done.stdout, done.stderr
    assert issubclass(MissingLibraryError, ImportError)
