"""Saving and loading: round trips, atomicity, damaged and hostile files, PyTorch's weights."""

from __future__ import annotations

import json
import os
import signal
import stat
import struct
import subprocess
import sys
import zipfile
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
import nn
from nn.formats import array_files
from tests.nn.layer_cases import LAYERS, OTHER_LAYERS

SUFFIXES = [".npz", ".safetensors"]


def everything(dtype=np.float32):
    """A model of every layer with state, trained a little so that no number is a default."""
    linear = partial(nn.Linear, rng=0, dtype=dtype)
    model = nn.Sequential(
        linear(4, 6),
        nn.BatchNorm1d(dtype=dtype),
        nn.PReLU(6, dtype=dtype),
        nn.Residual(nn.Sequential(linear(6, 6), "gelu", nn.Dropout(0.25, rng=0))),
        nn.Activation("leaky_relu", slope=0.2),
        nn.Concatenate("identity", nn.MLP(6, [5, 2], activation="tanh", rng=0, dtype=dtype)),
        nn.LayerNorm(dtype=dtype),
        nn.Flatten(),
        linear(out_features=3, use_bias=False),
    )
    x = np.random.default_rng(0).normal(size=(16, 4))
    nn.fit(model, x, x[:, :3], loss=nn.mse, epochs=2, rng=0, progress=False)
    return model, x


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_model_comes_back_as_it_was(tmp_path, suffix, dtype):
    model, x = everything(dtype)
    nn.save(model, tmp_path / f"model{suffix}")
    twin = nn.load(tmp_path / f"model{suffix}")
    assert repr(twin) == repr(model)
    assert not twin.training
    np.testing.assert_array_equal(nn.predict(twin, x), nn.predict(model, x))
    assert {p.dtype for p in twin.parameters()} == {np.dtype(dtype)}
    assert list(tmp_path.iterdir()) == [tmp_path / f"model{suffix}"]


@pytest.mark.parametrize("name", LAYERS | OTHER_LAYERS)
def test_every_layer_comes_back(tmp_path, name):
    model = (LAYERS | OTHER_LAYERS)[name]()
    nn.save(model, tmp_path / "model.npz")
    twin = nn.load(tmp_path / "model.npz")
    assert type(twin) is type(model)
    assert repr(twin) == repr(model)
    state = twin.state_dict()
    assert list(state) == list(model.state_dict())
    for key, array in model.state_dict().items():
        np.testing.assert_array_equal(state[key], array)


def test_a_size_that_the_first_input_told_comes_back(tmp_path):
    model = nn.MLP(None, [3, 1], rng=0)
    model(np.ones((1, 4)))
    nn.save(model, tmp_path / "model.npz")
    assert repr(nn.load(tmp_path / "model.npz")) == repr(model)


VERSION_0_1 = (
    '{"class": "Sequential", "arguments": {"layers": ['
    '{"module": {"class": "Linear", "arguments": {"n_in": 2, "n_out": 3, "use_bias": false, '
    '"dtype": {"dtype": "float32"}}}}, '
    '{"module": {"class": "Activation", "arguments": {"function": {"activation": "leaky_relu"}, '
    '"options": {"dict": {"slope": 0.2}}}}}, '
    '{"module": {"class": "MLP", "arguments": {"n_in": 3, "n_outs": [4, 1], '
    '"activation": {"activation": "tanh"}, "dtype": {"dtype": "float32"}}}}]}}'
)
"""An architecture as version 0.1 wrote it."""


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_of_version_0_1_is_read(tmp_path, suffix):
    parts = nn.Linear(2, 3, use_bias=False, rng=0), nn.MLP(3, [4, 1], activation="tanh", rng=0)
    model = nn.Sequential(parts[0], nn.Activation("leaky_relu", slope=0.2), parts[1])
    model.astype(np.float32)
    texts = {
        "format": '{"name": "autograd_lite.nn", "version": 1}',
        "architecture": VERSION_0_1,
    }
    array_files.write_file(tmp_path / f"old{suffix}", model.state_dict(), texts)
    twin = nn.load(tmp_path / f"old{suffix}")
    assert repr(twin) == repr(model)
    x = np.ones((5, 2), np.float32)
    np.testing.assert_array_equal(nn.predict(twin, x), nn.predict(model, x))


def test_the_names_of_version_0_1_warn():
    for old, new in (("describe", "to_config"), ("build", "from_config")):
        with pytest.warns(DeprecationWarning) as warned:
            assert getattr(nn, old) is getattr(nn, new)
        assert [str(w.message) for w in warned] == [f"nn.{old} is deprecated; write nn.{new}"]
        assert warned[0].filename == __file__
    with pytest.raises(AttributeError, match="module 'nn' has no attribute 'compose'"):
        nn.compose  # noqa: B018


class Own(nn.Module):
    def __init__(self, width, inner):
        self.width = width
        self.inner = inner
        self.scale = nn.Parameter(np.full(width, 2.0))

    def forward(self, x):
        return self.inner(x) * self.scale


def test_classes_of_ones_own_are_named_when_loading(tmp_path):
    model = Own(3, nn.Linear(2, 3, rng=0))
    nn.save(model, tmp_path / "own.npz")
    twin = nn.load(tmp_path / "own.npz", classes=[Own])
    np.testing.assert_array_equal(twin(np.ones((1, 2))).data, model(np.ones((1, 2))).data)
    with pytest.raises(nn.FileFormatError) as error:
        nn.load(tmp_path / "own.npz")
    assert str(error.value) == (
        "own.npz: the architecture has a module of the unknown class 'Own'; "
        "pass the class in classes=[...] if it is your own"
    )


def double(x):
    return 2 * x


def test_weights_alone(tmp_path):
    model = nn.Sequential(nn.Linear(2, 3, rng=0), double)
    with pytest.raises(ag.ArgumentValueError) as error:
        nn.save(model, tmp_path / "model.npz")
    assert str(error.value) == (
        f"Activation.function is {double!r}, which cannot be written down; use an activation of "
        "nn by name, or save the weights alone with architecture=False"
    )
    assert not list(tmp_path.iterdir())
    nn.save(model, tmp_path / "model.npz", architecture=False)
    twin = nn.Sequential(nn.Linear(2, 3, rng=1), double)
    nn.load_weights(twin, tmp_path / "model.npz")
    np.testing.assert_array_equal(twin[0].weight.data, model[0].weight.data)
    with pytest.raises(nn.FileFormatError) as error:
        nn.load(tmp_path / "model.npz")
    assert str(error.value) == (
        "model.npz: it holds weights without an architecture; "
        "build the model and use nn.load_weights"
    )


def test_the_safetensors_library_reads_and_writes_the_same(tmp_path):
    library = pytest.importorskip("safetensors.numpy")
    model, _ = everything()
    nn.save(model, tmp_path / "model.safetensors")
    theirs = library.load_file(tmp_path / "model.safetensors")
    state = model.state_dict()
    assert set(theirs) == set(state)
    for name, array in state.items():
        np.testing.assert_array_equal(theirs[name], array)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_truncation_is_refused(tmp_path, suffix):
    model = nn.MLP(2, [3, 1], rng=0)
    path = tmp_path / f"model{suffix}"
    nn.save(model, path)
    contents = path.read_bytes()
    for length in range(0, len(contents), 7):
        path.write_bytes(contents[:length])
        with pytest.raises(nn.FileFormatError):
            nn.load(path)


@settings(deadline=None, max_examples=150, derandomize=True)
@given(data=st.data())
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_damage_is_refused_or_harmless(tmp_path_factory, suffix, data):
    """Some bytes are overwritten: the file is refused, or it still holds numbers as before."""
    path = tmp_path_factory.mktemp("damage") / f"model{suffix}"
    model = nn.MLP(2, [3, 1], rng=0)
    nn.save(model, path)
    contents = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        contents[data.draw(st.integers(0, len(contents) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(contents)
    try:
        twin = nn.load(path)
    except nn.FileFormatError:
        return
    assert {n: a.shape for n, a in twin.state_dict().items()} == {
        n: a.shape for n, a in model.state_dict().items()
    }


def rewritten(path, change):
    """A model file whose contents were changed by someone who knows the format."""
    arrays, texts = array_files.read_file(path)
    change(arrays, texts)
    array_files.write_file(path, arrays, texts)


def huge(texts):
    texts["architecture"] = texts["architecture"].replace("[2, 3]", "[200000, 200000]")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda arrays, texts: arrays.pop("2.bias"),
            "load_state_dict: the state lacks '2.bias' of shape (1,); "
            "build the model that was saved",
        ),
        (
            lambda arrays, texts: arrays.update({"2.bias": np.zeros(7)}),
            "load_state_dict: '2.bias' has shape (7,) in the state, but (1,) in the model; "
            "build the model that was saved",
        ),
        (
            lambda arrays, texts: texts.update(format='{"name": "autograd_lite.nn", "version": 3}'),
            "it has the format version 3, and this nn reads up to 2; update autograd-lite",
        ),
        (lambda arrays, texts: texts.pop("format"), "it was not written by nn.save"),
        (lambda arrays, texts: texts.update(architecture="{"), "its architecture is not JSON"),
        (
            lambda arrays, texts: texts.update(architecture="[" * 100_000),
            "its architecture is not JSON",
        ),
        (
            lambda arrays, texts: texts.update(architecture="{}"),
            "the architecture was not written by nn: KeyError 'class'",
        ),
        (
            lambda arrays, texts: texts.update(
                architecture='{"class": "os.system", "arguments": {"command": "true"}}'
            ),
            "the architecture has a module of the unknown class 'os.system'; "
            "pass the class in classes=[...] if it is your own",
        ),
        (
            lambda arrays, texts: huge(texts),
            "the architecture needs 40000000000 numbers for one layer, more than there are",
        ),
    ],
)
def test_hostile_and_mismatched_files_are_refused(tmp_path, suffix, change, message):
    path = tmp_path / f"model{suffix}"
    nn.save(nn.MLP(2, [3, 1], rng=0), path)
    texts = array_files.read_file(path)[1]
    assert "in_features" in texts["architecture"]
    rewritten(path, change)
    with pytest.raises(nn.FileFormatError) as error:
        nn.load(path)
    assert str(error.value) == f"model{suffix}: {message}"


def test_pickles_and_compressed_entries_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", weight=np.array([{"a": 1}], dtype=object), allow_pickle=True)
    np.savez_compressed(tmp_path / "b.npz", weight=np.zeros(10**6))
    for name, message in (
        (
            "a.npz",
            "a.npz: 'weight' has dtype object and shape (1,); "
            "the file is damaged or was not written by nn",
        ),
        (
            "b.npz",
            "b.npz: the entry 'weight.npy' is compressed; "
            "the file is damaged or was not written by nn",
        ),
    ):
        with pytest.raises(nn.FileFormatError) as error:
            nn.load(tmp_path / name)
        assert str(error.value) == message


def test_a_header_that_promises_more_than_the_file_holds_is_refused(tmp_path):
    entry = {"w": {"dtype": "F64", "shape": [10**12], "data_offsets": [0, 8]}}
    header = json.dumps(entry).encode()
    path = tmp_path / "a.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(8))
    with pytest.raises(nn.FileFormatError, match=r"'w' of shape .* has 8 bytes of 8000000000000"):
        nn.load(path)
    path.write_bytes(struct.pack("<Q", 2**62) + header)
    with pytest.raises(nn.FileFormatError, match="its header has a length of"):
        nn.load(path)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr(
            "w.npy",
            b"\x93NUMPY\x01\x00v\x00"
            + (
                b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }".ljust(117)
                + b"\n"
            ),
        )
    with pytest.raises(nn.FileFormatError, match=r"'w' of shape .* has 0 bytes of 8000000000000"):
        nn.load(tmp_path / "a.npz")


def test_unknown_suffixes_are_refused(tmp_path):
    with pytest.raises(ag.ArgumentValueError) as error:
        nn.save(nn.Linear(1, 1), tmp_path / "model.pkl")
    assert str(error.value) == (
        "model.pkl: the suffix '.pkl' names no format; use one of .npz, .safetensors"
    )


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_error_while_saving_leaves_the_old_file(tmp_path, suffix, monkeypatch):
    path = tmp_path / f"model{suffix}"
    old = nn.Linear(2, 3, rng=0)
    nn.save(old, path)

    def fail(*args):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        nn.save(nn.Linear(2, 3, rng=1), path)
    assert list(tmp_path.iterdir()) == [path]
    np.testing.assert_array_equal(nn.load(path).weight.data, old.weight.data)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the platform cannot kill like this")
@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("moment", ["os.fdopen", "os.fsync", "os.replace"])
def test_a_killed_save_leaves_the_old_file(tmp_path, suffix, moment):
    path = tmp_path / f"model{suffix}"
    old = nn.Linear(2, 3, rng=0)
    nn.save(old, path)
    script = (
        "import os, signal, sys, nn\n"
        "model, path = nn.Linear(2, 3, rng=1), sys.argv[1]\n"
        f"{moment} = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)\n"
        "nn.save(model, path)\n"
    )
    result = subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert result.returncode == -signal.SIGKILL
    np.testing.assert_array_equal(nn.load(path).weight.data, old.weight.data)
    nn.save(nn.Linear(2, 3, rng=2), path)  # what the killed one left behind is not in the way
    assert not np.array_equal(nn.load(path).weight.data, old.weight.data)


# Checkpoints.


def training(seed):
    model = nn.MLP(2, [4, 1], rng=seed)
    return model, nn.Adam(model, learning_rate=0.01), np.random.default_rng(7)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_training_goes_on_from_a_checkpoint_bit_for_bit(tmp_path, suffix):
    path = tmp_path / f"run{suffix}"
    x = np.random.default_rng(0).normal(size=(30, 2))
    y = x[:, :1] * x[:, 1:]
    options = {"loss": nn.mse, "batch_size": 8, "progress": False}
    model, optimizer, rng = training(0)
    checkpoint = nn.Checkpoint(path, every=2)
    nn.fit(model, x, y, optimizer=optimizer, epochs=5, rng=rng, callbacks=[checkpoint], **options)
    twin, other, stream = training(1)
    history = nn.load_checkpoint(twin, path, other, stream)
    assert len(history) == 4
    nn.fit(twin, x, y, optimizer=other, epochs=1, rng=stream, history=history, **options)
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(twin.state_dict()[name], array)


def test_only_the_best_epoch_is_kept(tmp_path):
    x = np.ones((4, 1))
    model = nn.Linear(1, 1, rng=0)
    optimizer = nn.SGD(model, learning_rate=0.1)
    checkpoint = nn.Checkpoint(tmp_path / "best.npz", best_only=True, monitor="loss")
    nn.fit(
        model, x, x, loss=nn.mse, optimizer=optimizer, epochs=8, progress=False,
        callbacks=[checkpoint], schedule=lambda epoch: 1.0 if epoch < 3 else 30.0,
    )  # fmt: skip
    assert len(nn.load_checkpoint(model, tmp_path / "best.npz", optimizer)) == 4


def test_a_checkpoint_of_another_training_changes_nothing(tmp_path):
    model, optimizer, rng = training(0)
    np.sum(model(np.ones((1, 2)))).backward()
    optimizer.step()
    nn.save_checkpoint(model, tmp_path / "run.npz", optimizer, nn.History(), rng)
    other = nn.MLP(2, [4, 1], rng=3)
    sgd, before = nn.SGD(other), other.state_dict()
    with pytest.raises(nn.FileFormatError) as error:
        nn.load_checkpoint(other, tmp_path / "run.npz", sgd)
    assert str(error.value) == (
        "run.npz: it is not a checkpoint of this training: SGD.load_state_dict: the state is "
        "that of Adam; load it into an optimizer of the class Adam"
    )
    for name, array in other.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


# PyTorch.


def test_weights_go_to_pytorch_and_back():
    torch = pytest.importorskip("torch")
    ours = nn.Sequential(
        nn.Linear(4, 6, rng=0), nn.BatchNorm1d(6), "relu", nn.LayerNorm(6), nn.PReLU(6),
        nn.Linear(6, 3, rng=0),
    )  # fmt: skip
    theirs = torch.nn.Sequential(
        torch.nn.Linear(4, 6), torch.nn.BatchNorm1d(6), torch.nn.ReLU(), torch.nn.LayerNorm(6),
        torch.nn.PReLU(6), torch.nn.Linear(6, 3),
    ).double()  # fmt: skip
    x = np.random.default_rng(0).normal(size=(10, 4))
    ours(x)  # moves the running averages
    theirs.load_state_dict({k: torch.tensor(v) for k, v in nn.torch_state_dict(ours).items()})
    theirs.eval()
    with torch.no_grad():
        np.testing.assert_allclose(nn.predict(ours, x), theirs(torch.tensor(x)).numpy(), atol=1e-12)
        for parameter in theirs.parameters():
            parameter.add_(torch.randn_like(parameter))
        nn.load_torch_state_dict(ours, theirs.state_dict())
        np.testing.assert_allclose(nn.predict(ours, x), theirs(torch.tensor(x)).numpy(), atol=1e-12)


@pytest.mark.parametrize("whole", [True, False], ids=["layer", "weight"])
def test_what_is_shared_goes_to_pytorch_and_back(whole):
    torch = pytest.importorskip("torch")
    first, theirs_first = nn.Linear(3, 3, rng=0), torch.nn.Linear(3, 3)
    second, theirs_second = nn.Linear(3, 3, rng=1), torch.nn.Linear(3, 3)
    if whole:
        second, theirs_second = first, theirs_first
    else:
        second.weight, theirs_second.weight = first.weight, theirs_first.weight
    ours = nn.Sequential(first, nn.BatchNorm1d(3), "tanh", second)
    theirs = torch.nn.Sequential(
        theirs_first, torch.nn.BatchNorm1d(3), torch.nn.Tanh(), theirs_second
    ).double()
    if not whole:
        assert theirs[0].weight is theirs[3].weight
    state = nn.torch_state_dict(ours)
    assert state.keys() == theirs.state_dict().keys()
    theirs.load_state_dict({k: torch.tensor(v) for k, v in state.items()})
    theirs.eval()
    x = np.random.default_rng(0).normal(size=(10, 3))
    with torch.no_grad():
        np.testing.assert_allclose(nn.predict(ours, x), theirs(torch.tensor(x)).numpy(), atol=1e-12)
        for parameter in theirs.parameters():
            parameter.add_(torch.randn_like(parameter))
        nn.load_torch_state_dict(ours, theirs.state_dict())
        np.testing.assert_allclose(nn.predict(ours, x), theirs(torch.tensor(x)).numpy(), atol=1e-12)
    with pytest.raises(ag.ArgumentValueError, match="are one parameter in the model, and two with"):
        nn.load_torch_state_dict(ours, state | {"3.weight": state["3.weight"] + 1})


@pytest.mark.skipif(os.name != "posix", reason="needs the rights of files")
@pytest.mark.parametrize(
    "write", [nn.save, lambda m, path: nn.export_onnx(m, path, np.zeros((1, 2)))]
)
def test_files_have_the_rights_that_new_files_have(tmp_path, write):
    pytest.importorskip("onnx")
    path = tmp_path / ("model.npz" if write is nn.save else "model.onnx")
    before = os.umask(0o027)
    try:
        write(nn.Linear(2, 1, rng=0), path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


# Weights of other files, and of parts.


def other_model():
    return nn.Sequential(nn.Linear(3, 3, rng=5), nn.BatchNorm1d(3), nn.Linear(3, 2, rng=6))


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_weights_of_a_part_and_of_more_than_there_is(tmp_path, suffix):
    path, source = tmp_path / f"weights{suffix}", other_model()
    nn.save(source, path)
    layer = nn.Linear(3, 3, rng=0)
    assert nn.load_weights(layer, path, prefix="0.") is None
    np.testing.assert_array_equal(layer.weight.data, source[0].weight.data)
    body = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Linear(3, 2), nn.Linear(2, 1))
    before = body[3].weight.data.copy()
    found = nn.load_weights(body, path, strict=False)
    assert found == (["3.weight", "3.bias"], [])
    assert found.missing == ["3.weight", "3.bias"]
    np.testing.assert_array_equal(body[2].weight.data, source[2].weight.data)
    np.testing.assert_array_equal(body[3].weight.data, before)
    assert nn.load_weights(nn.Linear(3, 3), path, strict=False) == (
        ["weight", "bias"],
        list(source.state_dict()),
    )


def test_a_shape_that_differs_is_refused_however_strict(tmp_path):
    path = tmp_path / "weights.npz"
    nn.save(nn.Linear(3, 2), path)
    model = nn.Linear(3, 4, rng=0)
    before = model.state_dict()
    with pytest.raises(nn.FileFormatError, match="has shape"):
        nn.load_weights(model, path, strict=False)
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}])
@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
def test_weights_that_pytorch_has_written(tmp_path, metadata, dtype):
    torch = pytest.importorskip("torch")
    save_file = pytest.importorskip("safetensors.torch").save_file
    dtype = getattr(torch, dtype)
    theirs = torch.nn.Sequential(
        torch.nn.Linear(3, 3), torch.nn.BatchNorm1d(3), torch.nn.Linear(3, 2)
    ).to(dtype)
    path, ours = tmp_path / "theirs.safetensors", other_model().eval()
    save_file(theirs.state_dict(), path, metadata=metadata)
    with pytest.warns(UserWarning, match="it has no checksum"):
        if metadata is None:
            with pytest.raises(nn.FileFormatError, match=r"pass layout='torch' for those of PyTo"):
                nn.load_weights(ours, path)
            nn.load_weights(ours, path, layout="torch")
        else:
            nn.load_weights(ours, path)
    x = np.random.default_rng(0).normal(size=(4, 3))
    expected = theirs.double().eval()(torch.tensor(x)).detach().numpy()
    np.testing.assert_allclose(nn.predict(ours, x), expected, rtol=1e-12)


def test_weights_that_others_have_written_as_they_lie_here(tmp_path):
    save_file = pytest.importorskip("safetensors.numpy").save_file
    path, source, ours = tmp_path / "others.safetensors", other_model(), other_model()
    state = {f"encoder.{name}": array for name, array in source.state_dict().items()}
    save_file(state, path)
    with pytest.warns(UserWarning, match="it has no checksum"):
        nn.load_weights(ours, path, layout="nn", prefix="encoder.")
    np.testing.assert_array_equal(ours[0].weight.data, source[0].weight.data)
    with (
        pytest.warns(UserWarning, match="it has no checksum"),
        pytest.raises(nn.FileFormatError, match="none of the 8 names in it begins with 'decoder'"),
    ):
        nn.load_weights(ours, path, layout="nn", prefix="decoder")
    with pytest.raises(ag.ArgumentValueError, match="layout is 'keras'; pass 'nn' for weights"):
        nn.load_weights(ours, path, layout="keras")


def test_the_path_before_the_model_works_with_a_warning(tmp_path):
    model = nn.Linear(2, 1, rng=0)
    path, optimizer = tmp_path / "run.npz", nn.Adam(model)
    with pytest.warns(DeprecationWarning) as warned:
        nn.save_checkpoint(path, model, optimizer, nn.History())
        nn.load_checkpoint(path, model, optimizer)
    assert [str(w.message) for w in warned] == [
        f"{name}: the model comes before the path now; swap the two"
        for name in ("save_checkpoint", "load_checkpoint")
    ]


def test_former_names_of_sizes_work_with_a_warning():
    with pytest.warns(DeprecationWarning) as warned:
        layer = nn.Linear(n_in=2, n_out=3)
        sizes = layer.n_in, layer.n_out, nn.Embedding(4, n_out=5).embedding_dim
    assert sizes == (2, 3, 5)
    assert [str(w.message) for w in warned] == [
        "Linear: n_in is called in_features now; write in_features=...",
        "Linear: n_out is called out_features now; write out_features=...",
        "Linear.n_in is called in_features now",
        "Linear.n_out is called out_features now",
        "Embedding: n_out is called embedding_dim now; write embedding_dim=...",
    ]
