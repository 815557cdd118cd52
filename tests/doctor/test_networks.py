"""The doctor finds an `nn` that is not this one: somebody else's, one's own, or half removed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import autograd_lite as ag
from autograd_lite.doctor.networks import REINSTALL, find_networks
from nn.versions import check_versions

ROOT = Path(ag.__file__).resolve().parents[1]
DOCTOR = """
from autograd_lite.doctor.networks import find_networks
print(find_networks().advice())
"""


def advice(folder: Path, *paths: Path) -> str:
    """What the doctor says in a folder, with what lies there before anything else."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    run = subprocess.run(
        [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {str(folder)!r})\n{DOCTOR}"],
        capture_output=True, encoding="utf-8", env=environment, check=True, cwd=folder,
    )  # fmt: skip
    return run.stdout.strip()


@pytest.fixture
def installed(tmp_path):
    """A folder with both packages, as pip puts them there."""
    site = tmp_path / "site"
    for name in ("autograd_lite", "nn"):
        shutil.copytree(ROOT / name, site / name, ignore=shutil.ignore_patterns("__pycache__"))
    return site


def foreign(site: Path) -> None:
    """Another distribution that brings an nn."""
    (site / "nn").mkdir(parents=True, exist_ok=True)
    (site / "nn" / "__init__.py").write_text("layers = 3\n", encoding="utf-8")
    record = site / "nn-0.1.dist-info"
    record.mkdir()
    (record / "METADATA").write_text("Metadata-Version: 2.1\nName: nn\nVersion: 0.1\n", "utf-8")
    (record / "RECORD").write_text("nn/__init__.py,,\n", encoding="utf-8")


def test_where_all_is_well_there_is_nothing_to_say(tmp_path, installed):
    assert advice(tmp_path, installed) == "None"
    assert find_networks().advice() is None


def test_packages_in_a_zip_are_as_well(tmp_path, installed):
    packages = Path(shutil.make_archive(str(tmp_path / "packages"), "zip", installed))
    assert advice(tmp_path, packages) == "None"


def test_a_file_or_folder_of_the_users(tmp_path, installed):
    (tmp_path / "nn.py").write_text("", encoding="utf-8")
    told = "import nn finds nn.py in the folder of your program; give that file another name"
    assert advice(tmp_path, installed) == told
    (tmp_path / "nn.py").unlink()
    (tmp_path / "nn").mkdir()
    (tmp_path / "nn" / "__init__.py").write_text("", encoding="utf-8")
    assert "a folder nn of your own" in advice(tmp_path, installed)


def test_another_distribution_before_this_one_and_over_it(tmp_path, installed):
    told = (
        "import nn finds that of another distribution (nn); pip uninstall nn, then "
        "pip install --force-reinstall autograd-lite"
    )
    foreign(tmp_path / "other")
    assert advice(tmp_path, tmp_path / "other", installed) == told
    foreign(installed)
    assert advice(tmp_path, installed) == told


def test_one_half_removed_and_one_of_another_version(tmp_path, installed):
    versions = installed / "nn" / "versions.py"
    text = versions.read_text(encoding="utf-8")
    versions.write_text(text.replace(ag.__version__, "0.0.7"), encoding="utf-8")
    assert advice(tmp_path, installed) == (
        f"import nn fails: ImportError: nn 0.0.7 lies beside autograd_lite {ag.__version__}, and "
        f"the two are one package; {REINSTALL} puts both into one version"
    )
    versions.write_text(text, encoding="utf-8")
    (installed / "nn" / "models" / "module.py").write_text("", encoding="utf-8")
    told = advice(tmp_path, installed)
    assert told.startswith("import nn fails (ImportError: cannot import name ")
    assert told.endswith(f", as if nn were half removed; {REINSTALL}")
    (installed / "nn" / "__init__.py").unlink()
    told = f"import nn finds no file, as if nn were half removed; {REINSTALL}"
    assert advice(tmp_path, installed) == told


def test_networks_refuse_an_engine_of_another_version():
    check_versions("0.1.0", "0.1.0")
    with pytest.raises(ImportError) as caught:
        check_versions("0.2.0", "0.1.0")
    assert str(caught.value) == (
        "nn 0.1.0 lies beside autograd_lite 0.2.0, and the two are one package; "
        "pip install --force-reinstall autograd-lite puts both into one version"
    )


@pytest.mark.parametrize("name", ["json", "statistics"])
def test_a_file_of_ones_own_before_a_module_of_python_is_named(tmp_path, installed, name):
    (tmp_path / f"{name}.py").write_text("pi = 3\n", encoding="utf-8")
    said = advice(tmp_path, installed)
    assert said.startswith("import nn fails (")
    assert said.endswith(
        f"), as {name}.py lies before Python's own module {name}; give that file another name"
    )
