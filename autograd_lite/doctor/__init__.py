"""The doctor: what a bug report and a slow run need to know, and advice where something is off.

Loaded by ``python -m autograd_lite`` alone.
"""

from autograd_lite.doctor.command import advice
from autograd_lite.doctor.facts import Facts, gather

__all__ = ["Facts", "advice", "gather"]
