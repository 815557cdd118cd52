"""The source of a loop with several results: a generalised ufunc that Numba compiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autograd_lite.compiler.codegen.operations import OperationWriter
from autograd_lite.compiler.ir import Operand, Operation
from autograd_lite.compiler.lowering.formulas import FLOAT, LoopText, number_name
from autograd_lite.compiler.passes.groups import Loop, has_axis, is_along
from autograd_lite.compiler.runtime.machine_code import LoopCode, ufunc_of

__all__ = ["write_loop"]


class JoinedText(LoopText):
    """The text of a loop along a row: ``x3[i]`` is an element, ``x4`` a number of all the row."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape

    def element(self, x: Operand, name: str) -> str:
        return f"{name}[i]" if is_along(x, self.shape) else name

    def definition(self, names: Sequence[str], results: Mapping[str, Operation]) -> str:
        """The function; ``results`` are what it writes, by the name of the row it goes to."""
        return "\n".join(
            [
                f"def loop({', '.join(names)}):",
                f"    for i in range(len({next(iter(results))})):",
                *(f"        {line}" for line in self.lines),
                *(f"        {name}[i] = {self.names[x]}" for name, x in results.items()),
            ]
        )


def write_loop(write: OperationWriter, loop: Loop, n_axes: int | None = None) -> None:
    """Write a loop into the source of a program, or of a block.

    ``n_axes`` are those of the arrays as they are here: in blocks, leading ones are one.
    """
    emitter, shape = write.emitter, loop.shape
    n_axes = min(2, n_axes or len(shape))
    text = JoinedText(shape)
    for operation in loop.operations:
        text.add(operation)
    given = {name: x for x, name in text.operands.items()}
    arguments = {name: argument(write, loop, x, n_axes) for name, x in given.items()}
    results: dict[str, Operation] = {}
    for x in loop.escaping:
        array = write.result_array(x)
        over = (name for name, argument in arguments.items() if argument == array)
        name = next(over, f"x{len(given) + 1}")
        given[name] = results[name] = x
        arguments[name] = array
    function = text.definition(list(given), results)
    cores = [core(x, shape, n_axes) for x in given.values()]
    types = [
        f"{number_name(x)}[{', '.join(':' * max(1, len(axes)))}]"
        for x, axes in zip(given.values(), cores, strict=True)
    ]
    layout = ",".join(f"({','.join(axes)})" for axes in cores)
    writable = tuple(i for i, name in enumerate(given) if name in results)
    outer = calls_along_rows(list(given), [",".join(axes) for axes in cores])
    code = LoopCode(function, outer, tuple(types), layout=layout, writable=writable)
    decorator = f"@guvectorize({layout!r}, writable_args={writable})"
    write.enter(loop.operations[0])
    name = emitter.define(ufunc_of(code), f"{decorator}\n{function}")
    write.add(loop.operations[-1], [f"{name}({', '.join(arguments.values())})"])


def argument(write: OperationWriter, loop: Loop, x: Operand, n_axes: int) -> str:
    """An operand without the axes along which it is one number."""
    name = write.emitter.operand(x, x.type.dtype or FLOAT)
    axes = range(min(n_axes, len(x.type.shape)), 0, -1)
    parts = ", ".join(":" if has_axis(x, loop.shape, axis) else "0" for axis in axes)
    return f"{name}[..., {parts.removeprefix(':, ')}]" if "0" in parts else name


def core(x: Operand, shape: tuple[int, ...], n_axes: int) -> list[str]:
    """The axes of an operand that the loop goes along: ``m`` rows, ``n`` numbers in a row."""
    return [
        name for axis, name in ((2, "m"), (1, "n")) if axis <= n_axes and has_axis(x, shape, axis)
    ]


def calls_along_rows(parameters: Sequence[str], cores: Sequence[str]) -> str:
    """The text of a function that calls ``inner`` for each row, or once where rows are in line.

    LLVM computes on vectors only where it knows that elements lie side by side.
    """
    arrays = [x for x, core in zip(parameters, cores, strict=True) if core == "m,n"]
    of_rows = {"m,n": "{}[j]", "m": "{}[j]", "n": "{}", "": "{}[0]"}
    rows = [of_rows[core].format(x) for x, core in zip(parameters, cores, strict=True)]
    is_side_by_side = " and ".join(
        f"{x}.strides[{core.count('m')}] == {x}.itemsize"
        for x, core in zip(parameters, cores, strict=True)
        if "n" in core
    )
    dense = [
        f"contiguous({row})" if "n" in core else row for row, core in zip(rows, cores, strict=True)
    ]
    in_rows = f"for j in range(len({arrays[0]})): " if arrays else ""
    lines = [
        f"if {is_side_by_side}: ",
        f"    {in_rows}inner({', '.join(dense)})",
        "else:",
        f"    {in_rows}inner({', '.join(rows)})",
    ]
    if arrays and set(cores) <= {"m,n", ""}:
        is_in_line = (f"{x}.strides[0] == {x}.shape[1] * {x}.itemsize" for x in arrays)
        whole = [f"in_line({x})" if x in arrays else f"{x}[0]" for x in parameters]
        lines = [
            f"if {' and '.join([is_side_by_side, *is_in_line])}:",
            f"    inner({', '.join(whole)})",
            f"el{lines[0]}",
            *lines[1:],
        ]
    return "\n".join([f"def loop({', '.join(parameters)}):", *(f"    {line}" for line in lines)])
