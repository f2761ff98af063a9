"""The sentences on the shortcut follow the figures, as all others do."""

import msgspec
import pytest

from tests.training.test_interpretation import EVALUATION, NOTHING, known
from training.evaluation import AgainstShortcut, Estimate, Evaluation
from training.interpretation import interpret

pytestmark = pytest.mark.train


def against(files: float, fall: float | Estimate, correlation: float) -> Evaluation:
    found = AgainstShortcut(
        shortcut_auroc=known(files),
        pictures=30,
        normal=10,
        pneumonia=20,
        patients=25,
        adverse_shortcut_auroc=known(0.4),
        auroc=known(0.93),
        sensitivity=known(0.9),
        specificity=known(0.9),
        balanced_accuracy=known(0.9),
        fall=fall if isinstance(fall, Estimate) else known(fall),
        correlation_normal=known(0.05),
        correlation_pneumonia=known(correlation),
    )
    return msgspec.structs.replace(EVALUATION, against_shortcut=found)


CASES = {
    "no adverse pictures": (
        against(0.9, NOTHING, 0.1),
        "Not measured: pictures of both classes are needed",
    ),
    "files alone": (
        against(0.9, 0.1, 0.6),
        "AUROC 0.900 (0.880 to 0.920); on the 30 pictures that look most like the other class, with 0.400 (0.380 to 0.420). There the "
        "model has 0.930",
    ),
    "files tell nothing": (against(0.51, 0.1, 0.6), "says little about the model"),
    "leans": (
        against(0.9, 0.1, 0.6),
        "The model leans on the shortcut: its probability follows the files within a class (rank correlation 0.60 among those of class "
        "pneumonia), and balanced accuracy falls by 10.0 points there.",
    ),
    "leans, and holds": (against(0.9, 0.01, 0.6), "its decisions hold there, though they may not in another hospital"),
    "falls alone": (
        against(0.9, 0.1, 0.1),
        "Where the files mislead balanced accuracy falls by 10.0 points there, yet",
    ),
    "does not lean": (against(0.9, 0.01, 0.1), "Nothing here says that the model leans on the shortcut"),
    "hardly follows": (against(0.9, 0.01, 0.1), "its probability hardly follows the files (rank correlation 0.10"),
    "follows loosely": (against(0.9, 0.01, 0.39), "its probability only loosely follows the files (rank correlation 0.39"),
    "better there": (against(0.9, -0.05, 0.1), "balanced accuracy does not fall there, and"),
    "falls by chance": (against(0.9, known(0.1, 0.2), 0.1), "Nothing here says that the model leans"),
}


@pytest.mark.parametrize(("evaluation", "expected"), CASES.values(), ids=CASES.keys())
def test_a_figure_gets_its_sentence(evaluation: Evaluation, expected: str) -> None:
    assert expected in " ".join(interpret(evaluation).sentences["against_shortcut"])
