"""An autoencoder with tied weights: what writes a digit down in a few numbers reads it back.

The decoder uses the encoder's two matrices, transposed: half the parameters, and no feature of
its own, only the same `Parameter` twice. A file keeps them tied. With straight lines alone nothing
could do better than a principal component analysis, which is what the network is compared with.

Run it with ``python examples/tied_autoencoder.py``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

import nn


class TiedAutoencoder(nn.Module):
    """Pixels to a code of ``n_code`` numbers, and back by the same weights."""

    def __init__(self, n_in: int, n_hidden: int, n_code: int, rng: np.random.Generator) -> None:
        self.first = nn.Linear(n_in, n_hidden, rng=rng)
        self.second = nn.Linear(n_hidden, n_code, rng=rng)
        self.hidden_bias = nn.Parameter(np.zeros(n_hidden))
        self.bias = nn.Parameter(np.zeros(n_in))

    def forward(self, x):
        return self.decode(self.second(np.tanh(self.first(x))))

    def decode(self, code):
        hidden = np.tanh(code @ self.second.weight.T + self.hidden_bias)
        return hidden @ self.first.weight.T + self.bias


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--code", type=int, default=8, help="numbers that a digit becomes")
    parser.add_argument("--epochs", type=int, default=150)
    parser.add_argument("--output", type=Path, default=Path("tied_autoencoder.png"), help="picture")
    arguments = parser.parse_args()

    pixels = load_digits().data / 16
    train, unseen = pixels[:1400], pixels[1400:]
    model = TiedAutoencoder(64, 128, arguments.code, np.random.default_rng(0))
    print(f"{sum(p.size for p in model.parameters()):,} parameters")
    nn.fit(model, train, train, loss="mse", optimizer=nn.Adam(model, 0.003), schedule="cosine",
           epochs=arguments.epochs, rng=0, progress=False)  # fmt: skip
    components = PCA(arguments.code).fit(train)
    back = {
        "unseen": unseen,
        "tied": nn.predict(model, unseen),
        "principal components": components.inverse_transform(components.transform(unseen)),
    }
    for name in ("tied", "principal components"):
        error = np.sqrt(np.mean(np.square(back[name] - unseen)))
        print(f"{name}: off by {error:.4f} a pixel with {arguments.code} numbers")

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    grid = figure.subplots(len(back), 12)
    for axes, (name, images) in zip(grid, back.items(), strict=True):
        axes[0].set_title(name, loc="left").set_in_layout(False)
        for ax, image in zip(axes, images, strict=False):
            ax.imshow(image.reshape(8, 8), cmap="gray_r")
        for ax in axes:
            ax.axis("off")
    figure.savefig(arguments.output)
    print("wrote", arguments.output)


if __name__ == "__main__":
    main()
