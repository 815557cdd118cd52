"""Containers of every kind as arguments and results of every transform."""

from __future__ import annotations

from collections import Counter, OrderedDict, UserDict, defaultdict, deque, namedtuple
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.core.tree import flatten, parts_of, unflatten

attrs = pytest.importorskip("attrs")

W, B = np.array([0.5, -1.5, 2.0]), 3.0


@dataclass
class Plain:
    w: Any
    b: Any


@dataclass(frozen=True, slots=True)
class Frozen:
    w: Any
    b: Any


@dataclass
class Marked:
    w: Any
    b: Any
    name: str = field(default="marked", metadata={"static": True})


@dataclass(kw_only=True)
class Derived(Plain):
    total: Any = field(init=False)

    def __post_init__(self) -> None:
        self.total = np.sum(self.w)


@attrs.define
class Attrs:
    w: Any
    _b: Any

    @property
    def b(self) -> Any:
        return self._b


@attrs.frozen
class FrozenAttrs:
    w: Any
    b: Any


class Named(NamedTuple):
    w: Any
    b: Any


class NamedAgain(namedtuple("NamedAgain", "w b")):
    """A subclass of a named tuple."""


class OwnDict(dict):  # type: ignore[type-arg]
    """A subclass of a dict."""


class OwnList(list):  # type: ignore[type-arg]
    """A subclass of a list."""


class OwnTuple(tuple):  # type: ignore[type-arg]
    """A subclass of a tuple."""


class OwnNamespace(SimpleNamespace):
    """A subclass of a namespace."""


class Registered:
    def __init__(self, w: Any, b: Any, name: str) -> None:
        self.w, self.b, self.name = w, b, name


ag.register_tree(
    Registered,
    lambda x: ((x.w, x.b), x.name),
    lambda name, parts: Registered(*parts, name),
)


def attribute(x: Any) -> tuple[Any, Any]:
    return x.w, x.b


def item(x: Any) -> tuple[Any, Any]:
    return x["w"], x["b"]


def in_order(x: Any) -> tuple[Any, Any]:
    return x[0], x[1]


CONTAINERS = {
    "tuple": (lambda w, b: (w, b), in_order),
    "list": (lambda w, b: [w, b], in_order),
    "dict": (lambda w, b: {"w": w, "b": b}, item),
    "OrderedDict": (lambda w, b: OrderedDict(w=w, b=b), item),
    "defaultdict": (lambda w, b: defaultdict(list, w=w, b=b), item),
    "Counter": (lambda w, b: Counter(w=w, b=b), item),
    "deque": (lambda w, b: deque([w, b], maxlen=2), in_order),
    "subclass of dict": (lambda w, b: OwnDict(w=w, b=b), item),
    "subclass of list": (lambda w, b: OwnList([w, b]), in_order),
    "subclass of tuple": (lambda w, b: OwnTuple([w, b]), in_order),
    "namespace": (lambda w, b: SimpleNamespace(w=w, b=b), attribute),
    "subclass of namespace": (lambda w, b: OwnNamespace(w=w, b=b), attribute),
    "NamedTuple": (Named, attribute),
    "subclass of namedtuple": (NamedAgain, attribute),
    "dataclass": (Plain, attribute),
    "frozen dataclass": (Frozen, attribute),
    "static field": (Marked, attribute),
    "derived field": (lambda w, b: Derived(w, b), attribute),
    "attrs": (Attrs, attribute),
    "frozen attrs": (FrozenAttrs, attribute),
    "registered": (lambda w, b: Registered(w, b, "third"), attribute),
    "nested": (lambda w, b: [Plain({"w": w}, Named(b, 0.0))], lambda x: (x[0].w["w"], x[0].b.w)),
}

every_container = pytest.mark.parametrize(
    ("make", "take"), CONTAINERS.values(), ids=CONTAINERS.keys()
)


def loss_of(take: Any) -> Any:
    def loss(x: Any) -> Any:
        w, b = take(x)
        return np.sum(w**3) * b**2

    return loss


GRADIENT = (3 * W**2 * B**2, 2 * B * np.sum(W**3))


def assert_like(found: Any, made: Any, take: Any, w: Any, b: Any) -> None:
    assert type(found) is type(made)
    for mine, wanted in zip(take(found), (w, b), strict=True):
        assert not isinstance(mine, ag.Value)
        np.testing.assert_allclose(mine, wanted, rtol=1e-13)


@every_container
def test_gradients_are_nested_as_their_argument(make: Any, take: Any) -> None:
    x = make(W, B)
    assert_like(ag.grad(loss_of(take))(x), x, take, *GRADIENT)
    value, gradient = ag.value_and_grad(loss_of(take))(x)
    assert value == pytest.approx(np.sum(W**3) * B**2)
    assert_like(gradient, x, take, *GRADIENT)


@every_container
def test_gradients_of_keyword_arguments(make: Any, take: Any) -> None:
    x = make(W, B)

    def loss(scale: float, *, parameters: Any) -> Any:
        return scale * loss_of(take)(parameters)

    gradient = ag.grad(loss, "parameters")(1.0, parameters=x)
    assert_like(gradient, x, take, *GRADIENT)


@every_container
def test_vjp_takes_and_gives_containers(make: Any, take: Any) -> None:
    x = make(W, B)

    def function(x: Any) -> Any:
        w, b = take(x)
        return make(w * b, np.sum(w))

    value, pullback = ag.vjp(function, x)
    assert_like(value, x, take, W * B, np.sum(W))
    (gradient,) = pullback(make(np.ones(3), 2.0))
    assert_like(gradient, x, take, B + 2 * np.ones(3), np.sum(W))


@every_container
def test_jvp_takes_and_gives_containers(make: Any, take: Any) -> None:
    x, tangent = make(W, B), make(np.array([1.0, 2.0, 3.0]), 0.5)

    def function(x: Any) -> Any:
        w, b = take(x)
        return make(w * b, np.sum(w))

    arguments = ((x,), (tangent,)) if isinstance(x, tuple) else (x, tangent)
    value, derivative = ag.jvp(function, *arguments)
    assert_like(value, x, take, W * B, np.sum(W))
    assert_like(derivative, x, take, np.array([1.0, 2.0, 3.0]) * B + W * 0.5, 6.0)


@every_container
def test_jacobians_of_containers(make: Any, take: Any) -> None:
    x = make(W, B)
    jacobian = ag.jacobian(lambda x: make(take(x)[0] * take(x)[1], 3.0))(x)
    assert type(jacobian) is type(x)
    rows, zeros = take(jacobian)
    assert_like(rows, x, take, B * np.eye(3), W)
    assert_like(zeros, x, take, np.zeros(3), 0.0)


@every_container
def test_second_derivatives_of_containers(make: Any, take: Any) -> None:
    x, v = make(W, B), make(np.array([1.0, 2.0, 3.0]), 0.5)
    hessian = ag.hessian(loss_of(take))(x)
    ww, wb = np.diag(6 * W * B**2), 6 * W**2 * B
    bb = 2 * np.sum(W**3)
    by_w, by_b = take(hessian)
    assert_like(by_w, x, take, ww, wb)
    assert_like(by_b, x, take, wb, bb)
    arguments = ((x,), (v,)) if isinstance(x, tuple) else (x, v)
    product = ag.hvp(loss_of(take), *arguments)
    product = product[0] if isinstance(x, tuple) else product
    direction = np.array([1.0, 2.0, 3.0])
    assert_like(product, x, take, ww @ direction + wb * 0.5, wb @ direction + bb * 0.5)


@every_container
def test_checkpoints_take_containers(make: Any, take: Any) -> None:
    block = ag.checkpoint(loss_of(take))
    gradient = ag.grad(lambda x: block(x) + 0.0)(make(W, B))
    assert_like(gradient, make(W, B), take, *GRADIENT)
    named = ag.checkpoint(lambda *, x: loss_of(take)(x))
    gradient = ag.grad(lambda x: named(x=x))(make(W, B))
    assert_like(gradient, make(W, B), take, *GRADIENT)


@every_container
def test_compiled_functions_take_and_give_containers(make: Any, take: Any) -> None:
    compiled = ag.compile(ag.grad(loss_of(take)))
    for factor in (1.0, 2.0, 0.5, 3.0):
        w, b = W * factor, B + factor
        gradient = compiled(make(w, b))
        assert_like(gradient, make(w, b), take, 3 * w**2 * b**2, 2 * b * np.sum(w**3))
    wider = np.arange(4.0)
    assert_like(compiled(make(wider, B)), make(wider, B), take, 3 * wider**2 * 9, 6 * 36.0)


@every_container
def test_gradcheck_takes_containers(make: Any, take: Any) -> None:
    assert ag.gradcheck(loss_of(take), make(W, B))


@every_container
def test_leaves_are_put_back_where_they_were(make: Any, take: Any) -> None:
    x = make(W, B)
    leaves = flatten(x)
    assert leaves[0] is W
    assert leaves[1] == B
    again = unflatten(x, leaves)
    assert type(again) is type(x)
    assert take(again)[0] is W


def test_what_else_belongs_to_a_container_stays() -> None:
    gradient = ag.grad(lambda d: d["a"] ** 2)(defaultdict(list, a=3.0))
    assert gradient.default_factory is list
    assert ag.grad(lambda d: d[0] ** 2)(deque([3.0], maxlen=7)).maxlen == 7
    assert ag.grad(loss_of(attribute))(Marked(W, B, "mine")).name == "mine"
    assert ag.grad(loss_of(attribute))(Registered(W, B, "mine")).name == "mine"
    own = OwnDict(w=W, b=B)
    own.note = "kept"
    assert ag.grad(loss_of(item))(own).note == "kept"


class Triple(tuple):  # type: ignore[type-arg]
    factor = 1.0


def test_a_namedtuple_is_one_argument_of_the_transforms_that_take_tuples_of_them() -> None:
    point, direction = Named(np.array([1.0, 2.0]), 3.0), Named(np.array([1.0, 0.0]), 0.5)

    def energy(x: Any) -> Any:
        return np.sum(x.w**2) * x.b

    value, slope = ag.jvp(energy, point, direction)
    assert (value, slope) == (15.0, 8.5)
    curved = ag.hvp(energy, point, direction)  # of w: 2 b dw + 2 w db; of b: 2 w dw
    assert type(curved) is Named
    np.testing.assert_array_equal(curved.w, [7.0, 2.0])
    assert curved.b == 2.0
    product = ag.ggnvp(lambda x: x.w * x.b, lambda r: np.sum(r**2) / 2, point, direction)
    np.testing.assert_array_equal(product.w, [10.5, 3.0])  # Jt J: of (3.5, 1.0), b times that
    assert product.b == 5.5


class Pair(namedtuple("Pair", "w b")):
    factor = 1.0


@pytest.mark.parametrize("state", [Triple((2.0, 3.0)), Pair(2.0, 3.0)])
def test_attributes_of_tuples_stay_and_make_other_programs(state: Any) -> None:
    def function(state: Any) -> Any:
        return state[0] ** 2 * state.factor

    compiled = ag.compile(function)
    for factor in (5.0, 7.0, 7.0):
        state.factor = factor
        value, slopes = ag.value_and_grad(function)(state)
        assert (value, tuple(slopes), slopes.factor) == (4 * factor, (4 * factor, 0.0), factor)
        assert compiled(state) == 4 * factor
        assert ag.jvp(function, (state,), (state,))[1] == 8 * factor
        leaves = (
            type(state)(*map(ag.Value, state))
            if type(state) is Pair
            else Triple(map(ag.Value, state))
        )
        leaves.factor = factor
        assert ag.checkpoint(function)(leaves).item() == 4 * factor


def test_fields_that_a_constructor_derives_follow_from_the_others() -> None:
    gradient = ag.grad(lambda x: x.total**2)(Derived(W, B))
    np.testing.assert_allclose(gradient.w, 2 * np.sum(W) * np.ones(3))


def test_static_parts_make_other_programs() -> None:
    @ag.compile
    def scaled(x: Any) -> Any:
        return x.w * len(x.name)

    for name in ("one", "three", "one", "fifteen", "three"):
        np.testing.assert_array_equal(scaled(Marked(W, B, name)), W * len(name))
        np.testing.assert_array_equal(scaled(Registered(W, B, name)), W * len(name))


def test_cotangents_and_tangents_find_their_parts_by_key() -> None:
    def function(x: Any) -> Any:
        return {"a": 2.0 * x, "b": 3.0 * x}

    _, pullback = ag.vjp(function, 1.0)
    assert pullback({"b": 10.0, "a": 1.0}) == (32.0,)
    _, tangent = ag.jvp(lambda d: d["a"] ** 2 * d["b"], {"a": 3.0, "b": 5.0}, {"b": 1.0, "a": 0.0})
    assert tangent == 9.0
    with pytest.raises(ag.ArgumentValueError, match="nest tangents like the arguments"):
        pullback({"a": 1.0, "c": 1.0})
    with pytest.raises(ag.ArgumentValueError, match="nest tangents like the arguments"):
        pullback({"a": 1.0})


class Opaque:
    def __init__(self, x: Any) -> None:
        self.x = x


class Slotted:
    __slots__ = ("x",)

    def __init__(self, x: Any) -> None:
        self.x = x


class Failing(tuple):  # type: ignore[type-arg]
    def __new__(cls, x: Any, y: Any) -> Failing:
        return super().__new__(cls, (x, y))


HIDING = {
    "object": Opaque,
    "slots": Slotted,
    "set": lambda x: {x},
    "frozenset": lambda x: frozenset([x]),
    "UserDict": lambda x: UserDict(x=x),
    "dict values": lambda x: {"x": x}.values(),
    "deep": lambda x: Opaque([{"x": Slotted(x)}]),
    "static field": lambda x: Marked(1.0, 2.0, x),
    "array of objects": lambda x: np.array([Opaque(x)], object),
    "generator": lambda x: (part for part in [x]),
}


@pytest.mark.parametrize("hide", HIDING.values(), ids=HIDING.keys())
def test_results_that_hide_a_value_are_refused(hide: Any) -> None:
    calls = [
        lambda: ag.vjp(lambda x: hide(x * 2.0), 3.0),
        lambda: ag.vjp(lambda x: (x, hide(x * 2.0)), 3.0),
        lambda: ag.jvp(lambda x: [hide(x * 2.0)], 3.0, 1.0),
        lambda: ag.jacobian(lambda x: {"a": hide(x * 2.0)})(3.0),
        lambda: ag.grad(lambda x: (x, hide(x * 2.0)), has_aux=True)(3.0),
        lambda: ag.compile(lambda x: hide(x * 2.0))(np.ones(3)),
    ]
    for call in calls:
        with pytest.raises(ag.AutogradError, match=r"ag\.register_tree|in a dict or set"):
            call()


@pytest.mark.parametrize("hide", [Opaque, Slotted, lambda x: {x}, lambda x: UserDict(x=x)])
def test_arguments_of_unknown_classes_are_refused(hide: Any) -> None:
    for x in (3.0, ag.Value(3.0)):
        for call in (
            lambda x=x: ag.grad(lambda y: 1.0)(hide(x)),
            lambda x=x: ag.vjp(lambda y: 1.0, [hide(x)]),
            lambda x=x: ag.jvp(lambda y: 1.0, hide(x), hide(x)),
            lambda x=x: ag.jacobian(lambda y: 1.0)({"a": hide(x)}),
        ):
            with pytest.raises(ag.ArgumentTypeError, match=r"ag\.register_tree"):
                call()


def test_an_unknown_object_beside_the_arguments_is_captured() -> None:
    w = ag.Value(3.0)
    gradient = ag.grad(lambda x, model: x**2 * model.x)(2.0, Opaque(w))
    gradient.backward()
    assert w.grad == 4.0


@pytest.mark.parametrize("hide", [Opaque, Slotted, lambda x: UserDict(x=x)])
def test_checkpoints_find_values_in_unknown_objects(hide: Any) -> None:
    block = ag.checkpoint(lambda box, y: np.sin(getattr(box, "x", None) or box["x"]) * y)
    gradient = ag.grad(lambda x: block(hide(x * 2.0), x))(0.7)
    assert gradient == pytest.approx(2 * np.cos(1.4) * 0.7 + np.sin(1.4), rel=1e-14)


def test_a_field_that_is_no_number_is_to_be_marked() -> None:
    with pytest.raises(ag.ArgumentTypeError, match=r'field\(metadata=\{"static": True\}\)'):
        ag.grad(loss_of(attribute))(Plain(W, np.sin))


def test_old_values_may_lie_in_an_aux() -> None:
    model = Opaque(ag.Value(3.0))
    gradient, aux = ag.grad(lambda x: (x**2, model), has_aux=True)(2.0)
    assert gradient == 4.0
    assert aux is model


def test_classes_that_cannot_be_made_anew_are_refused() -> None:
    with pytest.raises(ag.ArgumentTypeError) as caught:
        ag.grad(lambda x: x[0] * x[1])(Failing(1.0, 2.0))
    assert str(caught.value).endswith(
        "say how it is made with ag.register_tree(Failing, flatten, unflatten)"
    )
    ag.register_tree(Failing, lambda x: (tuple(x), None), lambda _, parts: Failing(*parts))
    assert ag.grad(lambda x: x[0] * x[1])(Failing(1.0, 2.0)) == Failing(2.0, 1.0)


def test_wrong_registrations_are_refused() -> None:
    for kind in (np.ndarray, float, ag.Value, np.float32):
        with pytest.raises(ag.ArgumentTypeError, match="pass the class of what holds them"):
            ag.register_tree(kind, lambda x: ((x,), None), lambda _, parts: parts[0])
    with pytest.raises(ag.ArgumentTypeError, match="register_tree: unflatten is None; pass a fun"):
        ag.register_tree(type("Mine", (), {}), vars, None)  # type: ignore[arg-type]
    with pytest.raises(ag.ArgumentTypeError, match="is not a class"):
        ag.register_tree(Opaque(1), lambda x: ((), None), lambda a, b: None)  # type: ignore[arg-type]

    class Wrong:
        """Its flatten forgets what else belongs to it."""

    ag.register_tree(Wrong, lambda x: (1.0,), lambda a, b: Wrong())  # type: ignore[arg-type,return-value]
    with pytest.raises(ag.ArgumentTypeError, match="it must return a pair"):
        ag.grad(lambda x: 1.0)(Wrong())


def test_classes_themselves_are_leaves() -> None:
    assert parts_of(Plain) is None
    assert parts_of(Attrs) is None
