"""Solutions of equations: their derivatives by the implicit function theorem.

Of F(x(θ), θ) = 0 the derivative by θ is ∂F/∂x · dx/dθ = -∂F/∂θ, however x was found: for a
gradient g with respect to x one system is solved, (∂F/∂x)ᵀ w = g, and -w is pulled back through
F by θ (A. Griewank, A. Walther, "Evaluating Derivatives", 2nd ed. 2008, chapter 15).  The rule
is made of transforms of F at the solution, and so are its own derivatives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import wraps
from typing import Any, Literal, NamedTuple

import numpy as np

from autograd_lite.core.errors import (
    ArgumentTypeError,
    ArgumentValueError,
    MissingOptionError,
    NonFiniteError,
    UnsupportedError,
)
from autograd_lite.core.leaving import call_differentiated
from autograd_lite.core.node import Handle, Node, data_of, operand_of
from autograd_lite.core.pullback import Pullback
from autograd_lite.core.recorder import EAGER, current, recording, using
from autograd_lite.core.refusals import Attempt
from autograd_lite.core.tree import flatten, unflatten
from autograd_lite.ops.define import RowByRow
from autograd_lite.transforms.batching import Batch, Batched, rows_of
from autograd_lite.transforms.checkpoint import fresh_value
from autograd_lite.transforms.functions import vjp

__all__ = ["implicit", "pulled_back"]

Function = Callable[..., Any]
Method = Literal["dense", "gmres"]

METHODS = ("dense", "gmres")


def implicit(
    residual: Function, *, method: Method = "dense", tolerance: float = 1e-3
) -> Callable[[Function], Function]:
    """Differentiate what a solver returns by the equation that it fulfils.

    The solver may be any code that takes plain numbers: SciPy's, a loop, a library in C.  It
    is called once, without gradient; derivatives of any order come from the residual.

    Parameters
    ----------
    residual
        Called as ``residual(x, *args, **kwargs)`` with what the solver returned and with its
        arguments; NumPy code that returns as many real numbers as there are in ``x``, all of
        them zero at the solution.  What it reads is to be among the arguments.
    method
        How the linear system of the gradient is solved: "dense" makes the Jacobian of the
        residual, "gmres" needs only its products with vectors, and SciPy.
    tolerance
        The solution is refused where the residual is larger than what a change of ``x`` by so
        much, relative or absolute, makes of it.

    Returns
    -------
    callable
        A decorator for the solver.  Its arguments may be nested containers, and so may be
        what it returns: a number, an array, or a nesting of them.

    Raises
    ------
    ArgumentTypeError
        If ``residual`` is not callable.
    ArgumentValueError
        If ``method`` is unknown; in the call, if the residual has another number of elements
        than ``x`` or is not zero there; in the sweep, if its Jacobian is singular.
    UnsupportedError
        In the call, if the solver or the residual reads a Value that is not an argument, or the
        solution is complex.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> @ag.implicit(lambda x, a: x * np.exp(x) - a)
    ... def lambert(a):
    ...     x = np.log1p(a)
    ...     for _ in range(20):
    ...         x -= (x - a * np.exp(-x)) / (1 + x)
    ...     return x
    >>> round(ag.grad(lambert)(1.0), 6), round(ag.grad(ag.grad(lambert))(1.0), 6)
    (0.361896, -0.214541)
    """
    if not callable(residual):
        raise ArgumentTypeError(
            f"implicit: residual is {type(residual).__name__}; write @ag.implicit(residual) with "
            "a function residual(x, *args) above the solver"
        )
    if method not in METHODS:
        raise ArgumentValueError(
            f"implicit: method is {method!r}; pass {' or '.join(map(repr, METHODS))}"
        )

    def decorate(solver: Function) -> Function:
        @wraps(solver)
        def solve(*args: Any, **kwargs: Any) -> Any:
            leaves = flatten([args, kwargs])
            if not any(isinstance(leaf, Handle) for leaf in leaves):
                return solver(*args, **kwargs)
            equation = Equation(residual, solver, method, tolerance, [args, kwargs])
            return equation.solution(leaves)

        return solve

    return decorate


class Equation:
    """One call of a solver: F(x, θ) = 0, with the numbers in its arguments as θ."""

    def __init__(
        self, residual: Function, solver: Function, method: Method, tolerance: float, trees: Any
    ) -> None:
        self.residual = residual
        self.solver = solver
        self.method = method
        self.tolerance = tolerance
        self.trees = trees
        """The arguments in their nesting: positional ones, and those by keyword."""
        self.name: str = getattr(solver, "__name__", "the solver")
        self.form: Form | None = None
        """The nesting and shapes of the solution, known once the solver was called."""

    def solution(self, leaves: Sequence[Any]) -> Any:
        """What the solver returns, as Values."""
        varied = [i for i, leaf in enumerate(leaves) if has_derivative(leaf)]

        def rule(g: Any, out: Any, *inputs: Any) -> list[Any]:
            gradients: list[Any] = [None] * len(inputs)
            for place, found in zip(varied, self.pull(g, out, inputs, varied), strict=True):
                gradients[place] = found
            return gradients

        def forward(*leaves: Any) -> Any:
            return self.solve(leaves)

        forward.__name__ = self.name  # as a program calls it
        made = RowByRow(forward, joint=rule)(*leaves)
        assert self.form is not None
        return self.form.nested(made)

    def solve(self, leaves: Sequence[Any]) -> Any:
        """The solution in one array, computed of plain numbers."""
        args, kwargs = unflatten(self.trees, leaves)
        with using(EAGER):
            tree = self.solver(*args, **kwargs)
            if any(isinstance(leaf, Handle) for leaf in flatten([tree])):
                raise UnsupportedError(reads_a_value(self.name, "the solver"))
            self.form = Form.of(tree, self.name)
            x = self.form.packed(tree)
            self.check(x, lambda x: self.at(np.copy(x)[()], leaves))  # which it may write into
        return x

    def at(self, x: Any, leaves: Sequence[Any]) -> Any:
        """The residual as one vector."""
        assert self.form is not None
        args, kwargs = unflatten(self.trees, leaves)
        found = flatten([self.residual(self.form.nested(x), *args, **kwargs)])
        shapes = [np.shape(part) for part in found]
        count = sum(map(size_of, shapes))
        if count != np.size(x):
            raise ArgumentValueError(
                f"{self.name}: the residual returned shape {text_of(shapes)}, but the solution has "
                f"shape {text_of(self.form.shapes)}; return as many equations as there are unknowns"
            )
        return joined(found)

    def check(self, x: Any, function: Function) -> None:
        """Refuse what does not fulfil the equation: its derivative would be that of nothing.

        Measured by what a small change of x, relative or absolute, does to the residual.
        """
        with np.errstate(all="ignore"):
            found = function(x)
            if isinstance(found, Handle):
                raise UnsupportedError(reads_a_value(self.name, "the residual"))
            if np.iscomplexobj(x) or np.iscomplexobj(found):
                raise UnsupportedError(
                    f"{self.name}: the solution or the residual is complex; solve for the real "
                    "and the imaginary part"
                )
            size = np.max(np.abs(found), initial=0.0)
            if size == 0:
                return
            # Weights without any relation, so that the changes of two unknowns do not cancel.
            weights = 0.5 + np.modf(0.6180339887498949 * np.arange(1, 1 + np.size(x)))[0]
            weights = self.tolerance * np.reshape(weights, np.shape(x))
            steps = [scale * weights for scale in (np.maximum(np.abs(x), np.mean(np.abs(x))), 1.0)]
            changes = [change(function, x + step, found) for y in steps for step in (y, -y)]
            known = [y for y in changes if np.isfinite(y)]
            allowed = max(known, default=np.inf)  # nothing is said where x has no neighbours
        if not (np.isfinite(size) and size <= allowed):
            raise ArgumentValueError(
                f"{self.name}: the residual is not zero at the solution: it is {size:.3g}, and a "
                f"change of x by {self.tolerance:g} makes a difference of {allowed:.3g}; "
                "let the solver converge, or correct the residual"
            )

    def pull(self, g: Any, out: Any, inputs: Sequence[Any], varied: Sequence[int]) -> list[Any]:
        """The gradients with respect to some of the inputs, for that with respect to x."""

        def function(x: Any, *numbers: Any) -> Any:
            leaves = list(inputs)
            for place, number in zip(varied, numbers, strict=True):
                leaves[place] = number
            return self.at(x, leaves)

        numbers = [inputs[place] for place in varied]
        equations, (by_x, *by_numbers), since = on_fresh_values(function, (out, *numbers))
        recorder = current.get()
        is_recorded = recorder.is_recording and any(map(is_handle, (g, out, *inputs)))
        if self.method == "dense":
            pullback = Pullback([equations], [by_x], since)
            matrix = rows(pullback, np.size(out), is_recorded or recorder.trace is not None)
            w = solve_regular(np.swapaxes(matrix, 0, 1), np.reshape(g, (-1,)))
        else:
            w = matrix_free_solution(self.name, function, g, out, numbers)
        return Pullback([equations], by_numbers, since)([-w], recorded=is_recorded)


def on_fresh_values(function: Function, inputs: Sequence[Any]) -> tuple[Any, list[Node], int]:
    """What a function gives of fresh Values, as an operand; their nodes; and since when.

    For rules, which run when no transform calls a function any more: a number that leaves the
    graph in it is refused here too.
    """
    with recording(True):
        fresh = [fresh_value(x) for x in inputs]
        nodes = [x.node for x in fresh]
        made = call_differentiated(function, fresh, nodes)
    return operand_of(made), nodes, nodes[0].serial


def pulled_back(
    function: Function, inputs: Sequence[Any], places: Sequence[int], g: Any
) -> list[Any]:
    """The gradients of <g, function(*inputs)> for the inputs in some places, in a rule."""

    def of_places(*numbers: Any) -> Any:
        everything = list(inputs)
        for place, x in zip(places, numbers, strict=True):
            everything[place] = x
        return function(*everything)

    output, nodes, since = on_fresh_values(of_places, [inputs[place] for place in places])
    pullback = Pullback([output], nodes, since)
    is_read = pullback.reaches_older or any(map(is_handle, (g, *inputs)))
    return pullback([g], recorded=current.get().is_recording and is_read)


def is_handle(x: Any) -> bool:
    return isinstance(x, Handle)


def rows(pullback: Pullback, count: int, recorded: bool) -> Any:
    """The Jacobian matrix of a vector by one input: all rows at once, or one after the other."""
    units = np.eye(count, dtype=getattr(data_of(pullback.outputs[0]), "dtype", np.float64))
    batch = Batch(count)
    lift = (lambda x: Batched(x, batch, stacked=False)) if recorded else None
    # A rule of the user's may fail in any way on what is not a plain array.
    with Attempt():
        (found,) = pullback([Batched(units, batch)], recorded=recorded, lift=lift)
        return np.reshape(rows_of(found, batch), (count, count))
    found = [np.reshape(pullback([unit], recorded=recorded)[0], (count,)) for unit in units]
    return np.stack(found) if count else units


def change(function: Function, x: Any, found: Any) -> float:
    """How much a function differs elsewhere; NaN where it has no value, or refuses to have one."""
    with suppress(ArithmeticError, ValueError):
        return float(np.max(np.abs(function(x) - found), initial=0.0))
    return np.nan


class Form(NamedTuple):
    """The nesting and shapes of a solution that lies in one array."""

    tree: Any
    shapes: list[tuple[int, ...]]

    @classmethod
    def of(cls, tree: Any, name: str) -> Form:
        leaves = flatten([tree])
        if not leaves or not all(is_real_or_complex(leaf) for leaf in leaves):
            kinds = ", ".join(type(leaf).__name__ for leaf in leaves) or "nothing"
            raise ArgumentTypeError(
                f"{name} returned {kinds}; return a floating-point number or array, or a nesting "
                "of them"
            )
        return cls(tree, list(map(np.shape, leaves)))

    @property
    def is_one(self) -> bool:
        """Whether the solution is not a container: it lies there as it is."""
        return len(self.shapes) == 1

    def packed(self, tree: Any) -> Any:
        leaves = flatten([tree])
        return leaves[0] if self.is_one else joined(leaves)

    def nested(self, x: Any) -> Any:
        if self.is_one:
            return unflatten([self.tree], [x])[0]
        ends = np.cumsum([size_of(shape) for shape in self.shapes])
        parts = [
            np.reshape(x[end - size_of(shape) : end], shape)
            for end, shape in zip(ends.tolist(), self.shapes, strict=True)
        ]
        return unflatten([self.tree], parts)[0]


def size_of(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=int))


def joined(parts: Sequence[Any]) -> Any:
    """Arrays and numbers as one vector."""
    vectors = [np.reshape(part, (-1,)) for part in parts]
    return vectors[0] if len(vectors) == 1 else np.concatenate(vectors)


def text_of(shapes: Sequence[tuple[int, ...]]) -> str:
    return str(shapes[0]) if len(shapes) == 1 else f"of its parts {', '.join(map(str, shapes))}"


def is_real_or_complex(x: Any) -> bool:
    dtype = getattr(x, "dtype", None)
    return isinstance(x, (float, complex)) if dtype is None else dtype.kind in "fc"


def has_derivative(leaf: Any) -> bool:
    return isinstance(leaf, Handle) and is_real_or_complex(leaf)


def reads_a_value(name: str, what: str) -> str:
    return (
        f"{name}: {what} reads a Value from outside, and its gradient would be lost; pass it as "
        f"an argument of {name}"
    )


# The linear system of the gradient, solved with a matrix or without.


def regular_solve(matrix: Any, b: Any) -> Any:
    """The solution of a linear system whose matrix is not a singular one, to rounding."""
    if not (np.all(np.isfinite(matrix)) and np.all(np.isfinite(b))):
        raise NonFiniteError(
            "implicit: the Jacobian of the residual, or the gradient with respect to the "
            "solution, is not finite there; move the arguments to where the residual is smooth"
        )
    condition = np.linalg.cond(matrix, 1) if len(matrix) else 1.0
    if not condition * np.finfo(np.result_type(matrix)).eps < 1:
        raise ArgumentValueError(
            "implicit: the Jacobian of the residual with respect to the solution is singular "
            f"(condition number {condition:.2g}), so that the solution is not a "
            "differentiable function of the arguments; add the equations that determine it"
        )
    return np.linalg.solve(matrix, b)


def regular_solve_vjp(g: Any, out: Any, matrix: Any, b: Any) -> list[Any]:
    w = solve_regular(np.swapaxes(matrix, 0, 1), g)
    return [-w[:, None] * out[None, :], w]


solve_regular = RowByRow(regular_solve, joint=regular_solve_vjp, name="solve", builtin=True)


def matrix_free_solution(
    name: str, function: Function, g: Any, x: Any, numbers: Sequence[Any]
) -> Any:
    """w of (∂F/∂x)ᵀ w = g by products with the Jacobian: itself the solution of an equation."""

    def product(w: Any, x: Any, *numbers: Any) -> Any:
        return np.reshape(vjp(lambda x: function(x, *numbers), x)[1](w)[0], np.shape(w))

    def residual(w: Any, g: Any, x: Any, *numbers: Any) -> Any:
        return product(w, x, *numbers) - np.reshape(g, np.shape(w))

    @implicit(residual, method="gmres")
    @wraps(function)
    def solve(g: Any, x: Any, *numbers: Any) -> Any:
        pullback = vjp(lambda x: function(x, *numbers), x)[1]
        return by_gmres(name, lambda w: np.ravel(pullback(w)[0]), np.ravel(g))

    solve.__name__ = name
    return solve(g, x, *numbers)


def by_gmres(name: str, product: Function, b: Any) -> Any:
    try:
        from scipy.sparse.linalg import LinearOperator, gmres
    except ImportError as error:
        raise MissingOptionError(
            'implicit: method="gmres" needs SciPy, which is not installed; install it with: '
            "pip install 'autograd-lite[scipy]', or pass method=\"dense\""
        ) from error
    count = len(b)
    operator = LinearOperator((count, count), matvec=product, dtype=b.dtype)
    w, failure = gmres(operator, b, rtol=1e-12, atol=0.0, restart=min(count, 100), maxiter=100)
    left = np.linalg.norm(product(w) - b)
    if failure and not left <= 1e-8 * np.linalg.norm(b):
        raise ArgumentValueError(
            f"{name}: gmres did not solve the linear system of the gradient (a residual of "
            f'{left:.2g} is left), whose matrix may be singular; pass method="dense", which '
            "says if it is"
        )
    return w
