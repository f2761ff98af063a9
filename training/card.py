"""CARD.md of a model package: a model card after Mitchell et al. (FAT* 2019), with what the CLAIM checklist asks for and papers leave out.

Generated from the manifest and, where there is one, the report of an evaluation. Never edited by hand; every table of figures stands below
the command that gives it.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from core.contract import NOTICE
from core.manifest import Manifest
from training import card_commands, card_evaluation, card_guard, card_points, markdown, report
from training.card_evaluation import Evaluated
from training.evaluation import Evaluation

_ROWS: Final = (
    ("AUROC, pneumonia against normal", "auroc"),
    ("AUPRC, pneumonia against normal", "auprc"),
    ("accuracy at `balanced`", "accuracy"),
    ("sensitivity at `balanced`", "sensitivity"),
    ("specificity at `balanced`", "specificity"),
    ("AUROC, viral against bacterial", "bacterial_vs_viral_auroc"),
)
_REDRAW: Final = "pneumonia export PACKAGE --out FOLDER"
_CURVES: Final = "Its numbers are in `history.csv`. `fit` is the loss of learning, on augmented pictures"
_BEST_KEPT: Final = (
    "; `tune` is that of the averaged weights on patients who did not teach, after the best temperature, half of it under simulated "
    "shifts: the two cannot be held against each other. The epoch of the lowest tune loss is kept."
)
_LAST_KEPT: Final = ". The last epoch is kept; no patient had a say in that."
_NONE: Final = "Not measured for this package: nothing is claimed."


def write(
    manifest: Manifest,
    evaluation: Evaluation | None = None,
    drawings: Mapping[str, str] = MappingProxyType({}),
    patient_pictures: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Return the card of a package as Markdown.

    Args:
        manifest: of the package.
        evaluation: of the package, or None.
        drawings: what the drawings in its `report/` show, by name.
        patient_pictures: what the pictures of patients in it show, by path; usually there are none.
    """
    evaluated = None
    if evaluation is not None:
        again = card_evaluation.command(evaluation, manifest.default_operating_point)
        others = card_commands.recalibrated(manifest) and not card_commands.held_out(manifest)
        evaluated = Evaluated(evaluation, again, others, drawings, patient_pictures)
    sections = [
        f"# {manifest.name} {manifest.version}",
        f"**{NOTICE}** Generated from `manifest.json`"
        + (" and an evaluation" if evaluation else "")
        + " by `training/card.py`; do not edit. PACKAGE is the folder of this package, DATASET one that holds a folder for each class"
        + "".join(f", {word} {what}" for word, what in card_commands.others(manifest).items())
        + ".",
        markdown.section("Model details", _details(manifest)),
        markdown.section("Intended use", f"{manifest.intended_use}\n\n{_RESEARCH}"),
        markdown.section("Caveats", "\n".join(f"- {limit}" for limit in manifest.limits)),
        markdown.section("Factors", _factors(evaluated)),
        markdown.section("Operating points", card_points.table_of(manifest, card_commands.of_figures(manifest))),
        markdown.section("Sample size", _sample_size(manifest, evaluation)),
        markdown.section("Quantitative analysis", _measured(manifest)),
        *([markdown.section("Evaluation", card_evaluation.figures(evaluated))] if evaluated else []),
        markdown.section("Robustness", _robustness(manifest, evaluated)),
        markdown.section("Guard", card_guard.section(manifest, evaluated)),
        markdown.section("Failure analysis", card_evaluation.failures(evaluated)),
        markdown.section("Training data", _data(manifest)),
        markdown.section("Training", _training(manifest, drawings)),
        markdown.section("Ethical considerations", "\n".join([_ETHICS, _SHOWN if patient_pictures else _NOT_SHOWN])),
    ]
    return "\n\n".join(sections) + "\n"


_ETHICS: Final = (
    "- A picture that is called negative and is not delays treatment; one that is called positive and is not costs antibiotics and worry. "
    "The operating points trade one for the other.\n"
    "- Age, sex, ethnicity and illness beside pneumonia are not known for the pictures, so neither are differences between such groups."
)
_NOT_SHOWN: Final = "- The package holds no picture of a patient, no name of a file that it was measured on, and no DICOM identifier."
_SHOWN: Final = "- The package holds pictures of patients, since whoever exported it asked for them."
_RESEARCH: Final = (
    "This is a research tool, not a medical device. It is for people who can read such a picture themselves, and for those who build and "
    "compare such tools; it must not decide, alone or first, what is done with a patient."
)


def _details(manifest: Manifest) -> str:
    shape, origin = manifest.input, manifest.origin
    rows = [(label.name, label.code, "negative" if label.name == manifest.negative else "pneumonia") for label in manifest.labels]
    calibrated = origin.config["calibration"]["at"] if card_commands.recalibrated(manifest) else ""
    again = f"; calibrated {calibrated}" if calibrated else ""
    follows = f"{again}, from version {origin.parent_version}" if origin.parent_version else again
    architecture = f"Architecture `{origin.config['arch']}`, run by LiteRT. " if "arch" in origin.config else ""
    maps = "It gives class activation maps." if manifest.class_activation_maps else "It gives no class activation maps."
    return (
        f"Made {origin.created}{follows}. {architecture}One grey picture in, stretched to {shape.height_px} x {shape.width_px} pixels "
        f"({shape.resample}); the probabilities of {len(manifest.labels)} labels out. {maps} Initial weights: {origin.initial_weights}.\n\n"
        + markdown.table(("label", "SNOMED CT", "counts as"), rows)
        + f"\n\nThe probability of pneumonia ({manifest.pneumonia_code}) is "
        f"1 - that of {manifest.negative}, after calibration by temperature {manifest.temperature}."
    )


def _factors(evaluated: Evaluated | None) -> str:
    known = "The kind of pneumonia; how the picture was taken and stored (see Robustness). Age, sex and device are not known."
    return known if evaluated is None or not evaluated.evaluation.kinds else f"{known}\n\n{card_evaluation.kinds(evaluated)}"


def _sample_size(manifest: Manifest, evaluation: Evaluation | None) -> str:
    sentences = ["No sample size was calculated beforehand; the intervals say what the numbers of patients allow."]
    metrics = manifest.metrics
    if "pictures" in metrics:
        sentences.append(
            f"Measured on {metrics['pictures']} pictures of {metrics['patients']} patients, "
            + ("each decided by what the others chose." if _crossed(manifest) else "who did not train or tune it.")
        )
    if unnamed := metrics.get("pictures_without_patient"):
        sentences.append(
            f"Of {unnamed} of them no name tells the patient, and each counts as one: where several show the same person the intervals are "
            "too narrow and the figures too good."
        )
    if evaluation is not None:
        found = evaluation.dataset
        same = found.held_out and (found.pictures, found.patients) == (metrics.get("pictures"), metrics.get("patients"))
        whom = "the same pictures" if same else f"{found.pictures} pictures of {found.patients} patients"
        sentences.append(f"Evaluated on {whom}: {found.normal} normal, {found.pneumonia} with pneumonia.")
        sentences.extend(
            f"One picture of class {name} that is called otherwise moves {rate} by {100.0 / count:.1f} points."
            for name, rate, count in (("normal", "specificity", found.normal), ("pneumonia", "sensitivity", found.pneumonia))
            if count
        )
    return " ".join(sentences)


def _measured(manifest: Manifest) -> str:
    metrics = manifest.metrics
    rows = [(title, _interval(metrics[key])) for title, key in _ROWS if key in metrics]
    if not rows:
        return _NONE
    rows.append(("expected calibration error", str(metrics["calibration_error"])))
    rows.append(("pictures called indeterminate at `balanced`", str(metrics["indeterminate_share"])))
    return (
        f"On {metrics['measured_on']}. Intervals: {metrics['intervals']}.\n\n"
        + markdown.by(card_commands.of_figures(manifest))
        + markdown.table(("figure", "value (95 % CI)"), rows)
    )


def _interval(value: dict[str, float]) -> str:
    return f"{value['value']:.4f} ({value['low']:.4f} to {value['high']:.4f})"


def _robustness(manifest: Manifest, evaluated: Evaluated | None) -> str:
    parts = []
    if "under_shift" in manifest.metrics:
        rows = [
            (name, f"{row['auroc']:.4f}", f"{row['sensitivity']:.3f}", f"{row['specificity']:.3f}")
            for name, row in manifest.metrics["under_shift"].items()
        ]
        head = ("shift", "AUROC", "sensitivity at `balanced`", "specificity at `balanced`")
        parts.append(
            f"The same {'' if _crossed(manifest) else 'test '}pictures, each changed as `training/augment.py` says. "
            + markdown.by(card_commands.of_figures(manifest))
            + markdown.table(head, rows)
        )
    if evaluated is not None and evaluated.evaluation.corruptions:
        parts.append(card_evaluation.corruptions(evaluated))
    if evaluated is not None:
        parts.append(card_evaluation.against_shortcut(evaluated))
    return "\n\n".join(part for part in parts if part) or _NONE


def _data(manifest: Manifest) -> str:
    origin = manifest.origin
    measured = manifest.metrics if "train_auroc" in manifest.metrics else {}
    parts = [
        (
            part,
            str(origin.split[f"{part}_pictures"]),
            str(origin.split[f"{part}_patients"]),
            *([_interval(measured[key])] if key in measured else []),
        )
        for part, key in (("fit", "train_auroc"), ("tune", "validation_auroc"), ("test", "auroc"))
        if f"{part}_pictures" in origin.split
    ]
    digest = f"; sha256 over its files `{origin.dataset_sha256}`" if origin.dataset_sha256 else ", whose digest is not known"
    if not parts:
        return f"{origin.dataset}{digest}."
    table = markdown.table(("part", "pictures", "patients", "AUROC (95 % CI)")[: len(parts[0])], parts)
    return (
        f"{origin.dataset}{digest}. Split by patient, identical pictures together; {_who_chose(manifest)}.\n\n"
        f"{markdown.by(card_commands.of_network(manifest))}{table}"
    )


def _who_chose(manifest: Manifest) -> str:
    of_network = [*([] if _keeps_last(manifest) else ["epoch"]), "correction of the logits"]
    if not card_commands.recalibrated(manifest):
        return f"`tune` chose what was chosen ({', '.join([*of_network, 'temperature', 'thresholds'])}), `test` only reports"
    source = manifest.origin.config["calibration"]["source"]
    report = "`test` only reports" if card_commands.held_out(manifest) else "its figures are of them, too"
    return (
        f"`tune` chose the {' and the '.join(of_network)}. Temperature and thresholds of this version were chosen on {source}, and {report}"
    )


def _keeps_last(manifest: Manifest) -> bool:
    """Whether the recipe kept the last epoch's network, so that no patient chose it."""
    return bool(manifest.origin.config.get("keep") == "last")


def _crossed(manifest: Manifest) -> bool:
    """Whether the figures are those of folds that decide each other, as `training.recalibration` measures where nobody is held out."""
    return "calibration" in manifest.origin.config and not card_commands.held_out(manifest)


def _training(manifest: Manifest, drawings: Mapping[str, str]) -> str:
    origin = manifest.origin
    recipe: list[tuple[str, str]] = [(f"`{key}`", f"`{value}`") for key, value in _flat(origin.config) if value != ""]  # "": none was given
    versions = ", ".join(f"{name} {version}" for name, version in origin.libraries.items())
    share = float(origin.config.get("start_share", 0.0))
    mean = f" What is kept is the mean of what was learned and of the initial weights, {share:g} of it theirs." if share else ""
    unrecorded = " `+changes` marks code with changes that are in no commit." if "+changes" in origin.commit else ""
    made = f"Made by the code at commit `{origin.commit}` with {versions}.{unrecorded}{mean}"
    parts = [made, markdown.table(("setting", "value"), recipe)]
    if report.TRAINING in drawings:
        kept = _LAST_KEPT if _keeps_last(manifest) else _BEST_KEPT
        parts.append(markdown.drawing(report.TRAINING, drawings[report.TRAINING], _REDRAW) + f" {_CURVES}{kept}")
    return "\n\n".join(parts)


def _flat(config: Mapping[str, Any], above: str = "") -> list[tuple[str, Any]]:
    """Return the settings, those of nested records with the names above them."""
    rows: list[tuple[str, Any]] = []
    for key, value in config.items():
        rows.extend(_flat(value, f"{above}{key}: ") if isinstance(value, dict) else [(f"{above}{key}", value)])
    return rows
