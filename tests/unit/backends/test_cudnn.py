"""cuDNN's convolutions over the stand-ins for cuDNN and CuPy; nothing that passes here has run on a device."""

from __future__ import annotations

import importlib.util
import threading
from typing import Any

import numpy as np
import pytest

import lamina
import lamina_cudnn
from cupy_standin import cudnn, ledger, raw
from cupy_standin.backend import StandInBackend, loaded
from lamina.contract import KernelTable
from lamina.runtime.backends import find_backend
from lamina_cudnn import geometry

graphs, kernels = loaded["lamina_cudnn.graphs"], loaded["lamina_cudnn.kernels"].kernels
GEOMETRIES = [
    {"size": (9,), "window": (3,), "strides": (2,), "pads": ((1, 2),), "dilations": (2,)},
    {"size": (7, 6), "window": (2, 3), "strides": (1, 2), "pads": ((0, 1), (2, 0)), "dilations": (2, 1)},
    {"size": (8, 8), "window": (3, 3), "strides": (1, 1), "pads": ((1, 1), (1, 1)), "dilations": (1, 1)},
    {"size": (5, 4, 3), "window": (3, 1, 2), "strides": (3, 1, 2), "pads": ((1, 1), (0, 0), (1, 0)),
     "dilations": (1, 1, 1)},
]  # fmt: skip
compiled = pytest.mark.skipif(raw.COMPILER is None, reason="no C++ compiler to build CUDA's kernels for the host")


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    graphs._kept.graphs.clear()


def calls(geometry: dict[str, Any], groups: int, dtype: str) -> list[tuple[str, list[np.ndarray], dict[str, Any]]]:
    """The convolution and its gradients with arguments for NumPy's kernels, as op, arrays and attributes."""
    random = np.random.default_rng(0)
    attrs = {key: geometry[key] for key in ("strides", "pads", "dilations")} | {"groups": groups}
    x = random.standard_normal((2, *geometry["size"], 6)).astype(dtype)
    kernel = random.standard_normal((*geometry["window"], 6 // groups, 12)).astype(dtype)
    dy = np.asarray(find_backend("numpy").kernels["convolution"](x, kernel, **attrs))
    return [
        ("convolution", [x, kernel], attrs),
        ("convolution_input_gradient", [dy, kernel], attrs | {"size": geometry["size"]}),
        ("convolution_kernel_gradient", [x, dy], attrs | {"size": geometry["window"]}),
    ]


def compare(op: str, arrays: list[np.ndarray], attrs: dict[str, Any]) -> list[str]:
    """Holds the kernel against NumPy's; comes back with what was launched."""
    mine, wide = find_backend("cupy_standin"), [a.astype(np.float64) for a in arrays]
    with ledger.watched() as seen:
        found = kernels[op](*(mine.from_host(a) for a in arrays), **attrs)
    expected = np.asarray(find_backend("numpy").kernels[op](*wide, **attrs))
    assert (found.dtype, found.shape) == (arrays[0].dtype, expected.shape)
    assert found.flags.c_contiguous
    unit = np.finfo(found.dtype).eps * np.abs(expected).max()
    np.testing.assert_allclose(mine.to_host(found).astype(np.float64), expected, rtol=0, atol=8 * unit)
    return [name for name in seen.launches if name.startswith("cudnn")]


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("groups", [1, 3, 6])
@pytest.mark.parametrize("given", GEOMETRIES, ids=lambda g: f"{g['size']}")
def test_convolutions_and_gradients_are_cudnns(given: dict[str, Any], groups: int, dtype: str) -> None:
    launched = [compare(*call) for call in calls(given, groups, dtype)]
    assert launched == [["cudnn result"], ["cudnn image"], ["cudnn weight"]]


@compiled
def test_what_cudnn_has_no_engine_for_is_done_without(monkeypatch: Any) -> None:
    monkeypatch.setattr(cudnn.pygraph, "engines", 0)
    assert [compare(*call) for call in calls(GEOMETRIES[1], 1, "float32")] == [[], [], []]
    monkeypatch.setattr(graphs.cudnn, "pygraph", None)  # so that asking again would fail
    assert [compare(*call) for call in calls(GEOMETRIES[1], 1, "float32")] == [[], [], []]


@compiled
def test_other_dtypes_are_done_without() -> None:
    assert [compare(*call) for call in calls(GEOMETRIES[2], 1, "float64")] == [[], [], []]


@pytest.mark.parametrize(
    ("pads", "shapes"),
    [
        (((-1, 0),), [(1, 4, 2)]),
        (((0, 0),), [(0, 4, 2)]),
        (((0, 0),) * 4, [(1, 2, 2, 2, 2, 1)]),
        (((0, 0),), [(2**31, 1, 1)]),
    ],
)
def test_what_cudnn_has_no_words_for(pads: Any, shapes: Any) -> None:
    assert not geometry.suits(pads, *shapes)


def test_float32_is_not_rounded_to_tf32_and_results_repeat(monkeypatch: Any) -> None:
    refused: dict[str, set[Any]] = {}
    build = graphs.Graph._build

    def watched(graph: Any, dtype: str) -> None:
        build(graph, dtype)
        refused[dtype] = {note.name for note in graph._graph.refused}

    monkeypatch.setattr(graphs.Graph, "_build", watched)
    for dtype in ("float32", "float16"):
        compare(*calls(GEOMETRIES[2], 1, dtype)[0])
    assert refused["float32"] - refused["float16"] == {"TENSOR_CORE"}
    assert {"NONDETERMINISTIC", "DOWN_CONVERT_INPUTS"} <= refused["float16"]


def test_a_graph_is_built_once_per_thread_and_the_oldest_go(monkeypatch: Any) -> None:
    built = []
    make = graphs.Graph.__init__

    def watched(graph: Any, key: Any, handle: Any) -> None:
        built.append(key)
        make(graph, key, handle)

    monkeypatch.setattr(graphs.Graph, "__init__", watched)
    monkeypatch.setattr(graphs, "KEPT", 2)
    first, second, third = calls(GEOMETRIES[2], 1, "float32")
    for call in (first, first, second, first, third, first, second):
        compare(*call)
    assert [key.kind for key in built] == ["forward", "input_gradient", "kernel_gradient", "input_gradient"]
    thread = threading.Thread(target=compare, args=first)
    thread.start()
    thread.join()
    assert len(built) == 5


def test_training_goes_through_it(monkeypatch: Any) -> None:
    monkeypatch.setattr(StandInBackend, "kernels", KernelTable.merge(StandInBackend.kernels, kernels))
    x, y = np.random.default_rng(0).standard_normal((8, 6, 6, 2)).astype("float32"), np.arange(8) % 3
    trained = {}
    for name in ("numpy", "cupy_standin"):
        with lamina.backend_scope(name), ledger.watched() as seen:
            lamina.random.set_seed(1)
            stack = [
                lamina.layers.Conv2D(4, 3, activation="relu", input_shape=(6, 6, 2)),
                lamina.layers.Conv2D(3, 3, padding="same", strides=2),
                lamina.layers.GlobalAveragePooling2D(),
                lamina.layers.Softmax(),
            ]
            model = lamina.Sequential(stack)
            model.compile("adam", "sparse_categorical_crossentropy")
            model.fit(x, y, batch_size=4, epochs=3, verbose=0, shuffle=False)
            trained[name] = model.get_weights()
    launched = {launch for launch in seen.launches if launch.startswith("cudnn")}
    assert launched == {"cudnn result", "cudnn image", "cudnn weight"}
    for ours, reference in zip(trained["cupy_standin"], trained["numpy"], strict=True):
        np.testing.assert_allclose(ours, reference, atol=1e-5)


def test_it_is_offered_only_where_the_package_is(monkeypatch: Any) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert list(lamina_cudnn.lamina_kernels()) == []
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    (offer,) = lamina_cudnn.lamina_kernels()
    assert (offer.name, offer.needs, offer.least) == ("cupy", "cudnn", "1.10")


@pytest.mark.skipif(importlib.util.find_spec("cudnn") is None, reason="the package nvidia-cudnn-frontend is not there")
def test_cudnn_itself_takes_the_graphs() -> None:
    """Without a device: the package checks sizes, strides and settings, and infers nothing else than was said."""
    import cudnn as package

    try:
        package.backend_version()
    except RuntimeError as error:
        pytest.skip(f"the library libcudnn is not there: {error}")
    number = package.data_type.FLOAT
    for given in GEOMETRIES:
        for groups in (1, 3):
            (_, (x, kernel), attrs), (_, (dy, _), _), _ = calls(given, groups, "float32")
            image, result = geometry.channels_last(x.shape), geometry.channels_last(dy.shape)
            weight = geometry.channels_last(np.moveaxis(kernel, -1, 0).shape)
            settings = geometry.windows(attrs["strides"], attrs["pads"], attrs["dilations"]).settings()
            for call, names, tensors, made in (
                ("conv_fprop", ("image", "weight"), (image, weight), result),
                ("conv_dgrad", ("loss", "filter"), (result, weight), image),
                ("conv_wgrad", ("image", "loss"), (image, result), weight),
            ):
                graph = package.pygraph(handle=package.Handle(1, 0, 0), io_data_type=number,
                                        intermediate_data_type=number, compute_data_type=number)  # fmt: skip
                described = {
                    name: graph.tensor(name=name, dim=list(t.dim), stride=list(t.stride), data_type=number)
                    for name, t in zip(names, tensors, strict=True)
                }
                found = getattr(graph, call)(**described, **settings)
                found.set_output(True).set_data_type(number)
                found.set_dim(list(made.dim)).set_stride(list(made.stride))
                graph.validate()
                assert tuple(found.get_dim()) == made.dim
