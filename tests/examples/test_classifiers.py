"""Examples that train networks on data that come with scikit-learn, in a small setting."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from PIL import Image

PNG = b"\x89PNG"


def percentage(printed: str) -> float:
    return float(re.search(r"([\d.]+)%", printed)[1])


def test_hidden_units_solve_xor_if_they_find_how(run_example):
    printed, picture = run_example("xor", "--epochs", "200", "--starts", "3")
    assert "answers: [0 1 1 0]" in printed
    found = [int(count) for count in re.findall(r"(\d) of 3 starts", printed)]
    assert found == sorted(found)
    assert found[-1] == 3
    assert picture.startswith(PNG)


@pytest.mark.parametrize("data", ["circles", "spirals"])
def test_the_film_shows_the_training(run_example, data):
    printed, film = run_example(
        "circles_and_spirals", "--data", data, "--samples", "100", "--epochs", "4", "--every", "2",
        picture=f"{data}.gif",
    )  # fmt: skip
    with Image.open(BytesIO(film)) as image:
        assert image.format == "GIF"
        assert image.n_frames == 3
    assert percentage(printed) > 50


def test_every_flower_is_judged_by_a_network_that_has_not_seen_it(run_example):
    printed, picture = run_example("iris", "--folds", "3", "--hidden", "8")
    assert percentage(printed) > 92
    assert picture.startswith(PNG)


def test_digits_are_read(run_example):
    printed, picture = run_example("digits", "--epochs", "6")
    assert "6 epochs, finished" in printed
    assert float(re.search(r"450 test digits: ([\d.]+)%", printed)[1]) > 93
    assert picture.startswith(PNG)


def test_salient_pixels_matter_more_than_others(run_example):
    printed, picture = run_example("saliency", "--epochs", "8")
    after_ten = [float(chance) for chance in re.findall(r"then ([\d.]+)", printed)]
    assert after_ten[0] < 0.5 * after_ten[1]
    assert picture.startswith(PNG)
