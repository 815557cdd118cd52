"""Derivatives that other libraries compute: PyTorch's, JAX's, and those of HIPS' autograd.

A library is described by what differs: how an array becomes one of its own, how its result
becomes an array, and how it pulls a cotangent back.  It is known by what the user passes;
nothing is imported here.
"""

from __future__ import annotations

import inspect
import re
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from copy import deepcopy
from functools import wraps
from types import CodeType, ModuleType
from typing import Any

import numpy as np

from autograd_lite.checking.directions import signs
from autograd_lite.checking.layout import Vector
from autograd_lite.checking.subjects import (
    WITHOUT_CONJUGATES,
    Subject,
    argument_names,
    function_name,
    with_parts,
)
from autograd_lite.checking.verdict import Finding, Hint, Verdict
from autograd_lite.core import tree
from autograd_lite.core.errors import ArgumentTypeError
from autograd_lite.core.tree import flatten

__all__ = ["Foreign", "inspect_backward", "library_of", "on_arrays"]

Function = Callable[..., Any]


class Library(ABC):
    """What differs between libraries that differentiate."""

    @abstractmethod
    def knows(self, x: Any) -> bool:
        """Whether something is an array of this library."""

    @abstractmethod
    def makes(self, function: Any) -> bool:
        """Whether a function can only be differentiated by this library."""

    @abstractmethod
    def array(self, x: Any) -> Any:
        """NumPy's array of the numbers in one of the library's."""

    @abstractmethod
    def own(self, array: Any, like: Any, wide: bool) -> Any:
        """An array of the library, in double precision or of the dtype that the user passed."""

    @abstractmethod
    def pull(self, function: Function, leaves: Sequence[Any], seeds: Sequence[Any]) -> list[Any]:
        """Gradients of ⟨seeds, function⟩, ∂/∂re + i·∂/∂im of complex leaves."""

    @abstractmethod
    def gradient(self, function: Function, seeds: Sequence[Any]) -> Function:
        """The function that computes these gradients, to be differentiated again."""

    def callable(self, function: Any) -> Function:
        """What to call."""
        return function  # type: ignore[no-any-return]

    def precision(self) -> AbstractContextManager[Any]:
        """A context in which double precision is allowed."""
        return nullcontext()


class Torch(Library):
    """Tensors, `torch.autograd.Function` and modules."""

    @property
    def torch(self) -> Any:
        return sys.modules["torch"]

    def knows(self, x: Any) -> bool:
        return isinstance(x, self.torch.Tensor)

    def makes(self, function: Any) -> bool:
        is_function = isinstance(function, type) and issubclass(
            function, self.torch.autograd.Function
        )
        return is_function or isinstance(function, self.torch.nn.Module)

    def callable(self, function: Any) -> Function:
        chosen: Function = getattr(function, "apply", function)
        return chosen if isinstance(function, type) else function

    def array(self, x: Any) -> Any:
        if not self.knows(x):
            return x
        if x.layout is not self.torch.strided:
            raise ArgumentTypeError(
                f"gradcheck: a tensor of layout {x.layout} cannot be moved entry by entry; pass "
                "a dense one, and make it sparse in the function"
            )
        plain = x.detach().resolve_conj().resolve_neg().cpu()
        coarse = plain.dtype in (self.torch.bfloat16, self.torch.float16)
        return (plain.float() if coarse else plain).numpy()

    def own(self, array: Any, like: Any, wide: bool) -> Any:
        tensor = self.torch.from_numpy(np.asarray(array))
        if not self.knows(like):
            return tensor
        return tensor.to(like.device, tensor.dtype if wide else like.dtype)

    def pull(self, function: Function, leaves: Sequence[Any], seeds: Sequence[Any]) -> list[Any]:
        return self._pulled(function, leaves, seeds)

    def _pulled(
        self,
        function: Function,
        leaves: Sequence[Any],
        seeds: Sequence[Any],
        needed: Sequence[int] | None = None,
        times: int = 1,
    ) -> list[Any]:
        places = range(len(leaves)) if needed is None else needed
        inputs = [leaf.detach().requires_grad_(i in places) for i, leaf in enumerate(leaves)]
        results = [y for y in flatten(function(*inputs)) if self.knows(y)]
        chosen = [(y, seed) for y, seed in zip(results, seeds, strict=True) if y.requires_grad]
        found: Any = [None] * len(places)
        for left in range(times, 0, -1):
            if chosen:
                found = self.torch.autograd.grad(
                    [y for y, _ in chosen],
                    [inputs[i] for i in places],
                    [seed.to(y.dtype) for y, seed in chosen],
                    retain_graph=left > 1,
                    allow_unused=True,
                )
        return [
            self.torch.zeros_like(inputs[i]) if g is None else g
            for i, g in zip(places, found, strict=True)
        ]

    def gradient(self, function: Function, seeds: Sequence[Any]) -> Function:
        def gradients(*leaves: Any) -> list[Any]:
            inputs = [x if x.requires_grad else x.detach().requires_grad_() for x in leaves]
            with self.torch.enable_grad():
                results = [y for y in flatten(function(*inputs)) if self.knows(y)]
                pairs = zip(results, seeds, strict=True)
                chosen = [(y, seed.to(y.dtype)) for y, seed in pairs if y.requires_grad]
                found: Any = [None] * len(inputs)
                if chosen:
                    found = self.torch.autograd.grad(
                        [y for y, _ in chosen], inputs, [seed for _, seed in chosen],
                        create_graph=True, allow_unused=True,
                    )  # fmt: skip
            return [
                self.torch.zeros_like(x) if g is None else g
                for x, g in zip(inputs, found, strict=True)
            ]

        return gradients


class Jax(Library):
    """JAX's functions, with rules of one's own (`custom_vjp`, `custom_jvp`) or without."""

    @property
    def jax(self) -> Any:
        return sys.modules["jax"]

    def knows(self, x: Any) -> bool:
        return isinstance(x, self.jax.Array)

    def makes(self, function: Any) -> bool:
        return type(function).__module__.partition(".")[0] in ("jax", "jaxlib")

    def array(self, x: Any) -> Any:
        if not self.knows(x):
            return x
        # To NumPy bfloat16 is of no kind of number.
        is_coarse = x.dtype == self.jax.numpy.bfloat16
        return np.asarray(x, np.float32 if is_coarse else None)

    def own(self, array: Any, like: Any, wide: bool) -> Any:
        return self.jax.numpy.asarray(array, None if wide else getattr(like, "dtype", None))

    def pull(self, function: Function, leaves: Sequence[Any], seeds: Sequence[Any]) -> list[Any]:
        return self.gradient(function, seeds)(*leaves)  # type: ignore[no-any-return]

    def gradient(self, function: Function, seeds: Sequence[Any]) -> Function:
        def gradients(*leaves: Any) -> list[Any]:
            results, pullback = self.jax.vjp(lambda *x: flatten(function(*x)), *leaves)
            # JAX pairs without conjugates.
            seed = [self.jax.numpy.conj(s).astype(y.dtype) for s, y in zip(seeds, results)]  # noqa: B905
            return [self.jax.numpy.conj(g) for g in pullback(seed)]

        return gradients

    def precision(self) -> AbstractContextManager[Any]:
        if hasattr(self.jax, "enable_x64"):
            return self.jax.enable_x64(True)  # type: ignore[no-any-return]
        return sys.modules["jax.experimental"].enable_x64()  # type: ignore[no-any-return]


def is_of_hips(thing: Any) -> bool:
    """Whether something is a primitive of HIPS' autograd, or one of its modules."""
    if isinstance(thing, ModuleType):
        return thing.__name__.partition(".")[0] == "autograd"
    return getattr(thing, "_is_autograd_primitive", False) is True


def things_named_in(function: Any) -> Iterator[Any]:
    """What the code of a function names: globals, what it closes over, and theirs in turn."""
    waiting = [function]
    seen: set[int] = set()
    while waiting and len(seen) < MOST_FUNCTIONS:
        called = inspect.unwrap(waiting.pop())
        called = getattr(called, "__func__", getattr(called, "func", called))
        code, named = getattr(called, "__code__", None), getattr(called, "__globals__", {})
        if code is None or id(code) in seen:
            continue
        seen.add(id(code))
        found = [named[name] for name in names_of(code) if name in named]
        for cell in called.__closure__ or ():
            with suppress(ValueError):  # a variable that has no value yet
                found.append(cell.cell_contents)
        yield from found
        waiting += [x for x in found if callable(x) and not isinstance(x, type)]


def names_of(code: CodeType) -> Iterator[str]:
    """The globals that code reads, and those of functions defined in it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from names_of(constant)


MOST_FUNCTIONS = 200
"""Of so many functions that call each other it is asked what they name."""


class Hips(Library):
    """Primitives of HIPS' autograd, with the gradients that were defined for them."""

    def knows(self, x: Any) -> bool:
        return False

    def makes(self, function: Any) -> bool:
        if getattr(function, "_is_autograd_primitive", False) is True:
            return True
        return any(map(is_of_hips, things_named_in(function)))

    def array(self, x: Any) -> Any:
        return x

    def own(self, array: Any, like: Any, wide: bool) -> Any:
        return array

    def pull(self, function: Function, leaves: Sequence[Any], seeds: Sequence[Any]) -> list[Any]:
        return self.gradient(function, seeds)(*leaves)  # type: ignore[no-any-return]

    def gradient(self, function: Function, seeds: Sequence[Any]) -> Function:
        make_vjp, numpy = sys.modules["autograd"].make_vjp, sys.modules["autograd.numpy"]

        def paired(*leaves: Any) -> Any:
            pairs = zip(seeds, flatten(function(*leaves)), strict=True)
            return sum(numpy.sum(numpy.real(numpy.conj(seed) * y)) for seed, y in pairs)

        def gradients(*leaves: Any) -> list[Any]:
            found = []
            for place in range(len(leaves)):
                pullback, _ = make_vjp(paired, place)(*leaves)
                found.append(numpy.conj(pullback(1.0)))
            return found

        return gradients


LIBRARIES: dict[str, Library] = {"torch": Torch(), "jax": Jax(), "autograd": Hips()}


def library_of(function: Any, args: Sequence[Any]) -> Library | None:
    """The library whose derivative is meant, as the function or an argument shows."""
    for module, library in LIBRARIES.items():
        if module in sys.modules and (
            library.makes(function) or any(map(library.knows, flatten(list(args))))
        ):
            return library
    return None


def on_arrays(library: Library, function: Any, args: Sequence[Any]) -> Function:
    """A function of the library's arrays as one of NumPy's; wide, if it takes any dtype."""
    call = library.callable(function)
    likes = [x for x in flatten(list(args)) if library.knows(x)]

    @wraps(call)
    def called(*given: Any) -> Any:
        def own(x: Any, wide: bool) -> Any:
            if not isinstance(x, np.ndarray):
                return x
            is_float = x.dtype.kind in "fc"
            return library.own(x, likes[0] if is_float and likes else None, wide or not is_float)

        def result(wide: bool) -> Any:
            return call(*tree.map(lambda x: own(x, wide), list(given)))

        with library.precision():
            try:
                found = result(True)
            except Exception:  # a library says in its own way that it wants its own dtypes
                found = result(False)
            return tree.map(library.array, found)

    return called


class Foreign(Subject):
    """A function that another library differentiates; its derivative is the claim."""

    def __init__(
        self,
        library: Library,
        function: Any,
        args: Sequence[Any],
        varied: Sequence[int] | None = None,
        loss: Function | None = None,
        names: Sequence[str] = (),
    ) -> None:
        self.library, self.given = library, function
        if isinstance(library, Torch):
            self.what_cuts += ", once_differentiable"
        else:
            self.on_conjugates = WITHOUT_CONJUGATES
        forward = getattr(function, "forward", None) if isinstance(function, type) else None
        of_forward = argument_names(forward or function, len(args) + (forward is not None))
        name, names = function_name(function), names or of_forward[forward is not None :]
        call: Function = library.callable(function)
        if hasattr(function, "named_parameters"):
            call, args, names = module_of_parameters(function, args, loss)
        if varied is None:
            varied = [i for i, x in enumerate(args) if any(map(self._is_float, flatten([x])))]
            tensors = [i for i in varied if any(map(library.knows, flatten([args[i]])))]
            if isinstance(library, Torch) and tensors:
                varied = tensors  # a plain number beside them has no gradient in torch
        plain = tree.map(library.array, list(args))
        self.user_args, self.call, self.wide = list(args), call, True
        super().__init__(name, plain, names, varied)
        self.likes = flatten([self.user_args[i] for i in varied])
        try:
            self.start()
        except Exception:  # a library says in its own way that it wants its own dtypes
            self.wide = False
            self.start()

    def _is_float(self, x: Any) -> bool:
        return np.asarray(self.library.array(x)).dtype.kind in "fc"

    def of_leaves(self, *leaves: Any) -> Any:
        """The function of the leaves that vary, all of them arrays of the library."""
        parts = self.inputs.nest(leaves)
        return self.call(*with_parts(self._constants, self.varied, parts))

    @property
    def _constants(self) -> list[Any]:
        """The arguments as the user gave them; floats wide, if all are."""

        def widened(x: Any) -> Any:
            is_own = self.library.knows(x) and self._is_float(x)
            return self.library.own(np.array(self._wide(x)), x, True) if is_own else x

        return tree.map(widened, self.user_args) if self.wide else self.user_args

    def _wide(self, x: Any) -> Any:
        array = np.asarray(self.library.array(x))
        return array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)

    def _own(self, leaves: Sequence[Any]) -> list[Any]:
        pairs = zip(leaves, self.likes, strict=True)
        return [self.library.own(leaf, like, self.wide) for leaf, like in pairs]

    def _results(self, leaves: Sequence[Any]) -> Any:
        with self.library.precision():
            return tree.map(self.library.array, self.of_leaves(*self._own(leaves)))

    def pull(self, v: Vector, x: Vector | None = None) -> Vector:
        leaves = self.inputs.arrays(self.x if x is None else x)
        if x is not None:
            self.evaluations += 1
        with self.library.precision():
            gradients = refused(
                lambda: self.library.pull(self.of_leaves, self._own(leaves), self._seeds(v))
            )
            found = [np.asarray(self.library.array(g)) for g in gradients]
        for g, leaf in zip(found, self.inputs.leaves, strict=True):
            if g.shape != leaf.shape:  # of libraries that do not look themselves
                raise Finding(
                    Verdict.SHAPE,
                    f"the gradient of {leaf.name} has shape {g.shape}, and {leaf.name} has shape "
                    f"{leaf.shape}",
                    broadcast_hints(g.shape, leaf.shape),
                )
        return self.as_gradient(found)

    def _seeds(self, v: Vector) -> list[Any]:
        return [self.library.own(g, None, True) for g in self.outputs.arrays(v, own_dtype=True)]

    def differentiated(self, rng: np.random.Generator) -> Subject:
        """Its gradients as functions of the inputs and of the upstream gradient: a double backward
        may be cut off from either."""
        count = len(self.inputs.leaves)

        def gradient(*parts: Any) -> Any:
            return self.library.gradient(self.of_leaves, parts[count:])(*parts[:count])

        gradient.__name__ = f"gradient of {self.name}"
        with self.library.precision():
            seeds = self._seeds(signs(self.outputs.size, rng))
        leaves = [self.library.own(np.array(x), like, self.wide) for x, like in
                  zip(self.inputs.arrays(self.x), self.likes, strict=True)]  # fmt: skip
        names = [leaf.name for leaf in self.inputs.leaves]
        upstream = [f"the upstream gradient of {leaf.name}" for leaf in self.outputs.leaves]
        return Foreign(self.library, gradient, [*leaves, *seeds], names=[*names, *upstream])


def module_of_parameters(
    module: Any, args: Sequence[Any], loss: Function | None
) -> tuple[Function, list[Any], list[str]]:
    """A torch module as a function of its parameters, and of its inputs if there is no loss."""
    torch = sys.modules["torch"]
    # A copy of a parameter has no hooks, and these make its gradient what it is.
    hooks = [list((p._backward_hooks or {}).values()) for p in module.parameters()]
    module = deepcopy(module)
    named = dict(module.named_parameters())
    count = len(named)
    if not args:
        raise ArgumentTypeError(
            "gradcheck: a torch module is checked at an input; pass it after the module"
        )

    def call(*parts: Any) -> Any:
        parameters = dict(zip(named, map(hooked, parts[:count], hooks), strict=True))
        wide = deepcopy(module).to(parts[0].dtype) if parts else module
        if loss is None:
            return torch.func.functional_call(wide, parameters, tuple(parts[count:]))
        first, *rest = parts[count:]
        return loss(torch.func.functional_call(wide, parameters, (first,)), *rest)

    names = [*named, *(f"input {i}" for i in range(len(args)))]
    return call, [*(p.detach() for p in named.values()), *args], names


def hooked(parameter: Any, hooks: Sequence[Function]) -> Any:
    """A parameter, or a view of it that passes its gradient through hooks."""
    if not (hooks and parameter.requires_grad):
        return parameter
    view = parameter.view_as(parameter)
    for hook in hooks:
        view.register_hook(hook)
    return view


def refused(compute: Callable[[], Any]) -> Any:
    """What a backward pass computes; what the library refuses of it is a finding."""
    try:
        return compute()
    except (RuntimeError, TypeError, ValueError) as error:
        text = str(error)
        if not re.search(r"\b(shape|size|dtype|type)", text):
            reason = f"the backward pass raises {type(error).__name__}: {text}"
            raise Finding(Verdict.WRONG, reason) from error
        shapes = [tuple(map(int, re.findall(r"\d+", found))) for found in SHAPES.findall(text)]
        hints = broadcast_hints(*shapes) if len(shapes) == 2 else []
        raise Finding(Verdict.SHAPE, f"the backward pass was refused: {text}", hints) from error


SHAPES = re.compile(r"[\[(]((?:\d+(?:, ?)?)*)[\])]")


def broadcast_hints(shape: tuple[int, ...], of: tuple[int, ...]) -> list[Hint]:
    if not is_broadcast(shape, of):
        return []
    text = "sum the gradient over the axes that were broadcast, to the shape of the input"
    return [Hint("broadcast", text)]


def is_broadcast(shape: tuple[int, ...], of: tuple[int, ...]) -> bool:
    """Whether an array of a shape may be another one, broadcast."""
    try:
        return shape != of and np.broadcast_shapes(shape, of) == shape
    except ValueError:
        return False


def inspect_backward(subject: Foreign, v: Vector) -> None:
    """Ask of a backward pass in torch what an autograd function may get wrong beside numbers.

    It must give the same when it runs twice over one graph, and for each input whether or
    not the others need gradients.
    """
    library = subject.library
    if not isinstance(library, Torch):
        return
    leaves, kept = subject._own(subject.inputs.arrays(subject.x)), subject._seeds(v)

    def pulled(**options: Any) -> list[Any]:
        seeds = [seed.clone() for seed in kept]
        found = refused(lambda: library._pulled(subject.of_leaves, leaves, seeds, **options))
        if not all(map(library.torch.equal, seeds, kept)):
            raise Finding(
                Verdict.MUTATED,
                "the backward pass writes to the upstream gradient that it is given, which others "
                "use as well; let it make a new tensor",
            )
        return [library.array(g) for g in found]

    once, twice = pulled(), pulled(times=2)
    if not all(
        np.allclose(a, b, rtol=1e-6, equal_nan=True) for a, b in zip(once, twice, strict=True)
    ):
        raise Finding(
            Verdict.MUTATED,
            "the backward pass gives something else when it runs again over the same graph: it "
            "writes to what was saved in ctx, or to its upstream gradient",
        )
    for place, leaf in enumerate(subject.inputs.leaves if len(leaves) > 1 else ()):
        (alone,) = pulled(needed=[place])
        if not np.allclose(alone, once[place], rtol=1e-6, equal_nan=True):
            raise Finding(
                Verdict.WRONG,
                f"the gradient of {leaf.name} is another one where no other input needs a gradient",
                [Hint("needs_input_grad", "backward mixes up ctx.needs_input_grad: it must return "
                      "one gradient for each input in its place, None where none is needed")],
            )  # fmt: skip
