"""What curves through points have in common: where they are read, and what they are not."""

from __future__ import annotations

from typing import Any

from autograd_lite.core.errors import MissingAttributeError
from autograd_lite.core.numpy_namespace import np

__all__ = ["Curve", "first_axis", "last_knot_before", "placed", "read_inside"]


class Curve:
    """An object that is called with places, as SciPy's are."""

    def __getattr__(self, name: str) -> Any:
        raise MissingAttributeError(
            f"{type(self).__name__} has no {name!r} here; call the curve, with nu= for its "
            f"derivatives, or scipy.interpolate.{type(self).__name__} with plain numbers"
        )


def first_axis(y: Any, axis: int) -> Any:
    return np.moveaxis(y, axis, 0)


def last_knot_before(places: Any, knots: Any, first: int, last: int) -> Any:
    """The index of the knot that an interval begins with; the outermost go on without end."""
    return np.clip(np.searchsorted(knots, places, side="right") - 1, first, last)


def read_inside(places: Any, start: Any, end: Any, extrapolate: Any) -> tuple[Any, Any]:
    """The places within one period, if there is one; and where the curve has no value."""
    if isinstance(extrapolate, str):  # "periodic"
        return start + (places - start) % (end - start), None
    return places, None if extrapolate else (places < start) | (places > end)


def placed(values: Any, outside: Any, ndim: int, axis: int) -> Any:
    """Values of shape ``places.shape + rest`` with the axes of the places where ``axis`` was."""
    if outside is not None:
        beside = np.reshape(outside, np.shape(outside) + (1,) * (np.ndim(values) - ndim))
        values = np.where(beside, np.nan, values)
    return np.moveaxis(values, range(ndim), range(axis, axis + ndim)) if axis else values
