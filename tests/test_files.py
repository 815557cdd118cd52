"""Files are written as a whole or not at all."""

from __future__ import annotations

import os
import stat
import time

import numpy as np
import pytest

import autograd_lite as ag
import nn


def test_a_file_takes_its_place_at_the_end(tmp_path):
    place = tmp_path / "numbers.txt"
    place.write_text("old", encoding="utf-8")
    with ag.files.atomic_write(place) as file:
        file.write(b"new")
        assert place.read_text(encoding="utf-8") == "old"
    assert place.read_text(encoding="utf-8") == "new"
    assert list(tmp_path.iterdir()) == [place]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    place = tmp_path / "numbers.txt"
    place.write_text("old", encoding="utf-8")
    with pytest.raises(KeyError), ag.files.atomic_write(place) as file:
        file.write(b"half")
        raise KeyError("interrupted")
    assert place.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [place]


def save_drawing(path):
    ag.draw(ag.Value(1.0) + 1.0).save(path)


def save_program(path):
    compiled = ag.compile(np.sin)
    compiled(np.ones(2))
    compiled.save(path)


def save_model(path):
    nn.save(nn.Linear(1, 1), path)


def save_weights(path):
    nn.save(nn.Linear(1, 1), path, architecture=False)


def export_onnx(path):
    pytest.importorskip("onnx")
    nn.export_onnx(nn.Linear(1, 1), path, np.zeros((1, 1)))


def write_bytes(path):
    with ag.files.atomic_write(path) as file:
        file.write(b"new")


WRITERS = {
    "drawing.dot": save_drawing,
    "program.py": save_program,
    "model.npz": save_model,
    "weights.safetensors": save_weights,
    "model.onnx": export_onnx,
    "numbers.txt": write_bytes,
}


@pytest.mark.skipif(os.name != "posix", reason="other systems have no modes of files")
@pytest.mark.parametrize("name", WRITERS)
def test_a_link_stays_a_link_and_a_mode_what_it_was(tmp_path, name):
    (tmp_path / "elsewhere").mkdir()
    place, link = tmp_path / "elsewhere" / name, tmp_path / name
    place.write_text("old", encoding="utf-8")
    place.chmod(0o604)
    link.symlink_to(place)
    WRITERS[name](link)
    assert link.is_symlink()
    assert place.read_bytes() != b"old"
    assert stat.S_IMODE(place.stat().st_mode) == 0o604
    assert list(place.parent.iterdir()) == [place]


@pytest.mark.parametrize("name", WRITERS)
def test_a_name_may_be_as_long_as_the_system_lets_it_be(tmp_path, name):
    long = tmp_path / f"{'a' * (240 - len(name))}{name}"
    WRITERS[name](long)
    assert list(tmp_path.iterdir()) == [long]


def test_an_old_file_that_somebody_reads_is_replaced_when_that_ends(tmp_path, monkeypatch):
    """As Windows has it."""
    refusals = [PermissionError("in use"), PermissionError("in use")]
    rename = os.replace

    def refuse(*paths):
        if refusals:
            raise refusals.pop()
        rename(*paths)

    monkeypatch.setattr(os, "replace", refuse)
    write_bytes(tmp_path / "numbers.txt")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"new"]
    refusals += [PermissionError("in use for long")] * 4
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    with pytest.raises(PermissionError):
        write_bytes(tmp_path / "others.txt")
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.skipif(os.name != "posix", reason="other systems have no links without rights")
def test_a_link_to_nothing_gets_its_file(tmp_path):
    place, link = tmp_path / "later.txt", tmp_path / "link.txt"
    link.symlink_to(place)
    with ag.files.atomic_write(link) as file:
        file.write(b"new")
    assert link.is_symlink()
    assert place.read_text(encoding="utf-8") == "new"


def test_the_former_name_still_works(tmp_path):
    place = tmp_path / "numbers.txt"
    with pytest.warns(DeprecationWarning) as warned, ag.files.appearing_whole(place) as file:
        file.write(b"1 2 3")
    assert place.read_text(encoding="utf-8") == "1 2 3"
    assert str(warned[0].message) == (
        "files.appearing_whole is now called files.atomic_write; write that instead"
    )
    assert warned[0].filename == __file__


def test_an_error_names_the_file_that_was_asked_for(tmp_path):
    path = tmp_path / "nowhere" / "x.svg"
    with pytest.raises(FileNotFoundError) as error, ag.files.atomic_write(path):
        pass
    assert error.value.filename == str(path)
