"""Predictions drawn from known distributions, as `crossval` would write them."""

import numpy as np

from training import calibrate
from training.predictions import Predictions

LABELS = ("normal", "bacterial pneumonia", "viral pneumonia")
SHIFTS = ("plain", "tight crop", "blur")


def draw_predictions(patients: int = 200, sharpness: float = 2.0, gap: float = 2.0, folds: int = 4) -> Predictions:
    """Two pictures a patient under three shifts, `sharpness` times too sure; under "tight crop" everything looks ill."""
    rng = np.random.default_rng(5)
    label = rng.integers(3, size=patients)
    rows = [(patient, picture, shift) for patient in range(patients) for picture in range(2) for shift in range(3)]
    patient, picture, shift = np.array(rows).T
    logits = rng.normal(0.0, 0.7, (len(rows), 3)) + gap * np.eye(3)[label[patient]]
    logits[:, 0] -= 0.8 * (shift == 1)
    return Predictions(
        LABELS,
        np.array([f"{one}-{other}.png" for one, other in zip(patient, picture, strict=True)]),
        patient.astype(str),
        np.array(LABELS)[label[patient]],
        patient % folds,
        np.array(SHIFTS)[shift],
        calibrate.soften(np.exp(logits), 1.0 / sharpness),
    )
