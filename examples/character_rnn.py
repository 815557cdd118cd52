"""A recurrent network learns to write text, character by character.

No layer of ``nn`` is used: the network is five arrays and one line, and a loop over the characters
is all that makes it recurrent. Backpropagation through time is the gradient of that loop (P. Werbos
1990); between two pieces of text the state is handed on as a plain array, which cuts the graph.

Without an argument it learns to write its own program. Run it with
``python examples/character_rnn.py --text some_text.txt``; a minute teaches it the look of things.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from tqdm import trange

import nn


class CharacterRNN(nn.Module):
    """state' = tanh(embedding[character] + state·recurrent + bias); logits = state'·readout."""

    def __init__(self, n_characters: int, n_state: int, rng: np.random.Generator) -> None:
        scale = 1 / np.sqrt(n_state)
        self.embedding = nn.Parameter(rng.normal(scale=0.5, size=(n_characters, n_state)))
        self.recurrent = nn.Parameter(rng.normal(scale=scale, size=(n_state, n_state)))
        self.bias = nn.Parameter(np.zeros(n_state))
        self.readout = nn.Parameter(rng.normal(scale=scale, size=(n_state, n_characters)))
        self.readout_bias = nn.Parameter(np.zeros(n_characters))

    def step(self, characters: np.ndarray, state: Any) -> Any:
        return np.tanh(self.embedding[characters] + state @ self.recurrent + self.bias)

    def logits(self, state: Any) -> Any:
        return state @ self.readout + self.readout_bias

    def loss(self, text: np.ndarray, state: Any) -> tuple[Any, Any]:
        """The mean loss of telling each character from those before it, and the last state.

        ``text`` has one row for each of the places that are read side by side.
        """
        losses = []
        for now, following in zip(text.T, text.T[1:], strict=False):
            state = self.step(now, state)
            losses.append(nn.cross_entropy(self.logits(state), following))
        return sum(losses) / len(losses), state


def train(
    model: CharacterRNN, text: np.ndarray, steps: int, length: int, streams: int
) -> list[float]:
    """Read the text at several places at once, ``length`` characters a step; bits a character."""
    optimizer = nn.Adam(model, learning_rate=0.005)
    rows = text[: len(text) // streams * streams].reshape(streams, -1)
    bits = []
    position, state = 0, np.zeros((streams, len(model.bias)))
    for _ in trange(steps, unit="step"):
        if position + length >= rows.shape[1]:
            position, state = 0, np.zeros_like(state)
        loss, last = model.loss(rows[:, position : position + length + 1], state)
        optimizer.zero_grad()
        loss.backward(retain_graph=False)
        nn.clip_gradient_norm(model.parameters(), 1.0)
        optimizer.step()
        position, state = position + length, last.data
        bits.append(float(loss) / np.log(2))
    return bits


def write(
    model: CharacterRNN, start: int, n: int, temperature: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Characters drawn one after the other, and the state after each."""
    state = np.zeros((1, len(model.bias)))
    characters, states = [start], []
    for _ in range(n):
        state = model.step(np.array([characters[-1]]), state).data
        chances = nn.softmax(model.logits(state).data[0] / temperature)
        characters.append(int(rng.choice(len(chances), p=chances)))
        states.append(state[0])
    return np.array(characters[1:]), np.array(states)


def draw(path: Path, bits: list[float], written: str, states: np.ndarray) -> None:
    figure = Figure(figsize=(11, 4), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 2))
    left.plot(bits, color="lightgrey")
    window = min(20, len(bits))
    left.plot(np.convolve(bits, np.ones(window) / window, "valid"))
    left.set(xlabel="step", ylabel="bits a character")
    right.imshow(states[:60, :24].T, cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto")
    right.set_xticks(range(len(written[:60])), list(written[:60].replace("\n", "⏎")), fontsize=7)
    right.set(ylabel="unit", title="the state while it writes")
    figure.savefig(path)
    print("wrote", path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--text", type=Path, default=Path(__file__), help="what to learn")
    parser.add_argument("--units", type=int, default=96, help="numbers in the state")
    parser.add_argument("--steps", type=int, default=1000, help="steps of training")
    parser.add_argument("--length", type=int, default=32, help="characters a step")
    parser.add_argument("--streams", type=int, default=16, help="places read side by side")
    parser.add_argument("--temperature", type=float, default=0.5, help="low: careful, high: wild")
    parser.add_argument("--output", type=Path, default=Path("character_rnn.png"), help="picture")
    arguments = parser.parse_args()

    characters = arguments.text.read_text(encoding="utf-8")
    alphabet = sorted(set(characters))
    text = np.array([alphabet.index(character) for character in characters])
    rng = np.random.default_rng(0)
    model = CharacterRNN(len(alphabet), arguments.units, rng)
    print(
        f"{len(text):,} characters, {len(alphabet)} different: log2 is {np.log2(len(alphabet)):.2f}"
    )
    bits = train(model, text, arguments.steps, arguments.length, arguments.streams)
    print(f"{bits[0]:.2f} bits a character before, {np.mean(bits[-20:]):.2f} after training")
    drawn, states = write(model, int(text[0]), 300, arguments.temperature, rng)
    written = "".join(alphabet[i] for i in drawn)
    print(f"\n{written}\n")
    draw(arguments.output, bits, written, states)


if __name__ == "__main__":
    main()
