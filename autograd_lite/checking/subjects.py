"""What can be checked, brought to one form: a map of real vectors and its transposed derivative.

A `Subject` evaluates F: ℝⁿ → ℝᵐ, and pulls a cotangent v back to what the code
under test says is Jᵀv.  Everything after this file knows only subjects: functions
of the engine, and models, which are anything with ``named_parameters()``, checked in every
parameter by name; derivatives written by hand are in `by_hand`, of other libraries in `foreign`.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from copy import copy, deepcopy
from functools import cached_property, wraps
from typing import Any

import numpy as np

from autograd_lite.checking.directions import signs
from autograd_lite.checking.layout import Layout, Vector, paths, unwrap
from autograd_lite.checking.verdict import Exhausted, Finding, Verdict
from autograd_lite.core import tree
from autograd_lite.core.backward import conjugate
from autograd_lite.core.duck_arrays import is_device_array
from autograd_lite.core.errors import ArgumentTypeError, ArgumentValueError, AutogradError
from autograd_lite.core.foreign_arrays import check_ordinary
from autograd_lite.core.node import Node, data_of, operand_of
from autograd_lite.core.primitive import Primitive
from autograd_lite.core.pullback import Pullback
from autograd_lite.core.recorder import no_grad
from autograd_lite.core.tree import flatten, unflatten
from autograd_lite.core.value import Value
from autograd_lite.transforms.functions import vjp
from autograd_lite.transforms.trace import Trace

__all__ = [
    "EVALUATIONS_EACH",
    "RESERVE",
    "WITHOUT_CONJUGATES",
    "EngineFunction",
    "Model",
    "RecordedSubject",
    "Subject",
    "argument_names",
    "function_name",
    "is_model",
    "only_varied",
    "pullback_of",
    "resolution_of",
    "smallest_of",
    "with_parts",
]

Function = Callable[..., Any]

EVALUATIONS_EACH = 6
"""What the numerical derivative by one input costs."""

RESERVE = 40
"""Evaluations kept for the questions that come after these measurements."""


WITHOUT_CONJUGATES = "leave np.conj out of the rule, in which gradients have no conjugate"
WITH_CONJUGATES = "multiply the upstream gradient by the conjugate (np.conj) of the derivative"
"""How rules of complex numbers are written in this library, and by hand."""


def function_name(function: Any) -> str:
    """What to call a function in a report."""
    if isinstance(function, Primitive):
        return function.name
    name = getattr(function, "__name__", None) or getattr(function, "name", None)
    return str(name or type(function).__name__)


def argument_names(function: Any, count: int) -> list[str]:
    """The names of the positional arguments, as far as Python can tell them."""
    function = inspect.unwrap(function)
    target = function.forward if isinstance(function, Primitive) else function
    try:
        parameters = list(inspect.signature(target).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [p.name for p in parameters if p.kind in kinds][:count]
    return names + [f"argument {i}" for i in range(len(names), count)]


def arrays_among(nesting: Any) -> list[Any]:
    """The arrays of a nesting."""
    return [leaf for leaf in flatten(nesting) if isinstance(leaf, np.ndarray)]


class Subject(ABC):
    """A function with its arguments, seen as F: ℝⁿ → ℝᵐ at a point x.

    Attributes
    ----------
    name : str
    inputs, outputs : Layout
        Where the arguments and results lie in their vectors.
    x, value : Vector
        The point, and F there.
    resolution : float
        The relative rounding error of the values of F.
    smallest : float
        The smallest number that a value of F can differ by.
    gradient_resolution : float
        The relative rounding error of what was last pulled back.
    gradient_smallest : float
        The smallest number that it can hold beside zero.
    evaluations, most : int
        How often F has been computed, and how often it may be.
    border : Exception or None
        What F raised at a point near x.
    """

    value: Vector
    outputs: Layout
    gradient_resolution = 2.0**-52
    gradient_smallest = 5e-324
    most = 300
    what_cuts = ".data, detach, no_grad"
    """What cuts a result off from its inputs."""
    on_conjugates = WITH_CONJUGATES
    """What to write, where a derivative is the complex conjugate of the true one."""

    def __init__(
        self, name: str, args: Sequence[Any], names: Sequence[str], varied: Sequence[int]
    ) -> None:
        self.name = name
        self.args = list(args)
        self.varied = list(varied)
        trees = [self.args[index] for index in varied]
        leaf_names = [
            path
            for index, part in zip(varied, trees, strict=True)
            for path in paths(part, names[index])
        ]
        leaves = flatten(trees)
        for leaf, leaf_name in zip(leaves, leaf_names, strict=True):
            check_ordinary(leaf, f"gradcheck: {leaf_name} of {name}")
            require_float(name, leaf, leaf_name)
        self.inputs = Layout(trees, leaves, leaf_names)
        if not self.inputs.size and trees:
            raise ArgumentValueError(
                f"gradcheck: no number is in the arguments of {name} to differentiate with respect "
                f"to ({', '.join(map(repr, trees))}); pass numbers, or arrays that are not empty"
            )
        if not self.inputs.size:
            raise ArgumentValueError(
                f"gradcheck: {name} was given no number to differentiate with respect to; "
                f"pass its arguments after it, as in ag.gradcheck({name}, x)"
            )
        self.x = self.inputs.vector(leaves)
        for place in np.flatnonzero(~np.isfinite(self.x)):
            raise ArgumentValueError(
                f"gradcheck: {self.inputs.entry(int(place))} of {name} is {self.x[place]}; "
                "check at a point of finite numbers"
            )
        self.evaluations = 0
        self.border: Exception | None = None
        self.when_evaluated: Callable[[], object] = lambda: None

    def start(self) -> None:
        """Evaluate at x, which shows what the results look like."""
        results = self._results(self.inputs.arrays(self.x))
        leaves = flatten(results)
        names = list(paths(results, "result"))
        if not leaves:
            raise ArgumentTypeError(
                f"gradcheck: {self.name} returned {results!r}; it must return numbers or arrays"
            )
        for leaf, leaf_name in zip(leaves, names, strict=True):
            require_number(self.name, leaf, leaf_name)
        self.outputs = Layout(results, leaves, names)
        self.value = self.outputs.vector(leaves)
        self.evaluations += 1
        self.resolution = resolution_of(self.outputs.leaves)
        self.smallest = smallest_of(self.outputs.leaves)

    @property
    def remaining(self) -> int:
        """How often F may still be computed."""
        return max(self.most - self.evaluations, 0)

    @property
    def affordable(self) -> int:
        """In how many inputs the numerical derivative may still be measured, one by one."""
        return max(self.remaining - RESERVE, 0) // EVALUATIONS_EACH

    @property
    def can_measure_all(self) -> bool:
        """Whether it may be measured in every input; then no question is left for later."""
        return EVALUATIONS_EACH * self.x.size <= self.remaining

    def called_with(self, leaves: Sequence[Any]) -> list[Any]:
        """All arguments, with these leaves instead of those that vary."""
        return with_parts(self.args, self.varied, self.inputs.nest(leaves))

    def constants(self) -> list[Any]:
        """The arrays among the arguments that are not differentiated."""
        return arrays_among([self.args[i] for i in range(len(self.args)) if i not in self.varied])

    def evaluate(self, x: Vector) -> Vector:
        """F(x), computed in double precision where the function allows it; NaN where it raises."""
        try:
            return self.evaluate_leaves(self.inputs.arrays(x))
        except Finding:
            raise
        except Exception as error:  # a function of the user's may raise anything
            self.border = error
            return np.full(self.outputs.size, np.nan)

    def evaluate_leaves(self, arguments: Sequence[Any]) -> Vector:
        """F of these very arrays."""
        if not self.remaining:
            raise Exhausted(
                Verdict.NOISE,
                f"{self.evaluations} evaluations were not enough to decide; pass a larger "
                "max_evaluations=",
            )
        self.evaluations += 1
        self.when_evaluated()
        leaves = flatten(self._results(arguments))
        if [np.shape(unwrap(leaf)) for leaf in leaves] != [
            leaf.shape for leaf in self.outputs.leaves
        ]:
            raise Finding(
                Verdict.SHAPE, f"the shape of the result of {self.name} depends on its numbers"
            )
        return self.outputs.vector(leaves)

    def moved_to(self, x: Vector) -> Subject:
        """The same function at another point."""
        there = copy(self)
        there.x = x
        there.__dict__.pop("pullback", None)
        there.value = there.evaluate(x)
        return there

    def refuse_changes(self, what: str, leaves: Sequence[Any], x: Vector) -> None:
        """Refuse a function that wrote to these arrays, in which it was given x."""
        for place in np.flatnonzero(self.inputs.vector(leaves) != x):
            name = self.inputs.leaf_of(int(place)).name
            raise Finding(
                Verdict.MUTATED, f"{what} writes to its argument {name}; let it work on a copy"
            )

    @abstractmethod
    def pull(self, v: Vector, x: Vector | None = None) -> Vector:
        """What the code under test says is Jᵀv, at x or at another point."""

    def pull_each(self, rows: Vector, x: Vector | None = None) -> Vector:
        """The same for several cotangents."""
        return np.stack([self.pull(v, x) for v in rows])

    def as_gradient(self, gradients: Sequence[Any]) -> Vector:
        """One gradient for each input, as one vector."""
        arrays = [np.asarray(unwrap(g)) for g in gradients]
        self.gradient_resolution = resolution_of(arrays)
        self.gradient_smallest = smallest_of(arrays)
        return self.inputs.vector(gradients)

    def differentiated(self, rng: np.random.Generator) -> Subject:
        """Its analytic gradient as a subject, to check the derivative of one order more."""
        raise ArgumentValueError(
            f"gradcheck: only the first derivative of {self.name} was given; order=2 and 3 need "
            "a function that the engine differentiates"
        )

    @abstractmethod
    def _results(self, leaves: Sequence[Any]) -> Any:
        """What the function returns for these leaves."""


class RecordedSubject(Subject):
    """What the engine differentiates, and so the rules of its primitives."""

    on_conjugates = WITHOUT_CONJUGATES

    @abstractmethod
    def record(self, x: Vector) -> Pullback:
        """Call the function on Values and keep the graph."""

    @cached_property
    def pullback(self) -> Pullback:
        """The recorded call at x, which every sweep uses."""
        self.evaluations += 1
        return self.record(self.x)

    @property
    def recorded_value(self) -> Vector:
        """F(x) as it was recorded."""
        return self.outputs.vector([data_of(y) for y in self.pullback.outputs])

    def pull(self, v: Vector, x: Vector | None = None) -> Vector:
        pullback = self.pullback
        if x is not None:
            self.evaluations += 1
            pullback = self.record(x)
        with no_grad():
            gradients = pullback(self._cotangents(v))
        return self.as_gradient([conjugate(g) for g in gradients])

    def first_nonfinite(self) -> Node | None:
        """The first operation that made a NaN or infinity."""
        order = self.pullback.order
        return next((x for x in order if x.primitive and not is_finite(x.data)), None)

    def first_nonfinite_users(self, v: Vector) -> list[Node]:
        """The operations whose rules made the first NaN or infinity of the reverse sweep."""
        with no_grad(), np.errstate(all="ignore"):
            gradients = self.pullback.sweep(self._cotangents(v))
        for node in sorted(gradients, key=lambda node: -node.serial):
            if not is_finite(gradients[node]):
                users = self.pullback.order
                return [user for user in users if any(x is node for x in user.inputs)]
        return []

    def _cotangents(self, v: Vector) -> list[Any]:
        return [conjugate(g) for g in self.outputs.arrays(v, own_dtype=True)]


def pullback_of(inputs: Sequence[Any], outputs: Sequence[Any], since: int = 0) -> Pullback:
    """The sweep from Values to Values; nodes numbered below ``since`` are not entered."""
    return Pullback(list(map(operand_of, outputs)), [x.node for x in inputs], since)


def resolution_of(leaves: Sequence[Any]) -> float:
    """The relative rounding error of the coarsest floats among these."""
    floats = [leaf.dtype for leaf in leaves if leaf.dtype.kind in "fc"]
    return max((float(np.finfo(dtype).eps) for dtype in floats), default=2.0**-52)


def smallest_of(leaves: Sequence[Any]) -> float:
    """The smallest step between floats of the coarsest dtype among these."""
    floats = [leaf.dtype for leaf in leaves if leaf.dtype.kind in "fc"]
    return max((float(np.finfo(dtype).smallest_subnormal) for dtype in floats), default=5e-324)


def is_finite(data: Any) -> bool:
    """Whether all numbers are, in each of an operation's outputs if it has several."""
    parts = data if isinstance(data, tuple) else (data,)
    return all(part is None or bool(np.all(np.isfinite(part))) for part in parts)


class EngineFunction(RecordedSubject):
    """A function of Values, or a primitive.

    It is evaluated on plain arrays, so that what Values make of it is judged by what
    NumPy does; only what does not run on arrays is evaluated on Values.
    """

    def __init__(self, function: Function, args: Sequence[Any], varied: Sequence[int]) -> None:
        names = argument_names(function, len(args))
        super().__init__(function_name(function), args, names, varied)
        self.function = function
        self.lift: Callable[[Any], Any] = lambda leaf: leaf
        try:
            self.start()
        except (AttributeError, TypeError, AutogradError, Warning):
            self.lift = Value
            self.start()

    def _results(self, leaves: Sequence[Any]) -> Any:
        with no_grad():
            return self.function(*self.called_with([self.lift(leaf) for leaf in leaves]))

    def record(self, x: Vector) -> Pullback:
        trace = Trace(self.function, self.called_with(self.inputs.arrays(x)), self.varied)
        return pullback_of(trace.fresh, trace.outputs, trace.since)

    def differentiated(self, rng: np.random.Generator) -> Subject:
        seeds = self.outputs.arrays(signs(self.outputs.size, rng), own_dtype=True)
        cotangent = self.outputs.nest(seeds)
        return EngineFunction(
            gradient_of(self.function, self.varied, cotangent), self.args, self.varied
        )


def with_parts(args: Sequence[Any], varied: Sequence[int], parts: Sequence[Any]) -> list[Any]:
    """Arguments with others in the places of those that vary."""
    called = list(args)
    for index, part in zip(varied, parts, strict=True):
        called[index] = part
    return called


def only_varied(function: Function, args: Sequence[Any], varied: Sequence[int]) -> Function:
    """The function of some of its arguments, the others kept."""

    return lambda *parts: function(*with_parts(args, varied, parts))


def gradient_of(function: Function, varied: Sequence[int], cotangent: Any) -> Function:
    """The function that computes the gradients of ⟨cotangent, function⟩."""

    @wraps(function)
    def gradient(*args: Any) -> Any:
        inputs = (args[index] for index in varied)
        _, pullback = vjp(only_varied(function, args, varied), *inputs)
        return pullback(cotangent)

    gradient.__name__ = f"gradient of {function_name(function)}"
    return gradient


def is_model(function: Any) -> bool:
    """Whether something has named parameters to be checked."""
    return callable(getattr(function, "named_parameters", None))


class Model(RecordedSubject):
    """A model as a function of its parameters: a deep copy, which leaves the original as it is.

    With a loss it is ``loss(model(inputs), *targets)``, and inputs and targets
    are constants.  Without one it is ``model(*args)``, also as a function of
    those arguments that are floats.
    """

    def __init__(self, model: Any, args: Sequence[Any], loss: Callable[..., Any] | None) -> None:
        self.model, self.loss, self.data = deepcopy(model), deepcopy(loss), args
        named = [(name, p) for name, p in self.model.named_parameters() if p.requires_grad]
        self.values: list[Value] = [parameter for _, parameter in named]
        names = [name for name, _ in named]
        if loss is None:
            names += self._vary_inputs()
        if not names:
            raise ArgumentTypeError(
                f"gradcheck: {type(model).__name__} has no parameters that require a gradient; "
                "call a layer of unknown input size once, or unfreeze its parameters"
            )
        super().__init__(type(model).__name__, self.values, names, range(len(names)))
        self._hold(self.inputs.arrays(self.x))
        self.start()

    def _vary_inputs(self) -> list[str]:
        """Make Values of the inputs that are floats; return their names."""
        names, leaves = list(paths(list(self.data), "input")), flatten(list(self.data))
        varied = []
        for place, leaf in enumerate(leaves):
            if np.asarray(unwrap(leaf)).dtype.kind in "fc":
                leaves[place] = Value(unwrap(leaf))
                self.values.append(leaves[place])
                varied.append(names[place])
        self.data = unflatten(list(self.data), leaves)
        return varied

    def differentiated(self, rng: np.random.Generator) -> Subject:
        raise ArgumentValueError(
            f"gradcheck: {self.name} is a model, which is checked to the first order; for order=2 "
            "and 3 write a function of the numbers by which it is differentiated"
        )

    def constants(self) -> list[Any]:
        return arrays_among(list(self.data))

    def _hold(self, leaves: Sequence[Any]) -> None:
        """Give the Values other numbers; what was recorded of them before keeps its own."""
        for value, leaf in zip(self.values, leaves, strict=True):
            value.node = Node.leaf(leaf, True, value.label)

    def _call(self) -> Any:
        if self.loss is None:
            return self.model(*self.data)
        inputs, *targets = self.data
        return self.loss(self.model(inputs), *targets)

    def _results(self, leaves: Sequence[Any]) -> Any:
        self._hold(leaves)
        try:
            with no_grad():
                return tree.map(unwrap, self._call())
        finally:
            self._hold(self.inputs.arrays(self.x))

    def record(self, x: Vector) -> Pullback:
        self._hold(self.inputs.arrays(x))
        try:
            return pullback_of(self.values, flatten(self._call()))
        finally:
            self._hold(self.inputs.arrays(self.x))


def require_float(name: str, leaf: Any, leaf_name: str) -> None:
    data = unwrap(leaf)
    if is_device_array(data):
        raise ArgumentTypeError(
            f"gradcheck: {leaf_name} of {name} lies on a device, and differences are taken of "
            "NumPy's arrays; pass x.get(), or the numbers that it is made of"
        )
    kind = np.asarray(data).dtype.kind
    if isinstance(data, int) or kind not in "fc":
        what = "an integer" if kind in "iu" else f"of dtype {np.asarray(data).dtype}"
        raise ArgumentTypeError(
            f"gradcheck: {leaf_name} of {name} is {what}, which has no derivative; convert it "
            "to float, or name the arguments to check with argnum="
        )


def require_number(name: str, leaf: Any, leaf_name: str) -> None:
    if np.asarray(unwrap(leaf)).dtype.kind not in "fciub":
        raise ArgumentTypeError(
            f"gradcheck: {leaf_name} of {name} is {type(leaf).__name__}; "
            "it must return numbers or arrays"
        )
