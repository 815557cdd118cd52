"""Drawings of functions and modules: names, frames, layers as boxes, source lines."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_lite as ag
import nn
from autograd_lite.drawing.themes import THEMES
from tests.draw.networks import Affine, Network, cross_entropy, network


def titles(drawing):
    return [vertex.title for vertex in drawing.picture.vertices]


def test_local_variables_name_values_that_have_no_label():
    left = ag.Value(2.0)
    many = [ag.Value(1.0), ag.Value(3.0, label="third")]
    product = left * many[0]
    assert titles(ag.draw(product * many[1])) == ["left", "many[0]", "third", "product", "multiply"]


def test_what_a_notebook_remembers_names_nothing():
    """IPython keeps what cells have shown in ``Out``, which comes before one's own variables."""
    cell = """
x = ag.Value(2.0)
Out[1] = x * 3.0
y = Out[1] + x
drawing = ag.draw(y)
"""
    space = {"get_ipython": lambda: None, "Out": {}, "In": [], "ag": ag}
    exec(cell, space)
    assert titles(space["drawing"]) == ["x", "3.0", "multiply", "y"]


def test_parameters_have_their_names_in_a_graph_drawn_afterwards():
    model = network(2, 1)
    out = model(np.ones((3, 2)))
    assert "layer0.weight" in titles(ag.draw(out))
    second = network(2, 1)
    both = out + second(np.ones((3, 2)))
    assert {"model.layer0.weight", "second.layer0.weight"} <= set(titles(ag.draw(both)))


def test_a_function_is_run_on_values_of_its_own():
    outer = ag.Value(3.0, label="outer")

    def squared_error(x, target, count=2):
        difference = x - target
        return outer * difference**count

    drawing = ag.draw(squared_error, 2.0, 0.5)
    assert titles(drawing) == ["outer", "x", "target", "difference", "2", "power", "multiply"]
    assert dict(drawing.picture.vertices[1].facts)["grad"] == "9.0"
    assert outer.grad is None


def test_arguments_may_be_nested_and_integer_arrays_stay_constants():
    def loss(parameters, labels):
        return np.sum(parameters["w"][labels] * parameters["b"])

    drawing = ag.draw(loss, {"w": np.arange(3.0), "b": 2.0}, np.array([0, 2]))
    assert titles(drawing) == [
        "parameters['w']",
        "parameters['b']",
        "getitem[[0, 2]]",
        "multiply",
        "sum",
    ]


def test_modules_become_nested_frames():
    model = network(2, 3, 1)
    picture = ag.draw(model, np.ones((4, 2))).picture
    assert [cluster.path for cluster in picture.clusters] == [
        ("Network",),
        ("Network", "act0"),
        ("Network", "layer0"),
        ("Network", "layer1"),
    ]
    assert picture.clusters[0].title == "Network  13 parameters"
    modules = {vertex.title: vertex.module for vertex in picture.vertices}
    assert modules["x"] == ()
    assert modules["layer0.weight"] == ("Network", "layer0")
    assert modules["tanh"] == ("Network", "act0")


def test_depth_draws_layers_as_boxes_with_counts_and_shapes():
    model = network(2, 3, 1)
    whole = ag.draw(model, np.ones((4, 2)), depth=0).picture
    assert [(v.title, v.kind) for v in whole.vertices] == [("x", "leaf"), ("Network", "module")]
    assert whole.vertices[1].facts == (("parameters", "13"), ("", "(4, 2) → (4, 1)"))
    layers = ag.draw(model, np.ones((4, 2)), depth=1).picture
    assert [v.title for v in layers.vertices] == [
        "x",
        "layer0  Affine",
        "act0  Tanh",
        "layer1  Affine",
    ]
    assert layers.vertices[1].facts == (("parameters", "9"), ("", "(4, 2) → (4, 3)"))


def test_a_neuron_is_drawn_unit_by_unit():
    neuron = nn.Neuron(2, rng=0)
    picture = ag.draw(neuron, [2.0, 0.5]).picture
    titles = {k: [v.title for v in picture.vertices if v.kind == k] for k in ("leaf", "parameter")}
    assert sorted(titles["leaf"]) == ["x[0]", "x[1]"]
    assert sorted(titles["parameter"]) == ["b", "w0", "w1"]
    operations = [v.title for v in picture.vertices if v.kind == "operation"]
    assert operations == ["multiply", "add", "multiply", "add", "tanh"]
    assert [cluster.title for cluster in picture.clusters] == ["Neuron  3 parameters"]
    values = {v.title: dict(v.facts)["value"] for v in picture.vertices}
    weight = next(x for _, x in neuron.named_parameters() if x.label == "w0")
    assert values["w0"] == f"≈ {weight.data:.4g}"
    assert {v.facts[0][0] for v in picture.vertices} == {"value"}  # none is an array


def test_equal_layers_roll_up():
    model = network(8, 8, 8, 8, 2)
    vertices = ag.draw(model, np.ones((4, 8)), depth=1).picture.vertices
    assert [v.title for v in vertices] == ["x", "3 × (Affine → Tanh)", "layer3  Affine"]
    assert vertices[1].facts == (
        ("", "layer0 … act2"),
        ("parameters", "216"),
        ("", "(4, 8) → (4, 8)"),
    )


def test_a_shared_layer_is_a_frame_for_each_call():
    layer = Affine(weight=ag.Value(np.eye(2)), bias=ag.Value(np.zeros(2)))
    model = Network(first=layer, second=layer)
    paths = [cluster.path for cluster in ag.draw(model, np.ones((1, 2))).picture.clusters]
    assert len(paths) == 3
    assert len({path[-1] for path in paths}) == 3
    weights = [v for v in ag.draw(model, np.ones((1, 2))).picture.vertices if "weight" in v.title]
    assert [w.module for w in weights] == [("Network",)]


def test_big_models_are_folded_by_layers():
    model = network(*[4] * 60)
    with pytest.warns(ag.DrawingWarning):
        picture = ag.draw(model, np.ones((1, 4)), max_nodes=60).picture
    assert [v.title for v in picture.vertices] == ["x", "58 × (Affine → Tanh)", "layer58  Affine"]


def test_models_in_a_loss_keep_their_frames():
    model = network(2, 3, 1)
    labels = np.array([[1], [0]])
    picture = ag.draw(lambda x: cross_entropy(model(x), labels), np.ones((2, 2))).picture
    assert ("Network", "layer1") in [cluster.path for cluster in picture.clusters]
    assert all(x.grad is None for _, x in model.named_parameters())
    gradients = {v.title: dict(v.facts).get("grad") for v in picture.vertices}
    assert gradients["layer1.bias"] is not None


def test_source_lines_are_those_that_called_the_operation():
    x = ag.Value(2.0)
    with ag.SourceLines() as lines:
        y = np.exp(x) + 1.0
        total = np.sum(np.stack([y, y]))
    vertices = {v.title: v for v in ag.draw(total, lines=lines).picture.vertices}
    assert vertices["exp"].source.startswith("test_modules.py:")
    assert vertices["exp"].source.endswith("y = np.exp(x) + 1.0")
    assert vertices["total"].source.endswith("total = np.sum(np.stack([y, y]))")


def test_watching_ends_with_the_block_also_after_an_error():
    import sys

    before = sys.getprofile()
    with pytest.raises(ZeroDivisionError), ag.SourceLines():
        raise ZeroDivisionError
    assert sys.getprofile() is before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            (network(2, 1),),
            "draw: the module Network needs an example input to be run once; "
            "write ag.draw(model, x)",
        ),
        (
            (3,),
            "draw: the target is int; pass a Value that was computed, "
            "or a function or module and example arguments",
        ),
        (
            (ag.Value(1.0), 2.0),
            "draw: a Value takes no example arguments, it has been computed already; "
            "pass the function to draw it for other arguments",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused(arguments, message):
    with pytest.raises(ag.ArgumentTypeError) as error:
        ag.draw(*arguments)
    assert str(error.value) == message


def test_a_function_that_returns_no_value_is_refused():
    with pytest.raises(ag.ArgumentValueError) as error:
        ag.draw(lambda x: 3, 1.0)
    assert str(error.value) == (
        "draw: <lambda> returned int, which no Value was recorded for; "
        "return what is computed from the arguments"
    )


def test_parameters_look_other_than_inputs_wherever_they_come_from():
    layer = nn.Linear(2, 1, rng=0)
    x = ag.Value(np.ones((1, 2)), label="x")
    result = np.sum(layer(x))
    drawings = [
        ag.draw(result),
        ag.draw(layer, np.ones((1, 2))),
        ag.draw(lambda x: np.sum(layer(x)), np.ones((1, 2))),
    ]
    for drawing in drawings:
        kinds = {v.title: v.kind for v in drawing.picture.vertices}
        assert (kinds["weight"], kinds["bias"], kinds["x"]) == ("parameter", "parameter", "leaf")
        assert any("weight; parameter; " in v.describe() for v in drawing.picture.vertices)
    for theme in THEMES.values():
        assert len(set(theme.fill.values())) == len(theme.fill)
        assert len(set(theme.border.values())) == len(theme.border)


def test_a_model_may_be_built_by_the_function_that_is_drawn():
    def loss(x):
        net = nn.Sequential(nn.Linear(2, 3, rng=0), "tanh", nn.MLP(3, [2, 1], rng=1))
        return np.sum(net(x))

    drawing = ag.draw(loss, np.ones((4, 2)))
    named = {"0.weight", "0.bias", "2.0.weight", "2.0.bias", "2.2.weight", "2.2.bias"}
    assert named <= set(titles(drawing))


def test_a_graph_of_one_edge_is_no_graph_of_edges():
    x = ag.Value(2.0)
    assert ag.draw(np.exp(x)).picture.describe() == "Computation graph of 2 nodes and 1 edge."
    assert ag.draw(x).picture.describe() == "Computation graph of 1 node and 0 edges."
    spanish = ag.draw(np.exp(x), lang="es")
    told = spanish._repr_mimebundle_()["text/plain"].splitlines()[0]
    assert told == "Grafo computacional de 2 nodos y 1 arista."


def test_a_dtype_is_named_as_people_name_it():
    x = ag.Value(np.ones(2))
    assert "astype dtype=float32" in str(ag.draw(x.astype(np.float32)).source).replace("  ", " ")
