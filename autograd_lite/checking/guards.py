"""What must hold before derivatives are worth comparing.

The function and the rules give the same when run twice, write to none of
their arguments, and return finite numbers of the right shape and dtype; each
rule is linear in its upstream gradient.  After that forward mode must agree with reverse mode.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np

from autograd_lite.checking.analytic import AnalyticGradients
from autograd_lite.checking.by_hand import HandWritten
from autograd_lite.checking.comparison import norm
from autograd_lite.checking.directions import own_scale, signs
from autograd_lite.checking.layout import Vector
from autograd_lite.checking.lines import OutOfLines, within_lines
from autograd_lite.checking.subjects import (
    EngineFunction,
    RecordedSubject,
    Subject,
    only_varied,
    resolution_of,
    smallest_of,
)
from autograd_lite.checking.verdict import Finding, Hint, Verdict, described
from autograd_lite.core.backward import unbroadcast
from autograd_lite.core.errors import AutogradError
from autograd_lite.core.node import Node, data_of
from autograd_lite.core.primitive import Primitive
from autograd_lite.core.tree import flatten
from autograd_lite.transforms.custom import CustomFunction
from autograd_lite.transforms.functions import jvp

__all__ = [
    "inspect_forward",
    "inspect_function",
    "inspect_gradients",
    "inspect_linearity",
    "inspect_rules",
    "inspect_values",
]

Apply = Callable[[Any], Any]
"""A rule of its upstream gradient alone."""

MOST_RULES = 300
"""So many applications of primitives are inspected, those with new shapes first."""


LAST_DIGITS = 2.0**-26
"""Two runs that differ by less than this part differ in rounding, which counts as noise."""

FAR_BELOW = 2.0**-40
"""So does what is this far below the inputs, where values cancel."""

SINGLE = 1e-6
"""What is computed in single precision is off by less than this part."""

LARGE, SMALL = (2.0**48, 2.0**24, 2.0**7), 2.0**-20
"""Upstream gradients so large may be clipped, and so small ones taken for zero."""

MOST_LINES = 300_000
"""A rule that runs more lines with these is given up, as it may never come to an end."""

UNNOTICED = 2.0**-4
"""By this part of the tolerance of a derivative a rule may miss being linear."""

SPOILED = 1e-3
"""Of a tiny upstream gradient, a solver that stops at a tolerance may leave this part wrong."""

MULTIPLES = (3.0, 5.0, 7.0, 9.0, 11.0, 13.0)
"""Of upstream gradients, to see how a rule rounds."""

LAST_HALF = 2.0**-30
"""By this part they are changed, to see whether it rounds to single precision."""

MANY = 100.0
"""What exceeds so many times the rounding errors that were seen is no rounding error."""


def inspect_function(subject: Subject, nondeterminism: float) -> Vector:
    """Run the function again; refuse randomness, writing to arguments, NaN and infinity.

    Returns by how much the two runs differ, where that is little enough to be noise.
    """
    arguments = subject.inputs.arrays(subject.x)
    constants = [np.array(array) for array in subject.constants()]
    again = subject.evaluate_leaves(arguments)
    subject.refuse_changes(subject.name, arguments, subject.x)
    for before, after in zip(constants, subject.constants(), strict=True):
        if not np.array_equal(before, after, equal_nan=before.dtype.kind in "fc"):
            raise Finding(
                Verdict.MUTATED, f"{subject.name} writes to an argument that is not differentiated"
            )
    if not np.all(np.isfinite(subject.value)):
        place = int(np.flatnonzero(~np.isfinite(subject.value))[0])
        first = subject.first_nonfinite() if isinstance(subject, RecordedSubject) else None
        where = (
            f"; the first of them came from {application_text(first)}" if first is not None else ""
        )
        raise Finding(
            Verdict.NONFINITE, f"{subject.outputs.entry(place)} is {subject.value[place]}{where}"
        )
    with np.errstate(over="ignore"):
        gap = np.abs(again - subject.value)
    largest = float(np.max(np.abs(subject.value), initial=0.0))
    beside = FAR_BELOW * float(np.max(np.abs(subject.x)))
    random = np.flatnonzero(~(gap <= max(LAST_DIGITS * largest, beside, nondeterminism)))
    if random.size:
        place = int(random[0])
        raise Finding(
            Verdict.RANDOM,
            f"{subject.outputs.entry(place)} was {subject.value[place]:.6g} and then "
            f"{again[place]:.6g} for the same arguments; fix the random numbers (a seeded rng "
            "made inside the function), switch what draws them off, or allow for the difference "
            "with nondeterminism=",
        )
    return gap


def inspect_values(analytic: AnalyticGradients) -> None:
    """Refuse a function that computes something else on Values than on plain arrays."""
    subject = analytic.subject
    if not isinstance(subject, RecordedSubject):
        return
    on_values = subject.recorded_value
    with np.errstate(all="ignore"):
        gap = np.abs(analytic.cotangents.products(on_values - subject.value))
        size = np.abs(analytic.cotangents.products(subject.value))
    allowed = LAST_DIGITS * np.max(size, axis=1, initial=0.0) + 1e3 * analytic.noise
    wrong = np.flatnonzero(np.any(~(gap <= allowed[:, np.newaxis]), axis=0))
    if wrong.size:
        place = int(wrong[0])
        raise Finding(
            Verdict.VALUES,
            f"{subject.outputs.entry(place)} is {subject.value[place]:.9g} on plain arrays and "
            f"{on_values[place]:.9g} on Values, whose derivative is another one; write it "
            "with NumPy functions of its arguments and new arrays only, without buffers that "
            "outlive a call and writing through views",
        )


def application_text(node: Node) -> str:
    assert node.primitive is not None
    shapes = ", ".join(str(shape_of(x)) for x in node.inputs)
    return f"{node.primitive.name} of {shapes}"


def inspect_gradients(subject: Subject, cotangents: Vector, gradients: Vector) -> None:
    """Refuse gradients that are not finite, or differ when computed again."""
    arguments_before = subject.x.copy()
    with np.errstate(all="ignore"):
        again = subject.pull(cotangents[0])
    if not np.array_equal(arguments_before, subject.x):
        raise Finding(Verdict.MUTATED, "the derivative writes to the arguments of the function")
    bad = np.flatnonzero(~np.isfinite(gradients).all(axis=0))
    if bad.size:
        place = int(bad[0])
        value = gradients[~np.isfinite(gradients[:, place]), place][0]
        where = ""
        if isinstance(subject, RecordedSubject):
            blamed = subject.first_nonfinite_users(cotangents[0])
            users = sorted(set(map(application_text, blamed)))
            where = f"; it came from the rule of {' or '.join(users)}" if users else ""
        raise Finding(
            Verdict.NONFINITE,
            f"the analytic derivative with respect to {subject.inputs.entry(place)} is "
            f"{value}{where}",
        )
    gap = np.abs(again - gradients[0])
    beside = (
        FAR_BELOW
        * np.max(np.abs(subject.value), initial=0.0)
        / own_scale(subject.inputs, subject.x)
    )
    allowed = np.maximum(LAST_DIGITS * np.max(np.abs(gradients[0])), beside)
    random = np.flatnonzero(~(gap <= allowed))
    if random.size:
        place = int(random[0])
        raise Finding(
            Verdict.RANDOM,
            f"the analytic derivative with respect to {subject.inputs.entry(place)} was "
            f"{gradients[0][place]:.6g} and then {again[place]:.6g}: the rule draws random "
            "numbers, or writes to what it has saved",
        )


def inspect_rules(
    subject: RecordedSubject, rng: np.random.Generator, nondeterminism: float, rtol: float
) -> list[Hint]:
    """Apply every rule of a graph by itself.

    A wrong shape or dtype, randomness and writing to arguments are findings;
    what is wrong with the dependence on the upstream gradient comes back as hints.
    """
    hints: dict[str, Hint] = {}
    seen: set[Any] = set()
    for node in subject.pullback.order:
        kind = (node.primitive, shape_of(node), *map(shape_of, node.inputs))
        if kind in seen or len(seen) >= MOST_RULES:
            continue
        seen.add(kind)
        if isinstance(node.primitive, CustomFunction) and node.primitive.jvp_rules:
            hints |= {hint.text: hint for hint in inspect_transposes(node, rng)}
        if isinstance(node.data, (tuple, list)):
            continue
        for index, x in enumerate(node.inputs):
            several = isinstance(data_of(x), tuple)  # the outputs of another primitive
            if isinstance(x, Node) and x.requires_grad and not several:
                hint = inspect_rule(node, index, rng, nondeterminism, rtol)
                if hint is not None:
                    hints.setdefault(hint.text, hint)
    return list(hints.values())


def inspect_linearity(
    subject: Subject, rng: np.random.Generator, nondeterminism: float, rtol: float
) -> list[Hint]:
    """Ask of a derivative as a whole what is asked of a rule: that it is linear."""
    g, h = (signs(subject.outputs.size, rng) for _ in range(2))

    def pull(v: Vector) -> Vector:
        with np.errstate(all="ignore"):
            return subject.pull(v)

    name = subject.form if isinstance(subject, HandWritten) else f"backward pass of {subject.name}"
    hint = linearity(
        f"the {name}",
        pull,
        (g, h),
        lost_beside(subject.value, subject.x),
        max(subject.gradient_resolution, subject.resolution),  # g is rounded as results are
        nondeterminism,
        UNNOTICED * rtol,
        [leaf.place for leaf in subject.inputs.leaves],
    )
    return [] if hint is None else [hint]


def lost_beside(value: Any, x: Any) -> float:
    """What hardly counts in a derivative, by the size of a result and of what it depends on."""
    largest = float(np.max(np.abs(x), initial=0.0))
    return FAR_BELOW * float(np.max(np.abs(value), initial=0.0)) / (largest or 1.0)


def shape_of(x: Any) -> Any:
    """The shape of an operand; of a primitive's several outputs, all their shapes."""
    data = data_of(x)
    return tuple(map(np.shape, data)) if isinstance(data, tuple) else np.shape(data)


def inspect_rule(
    node: Node, index: int, rng: np.random.Generator, nondeterminism: float, rtol: float
) -> Hint | None:
    primitive = node.primitive
    assert primitive is not None
    rules = primitive.rules_for(node.inputs)
    rule = rules[index] if index < len(rules) else None
    if rule is None:
        return None
    name = f"the rule of {primitive.name} for {argument_text(primitive, index)}"
    operands = [data_of(x) for x in node.inputs]

    def apply(g: Any) -> Any:
        # Joint rules remember their results, so each application gets rules of its own.
        fresh = primitive.rules_for(node.inputs)[index]
        assert fresh is not None
        try:
            with np.errstate(all="ignore"):
                return fresh(g, node.data, *operands, **node.parameters)
        except AutogradError:
            raise
        except Exception as error:  # a rule of the user's may raise anything
            raise Finding(Verdict.WRONG, f"{name} raises {described(error)}") from error

    g, h = (random_like(node.data, rng) for _ in range(2))
    of_g = apply_watched(name, apply, g, [node.data, *operands])
    require_form(name, of_g, operands[index], primitive)
    beside = lost_beside(node.data, operands[index])
    return linearity(name, apply, (g, h), beside, 0.0, nondeterminism, UNNOTICED * rtol)


def inspect_transposes(node: Node, rng: np.random.Generator) -> Iterator[Hint]:
    """Forward rules are transposes of reverse rules: ⟨g, J·t⟩ = ⟨Jᵀ·g, t⟩ for any g and t."""
    primitive: CustomFunction = node.primitive
    operands = [data_of(x) for x in node.inputs]
    g = [random_like(x, rng) for x in primitive.results_of(node.data)]
    for index, rule in enumerate(primitive.rules):
        if rule is None or index >= len(operands):
            continue
        t = random_like(operands[index], rng)

        def forward(factor: float, index: int = index, t: Any = t) -> list[Any]:
            tangents = primitive.tangent(index, factor * t, node.data, operands, node.parameters)
            return [v * x / factor for v, x in zip(g, tangents, strict=True)]

        def reverse(factor: float, index: int = index, rule: Any = rule, t: Any = t) -> list[Any]:
            upstream: Any = factor * g[0]
            if isinstance(node.data, (tuple, list)):
                scaled = [factor * v for v in g]
                upstream = (*scaled, *[None] * (len(node.data) - len(g)))
            gradient = np.asarray(rule(upstream, node.data, *operands, **node.parameters))
            if primitive.broadcasts:
                gradient = unbroadcast(gradient, np.shape(operands[index]))
            return [gradient * t / factor]

        with np.errstate(all="ignore"):
            sums = total(forward, 1.0), total(reverse, 1.0)
            equal = are_equal(sums, (forward, reverse))
        if not equal:
            yield Hint(
                "transpose",
                f"the forward rule of {primitive.name} for {argument_text(primitive, index)} is "
                f"not the transpose of its reverse rule: ⟨g, J·t⟩ is {sums[0]:.6g} and ⟨Jᵀ·g, t⟩ "
                f"{sums[1]:.6g}; correct the rule given to defjvp, or that given to defvjp",
            )


def are_equal(sums: Sequence[Any], sides: Sequence[Callable[[float], list[Any]]]) -> bool:
    """Whether ⟨g, J·t⟩ and ⟨Jᵀ·g, t⟩ are the same, as far as their terms can tell."""
    apart = abs(sums[0] - sums[1])
    sizes = [max(np.linalg.norm(np.ravel(term)) for term in terms(1.0)) for terms in sides]
    allowed = LAST_DIGITS * float(sum(sizes))
    if not apart <= allowed:
        allowed += MANY * sum(scatter_of(partial(total, terms), allowed) for terms in sides)
    return bool(apart <= allowed)


def total(terms: Callable[[float], list[Any]], factor: float) -> Any:
    return np.sum([np.sum(term) for term in terms(factor)])


def argument_text(primitive: Primitive, index: int) -> str:
    names = primitive.argument_names
    return f"argument {names[index]!r}" if index < len(names) else f"argument {index}"


def random_like(data: Any, rng: np.random.Generator) -> Any:
    array = np.asarray(data)
    g = np.reshape(signs(array.size, rng), array.shape)
    if array.dtype.kind == "c":
        g = g + 1j * np.reshape(signs(array.size, rng), array.shape)
    return (
        g.astype(array.dtype)
        if array.ndim or isinstance(data, np.ndarray | np.generic)
        else g[()]  # as in a sweep, where dividing by zero is no exception
    )


def apply_watched(name: str, apply: Any, g: Any, saved: Sequence[Any]) -> Any:
    """Apply a rule and refuse it if it wrote to its upstream gradient or to what was saved."""
    watched = [array for array in (g, *saved) if isinstance(array, np.ndarray)]
    before = [array.copy() for array in watched]
    contribution = apply(g)
    first = np.array(contribution)
    for old, new in zip(before, watched, strict=True):
        if not np.array_equal(old, new, equal_nan=old.dtype.kind in "fc"):
            what = "its upstream gradient" if new is g else "what was saved for it"
            raise Finding(Verdict.MUTATED, f"{name} writes to {what}; let it make a new array")
    again = np.asarray(apply(g))
    if again.shape == first.shape and not np.array_equal(
        first, again, equal_nan=first.dtype.kind in "fc"
    ):
        raise Finding(Verdict.RANDOM, f"{name} returns different numbers for the same arguments")
    return contribution


def require_form(name: str, contribution: Any, like: Any, primitive: Primitive) -> None:
    """A gradient has the shape of its argument, or is broadcast from it, and holds floats."""
    if contribution is None:
        raise Finding(Verdict.SHAPE, f"{name} returned None; return the gradient")
    if isinstance(contribution, (tuple, list)):
        kind = type(contribution).__name__
        hint = Hint(
            "tuple", f"a rule returns one gradient: return g itself, and not a {kind} of it"
        )
        raise Finding(Verdict.SHAPE, f"{name} returned a {kind} of {len(contribution)}", [hint])
    array = np.asarray(contribution)
    if array.dtype.kind not in "fc" and not isinstance(contribution, int):
        raise Finding(Verdict.SHAPE, f"{name} returned dtype {array.dtype}; return floats")
    wanted = np.shape(like)
    if array.shape == wanted:
        return
    axes = axes_to_sum(array.shape, wanted)
    if axes and primitive.broadcasts:
        return
    hints = []
    if axes:
        text = (
            f"a sum over the broadcast axes is missing: sum it over axis "
            f"{axes if len(axes) > 1 else axes[0]}, or declare the primitive with broadcasts=True"
        )
        hints = [Hint("broadcast", text)]
    elif array.shape == wanted[::-1]:
        hints = [Hint("transposed", "transposed: return its transpose")]
    raise Finding(
        Verdict.SHAPE,
        f"{name} returned shape {array.shape}, but the argument has shape {wanted}",
        hints,
    )


def axes_to_sum(shape: tuple[int, ...], wanted: tuple[int, ...]) -> tuple[int, ...]:
    """The axes of ``shape`` over which an array of shape ``wanted`` has been broadcast."""
    try:
        if np.broadcast_shapes(shape, wanted) != shape:
            return ()
    except ValueError:
        return ()
    extra = len(shape) - len(wanted)
    return (
        *range(extra),
        *(extra + i for i, n in enumerate(wanted) if n == 1 and shape[extra + i] != 1),
    )


def linearity(
    name: str, apply: Apply, upstream: Sequence[Any], beside: float, resolution: float = 0.0,
    gap: float = 0.0, unnoticed: float = 0.0, parts: Sequence[Any] = (...,),
) -> Hint | None:  # fmt: skip
    """A rule R is a matrix product, so R(2g - 3h) = 2R(g) - 3R(h), each within a gap.

    An ``unnoticed`` part of them does not count, as where a solver stops at a tolerance.  Of what
    is off by little, all ``parts`` are, or it is one that is small beside the others.

    Where terms cancel in it, it is off by their rounding errors, which are no small part of what is
    left. Single precision is not looked for in what is less than ``beside``.
    """
    g, h = upstream
    of_g, of_h, of_both = (np.asarray(apply(v)) for v in (g, h, 2.0 * g - 3.0 * h))
    if not all(np.all(np.isfinite(contribution)) for contribution in (of_g, of_h, of_both)):
        return None
    largest = max(map(largest_of, (of_g, of_h)))
    if not (largest or np.any(of_both)) or of_g.shape != of_both.shape:
        return None
    precision = max(resolution_of([of_g, np.asarray(g)]), resolution)
    allowed = 1e4 * precision * largest
    allowed += 1e2 * smallest_of([of_g])  # what is lost by underflow
    allowed += 6.0 * gap  # one, two and three times
    differences = np.abs(of_both - (2.0 * of_g - 3.0 * of_h))
    off = float(np.max(differences))
    is_ignored = np.array_equal(of_g, of_h) and not np.array_equal(g, h)
    text = f"{name} is not linear in its upstream gradient g"
    enough = allowed + unnoticed * largest
    if off <= enough and not is_ignored:
        how = treated_by_size(apply, g, of_g, enough, 6.0 * gap + unnoticed * largest)
        return Hint("upstream", text + how) if how else None
    is_small = all(
        largest_of(differences[part]) <= max(SINGLE * largest_of(of_both[part]), allowed)
        for part in parts
    )
    is_single = is_small and rounds_coarsely(apply, g, of_g)
    if not (is_single and off > beside):
        scatter = max(scatter_of(partial(of_multiple, apply, v), allowed) for v in upstream)
        if off <= allowed + MANY * scatter:
            return None
    if is_ignored:
        return Hint("upstream", f"the upstream gradient is ignored by {name}: multiply by g")
    if is_single:
        text += ", but to six digits: something in it computes in single precision"
    elif is_small:
        text += (
            ", but to six digits: something small is added to what is multiplied by g, or to g; "
            "where a solver stops at a tolerance, allow for it with nondeterminism="
        )
    return Hint("upstream", text)


def largest_of(numbers: Any) -> float:
    return float(np.max(np.abs(numbers), initial=0.0))


def treated_by_size(apply: Apply, g: Any, of_g: Any, allowed: float, missed: float) -> str:
    """How large or small upstream gradients are treated otherwise than others, in words.

    What stops at a tolerance has ``missed`` by so much whatever the size of g.

    Multiples are powers of two, which change no digit.
    """
    largest = float(np.max(np.abs(of_g), initial=0.0))
    lost = 1e2 * max(largest, 1.0) * smallest_of([of_g, np.asarray(g)]) / SMALL
    left_out = max(SPOILED * largest, missed / SMALL) + lost
    for multiples, enough, size, how in (
        (LARGE, allowed, "large", "cut off (clip, clamp, a largest norm)"),
        ((SMALL,), left_out, "small", "left out"),
    ):
        multiple, divided = of_first_multiple(apply, g, multiples)
        if divided is not None and largest_of(divided - of_g) > enough:
            if is_lost_beside(apply, g, of_g, multiple):
                continue
            is_less = np.all(np.abs(divided) <= np.abs(of_g))
            return f": {size} ones are {how if is_less else 'treated otherwise'}"
    return ""


def is_lost_beside(apply: Apply, g: Any, of_g: Any, multiple: float) -> bool:
    """Whether a large multiple of g only makes a rule lose the digits of what is beside it.

    Exponentials of matrices [[A, g], [0, A]] do: they are off by the rounding errors of g, whatever
    its size, and so less by far for a smaller multiple, but not by nothing, as with a clip.
    """
    smaller, small = (multiple * 2.0**-fewer for fewer in (8, 16))
    rounding = MANY * np.finfo(np.asarray(of_g).dtype).eps * largest_of(of_g)
    with suppress(Exception):
        off = largest_of(of_multiple(apply, g, smaller) - of_g)
        is_off = bool(np.any(of_multiple(apply, g, small) != of_g))
        return is_off and off <= rounding * smaller
    return False


def of_first_multiple(apply: Apply, v: Any, multiples: Sequence[float]) -> tuple[float, Any]:
    """What a linear rule makes of v, by way of the first multiple for which it comes to an end
    with numbers, which comes first; None if there is none."""
    for multiple in multiples:
        with suppress(Exception, OutOfLines):  # as of a solver that does not converge any more
            divided = within_lines(MOST_LINES, partial(of_multiple, apply, v, multiple))
            if np.all(np.isfinite(divided)):
                return multiple, divided
    return 1.0, None


def of_multiple(apply: Apply, v: Any, factor: float) -> Any:
    """What a linear rule makes of v, by way of a multiple of it."""
    return np.asarray(apply(factor * v)) / factor


def rounds_coarsely(apply: Apply, g: Any, of_g: Any) -> bool:
    """Whether most of what a rule returns is the same, whatever the last half of g's digits are."""
    rng, like = np.random.default_rng(0), np.asarray(g)
    changes = (LAST_HALF * rng.uniform(-1, 1, like.shape) for _ in MULTIPLES)
    same = [
        np.asarray(apply((like * (1 + change)).astype(like.dtype))) == of_g for change in changes
    ]
    return bool(np.mean(same) > 0.5)


def scatter_of(divided: Callable[[float], Any], allowed: float) -> float:
    """By how much what a linear map makes of multiples of a vector, divided by these again,
    scatters: they are rounded otherwise. Those by 2 and 16 are not, and show that the map is
    linear: what is clipped beyond any of the multiples is so in that by 16, too."""
    plain = divided(1.0)

    def missed_by(factor: float) -> float:
        return float(np.max(np.abs(divided(factor) - plain)))

    if max(missed_by(2.0), missed_by(16.0)) > allowed:
        return 0.0
    return max(map(missed_by, MULTIPLES))


def inspect_forward(
    subject: EngineFunction, analytic: AnalyticGradients, rng: np.random.Generator
) -> None:
    """Refuse a forward derivative that is not the transpose of the reverse one.

    Forward mode here is reverse mode twice, so it leans on how rules depend on their
    upstream gradient.  For any u and v the two must agree on ⟨v, J·u⟩ = ⟨Jᵀ·v, u⟩, even
    if a rule is wrong about J: reverse mode is compared with differences, and forward mode
    with reverse mode.
    """
    direction = own_scale(subject.inputs, subject.x) * signs(subject.x.size, rng)
    called = subject.called_with(subject.inputs.arrays(subject.x))
    primals = tuple(called[index] for index in subject.varied)
    tangents = tuple(subject.inputs.nest(subject.inputs.arrays(direction)))
    _, tangent = jvp(only_varied(subject.function, called, subject.varied), primals, tangents)
    forward = analytic.cotangents.apply(subject.outputs.vector(flatten(tangent)))
    contributions = analytic.contributions(direction)
    reverse = np.sum(contributions, axis=1)
    absolute = np.ldexp(analytic.tolerance.atol, -analytic.cotangents.exponents)
    allowed = analytic.tolerance.rtol * norm(contributions) + absolute + 1e3 * analytic.noise
    hint = Hint(
        "upstream",
        "a rule treats its upstream gradient as a constant (.data, detach) or is not linear in it; "
        "write it with NumPy functions of g",
    )
    for row in np.flatnonzero(~(np.abs(forward - reverse) <= allowed)):
        raise Finding(
            Verdict.WRONG,
            f"forward mode gives {forward[row]:.9g} along a random direction, and reverse mode, "
            f"which agrees with differences, {reverse[row]:.9g}",
            [hint],
        )
