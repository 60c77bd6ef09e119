"""What users call for gradients: results, second order, and errors when nothing connects."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from lamina.autodiff import Tape
from lamina.errors import ArgumentError, ArgumentTypeError, DTypeError, GradientError, ShapeError
from lamina.runtime.listeners import listening


def test_grad() -> None:
    assert lamina.grad(lambda x: x * x * x)(2.0).item() == 12.0
    assert lamina.grad(lambda x: x * x)(lamina.tensor([1.0, 2.0])).tolist() == [2.0, 4.0]
    assert lamina.grad(lambda x: x * x)(3).item() == 6.0


def test_dy_weighs_the_results() -> None:
    assert lamina.grad(lambda x: x * x)([1.0, 2.0], [10.0, 100.0]).tolist() == [20.0, 400.0]
    with pytest.raises(ShapeError, match=r"dy has shape \(3,\)"):
        lamina.grad(lambda x: x * x)([1.0, 2.0], [1.0, 2.0, 3.0])


def test_grads_and_values() -> None:
    assert [g.item() for g in lamina.grads(lambda a, b: a * a * b)([2.0, 3.0])] == [12.0, 4.0]
    value, gradient = lamina.value_and_grad(lambda x: x * x)(3.0)
    assert (value.item(), gradient.item()) == (9.0, 6.0)
    value, gradients = lamina.value_and_grads(lambda a, b: a * b)([2.0, 3.0])
    assert (value.item(), [g.item() for g in gradients]) == (6.0, [3.0, 2.0])


def test_one_tensor_for_two_arguments_gets_two_gradients() -> None:
    x = lamina.tensor(3.0)
    assert [g.item() for g in lamina.grads(lambda a, b: a * a + b)([x, x])] == [6.0, 1.0]


def test_a_mixed_expression_to_second_order() -> None:
    second = lamina.grad(lamina.grad(lambda x: x * lamina.sigmoid(x)))
    assert second(1.0).item() == pytest.approx(0.30236, abs=1e-5)
    assert lamina.grad(lamina.grad(lamina.silu))(1.0).item() == pytest.approx(0.30236, abs=1e-5)


def test_third_order_and_gradients_through_gradients() -> None:
    third = lamina.grad(lamina.grad(lamina.grad(lambda x: lamina.exp(x * 2.0))))
    assert third(0.0).item() == 8.0
    penalty = lamina.grad(lambda x: (lamina.grad(lambda t: (t**3).sum())(x) ** 2).sum())
    assert penalty([1.0, 2.0]).tolist() == [36.0, 288.0]


@pytest.mark.parametrize(
    ("a", "b"), [((2, 3), ()), ((2, 3), (3,)), ((2, 1), (1, 3)), ((4, 1, 3), (2, 1)), ((1,), (5,)), ((0, 3), (1, 3))]
)
def test_broadcasting_is_undone(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    x, y = np.full(a, 2.0, np.float32), np.full(b, 3.0, np.float32)
    da, db = lamina.grads(lambda p, q: (p * q).sum())([lamina.tensor(x), lamina.tensor(y)])
    total = np.broadcast_shapes(a, b)
    assert (da.shape, db.shape) == (a, b)
    np.testing.assert_allclose(da.numpy().sum(), 3.0 * np.prod(total))
    np.testing.assert_allclose(db.numpy().sum(), 2.0 * np.prod(total))


def test_dtypes_of_gradients_are_those_of_the_sources() -> None:
    x, y = lamina.tensor(np.ones(2, np.float32)), lamina.tensor(np.ones(2, np.float64))
    da, db = lamina.grads(lambda p, q: (p * q).sum())([x, y])
    assert (da.dtype, db.dtype) == ("float32", "float64")


def test_complex_gradients_point_uphill() -> None:
    """Re(z * conj(w)) rises fastest along w; |z|^2 along 2 z."""
    z = lamina.tensor(np.array([1.0 + 2.0j, -1.0j]))
    gradient = lamina.grad(lambda z: lamina.real(z * lamina.tensor(np.array([2.0 - 1.0j, 3.0]))).sum())(z)
    np.testing.assert_allclose(gradient.numpy(), [2.0 + 1.0j, 3.0])
    gradient = lamina.grad(lambda z: (lamina.abs(z) ** 2).sum())(z)
    np.testing.assert_allclose(gradient.numpy(), 2.0 * z.numpy(), atol=1e-12)


def test_stopped_gradients_count_for_nothing() -> None:
    assert lamina.grad(lambda x: x * lamina.stop_gradient(x))(3.0).item() == 3.0


UNCONNECTED: list[Any] = [
    lambda x: lamina.tensor(1.0) + lamina.tensor(2.0),
    lambda x: lamina.tensor(x.numpy() * 2.0),
    lambda x: x.cast("int32").cast("float32"),
    lambda x: lamina.stop_gradient(x) * 2.0,
]


@pytest.mark.parametrize("f", UNCONNECTED)
def test_unconnected_sources_are_errors(f: Any) -> None:
    with pytest.raises(GradientError) as caught:
        lamina.grad(f)(lamina.tensor([1.5]))
    assert "nothing connects the result of <lambda> to xs[0]." in str(caught.value)
    assert "Fix: leave that argument out, or check for numpy() or a cast" in str(caught.value)


def test_the_unconnected_one_is_named() -> None:
    with pytest.raises(GradientError, match=r"to xs\[1\]"):
        lamina.grads(lambda a, b: a * 2.0)([1.0, 2.0])


def test_integers_have_no_gradient() -> None:
    with pytest.raises(DTypeError, match=r"xs\[0\] has dtype int32"):
        lamina.grad(lambda x: x * 2)(lamina.tensor([1]))


def test_an_op_without_a_gradient_is_named() -> None:
    with pytest.raises(GradientError, match="the op 'argument_only' has no gradient with respect to 'x'"):
        lamina.grad(_argument_only())(1.0)


def _argument_only() -> Any:
    from lamina.ops import OPS
    from lamina.runtime.op import composite_op, same_as

    @composite_op(result=same_as())
    def argument_only(x: TensorLike, z: TensorLike) -> Any:  # type: ignore[name-defined]  # noqa: F821
        """x, as an op that has a gradient for z only."""
        return lamina.identity(x)

    @argument_only.gradient("z")
    def _(dy: Any) -> Any:
        return dy

    del OPS["argument_only"]
    return lambda x: argument_only(x, lamina.tensor(1.0))


@pytest.mark.parametrize("result", [None, 1.0, (lamina.tensor(1.0),)])
def test_the_result_must_be_a_tensor(result: Any) -> None:
    with pytest.raises(GradientError, match="Expected a Tensor"):
        lamina.grad(lambda x: result)(1.0)


def test_several_arguments_come_in_a_list() -> None:
    with pytest.raises(ArgumentTypeError, match="a list of tensors, one per argument"):
        lamina.grads(lambda a: a)(lamina.tensor([1.0]))


class TestVariableGrads:
    def test_every_trainable_variable_that_is_read(self) -> None:
        w, b = lamina.Variable(3.0, name="w"), lamina.Variable(1.0, name="b")
        frozen = lamina.Variable(2.0, trainable=False, name="frozen")
        value, gradients = lamina.variable_grads(lambda: w * w * frozen + b)
        assert value.item() == 19.0
        assert {name: _item(g) for name, g in gradients.items()} == {"w": 12.0, "b": 1.0}

    def test_a_list_limits_and_what_is_not_reached_is_none(self) -> None:
        w, other, frozen = (lamina.Variable(3.0, name=n) for n in ("w", "other", "frozen"))
        frozen.trainable = False
        _, gradients = lamina.variable_grads(lambda: w * w, [w, other, frozen])
        assert {name: _item(g) for name, g in gradients.items()} == {"w": 6.0, "other": None, "frozen": None}

    def test_a_variable_read_twice_gets_the_sum(self) -> None:
        w = lamina.Variable([1.0, 2.0], name="w")
        _, gradients = lamina.variable_grads(lambda: (w * 2.0).sum() + (w * w).sum())
        gradient = gradients["w"]
        assert gradient is not None
        assert gradient.tolist() == [4.0, 6.0]

    def test_the_result_must_be_a_scalar(self) -> None:
        w = lamina.Variable([1.0, 2.0])
        with pytest.raises(ShapeError, match=r"reduce it, for example with .mean\(\)"):
            lamina.variable_grads(lambda: w * w)

    def test_without_variables_there_is_nothing_to_do(self) -> None:
        with pytest.raises(GradientError, match="read no trainable Variable"):
            lamina.variable_grads(lambda: lamina.tensor(1.0) * 2.0)
        with pytest.raises(GradientError, match="none of the 1 Variables is trainable"):
            lamina.variable_grads(lambda: lamina.tensor(1.0), [lamina.Variable(1.0, trainable=False)])

    def test_nothing_that_was_read_leads_to_the_result(self) -> None:
        w = lamina.Variable(1.0)
        with pytest.raises(GradientError, match="nothing connects the result to the Variables"):
            lamina.variable_grads(lambda: lamina.tensor(w.numpy()) * 2.0)


def _item(gradient: Any) -> Any:
    return None if gradient is None else gradient.item()


class TestCustomGradient:
    def test_with_save(self) -> None:
        @lamina.custom_gradient
        def clipped(x: Any, save: Any) -> Any:
            save([x])
            return x * 1.0, lambda dy, saved: dy.clip(-1.0, 1.0) * saved[0]

        assert lamina.grad(lambda x: clipped(x) * 5.0)(2.0).item() == 2.0
        assert clipped(2.0).item() == 2.0

    def test_without_save_and_with_two_inputs(self) -> None:
        @lamina.custom_gradient
        def product(a: Any, b: Any) -> Any:
            return a * b, lambda dy: (dy * 10.0, dy * 100.0)

        assert [g.item() for g in lamina.grads(product)([2.0, 3.0])] == [10.0, 100.0]

    def test_an_input_may_be_the_value(self) -> None:
        @lamina.custom_gradient
        def reversed_gradient(x: Any) -> Any:
            return x, lambda dy: -dy

        assert lamina.grad(lambda x: reversed_gradient(x) + x * 3.0)(2.0).item() == 2.0

    def test_its_gradient_has_a_gradient(self) -> None:
        @lamina.custom_gradient
        def cube(x: Any, save: Any) -> Any:
            save([x])
            return x * x * x, lambda dy, saved: dy * 3.0 * saved[0] * saved[0]

        assert lamina.grad(lamina.grad(cube))(2.0).item() == 12.0

    def test_it_is_recorded(self) -> None:
        @lamina.custom_gradient
        def doubled(x: Any) -> Any:
            return x * 1.0, lambda dy: dy * 2.0

        step = lamina.function(lamina.grad(lambda x: doubled(x).sum()))
        for _ in range(4):
            assert step(lamina.tensor([1.0])).tolist() == [2.0]
        assert "replays" in step.explain()

    @pytest.mark.parametrize("returned", [1.0, (lamina.tensor(1.0),), (lamina.tensor(1.0), 2.0)])
    def test_a_pair_is_expected(self, returned: Any) -> None:
        with pytest.raises(GradientError, match="a pair"):
            lamina.custom_gradient(lambda x: returned)(1.0)

    def test_one_gradient_per_input(self) -> None:
        f = lamina.custom_gradient(lambda a, b: (a * b, lambda dy: dy))
        with pytest.raises(GradientError, match=r"returned 1 tensors\.\n  Expected 2"):
            lamina.grads(f)([1.0, 2.0])


def test_a_tape_keeps_only_what_depends_on_something_watched() -> None:
    tape = Tape(variables=())
    x, y = lamina.tensor(2.0), lamina.tensor(3.0)
    tape.watch(x)
    with listening(tape):
        ignored = y * y
        z = x * x
    assert [_item(g) for g in tape.gradients([z], [lamina.tensor(1.0)], [x, y])] == [4.0, None]
    assert [_item(g) for g in tape.gradients([ignored], [lamina.tensor(1.0)], [x])] == [None]


def test_a_listener_is_gone_after_an_exception() -> None:
    with pytest.raises(KeyError):
        lamina.grad(lambda x: {}[x])(1.0)
    from lamina.runtime.listeners import listeners

    assert listeners() == ()


def test_the_product_has_gradients_of_any_order_where_it_is_zero() -> None:
    """d2/dxi dxj of x0 x1 x2 is the third factor, zeros or not."""
    for x in ([2.0, 0.0, 3.0], [0.0, 0.0, 3.0], [2.0, 5.0, 3.0]):
        rows = [
            lamina.grad(lambda t, i=i: lamina.grad(lambda s: s.prod())(t)[i])(lamina.tensor(x)).tolist()
            for i in range(3)
        ]
        assert rows == [[0.0, x[2], x[1]], [x[2], 0.0, x[0]], [x[1], x[0], 0.0]]


X = lamina.tensor([1.0, 2.0])
S = lamina.Variable(1.0, name="s")


def _custom(rule: Any) -> Any:
    return lamina.custom_gradient(lambda x: (x * 2.0, rule))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: lamina.grad(3), ArgumentTypeError, "f is of type int."),
        (lambda: lamina.grads(None), ArgumentTypeError, "f is of type NoneType."),
        (lambda: lamina.variable_grads(S), ArgumentTypeError, "f is of type Variable."),
        (lambda: lamina.custom_gradient(1), ArgumentTypeError, "f is of type int."),
        (lambda: lamina.grads(lambda: X)([]), ArgumentError, "xs is empty."),
        (lambda: lamina.grad(lambda x: x)(None), ArgumentTypeError, "xs[0]: a NoneType is not a tensor."),
        (lambda: lamina.grad(lambda x: x)(X, {}), ArgumentTypeError, "dy: a dict is not a tensor."),
        (lambda: lamina.grad(lambda x: x)(X, ["a", "b"]), DTypeError, "dy has dtype string."),
        (lambda: lamina.grad(lambda x: x)(X, [1j, 1j]), DTypeError, "dy has dtype complex64."),
        (lambda: lamina.variable_grads(lambda: S * 1.0, S), ArgumentTypeError, "var_list is of type Variable."),
        (lambda: lamina.variable_grads(lambda: S * 1.0, [S, X]), ArgumentTypeError, "var_list[1] is of type Tensor."),
        (
            lambda: lamina.variable_grads(lambda: S * lamina.Variable(2.0, name="s")),
            ArgumentError,
            "two Variables are named 's'.",
        ),
        (
            lambda: lamina.grad(_custom(lambda dy: 3))(X),
            GradientError,
            "the gradient of <lambda> with respect to input 0 is of type int.",
        ),
        (
            lambda: lamina.grad(_custom(lambda dy: lamina.sum(dy)))(X),
            GradientError,
            "the gradient of <lambda> with respect to input 0 has shape ()",
        ),
        (
            lambda: lamina.grad(_custom(lambda dy: lamina.tensor([1, 2])))(X),
            GradientError,
            "the gradient of <lambda> with respect to input 0 has shape (2,) and dtype int32.",
        ),
        (
            lambda: lamina.custom_gradient(lambda x, save: (save(x), x)[1])(X),
            ArgumentTypeError,
            "save(tensors): tensors is something else.",
        ),
        (lambda: _custom(lambda dy: dy)(None), ArgumentTypeError, "<lambda>: argument 0: a NoneType is not a tensor."),
    ],
)
def test_what_is_wrong_is_named(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value).startswith(message)
