"""Files are written as a whole or not at all."""

from __future__ import annotations

import pytest

import autograd_lite as ag


def test_a_file_takes_its_place_at_the_end(tmp_path):
    place = tmp_path / "numbers.txt"
    place.write_text("old")
    with ag.files.atomic_write(place) as file:
        file.write(b"new")
        assert place.read_text() == "old"
    assert place.read_text() == "new"
    assert list(tmp_path.iterdir()) == [place]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    place = tmp_path / "numbers.txt"
    place.write_text("old")
    with pytest.raises(KeyError), ag.files.atomic_write(place) as file:
        file.write(b"half")
        raise KeyError("interrupted")
    assert place.read_text() == "old"
    assert list(tmp_path.iterdir()) == [place]


def test_the_former_name_still_works(tmp_path):
    place = tmp_path / "numbers.txt"
    with pytest.warns(DeprecationWarning) as warned, ag.files.appearing_whole(place) as file:
        file.write(b"1 2 3")
    assert place.read_text() == "1 2 3"
    assert str(warned[0].message) == (
        "files.appearing_whole is now called files.atomic_write; write that instead"
    )
    assert warned[0].filename == __file__
