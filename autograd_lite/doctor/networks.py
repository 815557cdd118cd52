"""Which `nn` is imported: that of this package, one of another, or one of the user's own."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path

import autograd_lite

__all__ = ["Networks", "find_networks"]

REINSTALL = "pip install --force-reinstall autograd-lite"


@dataclass(frozen=True)
class Networks:
    """What ``import nn`` finds: a file, or None; the one that belongs here; and whose it is.

    ``owners`` are other distributions that brought an `nn`, which may lie over this one.
    """

    file: Path | None
    expected: Path
    version: str | None = None
    engine: str = autograd_lite.__version__
    owners: tuple[str, ...] = ()
    is_ours: bool = True

    def advice(self) -> str | None:
        """What is off, and what to do about it.

        >>> from pathlib import Path
        >>> from autograd_lite.doctor.networks import Networks
        >>> Networks(Path("/home/ada/nn.py"), Path("/site/nn/__init__.py")).advice()
        'import nn finds nn.py in the folder of your program; give that file another name'
        """
        if self.file is None:
            return f"import nn finds no file, as if nn were half removed; {REINSTALL}"
        if self.file != self.expected or not self.is_ours:
            if self.owners:
                others = " and ".join(self.owners)
                return (
                    f"import nn finds that of another distribution ({others}); "
                    f"pip uninstall {' '.join(self.owners)}, then {REINSTALL}"
                )
            if self.file == self.expected:
                return f"{self.file.name} of nn is not that of this package; {REINSTALL}"
            if self.file.name == "__init__.py":
                return (
                    "import nn finds a folder nn of your own before that of this package; "
                    "give that folder another name"
                )
            return (
                f"import nn finds {self.file.name} in the folder of your program; "
                "give that file another name"
            )
        if self.version != self.engine:
            return (
                f"nn is of version {self.version or 'unknown'} and autograd_lite of "
                f"{self.engine}, and the two are one package; {REINSTALL}"
            )
        return None


def find_networks() -> Networks:
    """Look for `nn` without importing it: a foreign one might do anything."""
    home = Path(autograd_lite.__file__).resolve().parent.parent
    expected = home / "nn" / "__init__.py"
    loaded = sys.modules.get("nn")
    spec = find_spec("nn") if loaded is None else loaded.__spec__
    origin = None if spec is None else spec.origin
    file = Path(origin).resolve() if origin else None
    owners = packages_distributions().get("nn", ())
    others = tuple(sorted({name for name in owners if name != "autograd-lite"}))
    return Networks(
        file,
        expected,
        version_in(home / "nn" / "versions.py"),
        owners=others,
        is_ours=file is not None and "nn.versions" in file.read_text("utf-8", errors="replace"),
    )


def version_in(file: Path) -> str | None:
    """The version that a file states."""
    if not file.is_file():
        return None
    found = re.search(r'^version = "(.*)"', file.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else None
