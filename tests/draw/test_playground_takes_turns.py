"""The page of a playground and its session: what is shown belongs to the run that there is."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.draw.pages import wait_until
from tests.draw.playgrounds import epoch_of, settled, train, write


@pytest.fixture
def show(show_playground):
    return show_playground


@pytest.mark.parametrize(
    ("control", "key", "setting", "wanted"),
    [
        ("#set-optimizer", "ArrowDown", "optimizer", "AdamW"),
        ("#set-seed", "ArrowUp", "seed", 1),
        ("#set-learning_rate", "Enter", "learning_rate", 0.5),
    ],
)
def test_a_key_that_is_held_while_it_trains_sets_the_run_that_is_shown(
    control, key, setting, wanted, show
):
    page, session = show()
    page.click("#play")
    wait_until(page, lambda: epoch_of(page) > 5)
    page.focus(control)
    if key == "Enter":
        page.keyboard.press("Control+A")
        page.keyboard.type(str(wanted))
    page.keyboard.down(key)
    page.wait_for_timeout(150)  # an epoch that is trained meanwhile belongs to the run before
    page.keyboard.up(key)
    settled(page, session)
    assert getattr(session.settings, setting) == wanted
    assert page.inner_text("#verdict").startswith("Replayed exactly")


def test_a_weight_that_is_set_to_what_is_shown_keeps_all_its_digits(show):
    page, session = show()
    page.click("[data-unit='0-3']")
    page.click("[data-key='edge-0-0-3']")
    before = session.experiment.digest()
    page.press("#answer .edit input", "Enter")
    assert page.inner_text("#told") == "The weight stays as it is."
    settled(page, session)
    assert session.experiment.digest() == before


def test_the_argument_of_an_activation_has_the_digits_that_its_result_follows_from(show):
    page, session = show()
    page.select_option("[data-activation='0']", "softplus")
    settled(page, session)
    page.click("[data-unit='0-0']")
    for number in (-176.2043159, 48759.07123):
        page.fill("#answer .edit input", str(number))
        page.press("#answer .edit input", "Enter")
        settled(page, session)
        formula = page.locator("#answer .formula").all_inner_texts()[-1]
        z, a = re.fullmatch(r"a = softplus\((\S+)\) ≈ (\S+)", formula).groups()
        assert f"{np.logaddexp(0, float(z)):.3e}" == f"{float(a):.3e}"


def test_outputs_that_are_too_large_are_not_said_to_be_replayed(show):
    page, session = show()
    train(page, session, 1)
    page.evaluate(
        "() => { film.outputs[1][0] = Infinity; film.weights[1][24] = 3.4e38; "
        "tellVerdict(verdictOf(1)); }"
    )
    assert page.inner_text("#verdict") == (
        "This epoch is not drawn: outputs of the model are NaN, or larger than single precision "
        "holds."
    )


def test_large_numbers_have_no_digits_that_nobody_knows(show):
    page, _ = show()
    texts = page.evaluate(
        "() => [5798320380, -123456, 9301000.4, 1e21, 12000000].map((x) => short(x))"
    )
    assert texts == ["5.798e9", "-123456", "9301000", "1e21", "1.2e7"]


def test_a_share_that_sets_nothing_aside_is_refused_beside_its_control(show):
    page, session = show()
    write(page, "#set-validation", 0.001)
    page.wait_for_selector("[data-setting=validation] .refusal")
    assert page.inner_text(".refusal") == (
        "validation is 0.001; it must be 0, or a share that sets aside some of the 240 samples and "
        "leaves some"
    )
    assert session.settings.validation == 0.25
