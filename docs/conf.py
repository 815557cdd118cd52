"""The documentation as a site: ``sphinx-build -W -b html docs site``."""

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

import autograd_lite
import nn

sys.path.insert(0, str(Path(__file__).parents[1]))
from docs.learn import notebooks, pictures  # the chapters, and the graphs in them
from docs.reference import is_function, names_by_kind

project = "autograd_lite"
author = project_copyright = "The autograd_lite maintainers"
release = version = autograd_lite.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
]

html_theme = "furo"
html_title = f"autograd_lite {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["enlarge.js"]
html_favicon = "_static/icon.svg"
html_math_renderer = "mathml"

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True

autosummary_generate = True
autodoc_typehints = "none"
autodoc_default_options = {"members": True, "member-order": "bysource"}

# A module's page lists what its __all__ names, so that no public name can be forgotten; that of
# the engine leaves out what ``import *`` must not shadow.
autosummary_ignore_module_all = False
autosummary_imported_members = True
autograd_lite.__all__ = [name for name in dir(autograd_lite) if name != "__version__"]
autosummary_context = {"is_function": is_function, "names_by_kind": names_by_kind}
templates_path = ["_templates"]

# Docstrings of scikit-learn's and SciPy's, which ours inherit, refer to labels of their own sites.
suppress_warnings = ["ref.ref", "ref.term", "ref.footnote", "ref.citation"]
suppress_warnings += ["config.cache"]  # autosummary_context has functions, which are not pickled


def name_the_language(
    app: Any, page: str, template: str, context: dict[str, Any], tree: Any
) -> None:
    """Pages of the Spanish course say so, for screen readers, hyphenation and translators."""
    if page.startswith("es/"):
        context["language"] = "es"


APPLICATION = "<mo>&ApplyFunction;</mo>"

# In displayed formulas docutils puts the index of x̄ under it, as it does with limits of a sum.
INDEX_UNDER_ACCENT = (
    r"<munderover>\s*(<mi>\w</mi>)\s*(<m\w+>[^<]*</m\w+>)\s*(<mo[^>]*>[ˉˆ]</mo>)\s*</munderover>"
)
INDEX_BESIDE_ACCENT = r'<msub><mover accent="true">\1\3</mover>\2</msub>'


def mathml(tex: str, as_block: bool = False) -> str:
    """A formula with TeX's thin space between the name of a function and its argument."""
    formula = tex2mathml(tex, as_block=as_block)
    spaced = APPLICATION.replace("<mo>", '<mo rspace="0.17em">')
    formula = re.sub(APPLICATION + r"(?!\s*<mo[^>]*>\()", spaced, formula)
    return re.sub(INDEX_UNDER_ACCENT, INDEX_BESIDE_ACCENT, formula)


def write_inline_math(writer: Any, node: nodes.math) -> None:
    """Formulas as MathML, which browsers draw themselves, with no script and no connection."""
    writer.body.append(mathml(node.astext()))
    raise nodes.SkipNode


def write_displayed_math(writer: Any, node: nodes.math_block) -> None:
    writer.body.append(f'<div class="formula">{mathml(node.astext(), as_block=True)}</div>')
    raise nodes.SkipNode


def write_steppers(app: Any, error: Exception | None) -> None:
    """The pages to step through that chapters 4 and 5 embed, in their language."""
    folder = Path(app.outdir) / "steppers"
    if error is None and app.builder.format == "html":
        folder.mkdir(exist_ok=True)
        (folder / "es").mkdir(exist_ok=True)
        for draw in (pictures.graph, pictures.backpropagation):
            draw().save(folder / f"{draw.__name__}.html")
            draw(lang="es").save(folder / "es" / f"{draw.__name__}.html")


NOTEBOOK = {"learn": "This chapter as a notebook", "es": "Este capítulo como cuaderno"}


def offer_the_notebook(
    app: Any, page: str, template: str, context: dict[str, Any], tree: Any
) -> None:
    """A link below each chapter of the course; GitHub, which shows the same text, has none."""
    folder, _, name = page.partition("/")
    if folder in NOTEBOOK and name[:2].isdigit() and app.builder.format == "html":
        link = f'<a href="../notebooks/{page}.ipynb" download>{NOTEBOOK[folder]}</a>'
        context["body"] += f"<p>{link}</p>"


def write_notebooks(app: Any, error: Exception | None) -> None:
    """What these links lead to."""
    if error is None and app.builder.format == "html":
        notebooks.write(Path(app.outdir) / "notebooks")


def write_playback(app: Any, error: Exception | None) -> None:
    """The training that is shown on the page about watching one."""
    if error is not None or app.builder.format != "html":
        return
    rng = np.random.default_rng(0)
    angle, y = rng.uniform(0, np.pi, 400), rng.integers(0, 2, 400)
    sign = 1 - 2 * y
    x = np.c_[np.cos(angle) * sign + y, np.sin(angle) * sign + 0.5 * y]
    x += rng.normal(0, 0.12, (400, 2))
    model = nn.MLP(2, [8, 8, 2], activation="tanh", rng=0)
    path = Path(app.outdir) / "two_moons.html"
    recorder = nn.Playback(path, title="Two moons", class_names=["upper", "lower"])
    nn.fit(
        model, x, y, loss="cross_entropy", optimizer=nn.SGD(model, 0.1), epochs=200,
        metrics="accuracy", validation_split=0.25, callbacks=recorder, rng=0, progress=False,
    )  # fmt: skip


def setup(app: Any) -> None:
    app.add_html_math_renderer("mathml", (write_inline_math, None), (write_displayed_math, None))
    app.connect("html-page-context", name_the_language)
    app.connect("html-page-context", offer_the_notebook)
    app.connect("build-finished", write_steppers)
    app.connect("build-finished", write_notebooks)
    app.connect("build-finished", write_playback)
