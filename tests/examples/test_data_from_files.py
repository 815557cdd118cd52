"""Examples that read data sets: from files made here, and from a stand-in served on loopback."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlparse
from urllib.request import Request, urlopen

import numpy as np
import pytest
from sklearn.datasets import _openml

PNG = b"\x89PNG"


def percentage(printed: str) -> float:
    return float(re.search(r"([\d.]+)%", printed)[1])


def blobs(n: int, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Images with a bright spot whose place says the class, one of ten."""
    rng = np.random.default_rng(0)
    classes = np.arange(n) % 10
    images = rng.integers(0, 60, (n, side, side), np.uint8)
    for image, kind in zip(images, classes, strict=True):
        row, column = divmod(int(kind), 4)
        image[3 * row : 3 * row + 3, 3 * column : 3 * column + 3] = 255
    return images, classes.astype(np.uint8)


def idx(array: np.ndarray) -> bytes:
    """Unsigned bytes in IDX format."""
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


SMALL = ("--hidden", "16", "--epochs", "30")


def test_mnist_learns_from_the_train_files_packed_or_not(run_example, tmp_path):
    images, digits = blobs(300, 12)
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(digits)))
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(idx(images[:50]))
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx(digits[:50]))
    printed, picture = run_example("mnist", ".", *SMALL)
    assert "300 images to learn from, 50 to test with" in printed
    assert percentage(printed) > 90
    assert picture.startswith(PNG)


def test_mnist_makes_do_with_the_t10k_files(run_example, tmp_path):
    images, digits = blobs(300, 12)
    (tmp_path / "t10k-images.idx3-ubyte").write_bytes(idx(images))
    (tmp_path / "t10k-labels.idx1-ubyte").write_bytes(idx(digits))
    printed, _ = run_example("mnist", ".", *SMALL)
    assert "240 images to learn from, 60 to test with" in printed


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (b"\x89PNG....", "is no IDX file: it begins with 89 50 4e 47"),
        (
            idx(np.zeros((2, 3), np.uint8))[:-1],
            "is cut off: 5 numbers for an array of shape (2, 3)",
        ),
    ],
)
def test_mnist_refuses_damaged_files(run_example, tmp_path, contents, message):
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(contents)
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx(np.zeros(2, np.uint8)))
    with pytest.raises(SystemExit, match=re.escape(message)):
        run_example("mnist", ".")


def test_mnist_says_which_files_it_misses(run_example):
    with pytest.raises(SystemExit, match="holds no t10k-images-idx3-ubyte and t10k-labels"):
        run_example("mnist", ".")


HOUSING = (
    "longitude,latitude,housing_median_age,total_rooms,total_bedrooms,population,households,"
    "median_income,median_house_value,ocean_proximity"
)


def test_california_housing_is_told_from_a_table(run_example, tmp_path):
    rng = np.random.default_rng(0)
    lines = [HOUSING]
    for i in range(400):
        longitude, latitude = rng.uniform(-124, -114), rng.uniform(32, 42)
        age, rooms, bedrooms, people, households = rng.integers(100, 1000, 5)
        income = rng.uniform(1, 10)
        told = "" if i % 40 == 0 else bedrooms
        lines.append(
            f"{longitude:.2f},{latitude:.2f},{age},{rooms},{told},{people},{households},"
            f"{income:.3f},{45000 * income:.0f},INLAND"
        )
    table = "\n".join(lines).encode()
    (tmp_path / "housing.csv.gz").write_bytes(gzip.compress(table))
    printed, picture = run_example("california_housing", "housing.csv.gz", "--epochs", "60")
    mean, plain, with_all = map(float, re.findall(r"error ([\d.]+)", printed))
    assert "on 98 blocks" in printed
    assert max(plain, with_all) < 0.6 * mean
    assert picture.startswith(PNG)


def as_openml(images: np.ndarray, classes: np.ndarray) -> dict[str, bytes]:
    """What OpenML answers for a data set, by path."""
    names = [f"pixel{i}" for i in range(images[0].size)]
    attributes = [
        *(f"@ATTRIBUTE {name} real" for name in names),
        "@ATTRIBUTE class {0,1,2,3,4,5,6,7,8,9}",
    ]
    rows = [
        ",".join(map(str, [*image.ravel(), kind]))
        for image, kind in zip(images, classes, strict=True)
    ]
    arff = "\n".join(["@RELATION stand_in", *attributes, "@DATA", *rows]).encode()
    features = [
        {
            "index": str(index), "name": name,
            "data_type": "numeric" if name != "class" else "nominal",
            "is_target": str(name == "class").lower(), "is_ignore": "false",
            "is_row_identifier": "false", "number_of_missing_values": "0",
        }
        for index, name in enumerate([*names, "class"])
    ]  # fmt: skip
    description = {
        "id": "40996", "name": "stand_in", "version": "1", "description": "", "format": "ARFF",
        "status": "active", "url": "https://www.openml.org/data/stand_in.arff",
        "md5_checksum": hashlib.md5(arff).hexdigest(),
    }  # fmt: skip
    qualities = [{"name": "NumberOfInstances", "value": str(len(images))}]
    return {
        "/api/v1/json/data/40996": json.dumps({"data_set_description": description}).encode(),
        "/api/v1/json/data/features/40996": json.dumps(
            {"data_features": {"feature": features}}
        ).encode(),
        "/api/v1/json/data/qualities/40996": json.dumps(
            {"data_qualities": {"quality": qualities}}
        ).encode(),
        "/data/stand_in.arff": arff,
    }


@pytest.fixture
def openml(monkeypatch):
    """A server on loopback; requests for OpenML go there. Gives the paths that were asked for."""
    answers = as_openml(*blobs(280, 28))
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200 if self.path in answers else 404)
            self.end_headers()
            self.wfile.write(answers.get(self.path, b""))

        def log_message(self, *_) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        here = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr(
            _openml, "urlopen", lambda request: urlopen(here + urlparse(request.full_url).path)
        )
        yield asked
        server.shutdown()


def test_fashion_mnist_is_fetched_once_and_learned(run_example, openml):
    arguments = ("--data-home", "kept", "--hidden", "32", "--epochs", "60")
    printed, picture = run_example("fashion_mnist", *arguments)
    assert percentage(printed) > 90
    assert picture.startswith(PNG)
    assert "/data/stand_in.arff" in openml
    openml.clear()
    run_example("fashion_mnist", *arguments)
    assert openml == []


@pytest.mark.filterwarnings("ignore:A network error occurred", "ignore:Invalid cache")
def test_fashion_mnist_without_a_network_says_so(run_example, monkeypatch):
    monkeypatch.setattr(_openml, "urlopen", lambda _: urlopen(Request("http://127.0.0.1:9")))
    monkeypatch.setattr(_openml.time, "sleep", lambda _: None)
    with pytest.raises(SystemExit, match=r"OpenML cannot be reached .* try with a network"):
        run_example("fashion_mnist", "--data-home", "kept")
