"""The table of public signatures is that of now, and one thing has one name in all of it."""

from __future__ import annotations

import inspect

from docs.public_signatures import PAGE, Public, page, signatures

PUBLIC = list(signatures())
OF_THIS_HOUSE = [public for public in PUBLIC if public.module != "nn.estimators"]
"""The estimators have scikit-learn's names."""

ONE_NAME = {
    "rng": ("seed", "random_state", "generator", "key", "random_seed"),
    "learning_rate": ("lr", "eta", "step_size", "alpha_t"),
    "epochs": ("n_epochs", "num_epochs", "max_epochs", "max_iter", "nb_epoch"),
    "tolerance": ("tol", "eps_abs"),
    "epsilon": ("eps",),
    "l2": ("lambda_", "reg", "l2_penalty", "regularization"),
    "clip_norm": ("max_norm", "grad_clip", "clipnorm"),
    "progress": ("verbose", "show_progress", "quiet", "disable"),
    "path": ("filename", "file", "fname", "filepath", "f_name"),
    "model": ("net", "network"),
    "batch_size": ("batch", "batchsize", "minibatch_size"),
    "sample_weight": ("sample_weights", "weights", "example_weight"),
    "rtol": ("rel_tol", "relative_tolerance"),
    "atol": ("abs_tol", "absolute_tolerance"),
    "in_features": ("n_in", "input_size", "fan_in"),
    "std": ("deviation", "sd", "sigma", "stddev"),
}
"""What a parameter is called, and what it is therefore not called anywhere."""


def test_the_table_is_up_to_date():
    """If not: python -m docs.public_signatures."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_there_is_a_signature_for_all_that_users_call():
    names = {public.name for public in PUBLIC}
    assert {"grad", "compile", "Value.backward", "fit", "MLP", "MLPClassifier.fit"} <= names
    assert len(names) > 200


def test_one_thing_has_one_name():
    found = {
        (public.name, parameter)
        for public in OF_THIS_HOUSE
        for parameter in public.signature.parameters
        if any(parameter in others for others in ONE_NAME.values())
    }
    assert found == set()


def before(public: Public, first: str, second: str) -> bool:
    names = list(public.signature.parameters)
    return first not in names or second not in names or names.index(first) < names.index(second)


def test_what_is_saved_or_loaded_comes_before_its_path():
    found = {public.name for public in OF_THIS_HOUSE if not before(public, "model", "path")}
    assert found == set()


def test_inputs_come_before_targets_and_models_before_data():
    for first, second in [("x", "y"), ("model", "x"), ("outputs", "targets"), ("logits", "labels")]:
        assert [str(public) for public in OF_THIS_HOUSE if not before(public, first, second)] == []


POSITIONAL_SWITCHES = {
    "Domain(distinct=)",
    "Module.train(mode=)",
    "Value.astype(copy=)",
    "Value.astype(subok=)",
}
"""Those that NumPy and PyTorch take by place, and one of the first version."""


def test_switches_are_passed_by_name():
    """``f(x, True)`` says nothing to its reader."""
    positional = {
        f"{public.name}({name}=)"
        for public in OF_THIS_HOUSE
        for name, parameter in public.signature.parameters.items()
        if isinstance(parameter.default, bool)
        and parameter.kind is not inspect.Parameter.KEYWORD_ONLY
    }
    assert positional == POSITIONAL_SWITCHES
