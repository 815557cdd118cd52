"""In-place writes: a handle moves on to a new node, and so does what shares its memory.

Nodes stay as they are, so that whatever was recorded before a write keeps the
numbers that it was computed with.  A write through a view writes into what the view
looks into; other views of the same memory look again when they are next used.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import MappingProxyType
from typing import Any

from autograd_lite.core.duck_arrays import (
    array_of,
    is_device_array,
    is_duck_array,
    moved,
    package_of,
)
from autograd_lite.core.errors import ArgumentTypeError, ArgumentValueError, InPlaceError
from autograd_lite.core.exclusive import write_part
from autograd_lite.core.memory import copied, read_only
from autograd_lite.core.node import NO_PARAMETERS, Handle, Node, data_of, get_node, set_node, unwrap
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.overlaps import check_overlap, place_of, reads_at_other_steps
from autograd_lite.core.plain_arrays import check_unshown
from autograd_lite.core.primitive import registry
from autograd_lite.core.recorder import EAGER, current, recording
from autograd_lite.core.refusals import refused_write
from autograd_lite.core.signatures import full_name
from autograd_lite.core.views import Look, Looking, is_number, looking_recorded, root_of

__all__ = [
    "ARGUMENT",
    "OF_ARITHMETIC",
    "READ_ONLY",
    "SHARED_ARGUMENT",
    "buffer",
    "check_cast",
    "check_holds_values",
    "check_place_in_row",
    "check_writable",
    "data_now",
    "is_overlapping",
    "is_writable",
    "leaves_the_rest",
    "look_plainly",
    "set_item",
    "set_row",
    "within_history",
    "write",
    "write_called",
    "write_result",
    "write_ufunc",
]

ARGUMENT: Any = MappingProxyType({})
"""The parameters of a leaf that a transform made for an argument of its function."""

SHARED_ARGUMENT: Any = MappingProxyType({})
"""The same, of an array that is in more than one argument."""


def buffer(array: Any) -> Any:
    """An array to write into, as a Value without gradient of its own."""
    check_holds_values(getattr(array, "dtype", None))
    return current.get().value(Node.leaf(array))


def check_holds_values(dtype: Any) -> None:
    """Refuse what holds no numbers: records, objects, text, dates."""
    if dtype is None or dtype.kind in "fciub":
        return
    if dtype.kind == "O":
        raise ArgumentTypeError(
            "an array of objects holds no Values; write list(x) for a list of them, or compute "
            "with an array of numbers"
        )
    if dtype.kind != "V":
        kind = dtype.type.__name__.rstrip("_")
        raise ArgumentTypeError(
            f"an array of {kind} holds no numbers, and so no Values; leave like= out, or convert "
            f"the plain numbers, x.data.astype({kind})"
        )
    raise ArgumentTypeError(
        f"an array of records, of dtype {dtype}, holds no Values; make an array for each "
        "field (a dict or dataclass of them is differentiated as it is)"
    )


def is_writable(handle: Handle) -> bool:
    """Whether it holds an array; numbers are rebound, in NumPy too."""
    data = data_now(handle)
    if isinstance(data, Handle):  # samples of a batch
        return not is_number(handle)
    return data.__class__ is not float and (isinstance(data, np.ndarray) or is_device_array(data))


def check_writable(handle: Handle, what: str) -> None:
    """Refuse to write into numbers, and into arrays that are not computed yet."""
    if is_writable(handle):
        return
    data = handle.node.data
    if is_duck_array(data):
        raise refused_write(
            f"{what}: arrays of {package_of(data).__name__} are not written in place; "
            "write x = x.at[i].set(v), or x = np.where(mask, v, x)"
        )
    raise ArgumentTypeError(
        f"{what} cannot write into a single number; write y = ... with the result that is "
        "returned, or write into an array"
    )


def data_now(handle: Any) -> Any:
    """What a handle holds now; it may still be written where it lies."""
    return get_node(handle).data if handle.is_exclusive else handle.node.data


def write_result(handle: Any, result: Any, what: str, where: Any = True) -> Any:
    """Write what a function computed into the handle that it was told to, and return that."""
    if not isinstance(handle, Handle):
        raise refused_write(
            f"{what} cannot write a Value into a plain array, where its gradient would be lost; "
            "make the array with np.zeros(shape, like=x) or np.empty_like(x), "
            "or write what makes a new one, as a = a + x in the place of a += x"
        )
    check_writable(handle, what)
    if where is not True:
        if leaves_the_rest(handle):
            with within_history(handle, result) as result:
                result = registry[np.where](where, result, handle)
        else:
            result = registry[np.where](where, result, handle)
    write(handle, result, what)
    return handle


def write_out(place: Any, result: Any, what: str, where: Any = True) -> Any:
    """Write a result into what ``out=`` names: a plain array takes it if no gradient is lost."""
    node = result.node if isinstance(result, Handle) else None
    is_lost = node is not None and (node.requires_grad or isinstance(node.data, Handle))
    if is_lost or not isinstance(place, np.ndarray) or np.shape(result) != place.shape:
        return write_result(place, result, what, where)
    np.copyto(place, np.asarray(result), where=np.asarray(where))
    return place


def write_called(
    function: Any, definition: Any, args: tuple[Any, ...], *, out: Any,
    overwrite_input: bool = False, **kwargs: Any,
) -> Any:  # fmt: skip
    """A function of NumPy's with an array to write its result into."""
    what = f"{full_name(function)}(out=)"
    result = definition(*args, **kwargs)
    if isinstance(out, Handle):
        options = {"overwrite_input": True} if overwrite_input else {}
        check_overlap(
            lambda x, given: function(*given[0], **given[1], **options, out=x),
            out, (args, kwargs), what,
        )  # fmt: skip
    return write_out(out, result, what)


def write_ufunc(
    ufunc: Any, method: str, inputs: tuple[Any, ...], out: Any, where: Any = True, **kwargs: Any
) -> Any:
    """A ufunc, or a method of one, with arrays to write its results into."""
    what = f"np.{ufunc.__name__}{'' if method == '__call__' else '.' + method}(out=)"
    roots = [id(root_of(x)) for x in out if x is not None]
    if len(set(roots)) < len(roots):
        raise refused_write(
            f"{what}: two results cannot be written into the same memory; pass an array for each"
        )
    compute = getattr(ufunc, method)
    if where is not True:
        kwargs = {**kwargs, "where": where}
        if method == "__call__":
            compute = partial(registry["ufunc.masked"], ufunc)
        elif method == "reduce":
            where = True  # it says what is reduced, not what is written

    def write_one(place: Any, result: Any) -> Any:
        is_elementwise = method == "__call__" and ufunc.signature is None
        if is_elementwise and (not isinstance(place, Handle) or is_writable(place)):
            data = data_now(place) if isinstance(place, Handle) else place
            result = stretched(result, np.shape(data))
        return write_out(place, result, what, where)

    def write_all(results: Any) -> Any:
        if ufunc.nout == 1:
            return write_one(out[0], results)
        return tuple(
            result if place is None else write_one(place, result)
            for place, result in zip(out, results, strict=True)
        )

    try:
        results = compute(*inputs, **kwargs)
    except OF_ARITHMETIC:
        with np.errstate(all="ignore"):
            write_all(compute(*inputs, **kwargs))
        raise
    return write_all(results)


def stretched(result: Any, shape: tuple[int, ...]) -> Any:
    """A result as ufuncs write it into a larger array, again and again, if it fits into it so."""
    sizes = np.shape(result)
    ends = zip(reversed(sizes), reversed(shape), strict=False)
    fits = len(sizes) <= len(shape) and all(size in (1, whole) for size, whole in ends)
    return registry[np.broadcast_to](result, shape) if fits and sizes != shape else result


OF_ARITHMETIC = (FloatingPointError, RuntimeWarning)
"""What NumPy raises under ``np.errstate``, or of warnings, when a ufunc has written already."""


def set_item(handle: Any, index: Any, content: Any) -> None:
    """``handle[index] = content``."""
    parts = index if isinstance(index, tuple) else (index,)
    if is_same_part(handle, parts, content):
        return
    if leaves_the_rest(handle):
        with within_history(handle, content) as content:
            set_item(handle, index, content)
        return
    if not is_writable(handle):
        if not is_duck_array(handle.node.data):
            raise InPlaceError("a Value that is a single number has no parts to write; write x = v")
        check_writable(handle, "x[i] = v")
    content = registry["array"](content)
    if isinstance(content, Looking) and (
        not all(isinstance(part, BASIC) for part in parts)
        or reads_at_other_steps(handle, unwrapped(parts), content)
    ):
        places = tuple(place_of(unwrap(part)) for part in parts)
        check_overlap(lambda x, v: x.__setitem__(places, v), handle, content, "x[i] = v")
    data = data_now(handle)
    if np.ndim(content):
        surplus = np.ndim(content) - np.ndim(registry[operator.getitem](data, *unwrapped(parts)))
        if surplus > 0:
            # As NumPy: leading axes of length one may be there too many.
            content = np.reshape(content, np.shape(content)[surplus:])
    check_cast(content, data, "x[i] = v", "unsafe")
    if handle.is_exclusive and current.get() is EAGER and not is_duck_array(unwrap(content)):
        check_unshown(handle, "x[i] = v")
        write_part(handle, content, parts)
        return
    write(handle, registry["at.set"](handle, content, *parts), "x[i] = v")


BASIC = (int, slice, type(None), type(Ellipsis))
"""Types of indices of parts that are views, which NumPy copies first, if need be."""


def leaves_the_rest(handle: Handle) -> bool:
    """Whether a write, under `no_grad`, is one into a result, of which the rest keeps its history.

    What is written is a constant then.  A leaf is updated and stays a leaf.
    """
    recorder = current.get()
    if recorder.is_recording or recorder.batch is not None:
        return False
    node = get_node(root_of(handle))
    is_argument = node.parameters is ARGUMENT or node.parameters is SHARED_ARGUMENT
    return node.requires_grad and (node.primitive is not None or is_argument)


@contextmanager
def within_history(handle: Handle, content: Any) -> Iterator[Any]:
    """A block that records a write which `leaves_the_rest`, of this content as a constant."""
    with recording(False):
        constant = registry["identity"](content) if isinstance(content, Handle) else content
    with recording(True), looking_recorded(handle):
        yield constant


def set_row(row: Any, index: Any, content: Any) -> None:
    """``x.flat[index] = content``: the elements of the content in turn, again and again."""
    check_place_in_row(index)
    content = registry["array"](content)
    parts = unwrapped(index if isinstance(index, tuple) else (index,))
    shape = np.shape(data_now(row)[parts])
    if isinstance(row, Looking):
        check_overlap(
            lambda x, v: x.flat.__setitem__(*parts, v), row.look.base, content, "x.flat[i] = v"
        )
    if np.ndim(content) and not shape:
        raise ArgumentValueError(
            f"x.flat[i] = v writes one number, and v has shape {np.shape(content)}; write "
            "x.flat[i:j] = v for several"
        )
    if not np.size(content):
        return  # nothing is written, in NumPy too
    if np.shape(content) not in ((), shape):
        content = np.resize(content, shape)
    set_item(row, index, content)


def check_place_in_row(index: Any) -> None:
    """Refuse as an index of ``x.flat`` what means something else there, or nothing."""
    place = unwrap(index[0] if isinstance(index, tuple) and len(index) == 1 else index)
    is_mask = np.ndim(place) == 0 and isinstance(place, (bool, np.bool, np.ndarray))
    if place is None or (is_mask and np.asarray(place).dtype == bool):
        raise ArgumentTypeError(
            f"x.flat[{place}]: NumPy's iterators take integers, slices, and arrays of integers or "
            "booleans; write x.reshape(-1)[i] for other indices"
        )


def unwrapped(parts: Any) -> Any:
    return tuple(map(unwrap, parts))


def is_same_part(handle: Handle, parts: tuple[Any, ...], content: Any) -> bool:
    """Whether Python hands back what it took: ``x[i] += v`` ends in ``x[i] = that view``."""
    if not isinstance(content, Looking):
        return False
    look = content.look
    return (
        look.base is handle
        and is_part(look)
        and len(look.operands) == len(parts) + 1
        and all(a is b for a, b in zip(look.operands[1:], parts, strict=True))
    )


def write(handle: Any, content: Any, what: str) -> None:
    """Let a handle, and all that looks at the same memory, have this content.

    Parameters
    ----------
    handle
        Holds an array.
    content
        All of its elements, computed for this write: a Value that nobody else has, or
        a plain array.
    what
        Names the writing function in errors.
    """
    root = root_of(handle)
    if handle is not root and leaves_the_rest(handle):
        with within_history(handle, content) as content:
            write(handle, content, what)
        return
    node = fitting(handle, content, what).node
    if isinstance(node.data, Handle) and not node.shape and handle is root:
        node = registry[np.copy](current.get().value(node)).node  # stays an array
    if handle is not root:
        check_view(handle, what)
    check_root(root, what)
    check_unshown(root, what)
    current.get().before_write(root, what)
    written = []
    while handle is not root:
        look = handle.look
        part, base = map(current.get().value, (node, get_node(look.base)))
        set_node(handle, node)
        written.append(handle)
        handle = look.base
        is_where_it_lies = root.is_exclusive and handle is root and is_part(look)
        if is_where_it_lies and current.get() is EAGER and not is_duck_array(node.data):
            write_part(root, part, tuple(values_of(look.operands[1:])))
            break
        node = put_back(look, base, part).node
    else:
        move(root, node)
    for view in written:
        view.seen = get_node(root)


def fitting(handle: Handle, content: Any, what: str) -> Any:
    """The content in the shape, dtype and layout of what it is written into."""
    data = data_now(handle)
    if not isinstance(content, Handle):
        content = buffer(array_of(content))
    node = content.node
    if node.shape != data.shape:
        raise ArgumentValueError(
            f"{what}: a result of shape {node.shape} does not fit into the array of shape "
            f"{data.shape} that it would be written into; make the array that large, or write "
            "x = ... instead"
        )
    if node.dtype != data.dtype:
        check_cast(content, data, what, "same_kind")
        content = np.astype(content, data.dtype)
        node = content.node
    if isinstance(data, Handle) and not isinstance(node.data, Handle):
        samples = current.get().value(get_node(handle))
        return registry["at.set"](samples, content, ...)  # the same for all of them
    if is_duck_array(data) or is_duck_array(node.data) or isinstance(node.data, Handle):
        return content  # numbers of NumPy beside those of a device move there
    if not isinstance(node.data, np.ndarray) or node.data.strides != data.strides:
        # What NumPy calls a view later depends on where the elements lie; and an array
        # without axes stays one, of which operators make a number.
        placed = copied(data)
        placed[...] = node.data
        node.data = placed
    return content


def check_cast(content: Any, data: Any, what: str, casting: Any) -> None:
    dtype = content.node.dtype if isinstance(content, Handle) else array_of(content).dtype
    loses_part = dtype.kind == "c" and data.dtype.kind != "c"
    if loses_part or not np.can_cast(dtype, data.dtype, casting):
        instead = "v.real" if loses_part else f"np.astype(v, {str(data.dtype)!r})"
        raise ArgumentTypeError(
            f"{what}: {dtype} cannot be written into an array of {data.dtype}; "
            f"write {instead}, or make the array of {dtype} in the first place"
        )


def check_view(view: Any, what: str) -> None:
    """Refuse what NumPy refuses to write, and what cannot be put back."""
    while isinstance(view, Looking):
        look: Look = view.look
        if look.primitive.function is np.imag and look.base.node.dtype.kind != "c":
            raise InPlaceError(no_imaginary_part(what))  # of samples; others are read-only
        check_not_read_only(view.node.data, look.primitive, data_now(look.base), what)
        if not view.is_certain:
            raise refused_write(
                f"{what}: under ag.vmap it is not known how a sample lies in memory, and so not "
                f"whether the result of {look.primitive.name} is a view, through which its "
                "argument is written; write into a copy (x.copy()), or into the argument"
            )
        if is_overlapping(view.node.data):
            raise refused_write(
                f"{what}: in the result of {look.primitive.name} several elements are one in "
                "memory, so that a write of one writes the others; write into a copy (x.copy()), "
                "or into the array that it looks into"
            )
        if not look.primitive.builtin:
            raise refused_write(
                f"{what}: the result of {look.primitive.name} shares memory with its argument, "
                "and what a write into it means for the argument is not known; "
                "write into a copy (x.copy())"
            )
        view = look.base


def check_not_read_only(data: Any, primitive: Any, base: Any, what: str) -> None:
    """Refuse to write what NumPy made read-only, rather than what it looks into was."""
    if primitive.function not in READ_ONLY:
        if not isinstance(data, np.ndarray) or data.flags.writeable:
            return
        is_numpys_choice = isinstance(base, np.ndarray) and base.flags.writeable
        if not (is_numpys_choice or 0 in data.strides or primitive.function is np.imag):
            return
    if primitive.function is np.imag:
        raise InPlaceError(no_imaginary_part(what))
    raise InPlaceError(
        f"{what}: the result of {primitive.name} is read-only, as several of its elements may lie "
        "at one place; write into a copy (x.copy())"
    )


READ_ONLY = frozenset({np.broadcast_to, np.diagonal, np.linalg.diagonal})
"""Results of these are read-only in NumPy, also those of a number, and of samples."""


def no_imaginary_part(what: str) -> str:
    return (
        f"{what}: a real array has no imaginary part to write; make the array complex first, "
        "with x = x + 0j"
    )


def is_overlapping(data: Any) -> bool:
    """Whether some elements of an array may lie where others do, as those of windows."""
    if not isinstance(data, np.ndarray) or data.size < 2:
        return False
    reach = data.itemsize
    for stride, length in sorted(zip(map(abs, data.strides), data.shape, strict=True)):
        if length > 1:
            if stride < reach:
                return True
            reach += stride * (length - 1)
    return False


def check_root(root: Handle, what: str) -> None:
    """Refuse to write what ``backward()`` would be asked for the gradient of."""
    node = get_node(root)
    if node.parameters is SHARED_ARGUMENT:
        raise refused_write(
            f"{what} would write into an array that is passed twice, where NumPy would change "
            "both arguments; pass a copy (a.copy()) as one of them"
        )
    if node.primitive is not None:
        check_not_read_only(node.data, node.primitive, None, what)
    elif isinstance(node.data, np.ndarray) and not (
        node.requires_grad or node.data.flags.writeable
    ):
        raise InPlaceError(f"{what}: the array is read-only; write into a copy (x.copy())")
    is_leaf = node.primitive is None and node.requires_grad and node.parameters is not ARGUMENT
    if is_leaf and current.get().is_recording:
        name = f" {node.label!r}" if node.label else ""
        raise refused_write(
            f"{what} would overwrite the leaf{name}, a variable or argument whose gradient may be "
            "asked for; write into a copy (y = x.copy()), or update the leaf under ag.no_grad()"
        )


def look_plainly(handle: Any) -> Any:
    """The numbers of a handle as they are now, as a plain array through which nobody writes."""
    data = handle.node.data
    return read_only(data) if isinstance(data, np.ndarray) else data


def is_part(look: Look) -> bool:
    """Whether a view is what an index takes."""
    return look.primitive is registry[operator.getitem]


def put_back(look: Look, base: Handle, part: Any) -> Any:
    """The content of what a view looks into, after a write into the view."""
    primitive = look.primitive
    if is_part(look):
        return registry["at.set"](base, part, *values_of(look.operands[1:]))
    if primitive.function in (np.real, np.imag) and base.node.dtype.kind == "c":
        return registry[f"at.{primitive.name}"](base, part)
    data = base.node.data
    numbers = np.empty_like(data, dtype=np.intp)  # as the elements lie, so do their numbers
    numbers[...] = moved(np.arange(data.size).reshape(data.shape), data)
    operands = [numbers if i == look.place else x for i, x in enumerate(look.operands)]
    places = primitive.forward(*map(data_of, operands), **look.parameters)
    return registry["at.put"](base, part, places.astype(np.intp))


def values_of(operands: Any) -> list[Any]:
    return [current.get().value(x) if isinstance(x, Node) else x for x in operands]


def move(root: Any, node: Node) -> None:
    """Let a handle look at another node."""
    former = get_node(root)
    if node.label is None:
        node.label = former.label
    if former.primitive is None and former.requires_grad and not current.get().is_recording:
        # A leaf that is updated stays a leaf.  What was computed from its former numbers
        # keeps these, and its gradient goes to the leaf.
        leaf = Node.leaf(node.data, True, former.label)
        leaf.grad = former.grad
        leaf.serial = former.serial
        former.primitive, former.parameters = registry["identity"], NO_PARAMETERS
        former.left = node = leaf
    set_node(root, node)
    is_copy = node.primitive is registry["at.set"] and not is_duck_array(node.data)
    if is_copy and current.get() is EAGER:
        # The content is a copy that was made for this write.
        root.__class__ = root.exclusive
    elif root.is_exclusive:
        root.__class__ = root.shared  # rules may read what a function wrote into it
