"""The checks of the course say in Spanish all that they say in English."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from docs.learn import check
from docs.learn.grading import EXERCISES
from docs.learn.grading.spanish import TASKS, in_spanish

SPANISH_PAGES = sorted((Path(check.__file__).parents[1] / "es").glob("[0-9]*.md"))
GRADING = sorted(Path(check.__file__).parent.glob("grading/*.py"))
SAID = {"same": 2, "is_true": 1, "NotYetError": 0, "share": 3}
"""What is called with a sentence, and which argument it is."""
NO_WORDS = {"3 / 4", "a @ w", "forward", "tanh(0.5)", "weight_gradient", "bias_gradient", "77"}


def sentence(node):
    """The text of a literal, with 7 for each number that is put into it; None if it is none."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            part.value if isinstance(part, ast.Constant) else "7" for part in node.values
        )
    return None


def sentences():
    for path in GRADING:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                place = SAID.get(node.func.id)
                if place is not None and len(node.args) > place:
                    yield sentence(node.args[place])
            elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "given":
                yield sentence(node.value)


def test_every_sentence_has_its_spanish():
    said = set(filter(None, sentences())) - NO_WORDS
    assert len(said) > 90
    english = re.compile(r"\b(the|of|is|are|and|in|at|it|with|from)\b")
    spanish = {text: in_spanish(text) for text in said}
    left = [text for text, told in spanish.items() if told == text or english.search(told)]
    assert [text for text in left if text != "7: 77"] == []


def test_every_task_has_its_spanish():
    assert list(TASKS) == list(EXERCISES)


def test_every_spanish_page_asks_in_spanish():
    for page in SPANISH_PAGES:
        chapter = int(page.name[:2])
        text = page.read_text(encoding="utf-8")
        assert f"`python -m docs.learn.check {chapter}.1 --lang es`" in text, page.name


@pytest.mark.parametrize(
    ("number", "answer", "told"),
    [
        ("1.1", lambda x: [0, 0, 1, 0], "1.1 xor: todavía no. xor de 00, 01, 10, 11: 1 de 4 "
         "números están mal"),
        ("5.2", lambda g, out, x: 0, "5.2 direction_vjp: todavía no. la parte de g en "
         "(3, -4, 12): la forma es (), y debería ser (3,)"),
        ("6.1", lambda rate: (rate - 1, 25 * rate - 1), "6.1 factors: todavía no. los factores "
         "para la tasa 0.01: 2 de 2 números están mal; mira el signo"),
        ("4.1", 3, "4.1 d_gradient: todavía no. d_gradient es 3; ha de ser una función, def "
         "d_gradient(a, b)"),
        ("11.2", lambda n_in: 1.0, "11.2 he_limit: todavía no. la cota para 600 entradas: está "
         "mal"),
    ],
)  # fmt: skip
def test_a_verdict_in_spanish(number, answer, told):
    assert check.verdict(EXERCISES[number], answer, "es") == (False, told)


def test_the_command_answers_in_spanish(tmp_path, capsys):
    path = tmp_path / "answers.py"
    path.write_text("def sigmoid_slope(z):\n    raise NotImplementedError\n", encoding="utf-8")
    assert check.main(["1", "--lang", "es", "--file", str(path)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "1.1 xor: está por escribir. Las filas de x son pares de 0 y 1; devuelve el o exclusivo "
        "de cada una.",
        "1.2 sigmoid_slope: está por escribir. Devuelve la derivada de la sigmoide en cada "
        "elemento de z.",
        "0 de 2 bien",
    ]
    with pytest.raises(SystemExit, match=r"No hay ningún ejercicio 1\.9; hay 1\.1"):
        check.main(["1.9", "--lang", "es"])
