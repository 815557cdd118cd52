"""The version of these networks, which must be that of the engine under them."""

from __future__ import annotations

import autograd_lite as ag

__all__ = ["check_versions", "version"]

version = "0.1.0"


def check_versions(engine: str, networks: str) -> None:
    """Refuse an engine of another version, as an installation leaves it that broke off."""
    if engine != networks:
        raise ImportError(
            f"nn {networks} lies beside autograd_lite {engine}, and the two are one package; "
            "pip install --force-reinstall autograd-lite puts both into one version"
        )


check_versions(ag.__version__, version)
