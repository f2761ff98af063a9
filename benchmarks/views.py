"""What would a second look at each picture give, mirrored or cropped? AUROC of the mean log-odds, plain and under simulated shift.

Called by `python -m benchmarks.views PACKAGE DATASET`, of the patients who choose and of those who are held out.
"""

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from core import classifier, images
from core.manifest import NETWORK_FILE, Manifest, read
from core.network import Network
from training import dataset, metrics, splits
from training.augment import SHIFTS, shift
from training.names import KINDS, NORMAL
from training.pictures import GreyStack, Pictures, load

Grey = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

PARTS: Final = ("tune", "test")


def crop(grey: Grey, share: float) -> Grey:
    """Return the middle of a picture, a share of each side."""
    top, left = (round(side * (1.0 - share) / 2.0) for side in grey.shape)
    return np.ascontiguousarray(grey[top : grey.shape[0] - top, left : grey.shape[1] - left])


def mirror(grey: Grey) -> Grey:
    """Return a picture with left and right exchanged."""
    return np.ascontiguousarray(grey[:, ::-1])


VIEWS: Final[dict[str, Callable[[Grey], Grey]]] = {
    "as it is": lambda grey: grey,
    "mirrored": mirror,
    **{f"the middle, {share:.0%} of each side": partial(crop, share=share) for share in (0.95, 0.9, 0.85)},
}
LOOKS: Final = ((0,), (1,), (2,), (3,), (4,), (0, 1), (0, 3))
"""Positions in VIEWS."""


def ask(network: Network, manifest: Manifest, grey: GreyStack) -> Floats:
    """Return the network's log-odds of pneumonia: float64 array (shifts, views, pictures)."""
    said = np.empty((len(SHIFTS), len(VIEWS), len(grey)))
    for row, picture in enumerate(tqdm(grey, "views", unit="picture")):
        for place, name in enumerate(SHIFTS):
            shifted = shift(picture, name, row)
            for look, view in enumerate(VIEWS.values()):
                outputs = network.run(images.preprocess(view(shifted), manifest.input))
                said[place, look, row] = classifier.log_odds(1.0 - float(outputs.probabilities[manifest.negative_index]))
    return said


def table(pictures: Pictures, said: Floats) -> str:
    """Return a row for each of LOOKS: AUROC of the pictures as they are, its mean over all shifts, and the lowest of them."""
    truth = pictures.labels != KINDS.index(NORMAL)
    rows = []
    for looks in LOOKS:
        under = [metrics.auroc(truth, scores) for scores in said[:, looks].mean(axis=1)]
        name = " and ".join(list(VIEWS)[look] for look in looks)
        rows.append(f"| {name} | {under[0]:.4f} | {np.mean(under):.4f} | {min(under):.4f} |")
    return "\n".join(("| views | plain | mean over shifts | lowest |", "|---|---|---|---|", *rows))


def main() -> int:
    """Print a table for each part of the split."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.views", description=__doc__)
    parser.add_argument("package", type=Path, metavar="PACKAGE")
    parser.add_argument("dataset", type=Path, metavar="DATASET", help="what the package was trained on: its split is repeated")
    arguments = parser.parse_args()
    manifest = read(arguments.package)[0]
    network = Network((arguments.package / NETWORK_FILE).read_bytes(), manifest, 1)
    split = splits.of_training(dataset.index(arguments.dataset), manifest)
    if split is None:
        parser.error(f"Expected the data set that the package was trained on. Received: {arguments.dataset}, which is another.")
    pictures = load(split[0], manifest.input)
    for part in PARTS:
        taken = pictures.take(split[1][part])
        print(f"\n{part}: {len(taken.labels)} pictures\n\n{table(taken, ask(network, manifest, taken.grey))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
