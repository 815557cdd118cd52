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


def test_a_table_with_gaps_is_searched_and_calibrated(run_example):
    printed, picture = run_example("table", "--parcels", "1200")
    areas = [float(area) for area in re.findall(r"area under the curve ([\d.]+)", printed)]
    errors = [float(error) for error in re.findall(r"off the true chances by ([\d.]+)", printed)]
    assert min(areas) > 0.7
    assert errors[1] < 0.7 * errors[0]
    assert picture.startswith(PNG)


def test_wide_and_deep_together_do_better_than_either(run_example):
    printed, picture = run_example("wide_and_deep", "--visits", "4000", "--epochs", "20")
    amounts = [float(share) for share in re.findall(r"explains ([\d.]+)%", printed)]
    again = [float(share) for share in re.findall(r"right on ([\d.]+)%", printed)]
    assert amounts[2] > 75 > 65 > max(amounts[:2])
    assert again[2] > max(again[:2])
    assert picture.startswith(PNG)


def test_tied_weights_write_digits_down_better_than_principal_components(run_example):
    printed, picture = run_example("tied_autoencoder", "--epochs", "60")
    tied, linear = (float(error) for error in re.findall(r"off by ([\d.]+)", printed))
    assert tied < 0.95 * linear
    assert picture.startswith(PNG)


def test_a_frozen_body_helps_with_another_question(run_example):
    printed, picture = run_example("fine_tuning", "--epochs", "15")
    scratch, frozen, tuned = (float(x) for x in re.findall(r"right on ([\d.]+)%", printed))
    assert min(frozen, tuned) > scratch
    assert picture.startswith(PNG)


def test_a_training_that_was_killed_ends_as_if_nothing_had_been(run_example):
    printed, picture = run_example("resume", "--epochs", "4")
    assert "goes on after epoch 2, finished" in printed
    assert "storm: begins, died" in printed
    assert "the weights are the same, bit for bit" in printed
    assert picture.startswith(PNG)
