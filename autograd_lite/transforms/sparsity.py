"""Which numbers of a result depend on which numbers of the arguments, found in a recorded graph.

A `Pattern` says it for each element of a node.  An elementwise function joins those of its
operands, a function that moves elements moves them: it is carried out on the elements' numbers.
Reductions and products join what stands in a line.  Of any other function each result is taken
to depend on all that its operands depend on.  So a pattern can have too many places, never too few.
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_lite.core.errors import UnsupportedError
from autograd_lite.core.node import Node, unwrap
from autograd_lite.core.recorder import current

__all__ = ["Pattern", "data_of", "pattern_of", "size_of", "sparse"]

MOST_PLACES = 1 << 28
"""A pattern of more places is refused: it would take more than a gigabyte."""


class Pattern:
    """For each element of an array a row of a matrix, true where it depends on an argument.

    ``which`` numbers the rows of the elements; None, where each has its own, in their order.
    """

    __slots__ = ("matrix", "which")

    def __init__(self, matrix: Any, which: Any = None) -> None:
        self.matrix = matrix
        self.which = which

    def rows(self) -> Any:
        """The matrix with a row for each element."""
        if self.which is None:
            return self.matrix
        places = int(np.diff(self.matrix.indptr)[self.which].sum(dtype=np.int64))
        if places > MOST_PLACES:
            raise UnsupportedError(
                f"a sparse derivative would have {places:,} places that may not be zero; "
                "use ag.hvp, ag.vjp and ag.jvp, which need no matrix"
            )
        return self.matrix[self.which]

    def moved(self, elements: Any) -> Pattern:
        """The pattern of an array in which the elements of this one stand, by their numbers."""
        flat = np.ravel(elements)
        return Pattern(self.matrix, flat if self.which is None else self.which[flat])

    def joined(self, lines: Any, count: int) -> Pattern:
        """A row for each line: of all elements that stand in it, of which there may be many."""
        which = np.arange(len(lines)) if self.which is None else self.which
        return Pattern(matrix_of(lines, which, (count, self.matrix.shape[0])) @ self.matrix)


def sparse() -> Any:
    try:
        import scipy.sparse
    except ImportError:
        raise UnsupportedError(
            "sparse derivatives are matrices of SciPy; pip install 'autograd-lite[scipy]'"
        ) from None
    return scipy.sparse


def matrix_of(rows: Any, columns: Any, shape: tuple[int, int]) -> Any:
    """True at these places."""
    places = np.ravel(rows), np.ravel(columns)
    return sparse().csr_array((np.ones(len(places[0]), bool), places), shape=shape)


def union(patterns: Sequence[Pattern]) -> Pattern:
    """What depends on any of these arrays of one shape, element by element."""
    first, *others = patterns
    if not others:
        return first
    if all(x.matrix.shape == first.matrix.shape and is_same(x, first) for x in others):
        total = first.matrix
        for other in others:
            total = total + other.matrix
        return Pattern(total, first.which)
    total = first.rows()
    for other in others:
        total = total + other.rows()
    return Pattern(total)


def is_same(x: Pattern, y: Pattern) -> bool:
    """Whether their elements have rows of the same numbers."""
    return x.which is y.which or np.array_equal(x.which, y.which)


def pattern_of(
    order: Sequence[Node], inputs: Sequence[Node], outputs: Sequence[Any], fullest: float = 1.0
) -> Any:
    """The pattern of the outputs, one after the other, by the numbers of the inputs.

    ``order`` holds the nodes between them, oldest first.  None as soon as the elements of one
    depend on more than the part ``fullest`` of the numbers.
    """
    sizes = [node.size for node in inputs]
    total = sum(sizes)
    found: dict[Node, Pattern] = {}
    start = 0
    for node, size in zip(inputs, sizes, strict=True):
        found[node] = Pattern(
            matrix_of(np.arange(size), np.arange(start, start + size), (size, total))
        )
        start += size
    uses = Counter(x for node in order for x in node.inputs if isinstance(x, Node))
    uses.update(x for x in outputs if isinstance(x, Node))
    for node in order:
        if node not in found:
            patterns = [found.get(x) if isinstance(x, Node) else None for x in node.inputs]
            if any(x is not None for x in patterns):
                found[node] = pattern_of_result(node, patterns)
                matrix = found[node].matrix
                if matrix.nnz > fullest * math.prod(matrix.shape):
                    return None
        for x in node.inputs:
            if isinstance(x, Node):
                uses[x] -= 1
                if not uses[x] and x in found:
                    del found[x]
    blocks = [
        found[x].rows() if isinstance(x, Node) and x in found else empty(size_of(x), total)
        for x in outputs
    ]
    return sparse().vstack(blocks, format="csr")


def data_of(x: Any) -> Any:
    """The numbers of an operand."""
    return unwrap(x.data) if isinstance(x, Node) else x


def size_of(x: Any) -> int:
    return math.prod(np.shape(data_of(x)))


def empty(rows: int, columns: int) -> Any:
    return sparse().csr_array((rows, columns), dtype=bool)


Patterns = Sequence[Pattern | None]


def pattern_of_result(node: Node, patterns: Patterns) -> Pattern:
    """By the rule for the node's function, or the one for any."""
    primitive: Any = node.primitive
    if isinstance(node.data, tuple):
        return depends_on_all(patterns, 1)
    rule: Rule = no_rule
    if primitive.elementwise:
        rule = elementwise
    elif is_of_numpy(primitive):
        rule = RULES.get(primitive.name, no_rule)
    pattern = rule(node, patterns)
    return depends_on_all(patterns, node.size) if pattern is None else pattern


def is_of_numpy(primitive: Any) -> bool:
    """Whether its rules are those of this package: other functions may have the same names."""
    rule = next(filter(None, (*primitive.rules, primitive.each, primitive.joint)), primitive)
    module = getattr(rule, "__module__", None) or ""
    return module.startswith(("autograd_lite.ops.", "autograd_lite.transforms."))


Rule = Callable[[Node, Patterns], Pattern | None]
"""Finds the pattern of a result; None where it cannot, for such arguments."""


def no_rule(node: Node, patterns: Patterns) -> None:
    return None


def depends_on_all(patterns: Patterns, size: int) -> Pattern:
    """Each element of the result depends on whatever any operand depends on."""
    known = [
        x.matrix if x.which is None else x.matrix[np.unique(x.which)]
        for x in patterns
        if x is not None
    ]
    stacked = sparse().vstack(known, format="csr")
    columns = np.unique(stacked.indices)
    row = matrix_of(np.zeros(len(columns), int), columns, (1, stacked.shape[1]))
    return Pattern(row, np.zeros(size, int))


def elementwise(node: Node, patterns: Patterns) -> Pattern:
    """Operands are broadcast, and each element depends on its likes."""
    spread = []
    seen = set()
    for x, pattern in zip(node.inputs, patterns, strict=True):
        if pattern is None or x in seen:
            continue
        seen.add(x)
        if x.shape != node.shape:
            numbers = np.arange(x.size).reshape(x.shape)
            pattern = pattern.moved(np.broadcast_to(numbers, node.shape))
        spread.append(pattern)
    return union(spread)


# Functions that move elements.

EACH = range(sys.maxsize)

MOVED: dict[str, Any] = {
    **dict.fromkeys(
        (
            "getitem", "reshape", "ravel", "transpose", "moveaxis", "swapaxes", "rollaxis",
            "expand_dims", "squeeze", "broadcast_to", "flip", "fliplr", "flipud", "rot90", "roll",
            "take", "take_along_axis", "delete", "diag", "diagflat", "diagonal", "tril", "triu",
            "resize", "fftshift", "ifftshift", "sliding_window_view", "pad",
        ),
        (0,),
    ),
    **dict.fromkeys(
        (
            "at.set", "at.put", "copyto", "fill_diagonal", "insert", "put", "put_along_axis",
            "place", "putmask",
        ),
        (0, 1),
    ),
    **dict.fromkeys(("concatenate", "array"), EACH),
}  # fmt: skip
"""Which operands hold the elements that are moved; the others say where to."""

REPEATING = {"constant", "edge", "reflect", "symmetric", "wrap"}
"""Ways of padding that repeat elements; others compute with them."""


def moving(node: Node, patterns: Patterns) -> Pattern | None:
    """The function itself, of the elements' numbers; 0 stands for what is not an element."""
    primitive: Any = node.primitive
    parameters = dict(node.parameters)
    if primitive.name == "pad":
        is_odd = parameters.get("reflect_type", "even") != "even"
        if is_odd or parameters.get("mode", "constant") not in REPEATING:
            return None
        parameters.pop("constant_values", None)
    operands = list(map(data_of, node.inputs))
    positions = [i for i in range(len(operands)) if i in MOVED[primitive.name]]
    check_known(node, [x for i, x in enumerate(node.inputs) if i not in positions])
    matrices = [empty(1, columns_of(patterns))]
    which = [np.zeros(1, int)]
    count, rows = 1, 1
    for i in positions:
        pattern, shape = patterns[i], np.shape(operands[i])
        if pattern is None:
            operands[i] = np.zeros(shape, int)
            continue
        size = math.prod(shape)
        operands[i] = np.arange(count, count + size).reshape(shape)
        own = np.arange(size) if pattern.which is None else pattern.which
        which.append(own + rows)
        matrices.append(pattern.matrix)
        count, rows = count + size, rows + pattern.matrix.shape[0]
    elements = np.asarray(primitive.forward(*operands, **parameters))
    if elements.shape != node.shape or elements.dtype.kind not in "iu":
        return None
    stacked = sparse().vstack(matrices, format="csr")
    return Pattern(stacked, np.concatenate(which)[elements.ravel()])


def check_known(node: Node, operands: Sequence[Any]) -> None:
    """Refuse a program whose pattern would be another one from call to call."""
    if current.get().trace is not None and any(isinstance(x, Node) for x in operands):
        name = node.primitive and node.primitive.name
        raise UnsupportedError(
            f"a sparse derivative in a program that is compiled: {name} is told the places by an "
            "array that is computed, or is an argument, so the matrix would have other places at "
            "every call; let the function capture that array, or leave sparse out"
        )


def columns_of(patterns: Patterns) -> int:
    return int(next(x.matrix.shape[1] for x in patterns if x is not None))


def copying(node: Node, patterns: Patterns) -> Pattern | None:
    """A copy of one array, of whatever dtype; or an array of several numbers and arrays."""
    x = node.inputs[0]
    if isinstance(x, Node) and x.shape == node.shape and not any(patterns[1:]):
        return patterns[0]
    primitive: Any = node.primitive
    return moving(node, patterns) if primitive.name in MOVED else None


def scattering(node: Node, patterns: Patterns) -> Pattern | None:
    """Elements are added up where an index says, onto zeros or onto another array."""
    is_onto_zeros = node.primitive.name == "scatter"
    base, content = (None, patterns[0]) if is_onto_zeros else patterns[:2]
    index = node.inputs[1:] if is_onto_zeros else node.inputs[2:]
    check_known(node, index)
    parts = tuple(map(data_of, index))
    places = np.arange(node.size).reshape(node.shape)[parts]
    found = [] if base is None else [base]
    if content is not None:
        source: Any = node.inputs[0 if is_onto_zeros else 1]
        numbers = np.broadcast_to(np.arange(source.size).reshape(source.shape), np.shape(places))
        found.append(content.moved(numbers).joined(np.ravel(places), node.size))
    return union(found)


# Functions along axes, and products: elements belong together that agree in some coordinates.

Labels = Sequence[Any]


def in_lines(node: Node, patterns: Patterns, operands: Sequence[Labels], result: Labels) -> Pattern:
    """Each axis has a label; an element depends on those that agree where axes have one label."""
    found = []
    for x, labels, pattern in zip(node.inputs, operands, patterns, strict=False):
        if pattern is not None:
            shared = [
                (labels.index(label), result.index(label))
                for label in dict.fromkeys(labels)
                if label in result
                and np.shape(x)[labels.index(label)] == node.shape[result.index(label)]
            ]
            shape = [node.shape[place] for _, place in shared]
            lines = numbered(np.shape(x), [axis for axis, _ in shared], shape)
            joined = pattern.joined(lines, math.prod(shape))
            found.append(joined.moved(numbered(node.shape, [place for _, place in shared], shape)))
    return union(found)


def numbered(shape: Sequence[int], axes: Sequence[int], lengths: Sequence[int]) -> Any:
    """For each element of an array, the number of its coordinates along some of the axes."""
    numbers = np.zeros(shape, int)
    for axis, length in zip(axes, lengths, strict=True):
        coordinate = np.arange(length).reshape([-1 if i == axis else 1 for i in range(len(shape))])
        numbers = numbers * length + coordinate
    return numbers.ravel()


LAST, FIRST, EVERY = -1, 0, None

METHODS = [
    f"{name}.{method}"
    for name in (
        "arctan2", "copysign", "divide", "float_power", "floor_divide", "fmax", "fmin", "fmod",
        "heaviside", "hypot", "logaddexp", "logaddexp2", "maximum", "minimum", "power",
        "remainder", "subtract",
    )
    for method in ("reduce", "accumulate")
]  # fmt: skip
"""Of ufuncs."""

ALONG: dict[str, Any] = {
    **dict.fromkeys(
        (
            "sum", "mean", "max", "min", "prod", "var", "std", "median", "quantile", "percentile",
            "nanmax", "nanmin", "nanmean", "nanstd", "nanvar", "nanmedian", "logsumexp", "norm",
            "cumsum", "cumprod",
        ),
        EVERY,
    ),
    **dict.fromkeys(
        ("softmax", "log_softmax", "sort", "partition", "fft", "ifft", "rfft", "irfft"), LAST
    ),
    **dict.fromkeys(METHODS, FIRST),
}  # fmt: skip
"""Which axis they are computed along where none is said."""


def along_axes(node: Node, patterns: Patterns) -> Pattern | None:
    """A result depends on what stands in its line, along the axes that a function is told."""
    x = node.inputs[0]
    if any(patterns[1:]) or not isinstance(x, Node) or not x.shape:
        return None
    axis = node.parameters.get("axis", ALONG[node.primitive.name])
    if axis is None:
        return None
    axes = {int(a) % len(x.shape) for a in (axis if isinstance(axis, (tuple, list)) else (axis,))}
    kept = [i for i in range(len(x.shape)) if i not in axes]
    if len(node.shape) == len(x.shape):
        result: list[Any] = [i if i in kept else None for i in range(len(x.shape))]
    else:
        result = list(kept)
    if [node.shape[i] for i, label in enumerate(result) if label is not None] != [
        x.shape[i] for i in kept
    ] or len(result) != len(node.shape):
        return None
    labels = [i if i in kept else "along" for i in range(len(x.shape))]
    return in_lines(node, patterns[:1], [labels], result)


def of_matmul(x: int, y: int) -> tuple[list[Any], list[Any], list[Any]]:
    left = ["k"] if x == 1 else [*range(x - 2, 0, -1), "i", "k"]
    right = ["k"] if y == 1 else [*range(y - 2, 0, -1), "k", "j"]
    batch = range(max(x, y) - 2, 0, -1)
    return left, right, [*batch, *(["i"] if x > 1 else []), *(["j"] if y > 1 else [])]


def of_dot(x: int, y: int) -> tuple[list[Any], list[Any], list[Any]]:
    left = [*(("x", i) for i in range(x - 1)), "k"]
    right = ["k"] if y == 1 else [*(("y", i) for i in range(y - 2)), "k", "j"]
    return left, right, [*left[:-1], *(label for label in right if label != "k")]


def of_inner(x: int, y: int) -> tuple[list[Any], list[Any], list[Any]]:
    left = [*(("x", i) for i in range(x - 1)), "k"]
    right = [*(("y", i) for i in range(y - 1)), "k"]
    return left, right, [*left[:-1], *right[:-1]]


def of_vecdot(x: int, y: int) -> tuple[list[Any], list[Any], list[Any]]:
    left, right = [*range(x - 1, 0, -1), "k"], [*range(y - 1, 0, -1), "k"]
    return left, right, list(range(max(x, y) - 1, 0, -1))


def product(labels_of: Callable[[int, int], tuple[list[Any], list[Any], list[Any]]]) -> Rule:
    """The rule of a product of two arrays, from the labels of their axes."""

    def rule(node: Node, patterns: Patterns) -> Pattern | None:
        left, right = map(data_of, node.inputs[:2])
        axes = np.ndim(left), np.ndim(right)
        if 0 in axes:
            return None
        if labels_of in (of_matmul, of_dot):
            known = by_zeros(node, patterns)
            if known is not None:
                return known
        first, second, result = labels_of(*axes)
        return in_lines(node, patterns, [first, second], result)

    return rule


def by_zeros(node: Node, patterns: Patterns) -> Pattern | None:
    """The product with a constant matrix, whose zeros let nothing through."""
    is_left = patterns[0] is None
    matrix, x = node.inputs[:2] if is_left else node.inputs[1::-1]
    pattern = patterns[1] if is_left else patterns[0]
    if isinstance(matrix, Node) or pattern is None or None not in patterns[:2]:
        return None
    if np.ndim(matrix) != 2 or len(x.shape) > 2:
        return None
    places = sparse().csr_array(np.asarray(matrix) != 0)
    if len(x.shape) == 1:
        return Pattern((places if is_left else places.T.tocsr()) @ pattern.rows())
    if is_left:
        spread = sparse().kron(places, sparse().eye_array(x.shape[1], dtype=bool), format="csr")
    else:
        spread = sparse().kron(sparse().eye_array(x.shape[0], dtype=bool), places.T, format="csr")
    return Pattern(spread.astype(bool) @ pattern.rows())


def of_einsum(node: Node, patterns: Patterns) -> Pattern | None:
    subscripts = node.parameters.get("subscripts")
    if not isinstance(subscripts, str) or "." in subscripts or "->" not in subscripts:
        return None
    operands, result = subscripts.replace(" ", "").split("->")
    return in_lines(node, patterns, list(map(list, operands.split(","))), list(result))


def of_convolution(node: Node, patterns: Patterns) -> Pattern | None:
    """A result depends on as many elements in a row as the kernel has, and on all of the kernel."""
    primitive: Any = node.primitive
    x, kernel = map(data_of, node.inputs[:2])
    length, width = np.size(x), np.size(kernel)
    mode = node.parameters.get("mode", "full" if primitive.name == "convolve" else "valid")
    start = {"full": 0, "same": (width - 1) // 2, "valid": width - 1}.get(mode)
    if start is None or width > length:
        return None
    found = []
    if patterns[0] is not None:
        ends = np.arange(start, start + node.size)[:, None] - np.arange(width)
        rows = np.broadcast_to(np.arange(node.size)[:, None], ends.shape)
        is_inside = (ends >= 0) & (ends < length)
        places = matrix_of(rows[is_inside], ends[is_inside], (node.size, length))
        found.append(Pattern(places @ patterns[0].rows()))
    if patterns[1] is not None:
        found.append(depends_on_all(patterns[1:2], node.size))
    return union(found)


def of_interpolation(node: Node, patterns: Patterns) -> Pattern:
    """Each place by itself, and all points."""
    found = [] if patterns[0] is None else [patterns[0]]
    if any(patterns[1:]):
        found.append(depends_on_all(patterns[1:], node.size))
    return union(found)


def counting(node: Node, patterns: Patterns) -> Pattern | None:
    """`numpy.bincount`: weights are added up where the numbers beside them say."""
    weights, numbers = patterns[0], node.inputs[1]
    if weights is None:
        return None
    check_known(node, [numbers])
    return weights.joined(np.ravel(data_of(numbers)), node.size)


RULES: dict[str, Rule] = {
    **dict.fromkeys(("identity", "astype", "array", "asarray"), copying),
    **dict.fromkeys(MOVED, moving),
    **dict.fromkeys(("scatter", "at.add"), scattering),
    **dict.fromkeys(ALONG, along_axes),
    "matmul": product(of_matmul),
    "dot": product(of_dot),
    "inner": product(of_inner),
    "vecdot": product(of_vecdot),
    "einsum": of_einsum,
    **dict.fromkeys(("convolve", "correlate"), of_convolution),
    "interp": of_interpolation,
    "bincount": counting,
}
"""The rules of functions that are not elementwise, by the names of their primitives."""
