"""Which `nn` is imported: that of this package, one of another, or one of the user's own."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path
from sysconfig import get_path

import autograd_lite

__all__ = ["Networks", "find_networks"]

REINSTALL = "pip install --force-reinstall autograd-lite"


@dataclass(frozen=True)
class Networks:
    """What ``import nn`` finds: a file, or None; the one that belongs here; and whose it is.

    ``owners`` are other distributions that brought an `nn`, which may lie over this one;
    ``failure`` is what became of importing this one, if it could not be imported, and
    ``hiding`` a file that lies before one of Python's own modules.
    """

    file: Path | None
    expected: Path
    owners: tuple[str, ...] = ()
    is_ours: bool = True
    failure: str | None = None
    hiding: Path | None = None

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
        if self.failure is not None and self.hiding is not None:
            return (
                f"import nn fails ({self.failure}), as {self.hiding.name} lies before Python's own "
                f"module {self.hiding.stem}; give that file another name"
            )
        if self.failure is not None and REINSTALL in self.failure:
            return f"import nn fails: {self.failure}"
        if self.failure is not None:
            return f"import nn fails ({self.failure}), as if nn were half removed; {REINSTALL}"
        return None


def find_networks() -> Networks:
    """Look for `nn`, and import it only if it is this one: a foreign one might do anything."""
    expected = Path(autograd_lite.__file__).resolve().parent.parent / "nn" / "__init__.py"
    loaded = sys.modules.get("nn")
    spec = find_spec("nn") if loaded is None else loaded.__spec__
    origin = None if spec is None else spec.origin
    file = Path(origin).resolve() if origin else None
    owners = packages_distributions().get("nn", ())
    others = tuple(sorted({name for name in owners if name != "autograd-lite"}))
    is_ours = spec is not None and "nn.versions" in source_of(spec)
    failure = failure_of_import() if is_ours and file == expected else None
    hiding = None if failure is None else file_that_hides_a_module()
    return Networks(file, expected, others, is_ours, failure, hiding)


def source_of(spec: ModuleSpec) -> str:
    """The source of a module, from a file or a zip; empty if it has none that can be read."""
    try:
        return getattr(spec.loader, "get_source")(spec.name) or ""  # noqa: B009
    except (AttributeError, ImportError):
        pass  # a loader of another kind, such as that of a test runner
    try:
        return Path(spec.origin or "").read_text(encoding="utf-8")
    except (OSError, UnicodeError):
        return ""


def failure_of_import() -> str | None:
    """What stops ``import nn``: a file that is missing, broken or of another version."""
    try:
        import_module("nn")
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def file_that_hides_a_module() -> Path | None:
    """A file of somebody's own that was imported in the place of a module of Python."""
    folders = {Path(get_path(name)).resolve() for name in ("stdlib", "platstdlib")}
    installed = {Path(get_path(name)).resolve() for name in ("purelib", "platlib")}
    for name in sys.stdlib_module_names & sys.modules.keys():
        file = getattr(sys.modules[name], "__file__", None)
        if file is not None and name != "__main__":
            above = set(Path(file).resolve().parents)
            if not above & folders or above & installed:
                return Path(file)
    return None
