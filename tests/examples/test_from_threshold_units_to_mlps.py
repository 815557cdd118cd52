"""The history of units and networks, run as an example."""

from __future__ import annotations


def test_each_step_shows_what_it_says(run_example):
    printed, picture = run_example("from_threshold_units_to_mlps")
    for line in (
        "   AND NOT [0 0 1 0]",
        "2. Hebb's rule recalls two orthogonal patterns: True",
        "   AND     [2, 3, 3, 2, 1, 0]",
        "   XOR     [3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4]  and so on for ever",
        "   AND, OR, NAND of 01: [0 1 1]",
        "6. From zeros           1 different hidden units, 50% of XOR right",
        "6. From glorot_uniform  4 different hidden units, 100% of XOR right",
        "7. An MLP learns XOR: [0 1 1 0]",
    ):
        assert line in printed
    assert picture.startswith(b"\x89PNG")
