"""A report in the form of `pneumonia evaluate --json`."""

from typing import Any

from core.manifest import Manifest


def estimate(value: float | None, why_not: str | None = None) -> dict[str, Any]:
    bounds = {} if value is None else {"low": round(value - 0.01, 4), "high": min(1.0, round(value + 0.01, 4))}
    return {"value": value, **bounds, "why_not": why_not}


def report_of(written: Manifest) -> dict[str, Any]:
    """A report on a package, with fields that not every reader reads."""
    return {
        "format_version": 1,
        "created": "2026-11-21T10:00:00Z",
        "model": {
            "name": written.name,
            "version": written.version,
            "sha256": "0" * 64,
            "network_sha256": written.files["network.tflite"],
            "labels": [label.name for label in written.labels],
        },
        "dataset": {
            "name": "elsewhere",
            "sha256": "e" * 64,
            "pictures": 123,
            "normal": 45,
            "pneumonia": 78,
            "kinds": {"bacterial pneumonia": 40, "viral pneumonia": 38},
            "patients": 99,
            "seen_in_training": False,
            "unreadable": [],
        },
        "operating_point": "balanced",
        "metrics": {
            "auroc": estimate(0.9876),
            "auprc": estimate(0.9765),
            "accuracy": estimate(0.9432),
            "balanced_accuracy": estimate(0.9321),
            "sensitivity": estimate(0.9543),
            "specificity": estimate(0.9123),
            "bacterial_vs_viral_auroc": estimate(None, "The data set tells no kinds."),
            "calibration_error": 0.0321,
            "brier": 0.05,
        },
        "kinds": [{"kind": "viral pneumonia", "pictures": 38, "sensitivity": estimate(0.8987), "named_right": estimate(0.7)}],
        "corruptions": [
            {
                "name": "blur",
                "degree": "moderate",
                "amount": "sigma 1.5",
                "auroc": 0.9678,
                "sensitivity": 0.934,
                "specificity": None,
                "balanced_accuracy": 0.91,
                "fall": estimate(0.02),
            }
        ],
        "mistakes": [
            {
                "file": "PNEUMONIA/person7_virus_9.jpeg",
                "truth": "pneumonia",
                "kind": "viral pneumonia",
                "probability": 0.03,
                "decision": "negative",
            },
            {"file": "NORMAL/IM-0003-0001.jpeg", "truth": "normal", "kind": None, "probability": 0.71, "decision": "positive"},
        ],
        "curves": {
            "roc": {"threshold": [1.0, 0.5, 0.0], "false_positive_rate": [0.0, 0.1, 1.0], "sensitivity": [0.0, 0.95, 1.0]},
            "reliability": [
                {
                    "low": 0.0,
                    "high": 0.5,
                    "pictures": 5,
                    "mean_probability": 0.1,
                    "share_with_pneumonia": 0.2,
                    "share_low": 0.1,
                    "share_high": 0.4,
                },
                {
                    "low": 0.5,
                    "high": 1.0,
                    "pictures": 0,
                    "mean_probability": 0.0,
                    "share_with_pneumonia": 0.0,
                    "share_low": 0.0,
                    "share_high": 0.0,
                },
            ],
        },
        "intervals": "95 %, bootstrap over patients",
    }
