"""A table with categories and gaps: pipeline, grid search, chances that mean what they say.

A shop wants to know which parcels come back. Its table has numbers that are missing, names of
categories, and a label for each parcel. With the estimator of ``nn.estimators`` all of this is
scikit-learn's daily work: gaps are filled, categories become columns, a grid search chooses the
network. Few parcels come back, so both classes are given the same weight; the network then finds
more of them, and says chances that are too high, until it is calibrated. The table is simulated,
so that the true chances are known.

Run it with ``python examples/table.py``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from sklearn.calibration import CalibratedClassifierCV, calibration_curve
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import nn
from nn.estimators import MLPClassifier

NUMBERS, CATEGORIES = [0, 1], [2, 3]
KINDS = {"shoes": 1.2, "books": -2.0, "lamps": 0.0}


def simulate(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of price, days to delivery, kind and payment, with gaps; labels; true chances."""
    price, days = rng.gamma(2.0, 30.0, count), rng.integers(1, 15, count).astype(float)
    kind, payment = rng.choice(list(KINDS), count), rng.choice(["card", "invoice"], count)
    late = np.maximum(days - 7, 0) * (payment == "invoice")
    scores = np.array([KINDS[k] for k in kind]) + 0.35 * late + 0.01 * price - 2.5
    chances = nn.sigmoid(scores)
    table = np.column_stack([price, days, kind, payment]).astype(object)
    table[:, NUMBERS] = np.column_stack([price, days])
    table[rng.uniform(size=table.shape) < 0.1] = np.nan
    return table, (rng.uniform(size=count) < chances).astype(int), chances


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parcels", type=int, default=4000, help="rows of the table")
    parser.add_argument("--epochs", type=int, default=200, help="of each network, at most")
    parser.add_argument("--output", type=Path, default=Path("table.png"), help="picture")
    arguments = parser.parse_args()

    table, returned, chances = simulate(arguments.parcels, np.random.default_rng(0))
    parts = train_test_split(table, returned, chances, test_size=0.4, random_state=0)
    x_train, x_test, y_train, y_test, _, true = parts

    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), NUMBERS),
        (OneHotEncoder(handle_unknown="ignore"), CATEGORIES),
    )
    network = MLPClassifier(
        (16,), learning_rate_init=0.01, early_stopping=True, n_iter_no_change=5,
        class_weight="balanced", max_iter=arguments.epochs, random_state=0,
    )  # fmt: skip
    grid = {
        "mlpclassifier__alpha": [1e-4, 1.0],
        "mlpclassifier__hidden_layer_sizes": [(8,), (32, 32)],
    }
    search = GridSearchCV(make_pipeline(columns, network), grid, scoring="roc_auc", cv=3)
    search.fit(x_train, y_train)
    print("chosen:", {name.split("__")[1]: value for name, value in search.best_params_.items()})
    calibrated = CalibratedClassifierCV(search.best_estimator_, cv=3).fit(x_train, y_train)

    axes = Figure(figsize=(6, 4.5), layout="constrained").subplots()
    axes.plot([0, 1], [0, 1], "--", color="grey", label="what is said is so")
    for name, model in (("as trained", search), ("calibrated", calibrated)):
        said = model.predict_proba(x_test)[:, 1]
        axes.plot(*calibration_curve(y_test, said, n_bins=8)[::-1], "o-", label=name)
        error = np.sqrt(np.mean(np.square(said - true)))
        print(f"{name}: area under the curve {roc_auc_score(y_test, said):.3f}, "
              f"off the true chances by {error:.3f}")  # fmt: skip
    axes.set(xlabel="chance that is said", ylabel="share that came back", title="parcels unseen")
    axes.legend()
    axes.figure.savefig(arguments.output)
    print("wrote", arguments.output)


if __name__ == "__main__":
    main()
