"""The exercises of the course and their checks, by number."""

from docs.learn.grading import first_chapters, later_chapters, workshops
from docs.learn.grading.exercise import EXERCISES, Exercise, NotYetError

__all__ = ["EXERCISES", "Exercise", "NotYetError", "first_chapters", "later_chapters", "workshops"]
