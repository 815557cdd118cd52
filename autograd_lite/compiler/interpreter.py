"""The interpreter: what a program computes, operation by operation, without any source.

It is slow and simple: passes and generated sources are measured by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import count
from typing import Any

from autograd_lite.compiler.ir import Constant, Operand, Operation, Program, Type
from autograd_lite.compiler.runtime.branches import refuse_index
from autograd_lite.core.errors import CompileError
from autograd_lite.core.numpy_namespace import np

__all__ = ["evaluate"]

MOST_STEPS = 1000
"""Of a loop whose condition may never be false."""


def evaluate(program: Program, inputs: Sequence[Any]) -> list[Any]:
    """The outputs of a program for these inputs."""
    values: dict[Operand, Any] = dict(zip(program.inputs, inputs, strict=True))

    def value_of(x: Operand) -> Any:
        return x.value if isinstance(x, Constant) else values[x]

    for operation in program.operations:
        operands = [value_of(x) for x in operation.operands]
        with errstate_of(operation):
            values[operation] = result_of(operation, operands)
    return [value_of(x) for x in program.outputs]


def errstate_of(operation: Operation) -> AbstractContextManager[Any]:
    errstate = operation.origin.errstate
    return np.errstate(**dict(errstate)) if errstate else nullcontext()


def result_of(operation: Operation, operands: list[Any]) -> Any:
    if not operation.bodies:
        refuse_endless(operation, operands)
        result = operation.primitive.forward(*operands, **operation.parameters)
        dtype = operation.type.dtype
        if dtype is not None and np.result_type(result) != dtype:  # eigenvalues may be complex
            raise CompileError(f"{operation!r} is of {np.result_type(result)}, in place of {dtype}")
        return result
    return (repeat if "length" in operation.parameters else branch)(operation, operands)


MOST_OF_SCIPY = 1e8
"""Series in SciPy's functions take as many terms as there are in their arguments."""


def refuse_endless(operation: Operation, operands: list[Any]) -> None:
    """LAPACK and SciPy may iterate for ever on numbers that are not finite, or huge."""
    function = operation.primitive.function or operation.primitive.forward
    module = getattr(function, "__module__", None) or ""
    is_ufunc = isinstance(function, np.ufunc)  # which does not tell its module in every version
    is_of_numpy = is_ufunc and getattr(np, function.__name__, None) is function
    of_scipy = module.startswith("scipy") or (is_ufunc and not is_of_numpy)
    if of_scipy or module.startswith("numpy.linalg"):
        most = MOST_OF_SCIPY if of_scipy else float(np.finfo(float).max)
        if not all(is_within(x, most) for x in operands):
            raise CompileError(f"{operation!r} is of such numbers that it may never end")


def is_within(x: Any, most: float) -> bool:
    return np.result_type(x).kind not in "fc" or bool(np.all(np.abs(x) <= most))


def branch(operation: Operation, operands: list[Any]) -> list[Any]:
    """The results of the branch that is chosen by a condition or by a number."""
    chooser, *read = operands
    if not operation.primitive.name.startswith("switch"):
        return evaluate(operation.bodies[0 if chooser else 1], read)
    if not 0 <= chooser < len(operation.bodies):
        refuse_index(chooser, len(operation.bodies))
    return evaluate(operation.bodies[int(chooser)], read)


def repeat(operation: Operation, operands: list[Any]) -> list[Any]:
    """The last carries of a loop, and for each further output its value at every step."""
    body = operation.bodies[0]
    carries, rows = (operation.parameters[name] for name in ("carries", "rows"))
    length, is_reversed = (operation.parameters[name] for name in ("length", "reverse"))
    carry, captured = operands[:carries], operands[carries + rows :]
    row_types = [x.type for x in body.inputs[carries : carries + rows]]
    columns = list(map(rows_of, operands[carries : carries + rows], row_types))
    kept: list[list[Any]] = [[] for _ in body.outputs[carries:]]
    for index in steps_of(operation, columns):
        given = [*carry, *(column[index] for column in columns), *captured]
        if any(not evaluate(condition, given)[0] for condition in operation.bodies[1:]):
            break
        outputs = evaluate(body, given)
        carry = outputs[:carries]
        for values, x in zip(kept, outputs[carries:], strict=True):
            values.append(x)
    if is_reversed:
        kept = [values[::-1] for values in kept]
    if length is not None:
        types = [x.type for x in body.outputs[carries:]]
        kept = [stacked(values, of) for values, of in zip(kept, types, strict=True)]
    return [*carry, *kept]


def steps_of(operation: Operation, columns: list[Any]) -> Iterator[int]:
    """The numbers of the steps in their order; without an end where a condition makes it."""
    length = operation.parameters["length"]
    if len(operation.bodies) > 1:
        for step in count():
            if step == MOST_STEPS:
                raise CompileError(f"a loop makes more than {MOST_STEPS} steps")
            yield step
    steps = range(len(columns[0]) if length is None else length)
    yield from reversed(steps) if operation.parameters["reverse"] else steps


def rows_of(x: Any, of: Type) -> Any:
    """The rows of an array; numbers of Python's where a step takes such."""
    return x.tolist() if isinstance(x, np.ndarray) and of.dtype is None else x


def stacked(values: list[Any], of: Type) -> Any:
    """An array with a row for each step; what is no number is listed."""
    if of.dtype is None and of.kind not in (bool, int, float, complex):
        return values
    array = np.empty((len(values), *of.shape), of.kind if of.dtype is None else of.dtype)
    for index, x in enumerate(values):
        array[index] = x
    return array
