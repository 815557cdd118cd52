"""Resuming after a kill: a training that died ends with the same weights, bit for bit.

A process trains a network with dropout, a schedule and early stopping, and a `Checkpoint` after
each epoch; then it dies without a word, as in a power cut. A second process finds the checkpoint
and goes on. What comes out is compared with a training that was left in peace.

Run it with ``python examples/resume.py``.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits

import nn


class PowerCut(nn.Callback):
    """Ends the process in the middle of an epoch, with nothing tidied up."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def after_batch(self, run: nn.Run) -> None:
        if run.epoch == self.epoch and run.batch == 7:
            os._exit(1)


def train(folder: Path, epochs: int, power_cut: int = 0) -> None:
    """Train until ``epochs`` in all, from the checkpoint if there is one."""
    digits, checkpoint = load_digits(), folder / "run.npz"
    model = nn.Sequential(
        nn.Linear(64, 48, rng=0), "relu", nn.Dropout(0.3, rng=1), nn.Linear(48, 10, rng=2)
    )
    optimizer, rng, history = nn.Adam(model, 0.003), np.random.default_rng(3), nn.History()
    if checkpoint.exists():
        history = nn.load_checkpoint(model, checkpoint, optimizer, rng)
        print(f"goes on after epoch {len(history)}")
    callbacks = [
        nn.EarlyStopping(patience=8), nn.Checkpoint(checkpoint), nn.CSVLogger(folder / "run.csv")
    ]  # fmt: skip
    nn.fit(
        model, digits.data / 16, digits.target, loss="cross_entropy", optimizer=optimizer,
        epochs=epochs - len(history), schedule="cosine", validation_split=0.3, history=history,
        callbacks=[*callbacks, PowerCut(power_cut)] if power_cut else callbacks, rng=rng,
        progress=False,
    )  # fmt: skip
    nn.save(model, folder / "model.npz")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--output", type=Path, default=Path("resume.png"), help="picture")
    parser.add_argument("--folder", type=Path, help="train in this folder; for the processes")
    parser.add_argument("--cut", type=int, default=0, help="die in the epoch after this one")
    arguments = parser.parse_args()
    if arguments.folder is not None:
        train(arguments.folder, arguments.epochs, arguments.cut)
        return

    axes = Figure(figsize=(6.5, 4), layout="constrained").subplots()
    states, cut = [], arguments.epochs // 2
    with tempfile.TemporaryDirectory() as name:
        peace, storm = Path(name, "peace"), Path(name, "storm")
        for folder, cuts in ((peace, [0]), (storm, [cut, 0])):
            folder.mkdir()
            for one in cuts:
                command = [sys.executable, __file__, "--epochs", str(arguments.epochs)]
                done = subprocess.run([*command, "--folder", folder, "--cut", str(one)], text=True,
                                      stdout=subprocess.PIPE, check=False)  # fmt: skip
                end = "died" if done.returncode else "finished"
                print(f"{folder.name}: {done.stdout.strip() or 'begins'}, {end}")
            states.append(nn.load(folder / "model.npz").state_dict())
            table = np.genfromtxt(folder / "run.csv", delimiter=",", names=True)
            style = {"peace": {"linewidth": 6, "alpha": 0.3}, "storm": {}}[folder.name]
            axes.plot(table["epoch"], table["validation_loss"], label=folder.name, **style)
    same = all(np.array_equal(states[0][key], states[1][key]) for key in states[0])
    print("the weights are", "the same, bit for bit" if same else "not the same")
    axes.axvline(cut, linestyle="--", color="grey", label="power cut")
    axes.set(xlabel="epoch", ylabel="validation loss", yscale="log")
    axes.legend()
    axes.figure.savefig(arguments.output)
    print("wrote", arguments.output)


if __name__ == "__main__":
    main()
