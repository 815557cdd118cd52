"""Print the oldest versions that ``pyproject.toml`` allows, as constraints for pip.

python .ci/oldest.py > oldest.txt && pip install -e '.[test]' -c oldest.txt
"""

from __future__ import annotations

import re
import tomllib
from itertools import chain
from pathlib import Path

PYPROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"


def oldest(requirement: str) -> str | None:
    """``numpy==2.1`` of ``numpy>=2.1``; None of what names another extra of this package."""
    found = re.match(r"([\w.-]+)(?:\[[\w,-]+\])?>=([\w.]+)", requirement)
    return f"{found[1]}=={found[2]}" if found else None


BESIDE = ["pyparsing<3.3"]
"""Of others' dependencies: newer ones warn of what the oldest Matplotlib does."""


def main() -> None:
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    requirements = chain(project["dependencies"], *project["optional-dependencies"].values())
    print(*sorted(set(filter(None, map(oldest, requirements)))), *BESIDE, sep="\n")


if __name__ == "__main__":
    main()
