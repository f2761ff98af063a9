"""CARD.md of a model package, generated from its manifest: a model card after Mitchell et al. (FAT* 2019). Never edited by hand."""

from collections.abc import Sequence
from typing import Any, Final

from core.manifest import Manifest, OperatingPoint

_ROWS: Final = (
    ("AUROC, pneumonia against normal", "auroc"),
    ("AUPRC, pneumonia against normal", "auprc"),
    ("accuracy at `balanced`", "accuracy"),
    ("sensitivity at `balanced`", "sensitivity"),
    ("specificity at `balanced`", "specificity"),
    ("AUROC, viral against bacterial", "bacterial_vs_viral_auroc"),
)


def write(manifest: Manifest) -> str:
    """Return the card of a package as Markdown."""
    sections = [
        f"# {manifest.name} {manifest.version}",
        "Generated from `manifest.json` by `training/card.py`; do not edit.",
        _section("Intended use", manifest.intended_use),
        _section("Limits", "\n".join(f"- {limit}" for limit in manifest.limits)),
        _section("Labels", _labels(manifest)),
        _section("Operating points", _points(manifest)),
        _section("Measured", _measured(manifest.metrics)),
        _section("Under simulated shift", _under_shift(manifest.metrics)),
        _section("Data", _data(manifest)),
        _section("Training", _training(manifest)),
    ]
    return "\n\n".join(sections) + "\n"


def _section(title: str, body: str) -> str:
    return f"## {title}\n\n{body}"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _labels(manifest: Manifest) -> str:
    rows = [(label.name, label.code, "negative" if label.name == manifest.negative else "pneumonia") for label in manifest.labels]
    return (
        _table(("label", "SNOMED CT", "counts as"), rows) + f"\n\nThe probability of pneumonia ({manifest.pneumonia_code}) is "
        f"1 - that of {manifest.negative}, after calibration by temperature {manifest.temperature}."
    )


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
    return _table(head, [row(point) for point in manifest.operating_points]) + f"\n\n{chosen}".rstrip()


def _measured(metrics: dict[str, Any]) -> str:
    rows = [(title, _interval(metrics[key])) for title, key in _ROWS if key in metrics]
    rows.append(("expected calibration error", str(metrics["calibration_error"])))
    rows.append(("pictures called indeterminate at `balanced`", str(metrics["indeterminate_share"])))
    where = (
        f"{metrics['measured_on']}: {metrics['pictures']} pictures of {metrics['patients']} patients. Intervals: {metrics['intervals']}."
    )
    return f"On {where}\n\n" + _table(("figure", "value (95 % CI)"), rows)


def _interval(value: dict[str, float]) -> str:
    return f"{value['value']:.4f} ({value['low']:.4f} to {value['high']:.4f})"


def _under_shift(metrics: dict[str, Any]) -> str:
    rows = [
        (name, f"{row['auroc']:.4f}", f"{row['sensitivity']:.3f}", f"{row['specificity']:.3f}")
        for name, row in metrics["under_shift"].items()
    ]
    head = ("shift", "AUROC", "sensitivity at `balanced`", "specificity at `balanced`")
    return "The same test pictures, each changed as `training/augment.py` says.\n\n" + _table(head, rows)


def _data(manifest: Manifest) -> str:
    origin = manifest.origin
    parts = [(part, str(origin.split[f"{part}_pictures"]), str(origin.split[f"{part}_patients"])) for part in ("fit", "tune", "test")]
    return (
        f"{origin.dataset}; sha256 over its files `{origin.dataset_sha256}`. Split by patient, identical pictures together; "
        "`tune` chose the epoch, the temperature and the thresholds, `test` only reports.\n\n"
        + _table(("part", "pictures", "patients"), parts)
    )


def _training(manifest: Manifest) -> str:
    origin = manifest.origin
    recipe = [(f"`{key}`", f"`{value}`") for key, value in origin.config.items() if not isinstance(value, dict)]
    versions = ", ".join(f"{name} {version}" for name, version in origin.libraries.items())
    return (
        f"Initial weights: {origin.initial_weights}. All layers were fine-tuned.\n\n"
        f"Trained {origin.created} at commit `{origin.commit}` with {versions}.\n\n" + _table(("setting", "value"), recipe)
    )
