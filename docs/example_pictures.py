"""Make the pictures of examples.md again: ``python docs/example_pictures.py``.

Runs every example as it stands and keeps its picture small. Examples that read files are left out
unless ``--mnist`` and ``--housing`` say where these are; Fashion-MNIST needs a network.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[1]
EXAMPLES = {
    path.stem: []
    for path in sorted((ROOT / "examples").glob("*.py"))
    if path.stem not in ("tour", "mnist", "california_housing", "fashion_mnist")
}


def run(name: str, arguments: list[str], folder: Path) -> Path:
    """Run one example; returns the picture that it wrote."""
    picture = folder / f"{name}{'.gif' if name == 'circles_and_spirals' else '.png'}"
    command = [sys.executable, str(ROOT / "examples" / f"{name}.py"), *arguments]
    subprocess.run([*command, "--output", str(picture)], check=True, stderr=subprocess.DEVNULL)
    return picture


def shrink(picture: Path, target: Path, width: int = 640) -> None:
    """Fewer pixels and colours; films, whose frames are small, stay as they are."""
    if picture.suffix == ".gif":
        target.write_bytes(picture.read_bytes())
        return
    with Image.open(picture) as image:
        small = image.convert("RGB")
        small.thumbnail((width, width), Image.Resampling.LANCZOS)
        small.quantize(48).save(target, optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", help="this example (may be repeated)")
    parser.add_argument("--mnist", type=Path, help="folder with MNIST's IDX files")
    parser.add_argument("--housing", type=Path, help="the file housing.csv")
    arguments = parser.parse_args()
    chosen: dict[str, list[str]] = dict(EXAMPLES)
    for name, path in (("mnist", arguments.mnist), ("california_housing", arguments.housing)):
        if path is not None:
            chosen[name] = [str(path.resolve())]
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.only or chosen:
            picture = run(name, chosen[name], Path(folder))
            target = ROOT / "docs" / "images" / "examples" / picture.name
            target.parent.mkdir(exist_ok=True)
            shrink(picture, target)
            print("wrote", target)


if __name__ == "__main__":
    main()
