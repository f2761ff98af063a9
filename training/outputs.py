"""The report of an evaluation as JSON, which is also read back, and as CSV. `training.reports` writes both."""

import csv as csv_format
import io
from pathlib import Path
from typing import Final

import msgspec

from core.manifest import NETWORK_FILE, Manifest
from training import errors
from training.evaluate import Examined
from training.evaluation import Evaluation

_FACTS: Final = ("file", "truth", "kind", "probability", "decision", "correct", "shortcut")
_IMAGE: Final = ("format", "width_px", "height_px", "size_bytes", "warnings", "guard", "total_ms", "error")


def json(examined: Examined) -> bytes:
    """Return the evaluation as JSON, indented."""
    return msgspec.json.format(msgspec.json.encode(examined.evaluation), indent=2) + b"\n"


def read(path: Path, manifest: Manifest) -> Evaluation:
    """Read a report and hold it against the package that it is said to be of.

    Args:
        path: what `pneumonia evaluate --json` wrote.
        manifest: of the package.

    Raises:
        errors.EvaluationMismatch: it is no report, or of another network.
    """
    try:
        evaluation = msgspec.json.decode(path.read_bytes(), type=Evaluation)
    except (OSError, msgspec.MsgspecError) as error:
        raise errors.EvaluationMismatch(f"Expected a report of `pneumonia evaluate --json`. Received: {path}: {error}.") from error
    model = evaluation.model
    if model.network_sha256 != manifest.files.get(NETWORK_FILE):
        raise errors.EvaluationMismatch(
            f"Expected an evaluation of this package's network. Received: one of {model.name} {model.version}, "
            f"network {model.network_sha256[:12]}…."
        )
    return evaluation


def csv(examined: Examined) -> bytes:
    """Return a row for each file, readable or not. Of the patient it holds nothing but the file's own path."""
    labels = [label.name for label in examined.classifier.manifest.labels]
    stream = io.StringIO(newline="")
    writer = csv_format.writer(stream, lineterminator="\n")
    writer.writerow([*_FACTS, *(f"probability of {label}" for label in labels), *_IMAGE])
    for row, answer in enumerate(examined.table.answered):
        case, prediction, image = answer.case, answer.prediction, answer.prediction.image
        probability, truth = prediction.pneumonia.probability, int(case.pneumonia)
        correct = int((probability >= examined.point.threshold) == case.pneumonia)
        shares = [f"{share:.6f}" for share in examined.table.labels[row]]
        shortcut = "" if examined.said.probability is None else f"{examined.said.probability[row]:.6f}"
        facts = (case.shown, truth, case.kind or "", f"{probability:.6f}", prediction.pneumonia.decision, correct, shortcut)
        sizes = (image.format, image.width_px, image.height_px, answer.size_bytes, " ".join(image.warnings))
        writer.writerow([*facts, *shares, *sizes, prediction.guard.verdict, prediction.timing_ms.total, ""])
    for unread in examined.unread:
        empty = [""] * (len(_FACTS) - 3 + len(labels) + len(_IMAGE) - 1)
        writer.writerow([unread.case.shown, int(unread.case.pneumonia), unread.case.kind or "", *empty, unread.code])
    return stream.getvalue().encode()
