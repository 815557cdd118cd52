"""vmap: a function of one sample made one of many, all computed together."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial, wraps
from typing import Any, ParamSpec, overload

import numpy as np

from autograd_lite.core.duck_arrays import is_duck_array
from autograd_lite.core.errors import ArgumentTypeError, ArgumentValueError, InPlaceError
from autograd_lite.core.foreign_arrays import check_ordinary
from autograd_lite.core.in_place import ARGUMENT, SHARED_ARGUMENT
from autograd_lite.core.leaving import call_differentiated
from autograd_lite.core.memory import memory_of
from autograd_lite.core.node import Handle, Node, unwrap
from autograd_lite.core.primitive import registry
from autograd_lite.core.pullback import Ancestry, own_memory
from autograd_lite.core.recorder import current, using, value_of
from autograd_lite.core.refusals import refused_write
from autograd_lite.core.tree import flatten, parts_of, refuse_hidden, unflatten
from autograd_lite.transforms.arguments import CallersArrays, parameter_names, passed_twice
from autograd_lite.transforms.batching import Batch, Batched, batch_of, is_stacked
from autograd_lite.transforms.generators import Generators
from autograd_lite.transforms.leaves import check_alike
from autograd_lite.transforms.mapping import MappingRecorder, refuse_closed
from autograd_lite.transforms.trace import is_number, owned

__all__ = ["map", "vmap"]

Function = Callable[..., Any]
P = ParamSpec("P")


@overload
def vmap(function: np.ufunc, in_axes: Any = ..., out_axes: Any = ...) -> Callable[..., Any]: ...
@overload
def vmap(
    function: Callable[P, Any], in_axes: Any = ..., out_axes: Any = ...
) -> Callable[P, Any]: ...
def vmap(function: Function, in_axes: Any = 0, out_axes: Any = 0) -> Function:
    """The function of many samples, computed together, that ``function`` is of one.

    Parameters
    ----------
    function
        Takes one sample and returns arrays or numbers, or a nesting of them.  It is
        called once, on Values that have the shape of one sample and stand for all of them.
    in_axes
        Along which axis of each argument the samples lie: an integer, or None for an
        argument that is the same for all.  One for all arguments; or a tuple with one for
        each, which may itself be nested as its argument is.  Keyword arguments are mapped
        over their first axis.
    out_axes
        Where the samples are to lie in the results; nested as the result is, or one for
        all.  None for a result that does not differ between samples.

    Returns
    -------
    callable
        Takes arguments with the axis of samples, and returns results with it: what
        ``np.stack([function(x) for x in xs])`` is, and its derivatives.

    Raises
    ------
    ArgumentTypeError
        If ``in_axes`` or ``out_axes`` are nested otherwise than arguments and results, or
        a result is neither array nor number.
    ArgumentValueError
        If an argument lacks the axis, or arguments differ in the number of samples.
    UnsupportedError
        If the function reads the numbers of a sample, as ``if`` and ``float`` do; see `cond`
        and `while_loop`.

    Warns
    -----
    AutogradWarning
        Once for each operation that has no batching rule and is called sample by sample.

    Notes
    -----
    Random draws by `autograd_lite.random` are drawn for each sample, in one draw of the
    shape of all.  Conflicts about an axis of samples do not arise: where `vmap` is nested,
    each has its own.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> def loss(w, x, y):
    ...     return (np.tanh(x @ w) - y) ** 2
    >>> w, xs, ys = np.zeros(2), np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1.0, -1.0])
    >>> ag.vmap(ag.grad(loss), (None, 0, 0))(w, xs, ys)
    array([[-2., -4.],
           [ 6.,  8.]])
    """

    if not callable(function):
        raise ArgumentTypeError(
            f"vmap: function is {type(function).__name__}; pass a function of one sample"
        )

    @wraps(function, updated=())
    def mapped(*args: Any, **kwargs: Any) -> Any:
        call = Call(function, args, kwargs, in_axes)
        results = call.stacked(call.result(), out_axes)
        call.recorder.look_at_results(f"ag.vmap of {call.name}", results, call.trees)
        return results

    return mapped


def map(function: Function, xs: Any) -> Any:  # noqa: A001
    """The results of a function for each sample in turn, stacked.

    `vmap` computes all samples together, and refuses a function that asks for the numbers
    of one; this calls the function for each, so that it may do with them as it likes.

    Parameters
    ----------
    function
        Takes one sample and returns arrays or numbers, or a nesting of them.
    xs
        An array, or a nesting of arrays, with the samples along the first axis.

    Returns
    -------
    array, or a nesting of arrays
        ``np.stack([function(x) for x in xs])``.

    Raises
    ------
    ArgumentValueError
        If there is no sample, or results differ in shape from sample to sample.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> def steps(x):
    ...     n = 0
    ...     while x > 1:
    ...         x, n = x / 2, n + 1
    ...     return n
    >>> ag.map(steps, np.array([1.0, 5.0, 9.0]))
    array([0, 3, 4])
    """
    name = getattr(function, "__name__", repr(function))
    leaves = flatten(xs)
    for x in leaves:
        if not is_number(x):
            raise ArgumentTypeError(
                f"map: xs is {type(x).__name__}; pass an array, or a nesting of arrays, with the "
                "samples along the first axis"
            )
    count = count_of("map", [Argument("xs", x, 0) for x in leaves])
    if not count:
        raise ArgumentValueError(
            f"map: there is no sample, so that the shape of what {name} returns is unknown; pass "
            "at least one sample"
        )
    results = [function(unflatten(xs, [x[i] for x in leaves])) for i in range(count)]
    for result in results:
        check_results("map", name, result)
        check_alike(f"map: {name} returned for one sample", "the result", result, results[0])
    columns = zip(*[flatten(result) for result in results], strict=True)
    return unflatten(results[0], [stack(name, column) for column in columns])


def stack(name: str, results: Sequence[Any]) -> Any:
    shapes = list(dict.fromkeys([np.shape(x) for x in results]))
    if len(shapes) > 1:
        raise ArgumentValueError(
            f"map: {name} returned shape {shapes[0]} for one sample and {shapes[1]} for another; "
            "return arrays of one shape, or write [f(x) for x in xs]"
        )
    return registry["array"](list(results))


class Argument:
    """An array that samples are taken from."""

    __slots__ = ("array", "axis", "name")

    def __init__(self, name: str, array: Any, axis: int | None) -> None:
        self.name = name
        self.array = array
        self.axis = axis


class Call:
    """One call of a mapped function."""

    def __init__(
        self, function: Function, args: Sequence[Any], kwargs: Mapping[str, Any], in_axes: Any
    ) -> None:
        self.function = function
        self.name = getattr(function, "__name__", repr(function))
        self.trees = [list(args), dict(kwargs)]
        self.arguments = list(self._arguments(args, kwargs, in_axes))
        mapped = [x for x in self.arguments if x.axis is not None]
        if not mapped:
            raise ArgumentValueError(
                f"vmap: {self.name} has no argument that differs between samples; write an axis "
                "in in_axes for one of them"
            )
        self.recorder = current.get()
        self.batch = Batch(count_of("vmap", mapped), self.recorder)
        self.shared = passed_twice([x.array for x in self.arguments])
        self.callers = CallersArrays(self.name)

    def _arguments(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], in_axes: Any
    ) -> Iterator[Argument]:
        """All leaves of the arguments, with their axes and names."""
        names = parameter_names(self.function)
        names = [names[i] if i < len(names) else f"argument {i}" for i in range(len(args))]
        if not isinstance(in_axes, (tuple, list)):
            in_axes = (in_axes,) * len(args)
        elif len(in_axes) != len(args):
            raise ArgumentTypeError(
                f"vmap: in_axes has {len(in_axes)} entries, but {self.name} was called with "
                f"{len(args)} positional arguments; write one entry for each, None for an "
                "argument that is the same for all samples"
            )
        for name, tree, axes in zip(names, args, in_axes, strict=True):
            yield from self._leaves(name, tree, axes)
        for name, tree in kwargs.items():
            yield from self._leaves(name, tree, 0)

    def _leaves(self, name: str, tree: Any, axes: Any) -> Iterator[Argument]:
        for path, leaf, axis in with_prefix("in_axes", name, tree, axes):
            if axis is None:
                yield Argument(path, leaf, None)
                continue
            check_sample(self.name, path, leaf, axis)
            yield Argument(path, leaf, operator.index(axis) % len(leaf.shape))

    def result(self) -> Any:
        """What the function returns for all samples."""
        generators = Generators(self.function, [x.array for x in self.arguments])
        recorder = MappingRecorder(self.batch, self.recorder, generators)
        self.ancestry = Ancestry(recorder.since)
        leaves = [self._sample(x) for x in self.arguments]
        args, kwargs = unflatten(self.trees, leaves)
        try:
            with using(recorder):
                result = call_differentiated(partial(self.function, **kwargs), args, [])
                check_results("vmap", self.name, result)
                refuse_hidden(self.name, result, recorder.since)
        except ValueError as error:
            if "read-only" in str(error) and not isinstance(error, InPlaceError):
                raise refused_write(
                    f"vmap: {self.name} writes into an argument that is the same for all samples, "
                    "where each sample would write in turn; let it write into a copy (x = x.copy())"
                ) from error
            raise
        finally:
            self.batch.is_over = True
        self.callers.check()
        generators.check()
        return result

    def _sample(self, argument: Argument) -> Any:
        """What the function gets in the place of an argument."""
        array = argument.array
        if argument.axis is None:
            if array.__class__ is np.ndarray:
                array = array.view()
                array.flags.writeable = False
            return array
        is_shared = isinstance(array, np.ndarray) and id(memory_of(array)) in self.shared
        if argument.axis or not isinstance(array, Handle):
            array = np.moveaxis(self.callers.apart(array, array), argument.axis, 0)
        node = Node.leaf(Batched(array, self.batch))
        node.parameters = SHARED_ARGUMENT if is_shared else ARGUMENT
        return value_of(node)

    def stacked(self, result: Any, out_axes: Any) -> Any:
        """The results with the axis of samples."""
        places = list(with_prefix("out_axes", "result", result, out_axes))
        arrays = [self._unwrap(self._stacked(*place)) for place in places]
        return unflatten(result, owned(arrays, [x.array for x in self.arguments]))

    def _unwrap(self, array: Any) -> Any:
        """A result as the caller gets it: a Value only if it depends on one of the caller's."""
        is_of_samples = batch_of(array) is not None
        if not isinstance(array, Handle) or is_of_samples or self.recorder.trace is not None:
            return array
        if self.recorder.of_batch(None).is_recording:
            is_foreign = self.ancestry.reaches_older(array.node)
        else:
            is_foreign = any(isinstance(x.array, Handle) for x in self.arguments)
        return array if is_foreign else unwrap(array)

    def _stacked(self, path: str, leaf: Any, axis: Any) -> Any:
        if isinstance(leaf, Handle) and leaf.__class__ is not Batched:
            refuse_closed(self.batch, [leaf.node])
        if isinstance(leaf, Handle) and batch_of(leaf) is self.batch:
            leaf = leaf if leaf.__class__ is Batched else leaf.node.data
        if axis is None:
            if is_stacked(leaf):
                raise ArgumentValueError(
                    f"vmap: {path} of {self.name} differs between samples, but out_axes is None "
                    "for it; write the axis along which the samples are to lie"
                )
            one = leaf.array if isinstance(leaf, Batched) else leaf
            return own_memory(one, {id(unwrap(one))})  # others may have it
        if is_stacked(leaf):
            array = leaf.array
        else:
            one = leaf.array if isinstance(leaf, Batched) else leaf
            array = np.broadcast_to(one, (self.batch.count, *np.shape(one)))
        ndim = len(array.shape)
        if not -ndim <= axis < ndim:
            raise ArgumentValueError(
                f"vmap: {path} of {self.name} has shape {array.shape[1:]} for one sample, and "
                f"out_axes is {axis}; write an axis from {-ndim} to {ndim - 1}"
            )
        return array if axis % ndim == 0 else np.moveaxis(array, 0, axis)


def check_sample(function: str, path: str, leaf: Any, axis: Any) -> None:
    """Refuse what has no samples along this axis."""
    if not is_number(leaf):
        raise ArgumentTypeError(
            f"vmap: {path} of {function} is {type(leaf).__name__}, which has no axis; write None "
            "for it in in_axes, or pass it by functools.partial"
        )
    if is_duck_array(leaf):
        raise ArgumentTypeError(
            f"vmap: {path} of {function} is an array of {type(leaf).__module__.split('.')[0]}, "
            "which is not mapped; turn it into a NumPy array first"
        )
    check_ordinary(leaf, f"vmap: {path} of {function}")
    shape = getattr(leaf, "shape", ())
    if not -len(shape) <= axis < len(shape):
        raise ArgumentValueError(
            f"vmap: {path} of {function} has shape {shape}, which has no axis {axis}; write None "
            "for it in in_axes if it is the same for all samples, or another axis"
        )
    if getattr(leaf, "dtype", np.dtype(float)).kind not in "fciub":
        raise ArgumentTypeError(
            f"vmap: {path} of {function} has dtype {leaf.dtype}; pass numbers, or write None for "
            "it in in_axes"
        )


def count_of(transform: str, arguments: Sequence[Argument]) -> int:
    """The number of samples, on which all arguments must agree."""
    if not arguments:
        raise ArgumentValueError(f"{transform}: there is no array among the arguments; pass one")
    counts: dict[int, Argument] = {}
    for x in arguments:
        shape = np.shape(x.array)
        if not shape:
            raise ArgumentValueError(
                f"{transform}: {x.name} is a single number, which has no axis of samples; pass an "
                "array with one"
            )
        counts.setdefault(shape[x.axis or 0], x)
    if len(counts) > 1:
        texts = [
            f"{x.name} has {count} along axis {x.axis} (shape {np.shape(x.array)})"
            for count, x in counts.items()
        ]
        raise ArgumentValueError(
            f"{transform}: arguments differ in the number of samples: {', '.join(texts)}; pass as "
            "many samples of each"
            + (", or write None in in_axes for what is the same for all" * (transform == "vmap"))
        )
    return next(iter(counts))


def check_results(transform: str, name: str, results: Any) -> None:
    """Refuse a function that returns anything but arrays and numbers."""
    for leaf in flatten(results):
        if not is_number(leaf):
            raise ArgumentTypeError(
                f"{transform}: {name} returned {type(leaf).__name__}; return arrays or numbers, "
                "or a nesting of them"
            )


def with_prefix(option: str, path: str, tree: Any, axes: Any) -> Iterator[tuple[str, Any, Any]]:
    """The leaves of a nesting, each with its path and its axis.

    The axes are nested as the tree is; where they are not, one is for all that is there.
    """
    parts = parts_of(tree)
    if axes is None or is_axis(axes):
        if parts is None:
            if tree is not None:
                yield path, tree, axes
            return
        children: list[Any] = [axes] * len(parts.children)
    else:
        inner = parts_of(axes)
        is_list = isinstance(axes, (tuple, list)) and isinstance(tree, (tuple, list))
        if inner is None or parts is None or not (is_list or type(axes) is type(tree)):
            raise ArgumentTypeError(
                f"vmap: {option} is {axes!r} for {path}, which is {described(tree)}; write an "
                "integer, None, or a nesting of these like that of the "
                + ("argument" if option == "in_axes" else "result")
            )
        if list(inner.keys) != list(parts.keys):
            raise ArgumentTypeError(
                f"vmap: {option} for {path} has {keys_of(inner)}, but {path} has "
                f"{keys_of(parts)}; write one entry for each, None where there are no samples"
            )
        children = list(inner.children)
    for key, child, axis in zip(parts.keys, parts.children, children, strict=True):
        step = f"[{key!r}]" if parts.step is None else parts.step.format(key)
        yield from with_prefix(option, path + step, child, axis)


def is_axis(axis: Any) -> bool:
    return not isinstance(axis, (bool, np.bool)) and hasattr(axis, "__index__")


def described(tree: Any) -> str:
    shape = getattr(tree, "shape", None)
    name = type(tree).__name__
    return name if shape is None else f"an array of shape {shape}"


def keys_of(parts: Any) -> str:
    keys = list(parts.keys)
    return f"{len(keys)} entries" if isinstance(parts.keys, range) else f"the entries {keys}"
