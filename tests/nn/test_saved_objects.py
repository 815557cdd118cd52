"""A file holds the object that was there, not the one that its class would make, or is refused."""

from __future__ import annotations

import os
import stat
from collections import deque
from functools import partial

import numpy as np
import pytest

import autograd_lite as ag
import nn

SUFFIXES = [".npz", ".safetensors"]
X = np.random.default_rng(0).normal(size=(7, 3))


def mlp():
    return nn.MLP(3, [4, 4, 2], activation="tanh", rng=0)


class Scaled(nn.Module):
    def __init__(self, inner):
        self.inner = inner
        self.scale = 1.0

    def forward(self, x):
        return self.scale * self.inner(x)


class Pruned(nn.Linear):
    buffers = ("mask",)

    def forward(self, x):
        return x @ (self.weight * self.mask) + self.bias


class Standardized(nn.Module):
    def __init__(self, x):
        self.mean, self.std = x.mean(axis=0), x.std()
        self.names = {0: ("a", "b"), "c": deque([1, None])}
        self.layer = nn.Linear(3, 2, rng=0)

    def forward(self, x):
        return self.layer((x - self.mean) / self.std)


class Relu(nn.Sequential):
    def forward(self, x):
        return nn.relu(super().forward(x))


def own_linear():
    class Linear(nn.Linear):
        def forward(self, x):
            return -super().forward(x)

    return nn.Sequential(nn.Linear(3, 3, rng=0), Linear(3, 2, rng=1))


def appended():
    model = mlp()
    model.layers.append(nn.Linear(2, 5, rng=1))
    return model


def inserted():
    model = mlp()
    model.layers.insert(1, nn.LayerNorm(4))
    return model


def exchanged():
    model = mlp()
    model.layers[1] = nn.Activation("relu")
    return model


def pruned():
    layer = Pruned(3, 2, rng=0)
    layer.mask = layer.weight.data > 0
    return layer


def scaled():
    model = Scaled(nn.Linear(3, 2, rng=0))
    model.scale = np.float64(3.0)
    model.inner.extra = nn.Parameter(np.ones(2))
    return model


def frozen():
    model = mlp()
    model[0].weight.requires_grad = False
    return model


def other_weight():
    model = nn.Linear(3, 2, rng=0)
    model.weight = nn.Parameter(np.ones((3, 6), np.float32))
    model.bias = None
    return model


def tied():
    model = nn.Sequential(nn.Linear(3, 3, rng=0), "tanh", nn.Linear(3, 3, rng=1))
    model[2].weight = model[0].weight
    return model


def used_twice():
    layer = nn.Linear(3, 3, rng=0)
    return nn.Sequential(layer, "tanh", layer, nn.Residual(layer))


MODELS = {
    "appended": appended,
    "inserted": inserted,
    "exchanged": exchanged,
    "pruned": pruned,
    "attributes": scaled,
    "arrays": lambda: Standardized(X),
    "subclass": lambda: Relu(nn.Linear(3, 2, rng=0)),
    "own class called Linear": own_linear,
    "frozen": frozen,
    "ufunc": lambda: nn.Sequential(nn.Linear(3, 2, rng=0), np.tanh, np.sin),
    "other weight": other_weight,
    "tied": tied,
    "used twice": used_twice,
    "own initializer": lambda: nn.Linear(
        3, 2, initializer=lambda rng, shape, dtype: np.ones(shape)
    ),
}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", MODELS)
def test_what_is_loaded_is_what_was_saved(tmp_path, name, suffix):
    model = MODELS[name]().eval()
    path = tmp_path / f"model{suffix}"
    nn.save(model, path)
    classes = {type(m) for _, m in model.named_modules() if type(m).__module__ == __name__}
    twin = nn.load(path, classes=classes)
    assert type(twin) is type(model)
    assert repr(twin) == repr(model)
    np.testing.assert_array_equal(nn.predict(twin, X), nn.predict(model, X))
    for (key, ours), (other, theirs) in zip(
        model.named_parameters(), twin.named_parameters(), strict=True
    ):
        assert (key, ours.requires_grad, ours.dtype) == (other, theirs.requires_grad, theirs.dtype)
    state = twin.state_dict()
    assert list(state) == list(model.state_dict())
    for key, array in model.state_dict().items():
        assert state[key].dtype == array.dtype
        np.testing.assert_array_equal(state[key], array)


def test_what_is_shared_stays_shared(tmp_path):
    nn.save(used_twice(), tmp_path / "model.npz")
    twin = nn.load(tmp_path / "model.npz")
    assert twin[0] is twin[2] is twin[3].module
    nn.save(tied(), tmp_path / "model.npz")
    twin = nn.load(tmp_path / "model.npz").train()
    nn.fit(twin, X, X, loss="mse", epochs=1, progress=False)
    assert twin[2].weight is twin[0].weight


def test_dropout_goes_on_with_its_draws(tmp_path):
    model = nn.Sequential(nn.Dropout(0.5, rng=0), nn.Dropout(0.5))
    model[1].rng = np.random.Generator(np.random.MT19937(1))
    model(X)
    nn.save(model, tmp_path / "model.npz")
    twin = nn.load(tmp_path / "model.npz").train()
    np.testing.assert_array_equal(twin(X), model(X))


def test_a_layer_that_has_not_seen_its_input_keeps_its_initializer(tmp_path):
    draw = partial(nn.initializers.constant, value=0.5)
    nn.save(nn.Linear(out_features=2, initializer=draw), tmp_path / "model.npz")
    twin = nn.load(tmp_path / "model.npz")
    np.testing.assert_array_equal(twin(np.ones((1, 3))).data, [[1.5, 1.5]])


def a_function():
    model = Scaled(nn.Linear(3, 2))
    model.scale = lambda: 3
    return model


def a_method():
    model = nn.Linear(3, 2)
    model.forward = abs
    return model


def named_like_a_method():
    model = Scaled(nn.Linear(3, 2))
    vars(model)["summary"] = "short"
    return model


def two_of_a_name():
    class Other(nn.Linear):
        pass

    first = Other

    class Other(nn.Linear):
        def forward(self, x):
            return -super().forward(x)

    return nn.Sequential(first(3, 3), Other(3, 3))


def complex_weight():
    model = Scaled(nn.Linear(3, 2))
    model.phase = nn.Parameter(np.ones(2) + 1j)
    return model


REFUSED = {
    "a function": (
        a_function,
        "which cannot be written down; use an activation of nn by name, "
        "or save the weights alone with architecture=False",
    ),
    "a method": (
        a_method,
        "Linear.forward is <built-in function abs>, which cannot be written down;",
    ),
    "named like a method": (
        named_like_a_method,
        "the attribute 'summary' of Scaled has the name of a method; rename it",
    ),
    "two of a name": (
        two_of_a_name,
        "two of the classes Other, Other have the same name; rename one",
    ),
    "an initializer to come": (
        lambda: nn.Linear(out_features=3, initializer=lambda rng, shape, dtype: np.ones(shape)),
        "which cannot be written down;",
    ),
    "complex": (complex_weight, "Parameter(["),
}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_held_is_refused_at_save(tmp_path, name, suffix):
    make, message = REFUSED[name]
    path = tmp_path / f"model{suffix}"
    nn.save(nn.Linear(1, 1, rng=0), path)
    before = path.read_bytes()
    with pytest.raises(ag.ArgumentValueError) as error:
        nn.save(make(), path)
    assert message in str(error.value)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_weights_that_no_format_holds_are_refused_at_save(tmp_path, suffix):
    path = tmp_path / f"model{suffix}"
    with pytest.raises(ag.ArgumentValueError) as error:
        nn.save(complex_weight(), path, architecture=False)
    assert str(error.value) == (
        f"model{suffix}: 'phase' has dtype complex128, and a file holds real numbers alone; "
        "save its parts, .real and .imag"
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    "name", ["format", "format.json", "architecture", "__metadata__", "a/b", "../c", "ü", "a\0b"]
)
def test_any_name_is_held_or_refused(tmp_path, suffix, name):
    model = nn.Linear(1, 1, rng=0)
    path = tmp_path / f"model{suffix}"
    nn.save(model, path)
    setattr(model, name, nn.Parameter(np.arange(3.0)))
    try:
        nn.save(model, path)
    except ag.ArgumentValueError:
        assert nn.load(path).state_dict().keys() == {"weight", "bias"}
    else:
        np.testing.assert_array_equal(getattr(nn.load(path), name).data, np.arange(3.0))


def test_a_mask_is_not_loaded_from_other_numbers():
    layer = pruned()
    state = layer.state_dict() | {"mask": np.full((3, 2), 0.5)}
    with pytest.raises(ag.ArgumentValueError) as error:
        layer.load_state_dict(state)
    assert str(error.value) == (
        "load_state_dict: 'mask' has dtype float64 in the state; "
        "it must hold numbers that fit into bool, as in the model"
    )


@pytest.mark.skipif(os.name != "posix", reason="needs links and the rights of files")
@pytest.mark.parametrize("kind", ["npz", "safetensors", "onnx"])
def test_a_link_stays_a_link_and_a_mode_what_it_was(tmp_path, kind):
    if kind == "onnx":
        pytest.importorskip("onnx")

    def write(model):
        if kind == "onnx":
            nn.export_onnx(model, link, np.zeros((1, 2)))
        else:
            nn.save(model, link)

    (tmp_path / "store").mkdir()
    file, link = tmp_path / "store" / f"model.{kind}", tmp_path / f"model.{kind}"
    link.symlink_to(file)
    write(nn.Linear(2, 1, rng=0))
    file.chmod(0o604)
    before = file.read_bytes()
    write(nn.Linear(2, 1, rng=1))
    assert link.is_symlink()
    assert stat.S_IMODE(file.stat().st_mode) == 0o604
    assert file.read_bytes() != before
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_parameters_are_in_the_byte_order_of_the_machine(tmp_path, suffix):
    model = nn.Linear(3, 2, rng=0, dtype=">f4")
    assert model.weight.dtype.isnative
    model.weight.data = np.arange(6, dtype=">f8").reshape(3, 2)
    assert model.weight.dtype == np.float64 and model.weight.dtype.isnative
    nn.save(model, tmp_path / f"model{suffix}")
    assert nn.load(tmp_path / f"model{suffix}").weight.data.tolist() == [[0, 1], [2, 3], [4, 5]]


class ScaledBy(nn.Module):
    buffers = ("scale",)

    def __init__(self, scale):
        self.scale = scale

    def forward(self, x):
        return x * self.scale


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_buffers_in_another_byte_order_are_kept(tmp_path, suffix):
    nn.save(ScaledBy(np.arange(3, dtype=">i4")), tmp_path / f"model{suffix}")
    loaded = nn.load(tmp_path / f"model{suffix}", classes=[ScaledBy])
    assert loaded.scale.tolist() == [0, 1, 2]
    assert loaded.scale.dtype.newbyteorder("=") == np.int32
    assert "scale" in repr(loaded)


def test_texts_in_a_buffer_are_refused(tmp_path):
    with pytest.raises(ag.ArgumentValueError) as error:
        nn.save(ScaledBy(np.array(["a", "b"])), tmp_path / "model.npz")
    assert str(error.value) == (
        "model.npz: 'scale' has dtype <U1, and a file holds real numbers alone; make numbers of "
        "it, as np.unique(x, return_inverse=True)[1] does"
    )
