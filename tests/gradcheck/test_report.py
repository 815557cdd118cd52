"""What a report holds and how it looks."""

import io
import json
import time
from contextlib import redirect_stderr

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.checking import Verdict

X = np.array([[1.0, 2.0], [-3.0, 0.5]])


def report(gradient=lambda x: -2 * x, **options):
    return ag.gradcheck(lambda x: np.sum(x**2), X, gradient=gradient, raise_error=False, **options)


def test_the_text_names_verdict_numbers_entries_and_hint():
    lines = str(report()).splitlines()
    assert lines[0] == "gradcheck <lambda>: wrong derivative"
    assert lines[1].startswith("  along a random direction the numerical derivative is ")
    assert lines[2].startswith("  d result / d x[1, 0]: numerical -6 ± ")
    assert lines[2].endswith(", analytic 6")
    assert lines[-1] == "  hint: the sign is wrong: minus the analytic derivative agrees everywhere"


def test_a_report_is_true_exactly_if_correct():
    assert not report()
    assert report(lambda x: 2 * x)
    assert report(lambda x: 2 * x).verdict is Verdict.CORRECT


def test_the_worst_entry_comes_first():
    worst = report().worst
    assert (worst.output, worst.input, worst.analytic) == ("result", "x[1, 0]", 6.0)
    assert worst.numerical == pytest.approx(-6.0, abs=1e-9)
    assert report(lambda x: 2 * x).worst is None


def test_the_former_name_of_the_analytic_derivative_still_works():
    with pytest.warns(DeprecationWarning) as warned:
        assert report().worst.claimed == 6.0
    assert str(warned[0].message) == (
        "Entry.claimed is now called Entry.analytic; write that instead"
    )
    assert warned[0].filename == __file__


def test_the_taylor_table_tells_right_from_wrong_by_its_order():
    def cubic(x):
        return np.sum(x**3)

    right = ag.gradcheck(cubic, X).table
    wrong = ag.gradcheck(cubic, X, gradient=lambda x: 3.1 * x**2, raise_error=False).table
    assert right.order == pytest.approx(2.0, abs=0.1)
    assert wrong.order == pytest.approx(1.0, abs=0.1)
    lines = str(right).splitlines()
    assert lines[0].split() == ["step", "remainder", "order"]
    assert len(lines) == 1 + len(right.rows)


def test_a_linear_function_has_no_remainder_and_no_order():
    assert ag.gradcheck(np.sum, X).table.order is None


def test_the_dictionary_is_plain_and_complete():
    found = report().to_dict()
    assert json.loads(json.dumps(found)) == found
    assert found["verdict"] == "wrong derivative"
    assert found["hints"] == [
        {
            "kind": "sign",
            "text": "the sign is wrong: minus the analytic derivative agrees everywhere",
        }
    ]


def test_the_notebook_view_escapes_and_holds_every_part():
    html = report()._repr_html_()
    assert "<code>&lt;lambda&gt;</code>" in html
    assert "wrong derivative" in html
    assert "<td>x[1, 0]</td>" in html
    assert "the sign is wrong" in html


def test_the_error_carries_the_report():
    with pytest.raises(ag.GradcheckError) as caught:
        ag.gradcheck(lambda x: np.sum(x**2), X, gradient=lambda x: -2 * x)
    assert caught.value.report.hints[0].kind == "sign"
    assert str(caught.value) == str(caught.value.report)


def test_the_same_seed_gives_the_same_report():
    assert report(rng=3) == report(rng=3)
    assert report(rng=3).reason != report(rng=4).reason


def test_only_long_checks_show_a_progress_bar():
    def slow(x):
        time.sleep(0.15)
        return np.sum(x**2)

    for function, shown in ((np.sum, False), (slow, True)):
        stream = io.StringIO()
        with redirect_stderr(stream):
            ag.gradcheck(function, X)
        assert ("evaluations" in stream.getvalue()) is shown


def test_the_result_and_the_input_that_are_wrong_are_named():
    def both(x, y):
        return x * y, x + y

    report = ag.gradcheck(
        both,
        np.array([1.0, 2.0, 3.0]),
        np.array([4.0, 5.0, 6.0]),
        vjp=lambda g, x, y: (g[0] * y + g[1], -g[0] * x + g[1]),
        raise_error=False,
    )
    assert report.hints[0].text == (
        "only of result[0]: only for y: the sign is wrong: minus the analytic derivative agrees "
        "everywhere"
    )


def test_the_whole_jacobian_on_request():
    def jacobian(x):
        exact = np.diag(2 * x)
        exact[0, 2] = 1e-13
        return exact

    x = np.array([1.0, 2.0, 3.0])
    assert ag.gradcheck(lambda x: x**2, x, jacobian=lambda x: np.diag(2 * x), full=True)
    found = ag.gradcheck(lambda x: x**2, x, jacobian=jacobian, full=True, raise_error=False)
    assert found, "an error of 1e-13 is within rounding"
    with pytest.raises(ag.ArgumentValueError, match="a Jacobian of 100000000 entries"):
        ag.gradcheck(np.sin, np.ones(10_000), full=True)


def test_arguments_may_be_nested_and_complex():
    def function(tree):
        return np.sum(np.abs(tree["z"]) ** 2 * tree["w"][0])

    tree = {"z": np.array([1 + 2j, 3 - 1j]), "w": [2.0]}
    assert ag.gradcheck(function, tree)
    wrong = ag.gradcheck(
        lambda z: np.sum(np.abs(z) ** 2),
        tree["z"],
        gradient=lambda z: 2 * np.conj(z),
        raise_error=False,
    )
    assert wrong.hints[0].kind == "conjugate"
    assert wrong.worst.input.endswith(".imag")
