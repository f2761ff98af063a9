"""What an evaluation adds to the card of a package: its figures, robustness and failures. Called by `training.card`.

Sentences come from the evaluation, which works them out of its figures. Names of files and folders below the data set stay out.
"""

import shlex
from collections import Counter
from collections.abc import Mapping
from typing import Final, NamedTuple

from training import report
from training.evaluation import Estimate, Evaluation
from training.markdown import by, drawing, subsection, table

EXPORT: Final = "pneumonia export PACKAGE --evaluation evaluation.json --out FOLDER"
_USUAL: Final = "pneumonia evaluate PACKAGE DATASET --json evaluation.json"
_EXPORT_PICTURES: Final = f"{EXPORT} --patient-pictures DATASET"
_JSON: Final = "--json evaluation.json"
_PAGE: Final = "--html report.html"
_NO_PART: Final = "neither taught the network nor placed a threshold"
_PARTS: Final = (
    ("Discrimination", "discrimination", (report.ROC, report.PRECISION_RECALL)),
    ("Thresholds", "thresholds", (report.THRESHOLDS,)),
    ("Decisions", "indeterminate", (report.CONFUSION,)),
    ("Calibration", "calibration", (report.RELIABILITY, report.PROBABILITIES)),
)


class Evaluated(NamedTuple):
    """An evaluation, the command that gives it again, and what shows it in the package: by name or path, with words for each.

    `chosen_elsewhere` says that others than the training's own patients, and perhaps those who are held out, chose how the package decides.
    """

    evaluation: Evaluation
    command: str
    chosen_elsewhere: bool
    drawings: Mapping[str, str]
    patient_pictures: Mapping[str, str]


def command(evaluation: Evaluation, default_point: str) -> str:
    """Return the command that gives the evaluation again."""
    degrees = {row.degree for row in evaluation.corruptions}
    chosen = [] if evaluation.operating_point == default_point else ["--operating-point", evaluation.operating_point]
    held_out = ["--held-out"] if evaluation.dataset.held_out else []
    selection = [] if degrees == {"moderate"} else ["--corruptions", "all" if degrees else "none"]
    return shlex.join(["pneumonia", "evaluate", "PACKAGE", "DATASET", *held_out, *chosen, *selection, "--json", "evaluation.json"])


def figures(evaluated: Evaluated) -> str:
    """Return the figures of merit, and the drawn ones with what they say."""
    evaluation = evaluated.evaluation
    metrics = evaluation.metrics
    rows = [
        ("AUROC, pneumonia against normal", _estimate(metrics.auroc)),
        ("AUPRC, pneumonia against normal", _estimate(metrics.auprc)),
        ("accuracy", _estimate(metrics.accuracy)),
        ("balanced accuracy", _estimate(metrics.balanced_accuracy)),
        ("sensitivity", _estimate(metrics.sensitivity)),
        ("specificity", _estimate(metrics.specificity)),
        ("AUROC, viral against bacterial", _estimate(metrics.bacterial_vs_viral_auroc)),
        ("expected calibration error", f"{metrics.calibration_error:.4f}"),
    ]
    lead = (
        f"{_data(evaluated)} Decided at `{evaluation.operating_point}`; a picture counts by its side of the threshold, also an "
        f"indeterminate one. Intervals: {evaluation.intervals}.\n\n"
    )
    parts = [subsection(title, "\n\n".join(_shown(evaluated, name, *names))) for title, name, names in _PARTS]
    return "\n\n".join([lead + by(evaluated.command) + table(("figure", "value (95 % CI)"), rows), *parts])


def _data(evaluated: Evaluated) -> str:
    """Say what was evaluated on, and whether the model may know it."""
    data = evaluated.evaluation.dataset
    size = f"{data.pictures} pictures of {data.patients} patients"
    over = "these files" if data.held_out else "its files"
    where = f"`{data.name}` (sha256 over {over} `{data.sha256}`), {evaluated.evaluation.created}"
    if data.held_out:
        part = "did not teach the network; what chose how it decides stands below" if evaluated.chosen_elsewhere else _NO_PART
        said = f"On the {size} whom training held out of {where}. They {part}."
    elif data.seen_in_training:
        said = f"On {size} in {where}. Training has seen these pictures: the figures say how well it remembers them."
    else:
        said = f"On {size} in {where}. It is not, by its digest, the data set of the training; single pictures of it may be in both."
    if data.pictures_without_patient:
        said += f" Of {data.pictures_without_patient} pictures the patient is not known: intervals may be too narrow."
    return said


def _shown(evaluated: Evaluated, section: str, *names: str) -> list[str]:
    """Return the sentences of a section as a paragraph, and its drawings, each with the command that draws it."""
    said, drawn = " ".join(evaluated.evaluation.sentences.get(section, ())), evaluated.drawings
    return [*([said] if said else []), *(drawing(name, drawn[name], EXPORT) for name in names if name in drawn)]


def kinds(evaluated: Evaluated) -> str:
    """Return how often each kind of pneumonia is found, and how often it is called by its name."""
    evaluation = evaluated.evaluation
    rows = [(row.kind, str(row.pictures), _estimate(row.sensitivity), _estimate(row.named_right)) for row in evaluation.kinds]
    head = ("kind", "pictures", f"found at `{evaluation.operating_point}` (95 % CI)", "called by its name (95 % CI)")
    return by(evaluated.command) + table(head, rows)


def corruptions(evaluated: Evaluated) -> str:
    """Return the figures under corruption."""
    evaluation = evaluated.evaluation
    rows = [
        (
            row.name,
            f"{row.degree}: {row.amount}",
            *(_share(one) for one in (row.auroc, row.sensitivity, row.specificity, row.balanced_accuracy)),
            _points(row.fall),
        )
        for row in evaluation.corruptions
    ]
    head = ("corruption", "degree", "AUROC", "sensitivity", "specificity", "balanced accuracy", "its fall, points (95 % CI)")
    said = "The pictures of the evaluation at the network's size, each corrupted as `training/corruptions.py` says; decided at "
    lead = f"{said}`{evaluation.operating_point}`. A fall below 0 is a rise.\n\n"
    return "\n\n".join([lead + by(evaluated.command) + table(head, rows), *_shown(evaluated, "corruptions", report.CORRUPTIONS)])


def against_shortcut(evaluated: Evaluated) -> str:
    """Return what becomes of the model where the files mislead; nothing of a report that does not say it."""
    said = _shown(evaluated, "against_shortcut")
    return subsection("Against the shortcut", by(evaluated.command) + said[0]) if said else ""


def failures(evaluated: Evaluated | None) -> str:
    """Return what was called wrong, without the names of files."""
    if evaluated is None:
        return f"No evaluation is in this package. `{_USUAL}` lists every picture that is called wrong; `{EXPORT}` puts them here."
    evaluation = evaluated.evaluation
    mistakes = evaluation.mistakes
    if not mistakes:
        return f"`{evaluated.command}` called none of {evaluation.dataset.pictures} pictures wrong."
    no_kind = {"pneumonia": "not told"}
    counts = Counter((mistake.truth, mistake.kind or no_kind.get(mistake.truth, "-"), mistake.decision) for mistake in mistakes)
    rows = [(truth, kind, decision, str(count)) for (truth, kind, decision), count in sorted(counts.items())]
    sure = sum(abs(mistake.probability - 0.5) > 0.4 for mistake in mistakes)
    said = [
        f"{len(mistakes)} of {evaluation.dataset.pictures} pictures were called wrong by their side of the threshold, {sure} of them with "
        "a probability below 0.1 or above 0.9.",
        *evaluation.sentences.get("mistakes", ()),
    ]
    counted = by(evaluated.command) + table(("truth", "kind", "decision", "pictures"), rows)
    return "\n\n".join([" ".join(said), counted, *_patient_pictures(evaluated)])


def _patient_pictures(evaluated: Evaluated) -> list[str]:
    """Show the pictures of patients where the package has them, or say where they are to be seen."""
    if not evaluated.patient_pictures:
        page = evaluated.command.replace(_JSON, _PAGE)
        return [f"The pictures themselves are not in this package. `{page}` shows the worst, in a page that stays where they may be."]
    shown = [f"![{alt}]({path})" for path, alt in evaluated.patient_pictures.items()]
    warning = "**These are X-rays of patients.** Pass this package on only to those who may see them."
    return [warning, *shown, f"Drawn by `{_EXPORT_PICTURES}`."]


def _estimate(estimate: Estimate) -> str:
    if estimate.value is None:
        return estimate.why_not or "not measured"
    bounds = "" if estimate.low is None or estimate.high is None else f" ({estimate.low:.4f} to {estimate.high:.4f})"
    return f"{estimate.value:.4f}{bounds}"


def _share(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.3f}"


def _points(fall: Estimate) -> str:
    if fall.value is None or fall.low is None or fall.high is None:
        return "not measured"
    value, low, high = (f"{round(100 * end, 1) + 0.0:.1f}" for end in (fall.value, fall.low, fall.high))
    return f"{value} ({low} to {high})"
