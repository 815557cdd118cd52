"""Transforms: functions to their derivatives, and what can be asked of a graph."""
