"""Grade your answers: ``python -m docs.learn.check 5.3``, in a folder with your ``answers.py``.

``5`` grades a whole chapter, no number at all the whole course. The name of a workshop grades your
file of that name: ``python -m docs.learn.check framework`` looks into ``framework.py``. In a
notebook, ``check("5.3", your_function)`` does the same. ``--lang es`` answers in Spanish.
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
from docs.learn.grading.spanish import TASKS, in_spanish

ANSWERS = "answers.py"
LANGUAGES = {"en": str, "es": in_spanish}
"""How a sentence is said in each language."""


def check(number: str, answer: Any, lang: str = "en") -> None:
    """Grade one answer, a function or class, and print what there is to say."""
    print(verdict(exercise_of(number, lang), answer, lang)[1])


def exercise_of(number: str, lang: str = "en") -> Exercise:
    if number not in EXERCISES:
        known = ", ".join(EXERCISES)
        raise SystemExit(LANGUAGES[lang](f"There is no exercise {number}; there are {known}."))
    return EXERCISES[number]


def task_of(exercise: Exercise, lang: str) -> str:
    """What is to be written."""
    return exercise.task if lang == "en" else TASKS[exercise.number]


def verdict(exercise: Exercise, answer: Any, lang: str = "en") -> tuple[bool, str]:
    """Whether an answer is right, and a line that says so or says what is wrong."""
    is_right, told = graded(exercise, answer, task_of(exercise, lang))
    return is_right, LANGUAGES[lang](told)


def graded(exercise: Exercise, answer: Any, task: str) -> tuple[bool, str]:
    """The verdict in English, around a task in any language."""
    head = f"{exercise.number} {exercise.name}"
    if how := misfit(exercise, answer):
        return False, f"{head}: not yet. {how}"
    try:
        exercise.check(answer)
    except NotYetError as error:
        return False, f"{head}: not yet. {error}"
    except NotImplementedError:
        return False, f"{head}: still to be written. {task}"
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


def chosen(wanted: str | None, lang: str = "en") -> list[Exercise]:
    """One exercise, those of a chapter or workshop, or those of all chapters."""
    if wanted is None:
        return [e for e in EXERCISES.values() if e.chapter.isdigit()]
    of_chapter = [e for e in EXERCISES.values() if e.chapter == wanted]
    return of_chapter or [exercise_of(wanted, lang)]


def answers_in(path: Path, lang: str = "en") -> dict[str, Any]:
    """What a file of answers defines; nothing if there is none."""
    if not path.exists():
        return {}
    specification = importlib.util.spec_from_file_location(path.stem, path)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    try:
        specification.loader.exec_module(module)
    except SystemExit:
        ends = f"{path} ends Python itself: leave out exit() and quit()."
        raise SystemExit(LANGUAGES[lang](ends)) from None
    except Exception as error:
        head = LANGUAGES[lang](f"{path} does not run yet.")
        raise SystemExit(f"{head}\n\n{told(error, path)}") from None
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


def request(exercise: Exercise, path: Path, lang: str = "en") -> str:
    """What to write, for who has not begun."""
    say, task = LANGUAGES[lang], task_of(exercise, lang)
    return (
        say(f"{exercise.number} {exercise.name}: still to be written. {task}")
        + f"\n    {say(f'Put into {path}:')}\n\n        def {exercise.call}:\n            ...\n"
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m docs.learn.check", description=__doc__)
    parser.add_argument("number", nargs="?", help="5.3, 5, or the name of a workshop")
    parser.add_argument("--file", type=Path, help="where your answers are; answers.py if left out")
    parser.add_argument("--lang", choices=[*LANGUAGES], default="en", help="en or es")
    given = parser.parse_args(arguments)
    exercises = chosen(given.number, given.lang)
    answers = answers_in(place_of(exercises[0], given.file), given.lang)
    n_right = 0
    for exercise in exercises:
        if exercise.name not in answers:
            told = request(exercise, place_of(exercise, given.file), given.lang)
            print(told if len(exercises) == 1 else told.partition("\n")[0])
            continue
        is_right, told = verdict(exercise, answers[exercise.name], given.lang)
        n_right += is_right
        print(told)
    if len(exercises) > 1:
        print(LANGUAGES[given.lang](f"{n_right} of {len(exercises)} right"))
    return 0 if n_right == len(exercises) else 1


if __name__ == "__main__":
    sys.exit(main())
