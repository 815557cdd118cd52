"""The engine's own rules, judged by its own checker."""

import time

import autograd_lite as ag
from tests.ops.cases import CASES


def test_every_registered_rule_is_correct_to_second_order_within_two_minutes():
    start = time.process_time()
    checked = 0
    for case in CASES:
        if case.derivatives:
            order = min(case.derivatives, 2)
            report = ag.gradcheck(case.call, *case.draw(), order=order, raise_error=False)
            assert report, f"{case.name}\n{report}"
            checked += 1
    assert checked > 300
    assert time.process_time() - start < 120
