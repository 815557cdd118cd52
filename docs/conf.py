"""The documentation as a site: ``sphinx-build -W -b html docs site``."""

from typing import Any

import autograd_lite

project = "autograd_lite"
author = "The autograd_lite maintainers"
release = version = autograd_lite.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
]

html_theme = "furo"
html_title = f"autograd_lite {release}"

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True

autosummary_generate = True
autodoc_typehints = "none"
autodoc_default_options = {"members": True, "member-order": "bysource"}

# A module's page lists what its __all__ names, so that no public name can be forgotten.
autosummary_ignore_module_all = False
autosummary_imported_members = True
templates_path = ["_templates"]

# The estimators inherit docstrings that refer to labels of scikit-learn's own site.
suppress_warnings = ["ref.ref", "ref.term"]


def name_the_language(
    app: Any, page: str, template: str, context: dict[str, Any], tree: Any
) -> None:
    """Pages of the Spanish course say so, for screen readers, hyphenation and translators."""
    if page.startswith("es/"):
        context["language"] = "es"


def setup(app: Any) -> None:
    app.connect("html-page-context", name_the_language)
