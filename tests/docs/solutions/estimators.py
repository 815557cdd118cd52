"""A right answer to the workshop of this name."""

import nn
import nn.estimators


def fires(excitatory, inhibitory, threshold):
    """A unit of McCulloch and Pitts: 1 if enough excitatory inputs are 1, and no inhibitory one.

    Both are lists of 0 and 1.
    """
    return int(sum(excitatory) >= threshold and not any(inhibitory))


def setosa(petals, is_setosa, new_petals):
    """A perceptron that tells setosa from the others: 0 or 1 for each of the new flowers.

    ``nn.Perceptron`` is there for it.
    """
    unit = nn.Perceptron(petals.shape[1])
    unit.fit(petals, is_setosa, rng=0)
    return unit.predict(new_petals).ravel()


def several_labels(x, y, new_x):
    """Several yes-or-no questions at once: y has a column for each. Answers of 0 and 1, like y.

    One logit for each question, and ``nn.multilabel`` as loss.
    """
    model = nn.MLP(x.shape[1], [16, y.shape[1]], activation="tanh", rng=0)
    nn.fit(
        model,
        x,
        y,
        loss=nn.multilabel,
        optimizer=nn.Adam(model, 0.03),
        epochs=60,
        rng=0,
        progress=False,
    )
    return (nn.predict(model, new_x) > 0).astype(int)


def regression(x, y, new_x):
    """Numbers, by ``nn.estimators.MLPRegressor``; the columns of x have very different units."""
    mean, deviation = x.mean(axis=0), x.std(axis=0)
    model = nn.estimators.MLPRegressor(
        hidden_layer_sizes=(30,), learning_rate_init=0.01, max_iter=100, random_state=0
    )
    return model.fit((x - mean) / deviation, y).predict((new_x - mean) / deviation)


def classification(x, y, new_x):
    """The species of irises, by ``nn.estimators.MLPClassifier``."""
    model = nn.estimators.MLPClassifier(
        hidden_layer_sizes=(10,), learning_rate_init=0.02, max_iter=150, random_state=0
    )
    return model.fit(x, y).predict(new_x)
