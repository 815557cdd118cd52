"""The playback of a training in a real browser: its numbers are the model's, and it answers."""

from __future__ import annotations

import re
from types import SimpleNamespace

import numpy as np
import pytest

import nn
from tests.draw.pages import (
    SHOWN_DIGITS,
    contrast,
    number_in,
    numbers_of,
    right_side,
    wait_until,
)
from tests.draw.recorded import EPOCHS, Recorded, two_classes
from tests.draw.test_stepper_in_browser import HOSTILE


@pytest.fixture(scope="module")
def plane(tmp_path_factory):
    """Two classes in the plane, by plain descent; a unit of the first layer dies."""
    x, y = two_classes()
    model = nn.MLP(2, [5, 4, 2], activation="relu", rng=0)
    model[0].bias.data[1] = -60.0
    return Recorded(
        tmp_path_factory.mktemp("plane") / "run.html", model, x, y,
        {"title": "two classes", "class_names": ["cold", "hot"]},
        loss="cross_entropy", optimizer=nn.SGD(model, 0.1), metrics="accuracy", batch_size=16,
    )  # fmt: skip


@pytest.fixture(scope="module")
def pixels(tmp_path_factory):
    """Images of 5 × 5 pixels in three classes, by Adam."""
    rng = np.random.default_rng(0)
    y = np.arange(45) % 3
    x = rng.normal(0, 0.6, size=(45, 25)) + np.repeat(np.eye(3), [8, 8, 9], axis=1)[y]
    model = nn.Sequential(
        nn.Linear(25, 6, rng=0), "tanh", nn.Dropout(0.2, rng=1), nn.Linear(6, 3, rng=1)
    )
    return Recorded(
        tmp_path_factory.mktemp("pixels") / "run.html", model, x, y, loss="cross_entropy",
        optimizer="adam",
    )  # fmt: skip


@pytest.fixture
def show(open_file):
    """Opens the page of a training, and waits until it has drawn."""

    def opened(recorded, **options):
        options = {"viewport": {"width": 1280, "height": 900}} | options
        page = open_file(recorded.path, **options)
        page.wait_for_selector("html[data-ready]", state="attached")
        return page

    return opened


def go_to(page, epoch):
    page.locator("#slider").fill(str(epoch))


@pytest.mark.parametrize("epoch", [0, 1, 6, 13, EPOCHS])
def test_the_numbers_on_the_page_are_the_models(epoch, plane, show):
    page = show(plane)
    go_to(page, epoch)
    probe, model = plane.recorder.probe, plane.at(epoch)
    assert page.inner_text("#verdict").startswith("Replayed exactly: the outputs for 5 samples")
    assert page.inner_text("#count") == f"{epoch} / {EPOCHS}"
    outputs = nn.predict(model, probe.x)
    right = int(np.sum(np.argmax(outputs, axis=1) == probe.y))
    shown = numbers_of(page)
    assert shown["right in the probe"] == right
    loss = float(nn.cross_entropy(outputs, probe.y))
    assert shown["loss on the probe"] == pytest.approx(loss, SHOWN_DIGITS)
    for name in ("loss", "accuracy") if epoch else ():
        assert shown[name] == pytest.approx(plane.history[name][epoch - 1], SHOWN_DIGITS)
    # outputs of samples, as the page computes them and as they are shown
    replayed = page.evaluate(
        "([f, n]) => [...Array(n).keys()].map((s) => predictionAt(f, s))", [epoch, 60]
    )
    np.testing.assert_allclose(replayed, outputs, rtol=1e-5, atol=1e-6)
    page.fill("#sample", "7")
    page.press("#sample", "Enter")
    texts = page.inner_text("#answer .outputs").split(",")
    np.testing.assert_allclose([number_in(text) for text in texts], outputs[6], 1e-5, 1e-7)
    # a unit: the formula with the numbers of this sample
    page.click("[data-unit='0-2']")
    z = float((probe.x[6] @ model[0].weight.data + model[0].bias.data)[2])
    sums = page.locator("#answer .formula").all_inner_texts()
    assert sums[0] == "z = w1 · x1 + w2 · x2 + b, a = relu(z)"
    assert right_side(sums[1]) == pytest.approx(z, SHOWN_DIGITS)
    assert right_side(sums[2]) == pytest.approx(max(z, 0.0), SHOWN_DIGITS)
    # a weight, its gradient, and the update with these numbers
    page.click("[data-key='edge-0-0-2']")
    w, g = float(model[0].weight.data[0, 2]), float(plane.gradients(epoch)["0.weight"][0, 2])
    assert number_in(page.inner_text("#answer .weight")) == pytest.approx(w, rel=1e-5)
    assert number_in(page.inner_text("#answer .gradient")) == pytest.approx(g, rel=1e-4, abs=1e-9)
    update = page.inner_text("#answer .update")
    assert right_side(update) == pytest.approx(w - 0.1 * g, SHOWN_DIGITS)


def test_the_rows_of_layers_tell_gradients_norms_and_dead_units(plane, show):
    page = show(plane)
    go_to(page, 9)
    model, gradients = plane.at(9), plane.gradients(9)
    rows = [row.locator("th, td").all_inner_texts() for row in page.locator("#layers tr").all()[1:]]
    assert [row[0] for row in rows] == ["1: relu", "2: relu", "3: linear"]
    hidden = nn.predict(model[:2], plane.recorder.probe.x)
    assert rows[0][4] == f"{int(np.sum(np.ptp(hidden, axis=0) == 0))} of 5"
    for index, row in zip((0, 2, 4), rows, strict=True):
        g = np.concatenate([gradients[f"{index}.{name}"].ravel() for name in ("weight", "bias")])
        w = np.concatenate([p.data.ravel() for p in model[index].parameters()])
        assert float(row[1]) == pytest.approx(np.sqrt(np.mean(g**2)), rel=6e-3)
        assert float(row[2]) == pytest.approx(np.linalg.norm(w), rel=6e-3)


def test_a_unit_says_when_it_died(plane, show):
    page = show(plane)
    assert page.get_attribute("[data-unit='0-1']", "data-life") == "dead"
    assert "dead" in page.get_attribute("[data-unit='0-1']", "aria-label")
    page.click("[data-unit='0-1']")
    assert "Dead since epoch 0: the same number for every sample" in page.inner_text("#answer")
    page.click("[data-unit='0-2']")
    assert "Alive after epoch 20. It is not dead at any epoch up to 20." in page.inner_text(
        "#answer"
    )


class Kill(nn.Callback):
    """Lets a unit die in the fifth epoch."""

    def before_epoch(self, run):
        if run.epoch == 4:
            run.model[0].bias.data[2] = -60.0


@pytest.mark.parametrize(("max_frames", "since"), [(9, "epoch 5"), (2, "an epoch from 1 to 8")])
def test_it_is_not_said_more_exactly_than_it_is_known(max_frames, since, tmp_path, show):
    x, y = two_classes(30)
    path = tmp_path / "run.html"
    model = nn.MLP(2, [4, 2], activation="relu", rng=0)
    nn.playback(
        model, x, y, path=path, max_frames=max_frames, loss="cross_entropy", epochs=8, rng=0,
        callbacks=Kill(), progress=False, compile=False,
    )  # fmt: skip
    page = show(SimpleNamespace(path=path))
    page.click("[data-unit='0-2']")
    assert f"Dead since {since}: the same number" in page.inner_text("#answer")


def test_a_point_tells_why_it_is_wrong(plane, show):
    page = show(plane)
    page.keyboard.press("End")
    outputs = nn.predict(plane.at(EPOCHS), plane.recorder.probe.x)
    wrong = np.flatnonzero(np.argmax(outputs, axis=1) != plane.y)
    assert page.inner_text("#answer h3").startswith(f"Wrong: {len(wrong)} of 60")
    page.click(f"[data-key='sample-{wrong[0]}']")
    names = ["cold", "hot"]
    decided = int(np.argmax(outputs[wrong[0]]))
    assert f"Wrong: {names[decided]} instead of {names[1 - decided]}." in page.inner_text("#answer")
    ahead = float(np.ptp(outputs[wrong[0]]))
    reason = page.locator("#answer h3:has-text('Why wrong?') + p").inner_text()
    assert number_in(reason.split("≈")[1]) == pytest.approx(ahead, SHOWN_DIGITS)
    cells = page.locator("#answer h3:has-text('Why wrong?') ~ div td").all_inner_texts()
    shares = [right_side(f"{a} {b}") for a, b in zip(cells[:-2:2], cells[1:-2:2], strict=True)]
    assert sum(shares) + number_in(cells[-1]) == pytest.approx(ahead, abs=2e-3)
    page.click("#answer summary >> nth=1")
    layer = page.locator("#answer details[open] .formula").all_inner_texts()
    hidden = nn.predict(plane.model[:4], plane.x[wrong[:1]])[0]
    np.testing.assert_allclose(
        [right_side(text) for text in layer[1::2]], hidden, SHOWN_DIGITS, 1e-12
    )
    page.keyboard.press("ArrowLeft")  # what was opened stays open
    assert page.locator("#answer details[open]").count() == 1


def test_points_links_and_curves_can_be_clicked_on(plane, show):
    page = show(plane)
    box = page.locator("#outputs").bounding_box()
    place = page.evaluate("() => placeOf(11)")
    page.mouse.click(box["x"] + place[0] * box["width"], box["y"] + place[1] * box["height"])
    assert page.inner_text("#answer h2") == "Sample 12"
    near = page.evaluate(
        "() => { const l = drawn.links.find((l) => l.layer === 2 && l.input === 0 && l.unit === 0);"
        " const [x, y] = [l.from[0] + l.start, l.from[1]];"
        " return [x + 0.2 * (l.to[0] - l.end - x), y + 0.2 * (l.to[1] - y)]; }"
    )
    box = page.locator("#links").bounding_box()
    page.mouse.click(box["x"] + near[0], box["y"] + near[1])
    assert page.inner_text("#answer h2") == "Weight from unit 1 of layer 2 to unit 1 of layer 3"
    assert page.locator("#answer .chart").count() == 2
    page.keyboard.press("Escape")
    assert page.inner_text("#answer h2") == "Ask"
    chart = page.locator("#curves svg").first
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    chart.click(position={"x": box["width"] * 0.6, "y": box["height"] / 2})
    epoch = int(page.inner_text("#count").split(" / ")[0])
    assert 8 <= epoch <= 14
    labels = page.locator("#curves svg .tick").all_text_contents()
    assert "epoch" in labels and all(re.fullmatch(r"epoch|-?[\d.]+", text) for text in labels)


def test_a_pixel_of_a_units_weights_can_be_asked_about(pixels, show):
    page = show(pixels)
    page.click("[data-unit='0-3']")
    box = page.locator("#answer .map").bounding_box()
    page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 0.3 * box["height"])
    assert page.inner_text("#answer h2") == "Weight from pixel 1, 2 to unit 4 of layer 1"
    model = pixels.at(EPOCHS)
    weight = float(model[0].weight.data[7, 3])
    assert number_in(page.inner_text("#answer .weight")) == pytest.approx(weight, rel=1e-5)
    update = page.inner_text("#answer .update")
    assert right_side(update) != weight
    assert "Adam(" in page.inner_text("#answer")


def test_images_are_sorted_into_a_table_of_classes(pixels, show):
    page = show(pixels)
    assert not page.is_visible("#outputs")
    counts = np.array(page.locator(".confusion td").all_inner_texts(), int).reshape(3, 3)
    outputs = nn.predict(pixels.at(EPOCHS), pixels.recorder.probe.x)
    expected = nn.metrics.confusion_matrix(outputs, pixels.recorder.probe.y)
    np.testing.assert_array_equal(counts, expected)


# Controls.


def test_keys_and_buttons_move_through_the_epochs(plane, show):
    page = show(plane)
    count = lambda: int(page.inner_text("#count").split(" / ")[0])  # noqa: E731
    best = int(np.argmin(plane.history.loss)) + 1
    moves = [
        ("Home", 0), ("ArrowRight", 1), ("PageDown", 11), ("ArrowLeft", 10), ("PageUp", 0),
        ("ArrowLeft", 0), ("End", EPOCHS), ("ArrowRight", EPOCHS), ("b", best),
    ]  # fmt: skip
    for key, epoch in moves:
        page.keyboard.press(key)
        assert count() == epoch, key
    for button, epoch in [
        ("first", 0),
        ("next", 1),
        ("last", EPOCHS),
        ("back", EPOCHS - 1),
        ("best", best),
    ]:
        page.click(f"#{button}")
        assert count() == epoch, button
    assert "the best" in page.inner_text("#epoch")
    assert page.get_attribute("#slider", "aria-valuetext").startswith(
        f"Epoch {best}, the best: loss"
    )


def test_space_plays_and_pauses_at_the_speed_that_was_chosen(plane, show):
    page = show(plane, clock=True)
    count = lambda: int(page.inner_text("#count").split(" / ")[0])  # noqa: E731
    page.keyboard.press("Space")
    assert (page.inner_text("#play"), count()) == ("Pause", 0)
    page.clock.run_for(520)
    assert count() == 5
    page.select_option("#speed", "33")
    page.clock.run_for(170)
    assert count() == 10
    page.click("#play")
    page.clock.run_for(1_000)
    assert (page.inner_text("#play"), count()) == ("Play", 10)
    page.click("#play")
    page.clock.run_for(2_000)
    assert (page.inner_text("#play"), count()) == ("Play", EPOCHS)


def test_two_epochs_stand_side_by_side(plane, show):
    page = show(plane)
    assert not page.is_visible("#pinned") and not page.is_visible("#pinned-outputs")
    go_to(page, 2)
    page.keyboard.press("p")
    go_to(page, 17)
    assert (
        page.is_visible("#pinned-outputs") and page.get_attribute("#pin", "aria-pressed") == "true"
    )
    assert page.inner_text("#pinned-title") == "Pinned: epoch 2"
    assert page.locator("#pinned tr").first.inner_text().split("\t")[1:] == [
        "pinned: 2",
        "shown: 17",
    ]
    loss = page.locator("#pinned tr:has(th:text-is('loss')) td").all_inner_texts()
    expected = [plane.history.loss[1], plane.history.loss[16]]
    np.testing.assert_allclose([number_in(text) for text in loss], expected, SHOWN_DIGITS)
    page.click("#pin")
    assert not page.is_visible("#pinned")


def test_two_runs_stand_side_by_side(plane, tmp_path, show):
    model = nn.MLP(2, [3, 2], activation="tanh", rng=1)
    options = {"title": "<b>the other</b>", "class_names": HOSTILE[:2]}
    beside = Recorded(
        tmp_path / "other.html", model, plane.x, plane.y, options, loss="cross_entropy",
        optimizer="adam", epochs=8,
    )  # fmt: skip
    page = show(plane)
    assert not page.is_visible("#beside")
    page.set_input_files("#other", beside.path)
    page.wait_for_selector("#beside")
    for epoch, its in ((0, 0), (5, 5), (EPOCHS, 8)):  # of a shorter run, its last
        go_to(page, epoch)
        assert page.inner_text("#beside-title") == f"The other run: <b>the other</b>, epoch {its}"
        rows = {
            row.locator("th").inner_text(): row.locator("td").all_inner_texts()
            for row in page.locator("#beside tr").all()[1:]
        }
        for one, run, at in ((0, plane, epoch), (1, beside, its)):
            probe, model = run.recorder.probe, run.at(at)
            outputs = nn.predict(model, probe.x)
            loss = float(nn.cross_entropy(outputs, probe.y))
            assert number_in(rows["loss on the probe"][one]) == pytest.approx(loss, SHOWN_DIGITS)
            right = int(np.sum(np.argmax(outputs, axis=1) == probe.y))
            assert rows["right in the probe"][one] == f"{right} of 60"
        assert rows["accuracy"][1] == rows["norm of layer 3"][1] == "\u2013"
        right = page.get_attribute("#beside-outputs", "aria-label")
        assert right.endswith(f"after epoch {its}: {rows['right in the probe'][1]} samples right")
        assert page.inner_text("#verdict").startswith("Replayed exactly")
    page.click("[data-unit='0-2']")  # the shown run is asked about as before
    assert page.inner_text("#answer h2") == "Unit 3 of layer 1: relu"
    names = page.locator("#curves .chart").first.locator(".legend").all_inner_texts()
    assert names == ["loss", "loss of the other run"]
    page.evaluate("() => { other.film.weights[8][0] += 1; }")
    page.evaluate("() => { computed.delete(other.film.weights[8]); show(state.frame); }")
    assert "This epoch of the other run is not drawn" in page.inner_text("#beside")
    assert not page.is_visible("#beside-outputs") and page.locator("#beside tr").count() == 0
    assert page.locator("b").count() == 0
    bad = tmp_path / "bad.html"
    for text in ("", "<p>no playback", '<script id="data">{"layers": []}</script>'):
        bad.write_text(text, encoding="utf-8")
        page.set_input_files("#other", bad)
        wait_until(page, lambda: "bad.html holds no playback" in page.inner_text("#other-refused"))
        assert not page.is_visible("#beside")
        page.set_input_files("#other", beside.path)
        wait_until(page, lambda: page.is_visible("#beside"))
    page.set_input_files("#other", [])
    wait_until(page, lambda: not page.is_visible("#beside"))


def test_the_theme_follows_the_reader_until_it_is_switched(plane, show):
    page = show(plane, color_scheme="dark")
    theme = lambda: page.get_attribute("html", "data-theme")  # noqa: E731
    assert theme() == "dark" and page.get_attribute("#theme", "aria-pressed") == "true"
    page.emulate_media(color_scheme="light")
    wait_until(page, lambda: theme() == "light")
    page.click("#theme")
    assert theme() == "dark"
    page.emulate_media(color_scheme="dark")
    page.emulate_media(color_scheme="light")
    assert theme() == "dark"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_and_lines_can_be_read_and_seen(theme, plane, show):
    page = show(plane, color_scheme=theme)
    for fill in ("background", "surface"):
        for text in ("text", "muted", "backward", "right", "mark"):
            assert contrast(page, text, fill) >= 4.5, (theme, text, fill)
    for line in ("line", "forward", "backward", "third", "fourth", "mark", "below", "above"):
        assert contrast(page, line, "background") >= 3, (theme, line)


@pytest.mark.parametrize("width", [375, 1280])
def test_nothing_is_wider_than_the_screen(width, plane, pixels, show):
    for recorded in (plane, pixels):
        page = show(recorded, viewport={"width": width, "height": 760})
        for action in (
            "[data-unit='0-2']",
            "[data-key='edge-0-0-2'], [data-key^='edge-0']",
            "#pin",
        ):
            page.locator(action).first.click()
            assert page.evaluate("() => document.documentElement.scrollWidth") <= width
            main = page.evaluate("() => document.querySelector('main').scrollWidth")
            assert main <= width, (action, main)


def test_all_that_is_drawn_has_its_words(plane, show):
    page = show(plane)
    for canvas in page.locator("canvas:visible, svg:visible").all():
        label = canvas.get_attribute("aria-label")
        assert label or canvas.get_attribute("aria-hidden") == "true"
    assert re.fullmatch(
        r"The outputs over the plane after epoch 20: \d+ of 60 samples right",
        page.get_attribute("#outputs", "aria-label"),
    )
    unit = page.get_attribute("[data-unit='1-0']", "aria-label")
    assert re.match(r"unit 1 of layer 2, relu, from .* to .*", unit)
    for button in page.locator("button:visible").all():
        assert button.inner_text().strip() or button.get_attribute("aria-label")
    page.keyboard.press("ArrowLeft")
    assert page.inner_text("#said").startswith("Epoch 19, the best: loss ≈")


def test_it_can_be_asked_by_keyboard_alone(plane, show):
    page = show(plane)
    page.keyboard.press("/")
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    assert page.inner_text("#answer h2") == "Sample 3"
    page.focus("[data-unit='0-0']")
    page.keyboard.press("Enter")
    assert page.inner_text("#answer h2").startswith("Unit 1 of layer 1")
    page.focus("[data-key='edge-0-1-0']")
    page.keyboard.press("ArrowLeft")  # the answer is written anew; the focus stays
    assert page.evaluate("() => document.activeElement.dataset.key") == "edge-0-1-0"
    page.keyboard.press("Enter")
    assert page.inner_text("#answer h2").startswith("Weight from x2")
    assert page.evaluate("() => document.activeElement.id") == "answer-title"


# What it never does.


def test_an_epoch_that_is_no_replay_is_not_drawn(plane, show):
    page = show(plane)
    place = plane.recorder.network.layers[2].weight
    weights = plane.recorder.film.frames[7].weights[place : place + 8]
    page.evaluate(
        "(place) => { film.weights[7][place] *= 1.0001; }", place + int(np.abs(weights).argmax())
    )
    go_to(page, 7)
    assert page.inner_text("#verdict").startswith("This epoch is not drawn: replayed outputs")
    assert not page.is_visible("#network") and not page.is_visible("#outputs")
    assert page.inner_text("#answer") == ""
    go_to(page, 8)
    assert page.inner_text("#verdict").startswith("Replayed exactly")
    assert page.is_visible("#network")


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_models_of_single_and_half_precision_are_replayed_within_their_rounding(
    dtype, tmp_path, show
):
    x, y = two_classes(30)
    model = nn.MLP(2, [6, 6, 2], activation="gelu", rng=0, dtype=dtype)
    options = {"loss": "cross_entropy", "optimizer": nn.SGD(model, 0.1), "epochs": 5}
    page = show(Recorded(tmp_path / "run.html", model, x, y, **options))
    verdicts = page.evaluate("() => film.weights.map((_, frame) => verdictOf(frame))")
    assert all(verdict["same"] for verdict in verdicts)
    assert min(verdict["digits"] for verdict in verdicts) >= (2 if dtype == np.float16 else 5)


def test_an_answer_is_read_out_once(plane, show):
    page = show(plane)
    page.click("[data-unit='0-0']")
    assert page.get_attribute("#answer", "aria-live") == "polite"
    page.keyboard.press("ArrowLeft")
    assert page.get_attribute("#answer", "aria-live") == "off"


def test_hostile_names_are_text_in_the_page(tmp_path, show):
    x, y = two_classes(30)
    model = nn.MLP(2, [3, 9], rng=0)
    options = {"title": "</title><script>window.hacked = true</script>",
               "class_names": HOSTILE, "feature_names": HOSTILE[:2]}  # fmt: skip
    recorded = Recorded(
        tmp_path / "run.html", model, x, y, options, loss="cross_entropy", epochs=2,
        metrics={name: lambda outputs, targets: 0.5 for name in HOSTILE},
    )  # fmt: skip
    page = show(recorded)
    page.click("[data-unit='1-2']")
    page.click("[data-key^='edge']")
    page.fill("#sample", "2")
    page.press("#sample", "Enter")
    page.keyboard.press("Escape")
    page.click("#pin")
    assert page.evaluate("() => window.hacked") is None
    assert page.locator("script").count() == 2 and page.locator("img, b").count() == 0
    assert HOSTILE[0] in page.locator("#units .label").all_text_contents()
    assert page.inner_text("h1") == options["title"]


VARIANTS = [{}, {"slope": 0.3}, {"alpha": 1.7}, {"approximate": True}]


def test_every_activation_computes_what_python_does(plane, show):
    """To the rounding of JavaScript's own exp and log; the bound of the comparison holds too."""
    page = show(plane)
    z = np.linspace(-9, 9, 72).reshape(9, 8)
    z[4, :4] = 0.0, -0.0, 40.0, -40.0
    compared = 0
    for name, function in nn.activations.activations.items():
        for options in VARIANTS:
            try:
                layer = nn.Activation(function, **options)
                expected = layer(z)
            except TypeError:
                continue
            part = {"name": name, **options}
            found = page.evaluate(
                "([part, z]) => Array.from(activate(part, [], Float64Array.from(z), 8))",
                [part, z.ravel().tolist()],
            )
            np.testing.assert_allclose(found, np.ravel(expected), 1e-12, 1e-15, err_msg=name)
            errors = page.evaluate(
                "([part, z]) => Array.from(roundingThrough(part, [], Float64Array.from(z),"
                " new Float64Array(8).fill(1e-6))[1])",
                [part, z[2].tolist()],
            )
            moved = layer(z[2] + 1e-6 * np.array([1, -1] * 4))
            assert (np.abs(np.ravel(moved - layer(z[2]))) <= errors).all(), name
            compared += 1
    assert compared >= len(nn.activations.activations) + 3


def test_playing_keeps_up_with_30_frames_a_second(pixels, show):
    """A machine that is busy with other things may take several times as long as an idle one."""
    page = show(pixels)
    each = page.evaluate(
        "() => { const start = performance.now(); for (let i = 0; i <= 20; i++) show(i);"
        " return (performance.now() - start) / 21; }"
    )
    assert each < 250


def test_numbers_of_a_regression_are_drawn_along_the_line(tmp_path, show):
    x = np.linspace(-2, 2, 30).reshape(-1, 1)
    model = nn.Sequential(nn.Linear(1, 6, rng=0), nn.PReLU(6), nn.Linear(6, 1, rng=1))
    recorded = Recorded(tmp_path / "run.html", model, x, np.sin(x), loss="mse", epochs=3)
    page = show(recorded)
    page.fill("#sample", "4")
    page.press("#sample", "Enter")
    output = float(nn.predict(recorded.at(3), x[3:4].astype(np.float32))[0, 0])
    assert number_in(page.inner_text("#answer .outputs")) == pytest.approx(output, rel=1e-5)
    assert page.inner_text("#verdict").startswith("Replayed exactly")
    box = page.locator("#outputs").bounding_box()
    place = page.evaluate("() => drawn.placeOnLine(20)")
    page.mouse.click(box["x"] + place[0] * box["width"], box["y"] + place[1] * box["height"])
    assert page.inner_text("#answer h2") == "Sample 21"


def test_classes_along_the_line_have_a_curve_for_each_probability(tmp_path, show):
    x = np.linspace(-2, 2, 30).reshape(-1, 1)
    y = np.digitize(x[:, 0], [-0.7, 0.9])
    model = nn.MLP(1, [6, 3], activation="tanh", rng=0)
    page = show(Recorded(tmp_path / "run.html", model, x, y, loss="cross_entropy", epochs=3))
    assert page.inner_text("#outputs-title") == "Probabilities of class 0, class 1, class 2"
    drawn = page.evaluate("() => curvesOf(predictionAt(3, 8))")
    outputs = nn.predict(model, x[8:9].astype(np.float32))
    np.testing.assert_allclose(drawn, nn.softmax(outputs)[0], rtol=1e-6)
    box = page.locator("#outputs").bounding_box()
    place = page.evaluate("() => drawn.placeOnLine(8)")
    page.mouse.click(box["x"] + place[0] * box["width"], box["y"] + place[1] * box["height"])
    assert page.inner_text("#answer h2") == "Sample 9"


def test_a_model_that_is_not_trained_yet_can_be_looked_at(tmp_path, show):
    x, y = two_classes(30)
    recorded = Recorded(
        tmp_path / "run.html", nn.MLP(2, [3, 2], rng=0), x, y, loss="cross_entropy", epochs=0
    )
    page = show(recorded)
    assert page.inner_text("#epoch") == "Epoch 0, untrained"
    page.keyboard.press("Space")
    page.click("[data-unit='0-0']")
    page.click("[data-key='edge-0-0-0']")
    assert page.inner_text("#count") == "0 / 0"
