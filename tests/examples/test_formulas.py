"""Examples that differentiate formulas of their own, run in a small setting."""

from __future__ import annotations

import re

PNG = b"\x89PNG"


def numbers(pattern: str, printed: str) -> list[float]:
    return [float(number) for number in re.search(pattern, printed).groups()]


def test_micrograds_demo_learns(run_example):
    printed, picture = run_example(
        "micrograd_demo", "--samples", "20", "--hidden", "6", "--steps", "11", "--grid", "10"
    )
    losses = [float(loss) for loss in re.findall(r"loss ([\d.]+)", printed)]
    assert "67 parameters" in printed
    assert losses[-1] < 0.5 * losses[0]
    assert picture.startswith(PNG)


def test_exact_derivatives_save_evaluations_of_rosenbrocks_function(run_example):
    printed, picture = run_example("rosenbrock", "--dimensions", "6")
    (measured,) = numbers(r"measured gradient +(\d+)", printed)
    exact, distance = numbers(r"exact gradient +(\d+) +\d+ +(\S+)", printed)
    assert measured > 5 * exact
    assert distance < 1e-3
    assert picture.startswith(PNG)


def test_a_fitted_curve_has_the_true_parameters_within_three_deviations(run_example):
    printed, picture = run_example("curve_fitting", "--points", "40")
    rows = re.findall(r"(\S+) ± (\S+) +truth (\S+)", printed)
    assert len(rows) == 5
    for value, deviation, truth in rows:
        assert abs(float(value) - float(truth)) < 3 * float(deviation)
    assert picture.startswith(PNG)


def test_logistic_regression_finds_what_scikit_learn_finds(run_example):
    printed, picture = run_example("logistic_regression")
    (difference,) = numbers(r"scikit-learn's weights: (\S+)", printed)
    (right,) = numbers(r"held out: ([\d.]+)%", printed)
    assert difference < 1e-8
    assert right > 94
    assert picture.startswith(PNG)


def test_the_custom_function_is_right_and_its_mistakes_are_named(run_example):
    printed, picture = run_example("custom_function", "--eccentricity", "0.3")
    assert "eccentric_anomaly: correct" in printed
    assert "each entry is off by a factor" in printed
    assert "the sign is wrong" in printed
    assert picture.startswith(PNG)


def test_the_pendulum_tells_its_length(run_example):
    printed, picture = run_example("pendulum", "--steps", "75")
    assert "gradcheck misfit: correct" in printed
    length, friction, angle = numbers(
        r"length \[m\] +(\S+).*\n.*1/s\] +(\S+).*\n.*rad\] +(\S+)", printed
    )
    assert abs(length - 1.2) < 0.03
    assert abs(friction - 0.15) < 0.03
    assert abs(angle - 2.0) < 0.06
    (naive,) = numbers(r"small swings would give a length of (\S+)", printed)
    assert naive > 1.4
    assert picture.startswith(PNG)


def test_the_gaussian_process_finds_what_is_likely(run_example):
    printed, picture = run_example("gaussian_process", "--points", "20")
    (difference,) = numbers(r"the same up to (\S+)", printed)
    assert difference < 1e-8
    before, after = numbers(r"surprise (\S+) before, (\S+) after", printed)
    assert after < before - 5
    assert picture.startswith(PNG)


def test_the_recurrent_network_learns_and_writes_in_the_alphabet_of_its_text(run_example, tmp_path):
    (tmp_path / "text.txt").write_text("abracadabra! " * 40, encoding="utf-8")
    printed, picture = run_example(
        "character_rnn", "--text", "text.txt", "--units", "16", "--steps", "60", "--length", "13",
        "--streams", "4",
    )  # fmt: skip
    before, after = numbers(r"([\d.]+) bits a character before, ([\d.]+) after", printed)
    assert after < 0.5 * before
    written = printed.split("\n\n")[1]
    assert len(written) == 300
    assert set(written) <= set("abrcd! ")
    assert picture.startswith(PNG)
