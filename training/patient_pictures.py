"""The worst mistakes as X-rays in a package's report: only where whoever exports it asks for them by an option of their own.

They are pictures of patients. Without that option no picture gets into a package; the page of `pneumonia evaluate --html`, a local file,
shows them anyway. Called by `pneumonia export`.
"""

from pathlib import Path
from typing import NamedTuple

from core import package
from core.quiet import quiet_native_code
from training import errors, mistake_pictures, shelf
from training.evaluation import Evaluation
from training.pages import png


class PatientPicture(NamedTuple):
    """One file of the report; `alt` says in words what it shows."""

    alt: str
    png: bytes


def draw(evaluation: Evaluation, folder: Path, dataset: Path) -> dict[str, PatientPicture]:
    """Return a figure of the missed and one of the false alarms, by their paths in a package; no name of a file stands in them.

    Args:
        evaluation: of the package.
        folder: of the package.
        dataset: what was evaluated on.

    Raises:
        errors.EvaluationMismatch: a picture that was called wrong is not in the data set.
        core.errors.ModelUnavailable: the package does not load.
    """
    with quiet_native_code():
        classifier = package.load(folder)
    point = classifier.operating_point(evaluation.operating_point)
    drawn: dict[str, PatientPicture] = {}
    for truth, name in mistake_pictures.SORTS:
        wrong = [(mistake, dataset / mistake.file) for mistake in evaluation.mistakes if mistake.truth == truth][: mistake_pictures.MOST]
        if absent := [mistake.file for mistake, file in wrong if not file.is_file()]:
            raise errors.EvaluationMismatch(f"Expected the data set that was evaluated on. Received: {dataset}, without {absent[0]}.")
        if wrong:
            figure = mistake_pictures.draw(wrong, classifier, point, named=False)
            alt = f"X-rays of patients: the surest {len(wrong)} {name}{mistake_pictures.beside(classifier.manifest)}"
            drawn[f"{shelf.REPORT_FOLDER}/{name.replace(' ', '-')}.png"] = PatientPicture(alt, png(figure))
    return drawn
