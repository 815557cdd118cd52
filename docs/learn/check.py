"""Grade your answers: ``python -m docs.learn.check 5.3``, in a folder with your ``answers.py``.

``5`` grades a whole chapter, no number at all the whole course. The name of a workshop grades your
file of that name: ``python -m docs.learn.check framework`` looks into ``framework.py``. In a
notebook, ``check("5.3", your_function)`` does the same.
"""

from __future__ import annotations

import argparse
import importlib.util
import inspect
import re
import sys
import traceback
from pathlib import Path
from typing import Any

from docs.learn.grading import EXERCISES, Exercise, NotYetError

ANSWERS = "answers.py"


def check(number: str, answer: Any) -> None:
    """Grade one answer, a function or class, and print what there is to say."""
    print(verdict(exercise_of(number), answer)[1])


def exercise_of(number: str) -> Exercise:
    if number not in EXERCISES:
        raise SystemExit(f"There is no exercise {number}; there are {', '.join(EXERCISES)}.")
    return EXERCISES[number]


def verdict(exercise: Exercise, answer: Any) -> tuple[bool, str]:
    """Whether an answer is right, and a line that says so or says what is wrong."""
    head = f"{exercise.number} {exercise.name}"
    if how := misfit(exercise, answer):
        return False, f"{head}: not yet. {how}"
    try:
        exercise.check(answer)
    except NotYetError as error:
        return False, f"{head}: not yet. {error}"
    except NotImplementedError:
        return False, f"{head}: still to be written. {exercise.task}"
    except Exception as error:
        return False, f"{head}: not yet. It ended with {type(error).__name__}: {error}"
    return True, f"{head}: right"


def misfit(exercise: Exercise, answer: Any) -> str:
    """What keeps an answer from being called as the task says; empty if nothing does."""
    if not callable(answer):
        return f"{exercise.name} is {answer!r}; it must be a function, def {exercise.call}"
    arguments = re.findall(r"\w+(?= *[,)=])", exercise.call.partition("(")[2])
    try:
        inspect.signature(answer).bind(*arguments)
    except TypeError as error:
        return f"It cannot be called as {exercise.call}: {error}"
    except ValueError:
        pass  # functions of other languages may not tell what they take
    return ""


def chosen(wanted: str | None) -> list[Exercise]:
    """One exercise, those of a chapter or workshop, or those of all chapters."""
    if wanted is None:
        return [e for e in EXERCISES.values() if e.chapter.isdigit()]
    of_chapter = [e for e in EXERCISES.values() if e.chapter == wanted]
    return of_chapter or [exercise_of(wanted)]


def answers_in(path: Path) -> dict[str, Any]:
    """What a file of answers defines; nothing if there is none."""
    if not path.exists():
        return {}
    specification = importlib.util.spec_from_file_location(path.stem, path)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    try:
        specification.loader.exec_module(module)
    except SystemExit:
        raise SystemExit(f"{path} ends Python itself: leave out exit() and quit().") from None
    except Exception as error:
        raise SystemExit(f"{path} does not run yet.\n\n{told(error, path)}") from None
    return vars(module)


def told(error: Exception, path: Path) -> str:
    """An error as Python tells it, from the file of answers on."""
    if isinstance(error, SyntaxError):
        return "".join(traceback.format_exception_only(error)).rstrip()
    frames = traceback.extract_tb(error.__traceback__)
    first = next((k for k, frame in enumerate(frames) if Path(frame.filename) == path), 0)
    shown = traceback.format_list(frames[first:]) + traceback.format_exception_only(error)
    return "".join(shown).rstrip()


def place_of(exercise: Exercise, given: Path | None) -> Path:
    """The file that an answer is looked for in."""
    name = ANSWERS if exercise.chapter.isdigit() else f"{exercise.chapter}.py"
    return given or Path(name)


def request(exercise: Exercise, path: Path) -> str:
    """What to write, for who has not begun."""
    return (
        f"{exercise.number} {exercise.name}: still to be written. {exercise.task}\n"
        f"    Put into {path}:\n\n        def {exercise.call}:\n            ...\n"
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m docs.learn.check", description=__doc__)
    parser.add_argument("number", nargs="?", help="5.3, 5, or the name of a workshop")
    parser.add_argument("--file", type=Path, help="where your answers are; answers.py if left out")
    given = parser.parse_args(arguments)
    exercises = chosen(given.number)
    answers = answers_in(place_of(exercises[0], given.file))
    n_right = 0
    for exercise in exercises:
        if exercise.name not in answers:
            told = request(exercise, place_of(exercise, given.file))
            print(told if len(exercises) == 1 else told.partition("\n")[0])
            continue
        is_right, told = verdict(exercise, answers[exercise.name])
        n_right += is_right
        print(told)
    if len(exercises) > 1:
        print(f"{n_right} of {len(exercises)} right")
    return 0 if n_right == len(exercises) else 1


if __name__ == "__main__":
    sys.exit(main())
