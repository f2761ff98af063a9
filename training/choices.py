"""What the patients who choose decide of a trained network, and what it is then worth to those who only report. Called by `assembly`."""

from collections.abc import Sequence
from typing import Final

import keras
import msgspec
import numpy as np
import numpy.typing as npt

from core.manifest import InputContract, Manifest
from core.network import Network
from training import calibrate, convert, decided, metrics, networks, predictions, shifts
from training.augment import SHIFTS
from training.correction import Correction, fit_correction
from training.kept import Kept
from training.pictures import Pictures

_REPORTED_BY: Final = "test patients of the same data set, held out by patient as far as names tell; pictures as they are"


def correct(model: keras.Model, tune: Pictures, contract: InputContract, kept: Kept) -> Correction:
    """Undo in the model's last layer what no temperature can, and return what was done: see `training.correction`.

    Args:
        model: ends in logits; it is changed.
        tune: pictures of patients who choose.
        contract: the model's input.
        kept: of the model.
    """
    raw = shifts.predict_all(shifts.predictor(model), tune, contract, kept=kept, part="Keras, tune")
    found = fit_correction(raw.reshape(-1, raw.shape[-1]), np.tile(tune.labels, len(raw)), views=len(raw))
    networks.correct(model, found.matrix, found.bias)
    return found


def calibrated(
    manifest: Manifest, network: Network, taught: Pictures, tune: Pictures, test: Pictures, requirements: calibrate.Requirements, kept: Kept
) -> Manifest:
    """Return the manifest with temperature and thresholds chosen on `tune` and figures measured on `test`.

    Args:
        manifest: of the network; its figures are kept beside the new ones.
        network: what serves.
        taught: pictures of patients who taught; one figure of them shows how much was learned by heart.
        tune: pictures of patients who choose.
        test: pictures of other patients, who only report.
        requirements: what each operating point must keep.
        kept: of the network.
    """

    def predict(pictures: Pictures, part: str, names: Sequence[str] = SHIFTS) -> npt.NDArray[np.float64]:
        return shifts.predict_all(lambda values: convert.run_all(network, values), pictures, manifest.input, names, kept=kept, part=part)

    labels, raw = [label.name for label in manifest.labels], predict(tune, "LiteRT, tune")
    choice = decided.choose(predictions.of(tune, raw, labels), manifest, requirements)
    reported = decided.decide(predictions.of(test, predict(test, "LiteRT, test"), labels), manifest, choice)
    rule = decided.rule(requirements, "the tune patients", "on the test patients")
    points, measured = decided.worth(choice, reported, _REPORTED_BY, rule)
    figures = {
        **manifest.metrics,
        **measured,
        "train_auroc": _auroc(taught, predict(taught, "LiteRT, fit", SHIFTS[:1])[0], choice, manifest),
        "validation_auroc": _auroc(tune, raw[0], choice, manifest),
    }
    return msgspec.structs.replace(
        manifest, temperature=choice.temperature, operating_points=points, default_operating_point=calibrate.BALANCED, metrics=figures
    )


def _auroc(pictures: Pictures, plain: npt.NDArray[np.float64], choice: decided.Choice, manifest: Manifest) -> dict[str, float]:
    """Return the AUROC of pneumonia with its interval, as the manifest has it, of what a network says of unchanged pictures."""
    pneumonia = 1.0 - calibrate.soften(plain, choice.temperature)[:, manifest.negative_index]
    truth = pictures.labels != manifest.negative_index
    found: dict[str, float] = msgspec.to_builtins(metrics.interval(metrics.auroc, truth, pneumonia, pictures.groups))
    return found
