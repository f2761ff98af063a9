"""What the patients who choose decide of a trained network, and what it is then worth to those who only report. Called by `assembly`."""

from collections.abc import Sequence

import keras
import msgspec
import numpy as np
import numpy.typing as npt

from core.manifest import InputContract, Manifest
from core.network import Network
from training import calibrate, convert, measure, metrics, networks, shifts
from training.augment import SHIFTS
from training.correction import Correction, fit_correction
from training.kept import Kept
from training.pictures import Pictures


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


def calibrated(manifest: Manifest, network: Network, taught: Pictures, tune: Pictures, test: Pictures, kept: Kept) -> Manifest:
    """Return the manifest with temperature and thresholds chosen on `tune` and figures measured on `test`.

    Args:
        manifest: of the network; its figures are kept beside the new ones.
        network: what serves.
        taught: pictures of patients who taught; one figure of them shows how much was learned by heart.
        tune: pictures of patients who choose.
        test: pictures of other patients, who only report.
        kept: of the network.
    """

    def predict(pictures: Pictures, part: str, names: Sequence[str] = SHIFTS) -> npt.NDArray[np.float64]:
        return shifts.predict_all(lambda values: convert.run_all(network, values), pictures, manifest.input, names, kept=kept, part=part)

    raw = predict(tune, "LiteRT, tune")
    temperature = calibrate.fit_temperature(raw.reshape(-1, len(manifest.labels)), np.tile(tune.labels, len(raw)))
    pneumonia = measure.pneumonia_of(calibrate.soften(raw, temperature))
    truth, patients = np.tile(tune.labels > 0, len(raw)), np.tile(tune.groups, len(raw))
    thresholds, spread = calibrate.choose_stable_thresholds(pneumonia.ravel(), truth, patients)
    probabilities = calibrate.soften(predict(test, "LiteRT, test"), temperature)
    points = measure.operating_points(thresholds, probabilities[0], test)
    by_heart = measure.pneumonia_of(calibrate.soften(predict(taught, "LiteRT, fit", SHIFTS[:1])[0], temperature))
    figures = {
        **manifest.metrics,
        **measure.figures(points, probabilities, test),
        "train_auroc": _auroc(by_heart, taught),
        "validation_auroc": _auroc(pneumonia[0], tune),
        "thresholds_chosen": calibrate.RULE,
        "threshold_spread": {name: list(ends) for name, ends in spread.items()},
    }
    return msgspec.structs.replace(
        manifest, temperature=temperature, operating_points=points, default_operating_point=calibrate.BALANCED, metrics=figures
    )


def _auroc(pneumonia: npt.NDArray[np.float64], pictures: Pictures) -> dict[str, float]:
    """Return the AUROC of pneumonia with its interval, as the manifest has it."""
    found: dict[str, float] = msgspec.to_builtins(metrics.interval(metrics.auroc, pictures.labels > 0, pneumonia, pictures.groups))
    return found
