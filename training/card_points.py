"""The operating points on the card of a package: what they promise, and what a call is worth where pneumonia is rarer.

Called by `training.card`.
"""

from typing import Final

from core.manifest import Manifest, OperatingPoint
from training import wording
from training.markdown import by, table

_PREVALENCES: Final = (0.02, 0.1, 0.3, 0.5)


def table_of(manifest: Manifest, command: str) -> str:
    """Return the points with their thresholds and what was measured.

    Args:
        manifest: of the package.
        command: what gives these figures.
    """
    head = ("point", "threshold", "indeterminate", "sensitivity (95 % CI)", "specificity (95 % CI)")
    parts = [by(command) + table(head, [_row(manifest, point) for point in manifest.operating_points])]
    if "thresholds_chosen" in manifest.metrics:
        parts.append(str(manifest.metrics["thresholds_chosen"]))
    default = manifest.operating_point(None)
    if default and default.sensitivity and default.specificity:
        parts.append(_predictive_values(default, default.sensitivity.value, default.specificity.value, command))
    return "\n\n".join(parts)


def _row(manifest: Manifest, point: OperatingPoint) -> tuple[str, ...]:
    default = " (default)" if point.name == manifest.default_operating_point else ""
    zone = f"{point.indeterminate_from} to {point.indeterminate_to}" if point.indeterminate_from < point.indeterminate_to else "none"
    rates = [
        "not measured" if rate is None else f"{rate.value:.3f} ({rate.low:.3f} to {rate.high:.3f})"
        for rate in (point.sensitivity, point.specificity)
    ]
    return f"`{point.name}`{default}", str(point.threshold), zone, *rates


def _predictive_values(point: OperatingPoint, sensitivity: float, specificity: float, command: str) -> str:
    """Return what a call is worth by how common pneumonia is (Bayes), since data sets hold far more of it than wards do."""
    rows = []
    for share in _PREVALENCES:
        found, alarms = sensitivity * share, (1.0 - specificity) * (1.0 - share)
        missed, cleared = (1.0 - sensitivity) * share, specificity * (1.0 - share)
        rows.append((wording.share(share, 0), _worth(found, alarms), _worth(cleared, missed)))
    head = ("pictures with pneumonia", "positive calls that are right", "negative calls that are right")
    return (
        f"What a call at `{point.name}` means depends on how common pneumonia is where the pictures come from. Below, the sensitivity and "
        "the specificity above are taken to hold there; an indeterminate picture counts by its side of the threshold.\n\n"
        + by(command)
        + table(head, rows)
    )


def _worth(right: float, wrong: float) -> str:
    return wording.share(right / (right + wrong)) if right + wrong else "no call"
