"""The shell command."""

import json
import subprocess
import sys

import numpy as np
import pytest

from autograd_lite.__main__ import main


def wrong_cosine(x):
    return 2 * np.cos(x)


HERE = "tests.gradcheck.test_command"


def test_a_correct_function_has_status_0(capsys):
    assert main(["check", "numpy:sin", "--args", "[0.5, 1.0]", "--order", "2"]) == 0
    assert capsys.readouterr().out.startswith("gradcheck gradient of sin: correct\n")


def test_a_wrong_gradient_has_status_1_and_is_named(capsys):
    arguments = ["check", "numpy:sin", "--gradient", f"{HERE}:wrong_cosine", "--args", "0.5"]
    assert main(arguments) == 1
    assert "hint: a constant factor: the analytic derivative is 2 times" in capsys.readouterr().out


def test_json_holds_the_whole_report(capsys):
    arguments = ["check", "numpy:sin", "--gradient", f"{HERE}:wrong_cosine", "--shape", "2x3"]
    assert main([*arguments, "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["verdict"] == "wrong derivative"
    assert report["correct"] is False
    assert report["hints"][0]["kind"] == "factor"
    assert len(report["entries"]) == 5
    assert report["table"]["order"] == pytest.approx(1.0, abs=0.1)


def test_the_table_is_printed_on_request(capsys):
    assert main(["check", "numpy:exp", "--args", "0.5", "--table"]) == 0
    assert "step    remainder    order" in capsys.readouterr().out


def power(x, n):
    return np.sum(x**n)


def test_options_are_those_of_gradcheck(capsys):
    arguments = ["check", f"{HERE}:power", "--args", "[0.5, 1.0], 3"]
    assert main([*arguments, "--argnum", "0", "--max-evaluations", "60"]) == 0
    assert main([*arguments, "--argnum", "0", "--nondeterminism", "1e-3"]) == 0
    capsys.readouterr()
    assert main(arguments) == 2
    assert "or name the arguments to check with argnum=" in capsys.readouterr().err
    assert main([*arguments, "--argnum", "0", "--max-evaluations", "3"]) == 2
    assert "max_evaluations=3 is not a number of evaluations" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["numpy", "--args", "1.0"],
            "error: 'numpy' names no function; write package.module:function\n",
        ),
        (["numpy:sine", "--args", "1.0"], "error: 'numpy' has no 'sine'\n"),
        (["numpy:pi", "--args", "1.0"], "error: numpy:pi is float, not a function\n"),
        (
            ["no_such_module:f", "--args", "1.0"],
            "error: cannot import 'no_such_module': No module named 'no_such_module'; run in the "
            "folder that holds it\n",
        ),
        (["numpy:sin", "--shape", "3by4"], "error: --shape 3by4 is not a shape; write 3x4\n"),
        (
            ["numpy:sin"],
            "error: gradcheck: sin was given no number to differentiate with respect to; pass its "
            "arguments after it, as in ag.gradcheck(sin, x)\n",
        ),
    ],
)
def test_what_cannot_be_checked_has_status_2(arguments, message, capsys):
    assert main(["check", *arguments]) == 2
    assert capsys.readouterr().err == message


def test_arguments_are_numbers_and_never_code(capsys):
    assert main(["check", "numpy:sin", "--args", "__import__('os').getcwd()"]) == 2
    assert "is not a list of numbers" in capsys.readouterr().err


def test_it_runs_as_a_program():
    command = [sys.executable, "-m", "autograd_lite", "check", "numpy:tanh", "--args", "0.5"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def f(:", "raised SyntaxError as it was imported"),
        ("raise RuntimeError('no')", "raised RuntimeError as it was imported: no"),
        ("import sys; sys.exit(0)", "raised SystemExit as it was imported: 0"),
        ("def f(x): raise SystemExit(0)", "raised SystemExit at this point: 0"),
    ],
)
def test_a_module_that_cannot_be_used_has_status_2(text, said, tmp_path, monkeypatch, capsys):
    (tmp_path / "unusable_module.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "unusable_module", raising=False)
    assert main(["check", "unusable_module:f", "--args", "1.0"]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["numpy:sin", "--shape", "3", "--seed", "-1"],
        [":sin", "--args", "1.0"],
        ["numpy:sin", "--shape", "1000000000000000"],
        ["..sin:f", "--args", "1.0"],
        ["numpy:sin", "--args", "[None]"],
        ["numpy:sin", "--args", "[[1.0, 2.0], [3.0]]"],
    ],
)
def test_arguments_that_cannot_be_used_have_status_2(arguments, capsys):
    assert main(["check", *arguments]) == 2
    message = capsys.readouterr().err
    assert "; write " in message
    assert "object at 0x" not in message


def prints(x):
    print("computing")
    return np.sum(x)


def test_what_a_function_prints_is_not_in_the_json(capsys):
    assert main(["check", f"{HERE}:prints", "--shape", "3", "--json"]) == 0
    written = capsys.readouterr()
    assert json.loads(written.out)["correct"] is True
    assert "computing" in written.err
