"""The drawings in a package's `report/`: an evaluation's figures and the curves of its training. Written by `pneumonia export`.

All are SVG of lines, areas and text; what they are drawn from stands beside them, in the evaluation's report and in `history.csv`.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from matplotlib.figure import Figure

from training import figures, history
from training.evaluation import Evaluation
from training.history import History
from training.svg import svg

ROC: Final = "roc"
PRECISION_RECALL: Final = "precision-recall"
THRESHOLDS: Final = "thresholds"
CONFUSION: Final = "confusion"
RELIABILITY: Final = "reliability"
PROBABILITIES: Final = "probabilities"
CORRUPTIONS: Final = "corruptions"
TRAINING: Final = "training"


class Drawing(NamedTuple):
    """One file of the report; `alt` says in words what it shows."""

    alt: str
    svg: bytes


def draw(evaluation: Evaluation | None, run: History | None, head_epochs: int) -> dict[str, Drawing]:
    """Return the drawings by name; one whose numbers are not there is left out.

    Args:
        evaluation: of the package, or None.
        run: what training wrote down, or None.
        head_epochs: how many epochs of it were for the head alone.
    """
    drawn = list(_of_evaluation(evaluation)) if evaluation else []
    if run is not None:
        drawn.append((TRAINING, "Training, epoch by epoch", history.draw(run, head_epochs)))
    return {name: Drawing(alt, svg(figure, alt)) for name, alt, figure in drawn}


def _of_evaluation(evaluation: Evaluation) -> Iterator[tuple[str, str, Figure]]:
    curves, point, data = evaluation.curves, evaluation.point, evaluation.dataset
    if curves.roc:
        alt = "ROC curve: sensitivity over 1 - specificity, with the operating points"
        yield ROC, alt, figures.roc(curves.roc, evaluation.operating_points)
    if curves.precision_recall:
        alt = "Precision over recall"
        yield PRECISION_RECALL, alt, figures.precision_recall(curves.precision_recall, data.pneumonia / data.pictures)
    alt = "Sensitivity, specificity and balanced accuracy that each threshold would give"
    yield THRESHOLDS, alt, figures.thresholds(curves.thresholds, point)
    yield CONFUSION, "Confusion matrix: pictures by truth and by decision", figures.confusion(evaluation.confusion)
    yield RELIABILITY, "Reliability: share of pictures with pneumonia over the probability", figures.reliability(curves.reliability)
    yield PROBABILITIES, "Pictures of each class by their probability of pneumonia", figures.probabilities(curves.reliability, point)
    if any(row.fall.value is not None for row in evaluation.corruptions):
        yield CORRUPTIONS, "Fall of balanced accuracy under each corruption", figures.corruptions(evaluation.corruptions)
