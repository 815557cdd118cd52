"""Files are written as a whole or not at all."""

from __future__ import annotations

import errno
import io
import os
import re
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


@pytest.mark.skipif(os.name != "posix", reason="other systems have no modes of files")
@pytest.mark.parametrize("name", WRITERS)
def test_what_is_no_file_is_written_to_and_stays_what_it_is(tmp_path, name):
    pipe = tmp_path / name
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        WRITERS[name](pipe)
        assert os.read(reader, 10)
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert list(tmp_path.iterdir()) == [pipe]


@pytest.mark.skipif(os.name != "posix", reason="other systems have no links without rights")
@pytest.mark.parametrize("name", WRITERS)
def test_a_link_to_itself_is_an_error_and_stays(tmp_path, name):
    link = tmp_path / name
    link.symlink_to(link)
    with pytest.raises(OSError, match="symbolic links") as error:
        WRITERS[name](link)
    assert error.value.filename == str(link)
    assert link.is_symlink()
    assert list(tmp_path.iterdir()) == [link]


@pytest.mark.skipif(os.name != "posix", reason="other systems have no modes of files")
@pytest.mark.parametrize("name", WRITERS)
def test_a_file_that_nobody_may_write_stays(tmp_path, name, monkeypatch):
    place = tmp_path / name
    place.write_text("kept", encoding="utf-8")
    place.chmod(0o444)
    really_open = os.open

    def open_as_owner(path, flags, *mode):
        """What the system does, also where the tests run as root, who may write anything."""
        if os.fspath(path) == str(place) and flags & os.O_WRONLY:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return really_open(path, flags, *mode)

    monkeypatch.setattr(os, "open", open_as_owner)
    with pytest.raises(PermissionError) as error:
        WRITERS[name](place)
    assert error.value.filename == str(place)
    assert place.read_text(encoding="utf-8") == "kept"
    assert list(tmp_path.iterdir()) == [place]


@pytest.mark.parametrize("name", WRITERS)
def test_a_folder_in_the_place_of_a_file_is_named(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    with pytest.raises(OSError, match=re.escape(str(folder))) as error:
        WRITERS[name](folder)
    assert error.value.filename == str(folder)
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize("name", WRITERS)
def test_bytes_name_a_file_too(tmp_path, name):
    WRITERS[name](os.fsencode(tmp_path / name))
    assert list(tmp_path.iterdir()) == [tmp_path / name]


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("path", [None, 3, 2.5, ["model.npz"], io.BytesIO()])
def test_what_names_no_file_is_refused(name, path):
    with pytest.raises(ag.ArgumentTypeError) as error:
        WRITERS[name](path)
    assert str(error.value) == (
        f"a path is {path!r}, which names no file; pass text or a pathlib.Path, such as "
        "'folder/name.suffix'"
    )


@pytest.mark.parametrize("read", [nn.load, nn.CSVLogger, nn.Playback, nn.Checkpoint])
def test_readers_and_callbacks_refuse_it_too(read):
    with pytest.raises(ag.ArgumentTypeError, match="a path is None, which names no file"):
        read(None)


def test_a_null_character_is_refused():
    with pytest.raises(ag.ArgumentValueError) as error:
        write_bytes("a\0b")
    assert str(error.value) == "the path 'a\\x00b' holds a null character; leave it out"
