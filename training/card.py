"""CARD.md of a model package: a model card after Mitchell et al. (FAT* 2019), with what the CLAIM checklist asks for and papers leave out.

Generated from the manifest and, where there is one, the report of an evaluation. Never edited by hand; every table of figures stands below
the command that gives it.
"""

import shlex
from collections.abc import Sequence
from typing import Any, Final

from core.contract import NOTICE
from core.manifest import Manifest, OperatingPoint
from training import card_evaluation, markdown
from training.configuration import Configuration
from training.findings import Findings

_ROWS: Final = (
    ("AUROC, pneumonia against normal", "auroc"),
    ("AUPRC, pneumonia against normal", "auprc"),
    ("accuracy at `balanced`", "accuracy"),
    ("sensitivity at `balanced`", "sensitivity"),
    ("specificity at `balanced`", "specificity"),
    ("AUROC, viral against bacterial", "bacterial_vs_viral_auroc"),
)
_NONE: Final = "Not measured for this package: nothing is claimed."


def write(manifest: Manifest, findings: Findings | None = None, figures: Sequence[str] = ()) -> str:
    """Return the card of a package as Markdown.

    Args:
        manifest: of the package.
        findings: of an evaluation of it, or None.
        figures: paths of figures in the package, shown where the evaluation is.
    """
    sections = [
        f"# {manifest.name} {manifest.version}",
        "Generated from `manifest.json`" + (" and an evaluation" if findings else "") + " by `training/card.py`; do not edit.",
        markdown.section("Model details", _details(manifest)),
        markdown.section("Intended use", f"{manifest.intended_use}\n\n{NOTICE}"),
        markdown.section("Caveats", "\n".join(f"- {limit}" for limit in manifest.limits)),
        markdown.section("Factors", _factors(findings)),
        markdown.section("Operating points", _points(manifest)),
        markdown.section("Sample size", _sample_size(manifest, findings)),
        markdown.section("Quantitative analysis", _measured(manifest)),
        *([markdown.section("Evaluation", card_evaluation.figures(findings, figures))] if findings else []),
        markdown.section("Robustness", _robustness(manifest, findings)),
        markdown.section("Failure analysis", card_evaluation.failures(findings)),
        markdown.section("Training data", _data(manifest)),
        markdown.section("Training", _training(manifest)),
        markdown.section("Ethical considerations", _ETHICS),
    ]
    return "\n\n".join(sections) + "\n"


_ETHICS: Final = (
    "- A picture that is called negative and is not delays treatment; one that is called positive and is not costs antibiotics and worry. "
    "The operating points trade one for the other.\n"
    "- Age, sex, ethnicity and illness beside pneumonia are not known for the pictures, so neither are differences between such groups.\n"
    "- The package holds no picture, no name and no DICOM identifier."
)


def command(manifest: Manifest) -> str:
    """Return the command that makes this package again, and with it the figures that the manifest holds."""
    config = manifest.origin.config
    if "retraining" in config:
        return shlex.join(["pneumonia", "retrain", "--job", str(config["retraining"]["job"])])
    if "brought_from" in config:
        options = {
            "labels": ",".join(f"{label.name}={label.code}" for label in manifest.labels),
            "negative": manifest.negative,
            "values": str(config.get("known_by", {}).get("values", "")).partition(" ")[0],
            "resample": manifest.input.resample,
        }
        start = ["pneumonia", "package", str(config["brought_from"])]
        given = ["--dataset", "DATASET"] if manifest.origin.split else []
    else:
        usual = Configuration()
        options = {key: value for key, value in config.items() if not isinstance(value, dict) and getattr(usual, key, value) != value}
        start, given = ["pneumonia", "train", "DATASET"], []
    named = [word for key, value in options.items() for word in (f"--{key.replace('_', '-')}", str(value))]
    return shlex.join([*start, *given, *named, "--out", "PACKAGE"])


def _details(manifest: Manifest) -> str:
    shape, origin = manifest.input, manifest.origin
    rows = [(label.name, label.code, "negative" if label.name == manifest.negative else "pneumonia") for label in manifest.labels]
    maps = "It gives class activation maps." if manifest.class_activation_maps else "It gives no class activation maps."
    return (
        f"Made {origin.created}. One grey picture of {shape.height_px} x {shape.width_px} pixels in, stretched by {shape.resample}; the "
        f"probabilities of {len(manifest.labels)} labels out. {maps} Initial weights: {origin.initial_weights}.\n\n"
        + markdown.table(("label", "SNOMED CT", "counts as"), rows)
        + f"\n\nThe probability of pneumonia ({manifest.pneumonia_code}) is "
        f"1 - that of {manifest.negative}, after calibration by temperature {manifest.temperature}."
    )


def _factors(findings: Findings | None) -> str:
    known = "The kind of pneumonia; how the picture was taken and stored (see Robustness). Age, sex and device are not known."
    return known if findings is None or not findings.kinds else f"{known}\n\n{card_evaluation.kinds(findings)}"


def _points(manifest: Manifest) -> str:
    def row(point: OperatingPoint) -> tuple[str, ...]:
        default = " (default)" if point.name == manifest.default_operating_point else ""
        zone = "none"
        if point.indeterminate_from < point.indeterminate_to:
            zone = f"{point.indeterminate_from} to {point.indeterminate_to}"
        rates = [
            "not measured" if rate is None else f"{rate.value:.3f} ({rate.low:.3f} to {rate.high:.3f})"
            for rate in (point.sensitivity, point.specificity)
        ]
        return f"`{point.name}`{default}", str(point.threshold), zone, *rates

    head = ("point", "threshold", "indeterminate", "sensitivity (95 % CI)", "specificity (95 % CI)")
    chosen = manifest.metrics.get("thresholds_chosen", "")
    table = markdown.table(head, [row(point) for point in manifest.operating_points])
    return (markdown.by(command(manifest)) + table + f"\n\n{chosen}").rstrip()


def _sample_size(manifest: Manifest, findings: Findings | None) -> str:
    sentences = ["No sample size was calculated beforehand; the intervals say what the numbers of patients allow."]
    if "pictures" in manifest.metrics:
        sentences.append(
            f"Measured on {manifest.metrics['pictures']} pictures of {manifest.metrics['patients']} patients, who did not train or tune it."
            if manifest.origin.dataset_sha256
            else f"Measured on {manifest.metrics['pictures']} pictures of {manifest.metrics['patients']} patients."
        )
    if findings is not None:
        found = findings.dataset
        sentences.append(
            f"Evaluated on {found.pictures} pictures of {found.patients} patients: {found.normal} normal, {found.pneumonia} with pneumonia."
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
        + markdown.by(command(manifest))
        + markdown.table(("figure", "value (95 % CI)"), rows)
    )


def _interval(value: dict[str, float]) -> str:
    return f"{value['value']:.4f} ({value['low']:.4f} to {value['high']:.4f})"


def _robustness(manifest: Manifest, findings: Findings | None) -> str:
    parts = []
    if "under_shift" in manifest.metrics:
        rows = [
            (name, f"{row['auroc']:.4f}", f"{row['sensitivity']:.3f}", f"{row['specificity']:.3f}")
            for name, row in manifest.metrics["under_shift"].items()
        ]
        head = ("shift", "AUROC", "sensitivity at `balanced`", "specificity at `balanced`")
        parts.append(
            "The same test pictures, each changed as `training/augment.py` says. "
            + markdown.by(command(manifest))
            + markdown.table(head, rows)
        )
    if findings is not None and findings.corruptions:
        parts.append(card_evaluation.corruptions(findings))
    return "\n\n".join(parts) or _NONE


def _data(manifest: Manifest) -> str:
    origin = manifest.origin
    parts = [
        (part, str(origin.split[f"{part}_pictures"]), str(origin.split[f"{part}_patients"]))
        for part in ("fit", "tune", "test")
        if f"{part}_pictures" in origin.split
    ]
    digest = f"; sha256 over its files `{origin.dataset_sha256}`" if origin.dataset_sha256 else ", whose digest is not known"
    table = markdown.table(("part", "pictures", "patients"), parts)
    if not parts:
        return f"{origin.dataset}{digest}."
    return (
        f"{origin.dataset}{digest}. Split by patient, identical pictures together; `tune` chose what was chosen (epoch, temperature, "
        f"thresholds), `test` only reports.\n\n{markdown.by(command(manifest))}{table}"
    )


def _training(manifest: Manifest) -> str:
    origin = manifest.origin
    recipe: list[tuple[str, str]] = [(f"`{key}`", f"`{value}`") for key, value in _flat(origin.config)]
    versions = ", ".join(f"{name} {version}" for name, version in origin.libraries.items())
    return f"Made by the code at commit `{origin.commit}` with {versions}.\n\n" + markdown.table(("setting", "value"), recipe)


def _flat(config: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return the settings, those of nested records with both names."""
    rows: list[tuple[str, Any]] = []
    for key, value in config.items():
        rows.extend([(f"{key}: {name}", inner) for name, inner in value.items()] if isinstance(value, dict) else [(key, value)])
    return rows
