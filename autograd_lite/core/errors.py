"""Every exception of the engine, under one base class.

Each class also derives from the built-in exception that fits, so that
``except TypeError`` and ``except ValueError`` go on working in code that knows
nothing of this package.
"""

from __future__ import annotations

__all__ = [
    "ArgumentTypeError",
    "ArgumentValueError",
    "AutogradError",
    "AutogradWarning",
    "BackwardError",
    "CompileError",
    "GradcheckError",
    "InPlaceError",
    "MissingAttributeError",
    "MissingOptionError",
    "NoRuleError",
    "NonFiniteError",
    "RecompileWarning",
    "RuleError",
    "UnsupportedError",
]


class AutogradError(Exception):
    """Base class of every error that autograd_lite and nn raise on purpose.

    >>> import autograd_lite as ag
    >>> try:
    ...     ag.Value("three")
    ... except ag.AutogradError as error:
    ...     print(type(error).__name__)
    ArgumentTypeError
    """


class AutogradWarning(UserWarning):
    """Something that is right, and may be slower than meant.

    >>> import autograd_lite as ag
    >>> issubclass(ag.AutogradWarning, UserWarning)
    True
    """


class ArgumentTypeError(AutogradError, TypeError):
    """An argument has a type or dtype that cannot be used.

    >>> import autograd_lite as ag
    >>> issubclass(ag.ArgumentTypeError, TypeError)
    True
    """


class ArgumentValueError(AutogradError, ValueError):
    """An argument has the right type but a value or shape that cannot be used.

    >>> import autograd_lite as ag
    >>> issubclass(ag.ArgumentValueError, ValueError)
    True
    """


class BackwardError(AutogradError, RuntimeError):
    """A reverse sweep cannot start or go on (no scalar, no graph, freed graph).

    >>> import autograd_lite as ag
    >>> issubclass(ag.BackwardError, RuntimeError)
    True
    """


class CompileError(AutogradError, TypeError):
    """A function does something that a compiled program could not repeat.

    >>> import autograd_lite as ag
    >>> issubclass(ag.CompileError, TypeError)
    True
    """


class RecompileWarning(UserWarning):
    """A compiled function is made anew at call after call, which takes longer than it saves.

    >>> import autograd_lite as ag
    >>> issubclass(ag.RecompileWarning, UserWarning)
    True
    """


class NoRuleError(AutogradError, TypeError):
    """A function has no derivative rule, or none for the argument that needs one.

    >>> import autograd_lite as ag
    >>> issubclass(ag.NoRuleError, TypeError)
    True
    """


class NonFiniteError(AutogradError, FloatingPointError):
    """NaN or infinity was met by what looks for it: `detect_anomaly`, or ``check_finite=True``.

    >>> import autograd_lite as ag
    >>> issubclass(ag.NonFiniteError, FloatingPointError)
    True
    """


class RuleError(AutogradError, ValueError):
    """A derivative rule returned something that cannot be a gradient.

    >>> import autograd_lite as ag
    >>> issubclass(ag.RuleError, ValueError)
    True
    """


class InPlaceError(AutogradError, TypeError):
    """A Value was to be written in place, which would falsify its graph.

    >>> import autograd_lite as ag
    >>> issubclass(ag.InPlaceError, TypeError)
    True
    """


class MissingAttributeError(AutogradError, AttributeError):
    """An array has this attribute, and a Value has not.

    >>> import autograd_lite as ag
    >>> hasattr(ag.Value([1.0]), "tobytes")
    False
    """


class UnsupportedError(AutogradError, TypeError):
    """A known function was called in a way that has no derivative here.

    >>> import autograd_lite as ag
    >>> issubclass(ag.UnsupportedError, TypeError)
    True
    """


class GradcheckError(AutogradError, AssertionError):
    """A gradient differs from its numerical derivative.

    ``report`` is the `GradcheckReport` that tells how and where.

    >>> import autograd_lite as ag
    >>> issubclass(ag.GradcheckError, AssertionError)
    True
    """

    def __init__(self, message: str, report: object = None) -> None:
        super().__init__(message)
        self.report = report


class MissingOptionError(AutogradError, ImportError):
    """An optional package or program is needed for this and is not installed.

    >>> import autograd_lite as ag
    >>> issubclass(ag.MissingOptionError, ImportError)
    True
    """


# Tracebacks show the name under which people import and catch these.
for error in [globals()[name] for name in __all__]:
    error.__module__ = "autograd_lite"
