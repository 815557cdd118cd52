"""Gradient checking: numerical derivatives, comparison, location, diagnosis, report.

Read ``check.py`` first: it asks the questions in order, the other files answer them.
"""

from autograd_lite.checking.check import gradcheck
from autograd_lite.checking.report import GradcheckReport
from autograd_lite.checking.verdict import Hint, Verdict

__all__ = ["GradcheckReport", "Hint", "Verdict", "gradcheck"]
