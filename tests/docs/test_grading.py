"""Every exercise of the course has a check that takes right answers, and no others."""

from __future__ import annotations

import ast
import copy
import inspect
import re
import textwrap
from pathlib import Path

import pytest

from docs.learn import check
from docs.learn.grading import EXERCISES
from tests.docs import answers

CHAPTERS = sorted((Path(__file__).parents[2] / "docs" / "learn").glob("[0-9]*.md"))
OF_CHAPTERS = [exercise for exercise in EXERCISES.values() if exercise.chapter.isdigit()]
EACH = pytest.mark.parametrize("exercise", OF_CHAPTERS, ids=lambda exercise: exercise.number)


def test_every_exercise_of_every_chapter_is_there():
    found = []
    for page in CHAPTERS:
        _, _, exercises = page.read_text(encoding="utf-8").partition("## Exercises")
        chapter = int(page.name[:2])
        found += [f"{chapter}.{n}" for n in re.findall(r"^\*\*(\d)\.\*\*", exercises, re.MULTILINE)]
        assert f"`python -m docs.learn.check {chapter}.1`" in exercises, page.name
    assert found == [exercise.number for exercise in OF_CHAPTERS]


def test_answers_are_named_apart():
    names = [exercise.name for exercise in OF_CHAPTERS]
    assert len(names) == len(set(names)), "one file holds them all"


@EACH
def test_a_right_answer_is_right_and_called_as_the_task_says(exercise):
    answer = getattr(answers, exercise.name)
    names = re.findall(r"\w+", exercise.call.partition("(")[2])
    assert list(inspect.signature(answer).parameters) == names
    is_right, told = check.verdict(exercise, answer)
    assert is_right, told


def spoiled(result):
    """What a slip makes of an answer: another number, another shape, the other truth."""
    if isinstance(result, tuple):
        return tuple(map(spoiled, result))
    if isinstance(result, bool) or result is None:
        return not result
    if isinstance(result, str):
        return result + "?"
    if hasattr(result, "backward"):
        return result * 1.1
    if hasattr(result, "parameters"):
        return result.astype("float32")
    return [1.1 * x + 0.1 for x in result] if isinstance(result, list) else 1.1 * result + 0.1


@EACH
def test_a_wrong_answer_is_told_so(exercise):
    answer = getattr(answers, exercise.name)
    for wrong in (lambda *args: spoiled(answer(*args)), lambda *args: None):
        is_right, told = check.verdict(exercise, wrong)
        assert not is_right
        assert told.startswith(f"{exercise.number} {exercise.name}: not yet. ")


GOOD_ENOUGH = {"3.1", "8.1", "8.2", "15.2"}
"""Many answers are right, or the search for one is long."""

OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div)

SAME = (
    "/ np.ones(2)",  # of 3.2: a multiplication by 1
    "g.shape[i] != 0",  # of 10.2: an axis of length 1 is summed, and stays
    "range(101)",  # of 18.2: one more round
)
"""Mutants that compute the same."""


def mutants(function):
    """What a slip makes of a function: another operator, another number, a lost sign."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    for place, node in enumerate(ast.walk(tree)):
        if isinstance(node, ast.BinOp) and isinstance(node.op, (*OPERATORS, ast.Pow)):
            others = [
                ("op", operator()) for operator in OPERATORS if not isinstance(node.op, operator)
            ]
        elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
            others = [("value", node.value + 1)]
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            others = [("op", ast.UAdd())]
        else:
            continue
        for field, other in others:
            changed = copy.deepcopy(tree)
            setattr(list(ast.walk(changed))[place], field, other)
            yield ast.unparse(changed)


@pytest.mark.filterwarnings("ignore")
@EACH
def test_an_answer_with_one_slip_in_it_is_not_right(exercise):
    """At a point where x² is 2x, or 1 is -1/x, a wrong formula may give the right number."""
    if exercise.number in GOOD_ENOUGH:
        return
    for source in mutants(getattr(answers, exercise.name)):
        names = dict(vars(answers))
        exec(source, names)
        is_right, _ = check.verdict(exercise, names[exercise.name])
        assert not is_right or any(text in source for text in SAME), source


def test_a_gradient_of_the_wrong_shape_is_told_the_right_one():
    _, told = check.verdict(EXERCISES["1.2"], lambda z: 0.0)
    assert re.fullmatch(r".*: not yet\. the shape is \(\), and should be \(\d+,\)", told)
    _, told = check.verdict(EXERCISES["1.2"], lambda z: None)
    assert told == "1.2 sigmoid_slope: not yet. nothing came back; is there a return?"


def test_the_usual_slips_are_named():
    _, told = check.verdict(EXERCISES["6.1"], lambda rate: (rate - 1, 25 * rate - 1))
    assert told.endswith("; look at the sign")
    _, told = check.verdict(EXERCISES["1.2"], lambda z: -answers.sigmoid_slope(z))
    assert "the sign is wrong" in told


def test_what_is_not_begun_is_asked_for(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert check.main(["4.2"]) == 1
    assert capsys.readouterr().out == textwrap.dedent("""\
        4.2 power_slope: still to be written. Return the derivative of x to the power x.
            Put into answers.py:

                def power_slope(x):
                    ...

    """)


def test_a_file_of_answers_is_graded_by_chapter(tmp_path, capsys):
    path = tmp_path / "mine.py"
    path.write_text(
        "def d_gradient(a, b):\n    return 2 * (a * b + a) * (b + 1), 2 * (a * b + a) * a\n"
        "def power_slope(x):\n    raise NotImplementedError\n",
        encoding="utf-8",
    )
    assert check.main(["4", "--file", str(path)]) == 1
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "4.1 d_gradient: right"
    assert [line.partition(". ")[0] for line in told[1:3]] == [
        "4.2 power_slope: still to be written",
        "4.3 sine_square_slope: still to be written",
    ]
    assert told[3] == "1 of 3 right"
    assert check.main(["4.1", "--file", str(path)]) == 0


def test_in_a_notebook_a_function_is_handed_over(capsys):
    check.check("4.1", answers.d_gradient)
    assert capsys.readouterr().out == "4.1 d_gradient: right\n"


def test_an_exercise_that_is_not_there_is_named():
    with pytest.raises(SystemExit, match=r"There is no exercise 4\.9; there are 1\.1, "):
        check.main(["4.9"])


def test_the_report_that_the_front_page_shows_is_that_of_such_an_answer():
    learn = CHAPTERS[0].parent
    for lang, page in (("en", learn / "README.md"), ("es", learn.parent / "es" / "index.md")):
        _, told = check.verdict(EXERCISES["5.2"], lambda *args: -answers.direction_vjp(*args), lang)
        assert told in page.read_text(encoding="utf-8")


LEARN = CHAPTERS[0].parent
WORKSHOPS = sorted((LEARN / "workshops").glob("*.py"))
EACH_WORKSHOP = pytest.mark.parametrize("skeleton", WORKSHOPS, ids=lambda path: path.stem)


def test_every_workshop_has_checks_and_a_place_on_the_page():
    names = {exercise.chapter for exercise in EXERCISES.values()} - {str(n) for n in range(99)}
    assert names == {path.stem for path in WORKSHOPS}
    for page in (LEARN / "workshops.md", LEARN.parent / "es" / "talleres.md"):
        text = page.read_text(encoding="utf-8")
        assert set(re.findall(r"\(\S*workshops/(\w+)\.py\)", text)) == names


@EACH_WORKSHOP
def test_a_skeleton_is_still_to_be_written(skeleton, capsys):
    assert check.main([skeleton.stem, "--file", str(skeleton)]) == 1
    *parts, total = capsys.readouterr().out.splitlines()
    assert all(": still to be written. " in line for line in parts), parts
    assert total == f"0 of {len(parts)} right"


# Estimators warn, as those of scikit-learn do, when they stop before they have converged.
@pytest.mark.filterwarnings("ignore:the network was still improving")
@EACH_WORKSHOP
def test_a_solved_workshop_is_right(skeleton, capsys):
    solution = Path(__file__).parent / "solutions" / skeleton.name
    assert check.main([skeleton.stem, "--file", str(solution)]) == 0, capsys.readouterr().out


@pytest.mark.filterwarnings("ignore")
@EACH_WORKSHOP
def test_a_wrong_workshop_is_told_so(skeleton):
    for exercise in EXERCISES.values():
        if exercise.chapter == skeleton.stem:
            assert not check.verdict(exercise, lambda *args, **options: None)[0]


@pytest.mark.parametrize(
    ("number", "line", "slip", "told"),
    [
        ("framework.1", "x @ self.weight + self.bias", "x @ self.weight", "forward: 10 of 10"),
        ("sequential.3", "layer.bias - rate * of_bias", "layer.bias + rate * of_bias", "the bias"),
    ],
    ids=["a bias forgotten", "a bias that climbs"],
)
def test_a_bias_that_is_not_used_or_not_learned_is_missed(number, line, slip, told):
    exercise = EXERCISES[number]
    source = Path(__file__).parent / "solutions" / f"{exercise.chapter}.py"
    text = source.read_text(encoding="utf-8")
    assert line in text
    names: dict = {}
    exec(text.replace(line, slip), names)
    is_right, found = check.verdict(exercise, names[exercise.name])
    assert not is_right
    assert told in found


def test_the_program_with_the_mistake_says_a_half_four_times():
    solution = (Path(__file__).parent / "solutions" / "nielsen.py").read_text(encoding="utf-8")
    skeleton = (LEARN / "workshops" / "nielsen.py").read_text(encoding="utf-8")
    names: dict = {}
    with_mistake = solution.partition("def xor_outputs")[0]
    exec(with_mistake + "def xor_outputs" + skeleton.partition("def xor_outputs")[2], names)
    assert names["xor_outputs"]().round(2).ravel().tolist() == [0.5, 0.5, 0.5, 0.5]


def test_the_report_that_the_page_of_workshops_shows_is_that_of_such_an_answer():
    def bump(x, left, right, steepness):
        return (x >= left) * (x < right) * 1.0

    for lang, page in (("en", LEARN / "workshops.md"), ("es", LEARN.parent / "es" / "talleres.md")):
        _, told = check.verdict(EXERCISES["gates.3"], bump, lang)
        assert told in page.read_text(encoding="utf-8")


def refusal(tmp_path, text, number="1.1"):
    """What is said of a file of answers that cannot be read."""
    path = tmp_path / "answers.py"
    path.write_text(textwrap.dedent(text), "utf-8")
    with pytest.raises(SystemExit) as caught:
        check.main([number, "--file", str(path)])
    return str(caught.value.code).replace(str(path), "answers.py")


def test_a_file_that_does_not_run_is_told_by_the_readers_own_lines(tmp_path):
    told = refusal(tmp_path, "import math\n\ndef half(x):\n    return x / y\n\nhalf(1)\n")
    # Where marks stand under a line differs between Pythons.
    assert [line for line in told.splitlines() if line.strip("~^ ")] == [
        "answers.py does not run yet.",
        '  File "answers.py", line 6, in <module>',
        "    half(1)",
        '  File "answers.py", line 4, in half',
        "    return x / y",
        "NameError: name 'y' is not defined",
    ]
    unfinished = refusal(tmp_path, "def xor(x)\n    return x\n")
    assert unfinished.startswith('answers.py does not run yet.\n\n  File "answers.py", line 1')
    assert unfinished.endswith("SyntaxError: expected ':'")
    assert refusal(tmp_path, "quit()") == (
        "answers.py ends Python itself: leave out exit() and quit()."
    )


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (3, "xor is 3; it must be a function, def xor(x)"),
        (lambda: 0, "It cannot be called as xor(x): too many positional arguments"),
        (lambda x, y: 0, "It cannot be called as xor(x): missing a required argument: 'y'"),
    ],
    ids=["no function", "too few arguments", "too many arguments"],
)
def test_an_answer_that_cannot_be_called_is_shown_how(answer, text):
    assert check.verdict(EXERCISES["1.1"], answer) == (False, f"1.1 xor: not yet. {text}")
