"""A fuzzer of files: flipped bits, truncations, mutated headers.

A damaged file is refused with a `FileFormatError`, or it is still the same model.
"""

from __future__ import annotations

import contextlib
import json
import random
import struct
import warnings
import zipfile

import numpy as np
import pytest

import nn
from nn.formats.array_files import read_file

SUFFIXES = [".npz", ".safetensors"]
X = np.random.default_rng(0).normal(size=(5, 2))


def small(path):
    model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.BatchNorm1d(3), nn.Dropout(0.5, rng=0))
    nn.save(model, path)
    return model, path.read_bytes()


def refused_or_the_same(path, contents, expected):
    """Whether a damaged file was refused; one that is not gives the same predictions."""
    path.write_bytes(contents)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of files without a checksum
        try:
            model = nn.load(path)
        except nn.FileFormatError:
            return True
    np.testing.assert_array_equal(nn.predict(model, X), expected)
    return False


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_flipped_bit_changes_a_prediction(tmp_path, suffix):
    path = tmp_path / f"model{suffix}"
    model, contents = small(path)
    expected = nn.predict(model, X)
    draws = random.Random(0)
    bits = draws.sample(range(8 * len(contents)), 2500)
    refused = 0
    for bit in bits:
        changed = bytearray(contents)
        changed[bit // 8] ^= 1 << bit % 8
        refused += refused_or_the_same(path, changed, expected)
    assert refused > len(bits) / 2


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_truncated_files_and_files_with_something_added_are_refused(tmp_path, suffix):
    path = tmp_path / f"model{suffix}"
    model, contents = small(path)
    draws = random.Random(1)
    expected = nn.predict(model, X)
    for _ in range(150):
        start, stop = sorted(draws.sample(range(len(contents)), 2))
        assert refused_or_the_same(path, contents[:stop], expected)
        assert refused_or_the_same(path, contents[:start] + contents[stop:], expected)
        refused_or_the_same(path, contents + contents[start:stop], expected)


def header_of(contents):
    (length,) = struct.unpack("<Q", contents[:8])
    return json.loads(contents[8 : 8 + length]), contents[8 + length :]


def with_header(header, body):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


ODD = [
    None, True, False, -1, 0, 3, 10**23, 1e400, -1e400, float("nan"), 2.0, "", "F64", "0", [], {},
    [True, 4], [0, 10**23], [1] * 70, [2, 3.0], [-2, -3], ["2", "3"], [0, float("inf")],
    [None, None], {"dtype": "F64"}, [[[]]], "\ud800",
]  # fmt: skip
"""What stands in the place of some part of a header."""


def mutations(tree):
    """The tree with one part exchanged for something odd, removed, or renamed."""
    if isinstance(tree, dict):
        for name in tree:
            rest = {key: part for key, part in tree.items() if key != name}
            yield rest
            yield rest | {name + "x": tree[name]}
            yield rest | {"extra": tree[name], name: tree[name]}
            yield from ({**tree, name: part} for part in mutations(tree[name]))
    elif isinstance(tree, list):
        for index in range(len(tree)):
            yield tree[:index] + tree[index + 1 :]
            yield from (
                [*tree[:index], part, *tree[index + 1 :]] for part in mutations(tree[index])
            )
    yield from ODD


def test_malformed_headers_of_safetensors_are_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    model, contents = small(path)
    header, body = header_of(contents)
    expected = nn.predict(model, X)
    del header["__metadata__"]["nn.checksum"]
    tried = 0
    for changed in mutations(header):
        refused_or_the_same(path, with_header(changed, body), expected)
        tried += 1
    assert tried > 500


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_malformed_architectures_are_refused_or_built(tmp_path, suffix):
    """Whoever changes the description itself gets what it says, or a `FileFormatError`."""
    path = tmp_path / f"model{suffix}"
    nn.save(nn.Sequential(nn.Linear(2, 1, rng=0), nn.Dropout(0.5, rng=0)), path)
    arrays, texts = read_file(path)
    changed = list(mutations(json.loads(texts["architecture"])))
    for one in random.Random(2).sample(changed, 400):
        nn.formats.array_files.write_file(path, arrays, texts | {"architecture": json.dumps(one)})
        with contextlib.suppress(nn.FileFormatError):
            nn.load(path)


@pytest.mark.parametrize(
    "version", ["1e400", "-1e400", "true", "2.0", '"2"', "[]", "{}", "null", "0", "NaN"]
)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_odd_versions_are_refused(tmp_path, suffix, version):
    path = tmp_path / f"model{suffix}"
    small(path)
    arrays, texts = read_file(path)
    label = f'{{"name": "autograd_lite.nn", "version": {version}}}'
    nn.formats.array_files.write_file(path, arrays, texts | {"format": label})
    with pytest.raises(nn.FileFormatError, match=r"it was not written by nn\.save"):
        nn.load(path)


@pytest.mark.parametrize(
    ("header", "body"),
    [
        (b"[]", b""),
        (b'{"__metadata__": []}', b""),
        (b'{"__metadata__": {"format": 1}}', b""),
        (b'{"w": {"dtype": "F64", "shape": [true, 4], "data_offsets": [0, 32]}}', bytes(32)),
        (b'{"w": {"dtype": "F64", "shape": [0, 1%s], "data_offsets": [0, 0]}}' % (b"0" * 23), b""),
        (b'{"w": {"dtype": "F64", "shape": [1%s], "data_offsets": [0, 1]}}' % (b",1" * 70), b"1"),
        (b'{"w": {"dtype": "F64", "shape": [1], "data_offsets": [0, 1e400]}}', bytes(8)),
        (b'{"w": {"dtype": ["F64"], "shape": [1], "data_offsets": [0, 8]}}', bytes(8)),
        (
            b'{"w": {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]}, '
            b'"w": {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]}}',
            bytes(8),
        ),
        (b'{"w": ' + b"[" * 100_000, b""),
        (b"\xff\xfe", b""),
        (b"9" * 5000, b""),
    ],
)  # fmt: skip
def test_headers_that_no_one_writes(tmp_path, header, body):
    path = tmp_path / "model.safetensors"
    path.write_bytes(with_header(header, body))
    with pytest.raises(nn.FileFormatError):
        nn.load(path)


def npy(header):
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header


@pytest.mark.parametrize(
    "header",
    [
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (True, 4)}\n",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (0, 1%s)}\n" % (b"0" * 23),
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (%s)}\n" % (b"1," * 70),
        b"{'descr': '<f8', 'fortran_order': False, 'shape': 3}\n",
        b"{'descr': [], 'fortran_order': False, 'shape': (3,)}\n",
        b"{'descr': 'O', 'fortran_order': False, 'shape': (1,)}\n",
        b"{[]: 1}\n",
        b"(" * 500 + b"\n",
        b"'''\n",
    ],
)
def test_headers_of_arrays_that_no_one_writes(tmp_path, header):
    path = tmp_path / "model.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("w.npy", npy(header) + bytes(32))
    with pytest.raises(nn.FileFormatError):
        nn.load(path)


def test_a_file_without_a_checksum_says_so(tmp_path):
    path = tmp_path / "model.safetensors"
    model, contents = small(path)
    header, body = header_of(contents)
    checksum = header["__metadata__"].pop("nn.checksum")
    assert checksum.startswith("sha256:")
    path.write_bytes(with_header(header, body))
    with pytest.warns(UserWarning) as warned:
        twin = nn.load(path)
    assert str(warned[0].message) == (
        "model.safetensors: it has no checksum, so damage to its numbers goes unseen; "
        "nn.save writes one"
    )
    np.testing.assert_array_equal(nn.predict(twin, X), nn.predict(model, X))
