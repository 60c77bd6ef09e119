"""The NumPy executable: planned memory, updates side by side, threads."""

import numpy as np
import pytest

import lamina
from lamina.program import Instruction, Interpreter, Program
from lamina.runtime.backends import find_backend
from lamina.runtime.op import OPS
from lamina.runtime.variable import Variable, VariableGroup
from lamina.shapes import Spec
from lamina.testing.table import all_cases
from lamina_numpy.kernels import elementwise
from lamina_numpy.kernels.training import adam_update, bind_adam_update
from lamina_numpy.memory import as_one, side_by_side
from lamina_numpy.threads import blas_threads, wants_one_thread

SHAPES = [(3, 5), (5,), (5, 2), (2,), ()]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def specs():
    return [Spec(shape, "float32") for shape in SHAPES]


def test_arrays_side_by_side_are_one(rng):
    arrays = side_by_side(specs())
    for array in arrays:
        array[...] = rng.normal(size=array.shape)
    flat = as_one(arrays)
    assert flat is not None
    flat *= 0
    assert all((a == 0).all() for a in arrays)


def test_arrays_of_their_own_are_not_one():
    assert as_one([np.zeros(s, "f4") for s in SHAPES]) is None
    first, second = side_by_side(specs()), side_by_side(specs())
    assert as_one([*first[:2], *second[2:]]) is None
    assert as_one(first[::-1]) is None


def test_one_update_of_all_equals_one_by_one(rng):
    settings = {"count": len(SHAPES), "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}
    groups = [side_by_side(specs()) for _ in range(4)]
    for group in groups:
        for array in group:
            array[...] = np.abs(rng.normal(size=array.shape))
    alpha = np.asarray(np.float32(0.01))
    expected = adam_update(alpha, *[a.copy() for group in groups for a in group], **settings)
    p, _, m, v = groups
    bind_adam_update((alpha, *[a for group in groups for a in group]), [*p, *m, *v], settings)()
    for found, wanted in zip([*p, *m, *v], expected, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_padding_between_parameters_stays_finite(rng):
    settings = {"count": 2, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}
    groups = [side_by_side([Spec((3,), "float32"), Spec((5,), "float32")]) for _ in range(4)]
    p, _, m, v = groups
    update = bind_adam_update((np.asarray(np.float32(0.1)), *[a for g in groups for a in g]), [*p, *m, *v], settings)
    for _ in range(100):
        update()
    assert np.isfinite(as_one(p)).all()


def test_grouped_variables_keep_their_values_and_lie_side_by_side():
    variables = [Variable(np.full(shape, i, "f4")) for i, shape in enumerate(SHAPES)]
    before = variables[0].storage()
    VariableGroup(variables)
    arrays = [v.storage() for v in variables]
    assert as_one(arrays) is not None
    assert arrays[0] is not before
    assert [a.flat[0] for a in arrays] == [0, 1, 2, 3, 4]


def program(m, k, n):
    slots = (Spec((m, k), "float32"), Spec((k, n), "float32"), Spec((m, n), "float32"))
    product = Instruction("matmul", (0, 1), (2,), {"transpose_a": False, "transpose_b": False})
    return Program(slots=slots, inputs=(0, 1), instructions=(product,), outputs=(2,))


def test_only_small_products_keep_to_one_thread():
    assert wants_one_thread(program(32, 64, 32))
    assert not wants_one_thread(program(256, 784, 512))


@pytest.mark.parametrize(("images", "alone"), [(4, False), (64, True)])
def test_products_beside_larger_convolutions_keep_to_one_thread(images, alone):
    product = program(256, 784, 64)
    image, kernel = Spec((images, 16, 16, 8), "float32"), Spec((3, 3, 8, 16), "float32")
    result = Spec((images, 16, 16, 16), "float32")
    settings = {"strides": (1, 1), "pads": ((1, 1), (1, 1)), "dilations": (1, 1), "groups": 1}
    instructions = (*product.instructions, Instruction("convolution", (3, 4), (5,), settings))
    both = Program(
        slots=(*product.slots, image, kernel, result), inputs=(0, 1, 3, 4), instructions=instructions, outputs=(2, 5)
    )
    assert wants_one_thread(both) is alone


@pytest.mark.parametrize("sizes", [(4, 4, 4), (256, 256, 256)])
def test_the_number_of_threads_is_as_before_a_step(sizes):
    threads, limit = blas_threads()
    before = threads()
    executable = lamina.get_backend().load(program(*sizes))
    arrays = [np.ones(sizes[:2], "f4"), np.ones(sizes[1:], "f4")]
    executable(arrays, [])
    assert threads() == before
    with pytest.raises(ValueError, match=r"shapes|mismatch"):
        executable([arrays[0], np.ones((3, 3), "f4")], [])
    assert threads() == before
    limit(before)


def test_a_gradient_without_a_buffer_is_updated_from_its_place(rng):
    """An op whose kernel takes no buffer, here a table lookup's gradient through where, feeds the update."""
    w = lamina.Variable(rng.normal(size=(4, 3)).astype("f4"), name="w")
    optimizer = lamina.optimizers.Adam(0.1)
    optimizer.build([w])
    start = w.numpy()

    def step(x):
        value, gradients = lamina.autodiff.gradients.gradients_of_variables(
            lambda: lamina.where(x > 0.0, w, 0.0).square().sum()
        )
        optimizer.apply_gradients([(g, v) for v, g in gradients])
        return value

    x = lamina.tensor(rng.normal(size=(4, 3)).astype("f4"))
    recorded = lamina.function(step)
    for _ in range(4):
        recorded(x)
    replayed = w.numpy()
    w.assign(start)
    optimizer.set_weights([np.zeros((), "int32")])
    for _ in range(4):
        step(x)
    np.testing.assert_allclose(replayed, w.numpy(), rtol=1e-5, atol=1e-6)


def test_executable_equals_interpreter_on_a_reshape_that_moves_elements(rng):
    slots = (Spec((2, 3), "float32"), Spec((2, 3), "float32"), Spec((3, 2), "float32"), Spec((6,), "float32"))
    chain = (
        Instruction("exp", (0,), (1,)),
        Instruction("transpose", (1,), (2,), {"axes": (1, 0)}, "view"),
        Instruction("reshape", (2,), (3,), {"shape": (6,)}, "view"),
    )
    made = Program(slots=slots, inputs=(0,), instructions=chain, outputs=(3,)).check()
    backend = lamina.get_backend()
    executable, interpreter = backend.load(made), Interpreter(made, backend.kernels, backend.from_host)
    for _ in range(2):
        x = rng.normal(size=(2, 3)).astype("f4")
        np.testing.assert_array_equal(executable([x], [])[0][0], interpreter([x], [])[0][0])


def test_no_result_lies_in_its_arguments_memory_unless_the_op_says_so(monkeypatch):
    """The memory of an argument is given to others after its last use; that of a view's argument is not."""
    wrong = set()

    def watched(name, kernel):
        def call(*arrays, **attrs):
            found = kernel(*arrays, **attrs)
            results = found if isinstance(found, tuple) else (found,)
            if OPS[name].effect != "view" and any(np.shares_memory(r, a) for r in results for a in arrays):
                wrong.add(name)
            return found

        return call

    backend = find_backend("numpy")
    for name, kernel in list(backend.kernels.functions.items()):
        if name in OPS:
            monkeypatch.setitem(backend.kernels.functions, name, watched(name, kernel))
    for case in all_cases():
        if case.raises is None:
            case.call(case.tensors(backend, case.arrays("float32")))
    assert wrong == set()


def test_a_reversed_result_is_not_overwritten():
    x = np.arange(6, dtype=np.float32).reshape(1, 3, 2)
    step = lamina.function(lambda t: lamina.concatenate([t * 2.0, lamina.flip(t * 3.0, 1)], -1))
    for _ in range(4):
        found = step(lamina.tensor(x)).numpy()
    np.testing.assert_array_equal(found, np.concatenate([x * 2, x[:, ::-1] * 3], -1))


@pytest.mark.parametrize("op", ["add", "subtract", "multiply"])
@pytest.mark.parametrize("shapes", [((300, 40, 8), (8,)), ((1, 1, 8), (300, 40, 8)), ((4096, 96), (1, 96))])
def test_a_row_that_meets_many_is_repeated(rng, op, shapes):
    a, b = (rng.normal(size=shape).astype("f4") for shape in shapes)
    expected = getattr(np, op)(a, b)
    inputs, output = [Spec(shape, "float32") for shape in shapes], Spec(expected.shape, "float32")
    kernel = elementwise.kernels.entries[op].specialize(inputs, [output], {})
    assert kernel is not getattr(np, op)
    out = np.empty_like(expected)
    kernel(a, b, out)
    assert out.tobytes() == expected.tobytes()
    backwards = np.empty_like(expected)[::-1]  # no long rows here
    kernel(a, b, backwards)
    assert backwards.tobytes() == expected.tobytes()


@pytest.mark.parametrize("shapes", [((40, 8), (8,)), ((32771, 8), (8,)), ((8, 9000), (9000,)), ((300, 40, 8), (40, 1))])
def test_other_rows_are_left_to_numpy(shapes):
    inputs, output = [Spec(shape, "float32") for shape in shapes], Spec(shapes[0], "float32")
    assert elementwise.kernels.entries["add"].specialize(inputs, [output], {}) is np.add
