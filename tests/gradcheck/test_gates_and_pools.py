"""Mistakes in recurrent cells and pools are named, and no accident is taken for a cause."""

import numpy as np
import pytest

import autograd_lite as ag

RNG = np.random.default_rng(5)
X, H, C = RNG.normal(size=3), RNG.normal(size=2), RNG.normal(size=2)
W = RNG.normal(size=(5, 8))
IMAGE = RNG.normal(size=(6, 4))


def hints(function, *args, **claim):
    report = ag.gradcheck(function, *args, raise_error=False, max_evaluations=900, **claim)
    assert report.verdict == "wrong derivative"
    return [hint.text for hint in report.hints]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(x, h, c, w):
    i, f, o, u = np.split(np.concatenate([x, h]) @ w, 4)
    new = sigmoid(f) * c + sigmoid(i) * np.tanh(u)
    return np.concatenate([sigmoid(o) * np.tanh(new), new])


def lstm_vjp(g, x, h, c, w, order=(0, 1, 2, 3), forgotten=1.0, carried=1.0):
    both = np.concatenate([x, h])
    z = np.split(both @ w, 4)
    i, f, o, u = *map(sigmoid, z[:3]), np.tanh(z[3])
    t = np.tanh(f * c + i * u)
    gc = carried * g[2:] + g[:2] * o * (1 - t**2)
    gates = [
        gc * u * i * (1 - i),
        gc * c * f * (1 - forgotten * f),
        g[:2] * t * o * (1 - o),
        gc * i * (1 - u**2),
    ]
    gz = np.concatenate([gates[k] for k in order])
    through = w @ gz
    return through[:3], through[3:], gc * f, np.outer(both, gz)


def cell(x, h, c, W):  # noqa: N803 - the name is in the hints
    return lstm(x, h, c, W)


def blocks_of(image):
    return image.reshape(3, 2, 2, 2)


def pool(image):
    return np.max(blocks_of(image), axis=(1, 3))


def pool_vjp(g, image, chosen):
    return (chosen(blocks_of(image)) * g[:, None, :, None]).reshape(image.shape)


def largest(blocks):
    return blocks == blocks.max((1, 3), keepdims=True)


def test_the_backward_passes_are_right():
    assert ag.gradcheck(lstm, X, H, C, W, vjp=lstm_vjp)
    assert ag.gradcheck(pool, IMAGE, vjp=lambda g, x: pool_vjp(g, x, largest))


@pytest.mark.parametrize(
    ("changes", "first"),
    [
        (
            {"order": (0, 1, 3, 2)},
            "W: the gradient of W is in the order 0, 1, 3, 2 of its 4 blocks along axis 1, as of "
            "gates or halves that are mixed up",
        ),
        (
            {"order": (1, 2, 0, 3)},
            "W: the gradient of W is in the order 1, 2, 0, 3 of its 4 blocks along axis 1, as of "
            "gates or halves that are mixed up",
        ),
        ({"forgotten": 0.5}, "W: right except at index 2, 3 of axis 1 of W"),
    ],
    ids=["two gates exchanged", "three gates in a circle", "one gate wrong"],
)
def test_gates_of_a_recurrent_cell_are_named(changes, first):
    found = hints(cell, X, H, C, W, vjp=lambda g, *args: lstm_vjp(g, *args, **changes))
    assert found[0] == first


def test_what_is_common_to_all_arrays_follows():
    found = hints(cell, X, H, C, W, vjp=lambda g, *args: lstm_vjp(g, *args, forgotten=0.5))
    assert found[1:] == [
        "only for x, h, W: what is lacking is a combination of 2 fixed vectors times sums over the "
        "upstream gradient: what goes through 2 numbers in between is missing or wrong, as through "
        "the sum, mean or norm of each row, or through a hidden state"
    ]


def test_a_state_that_is_not_carried_on_is_named_by_the_results_it_belongs_to():
    found = hints(lstm, X, H, C, W, vjp=lambda g, *args: lstm_vjp(g, *args, carried=0.0))
    assert found[0] == (
        "x: nothing comes from result[2], result[3]: left out of the sum; what comes from the "
        "others is right"
    )


def of_random_cell(seed, changed):
    """The hints on a cell of which not every derivative can be measured."""
    rng = np.random.default_rng(seed)
    args = rng.normal(size=3), rng.normal(size=2), rng.normal(size=2), rng.normal(size=(5, 8))
    report = ag.gradcheck(lstm, *args, vjp=changed, rng=seed, raise_error=False)
    assert report.verdict == "wrong derivative"
    return [hint.text for hint in report.hints]


@pytest.mark.parametrize("seed", range(8))
def test_what_fits_the_one_entry_that_was_measured_is_no_cause(seed):
    found = of_random_cell(seed, lambda g, *args: lstm_vjp(np.array([0, 0, *g[2:]]), *args))
    assert not any("broadcast" in text for text in found)


@pytest.mark.parametrize("seed", range(8))
def test_no_array_is_called_right_where_all_are_wrong(seed):
    found = of_random_cell(seed, lambda g, *args: lstm_vjp(g, *args, carried=0.0))
    assert not any("only for" in text or "right that of" in text for text in found)


@pytest.mark.parametrize("seed", range(8))
def test_an_array_of_which_what_was_measured_is_right_is_no_approximation(seed):
    found = of_random_cell(seed, lambda g, *args: lstm_vjp(g, *args, forgotten=0.5))
    assert not any("an approximation" in text for text in found)


@pytest.mark.parametrize(
    ("chosen", "end"),
    [
        (
            lambda blocks: blocks == blocks.min((1, 3), keepdims=True),
            "goes to {smallest}: another index than that of the forward pass",
        ),
        (
            lambda blocks: np.full_like(blocks, 0.25),
            "is shared by 4 entries, as that of a mean",
        ),
        (np.ones_like, "goes to 4 entries: to all that it is chosen from, as it seems"),
    ],
    ids=["the smallest", "the mean", "all"],
)
def test_a_pool_says_which_entry_it_takes(chosen, end):
    corner = IMAGE[:2, :2]
    taken, smallest = (
        "image[{}, {}]".format(*np.unravel_index(place, corner.shape))
        for place in (np.argmax(corner), np.argmin(corner))
    )
    found = hints(pool, IMAGE, vjp=lambda g, x: pool_vjp(g, x, chosen))
    assert found[0] == (
        "each number of the result is one entry of image, as of a maximum or a pool: "
        f"result[0, 0] is {taken}, and its upstream gradient {end.format(smallest=smallest)}"
    )


def test_junk_is_no_choice_of_another_entry():
    junk = np.random.default_rng(1).normal(size=(4, *blocks_of(IMAGE).shape))
    for numbers in (*junk, *np.round(junk)):
        found = hints(pool, IMAGE, vjp=lambda g, x, n=numbers: pool_vjp(g, x, lambda blocks: n))
        assert not any("each number of the result" in text for text in found)


def test_a_region_that_fits_a_few_entries_by_accident_is_none():
    places = np.array([3, 1, 0, 0, 4, 4, 3])
    parts = np.array([0.16, 0.39, 0.3, 0.18, 0.01, 0.48, 0.02])
    values = np.array([0.95, -0.7, -1.27, -0.62, 0.04, -2.33])

    def interpolate(values):
        return values[places] * (1 - parts) + values[places + 1] * parts

    def both_parts_alike(g, values):
        gradient = np.zeros_like(values)
        np.add.at(gradient, places, g * parts)
        np.add.at(gradient, places + 1, g * parts)
        return gradient

    found = hints(interpolate, values, vjp=both_parts_alike)
    assert not any("magnitude" in text or "negative" in text for text in found)


def test_a_region_of_which_a_part_is_right_is_not_named():
    x = np.random.default_rng(0).normal(size=2000)
    report = ag.gradcheck(
        lambda x: np.sum(np.where(x > 1, x**2, x)),
        x,
        gradient=lambda x: np.where(x > 1, -2 * x, 1.0),
        raise_error=False,
    )
    assert not any("where x is positive" in hint.text for hint in report.hints)


def test_the_derivative_of_wirtinger_calculus_is_named():
    z = np.array([1 + 2j, 0.5 - 1j])
    assert hints(lambda z: np.sum(np.abs(z) ** 2), z, gradient=np.conj) == [
        "half the complex conjugate of the gradient, as is the derivative ∂/∂z of Wirtinger "
        "calculus: multiply its conjugate by 2 (the gradient is ∂/∂re + i·∂/∂im)"
    ]


@pytest.mark.parametrize("limit", [1e8, 1e12, 1e14])
def test_gradients_that_are_clipped_far_out_are_seen(limit):
    clipped = ag.Primitive(
        lambda x: x**3,
        lambda g, out, x: np.clip(3 * g * x**2, -limit, limit),
        name="clipped",
    )
    report = ag.gradcheck(clipped, np.array([0.5, 2.0]), raise_error=False)
    assert report.verdict == "wrong derivative"
    assert "large ones are cut off" in report.hints[0].text
