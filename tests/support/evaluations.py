"""A report in the form of `pneumonia evaluate --json`."""

from typing import Any

import msgspec

from core.manifest import Manifest, OperatingPoint
from training.evaluation import (
    AgainstShortcut,
    Confusion,
    CorruptionRow,
    Curves,
    DatasetFacts,
    Estimate,
    Evaluation,
    Indeterminate,
    KindFacts,
    Metrics,
    Mistake,
    ModelFacts,
    Point,
    PrecisionRecallCurve,
    Rates,
    ReliabilityBin,
    RocCurve,
    Speed,
    ThresholdRow,
)
from training.interpretation import interpret

FIGURES = ("roc", "precision-recall", "thresholds", "confusion", "reliability", "probabilities", "corruptions", "training")
"""The drawings of a package that was trained here and evaluated; the last one it has without an evaluation."""


def known(value: float) -> Estimate:
    return Estimate(value=value, low=round(value - 0.01, 4), high=min(1.0, round(value + 0.01, 4)))


def threshold(value: float) -> ThresholdRow:
    """What one threshold would give; above all probabilities there is no positive call."""
    return ThresholdRow(
        threshold=value,
        sensitivity=1 - value,
        specificity=value,
        accuracy=0.5,
        balanced_accuracy=0.5,
        positive_predictive_value=None,
        negative_predictive_value=0.5,
    )


def point(promised: OperatingPoint) -> Point:
    """What a point of the package gave."""
    return Point(
        name=promised.name,
        threshold=promised.threshold,
        indeterminate_from=promised.indeterminate_from,
        indeterminate_to=promised.indeterminate_to,
        promised_sensitivity=known(0.97),
        promised_specificity=Estimate(value=None, why_not="the package does not say"),
        sensitivity=known(0.95),
        specificity=known(0.91),
        accuracy=known(0.93),
        balanced_accuracy=known(0.93),
    )


RATES = {
    "accuracy": known(0.9432),
    "balanced_accuracy": known(0.9321),
    "sensitivity": known(0.9543),
    "specificity": known(0.9123),
    "positive_predictive_value": known(0.95),
    "negative_predictive_value": known(0.92),
}
EMPTY_BIN = ReliabilityBin(low=0.5, high=1.0, pictures=0, mean_probability=0.0, share_with_pneumonia=0.0, share_low=0.0, share_high=0.0)
CURVES = Curves(
    roc=RocCurve(threshold=(1.0, 0.5, 0.0), false_positive_rate=(0.0, 0.1, 1.0), sensitivity=(0.0, 0.95, 1.0)),
    precision_recall=PrecisionRecallCurve(threshold=(0.9, 0.5), precision=(1.0, 0.9), recall=(0.5, 1.0)),
    reliability=(
        ReliabilityBin(low=0.0, high=0.5, pictures=5, mean_probability=0.1, share_with_pneumonia=0.2, share_low=0.1, share_high=0.4),
        EMPTY_BIN,
    ),
    thresholds=tuple(threshold(step / 10) for step in range(11)),
)
DATA = DatasetFacts(
    name="elsewhere",
    sha256="e" * 64,
    pictures=123,
    normal=45,
    pneumonia=78,
    kinds={"bacterial pneumonia": 40, "viral pneumonia": 38},
    patients=99,
    pictures_without_patient=0,
    identical_pictures=0,
    seen_in_training=False,
    held_out=False,
    unreadable=(),
    ignored_folders=("somebody",),
)
CONFUSION = Confusion(
    true_negative=44,
    false_positive=1,
    false_negative=1,
    true_positive=77,
    decisions={
        "normal": {"negative": 40, "indeterminate": 4, "positive": 1},
        "pneumonia": {"negative": 1, "indeterminate": 0, "positive": 77},
    },
    kinds={"viral pneumonia": {"normal": 1, "bacterial pneumonia": 9, "viral pneumonia": 28}},
)
BLUR = CorruptionRow(
    name="blur",
    degree="moderate",
    amount="sigma 1.5",
    auroc=0.9678,
    sensitivity=0.934,
    specificity=None,
    balanced_accuracy=0.91,
    fall=known(0.02),
)
AGAINST_SHORTCUT = AgainstShortcut(
    shortcut_auroc=known(0.876),
    pictures=41,
    normal=15,
    pneumonia=26,
    patients=33,
    adverse_shortcut_auroc=known(0.432),
    auroc=known(0.965),
    sensitivity=known(0.93),
    specificity=known(0.92),
    balanced_accuracy=known(0.925),
    fall=known(0.005),
    correlation_normal=known(0.1),
    correlation_pneumonia=known(0.2),
)
MISTAKES = (
    Mistake(file="PNEUMONIA/person7_virus_9.jpeg", truth="pneumonia", kind="viral pneumonia", probability=0.03, decision="negative"),
    Mistake(file="NORMAL/IM-0003-0001.jpeg", truth="normal", kind=None, probability=0.71, decision="positive"),
)


def report_of(written: Manifest) -> dict[str, Any]:
    """A report on a package, as JSON holds it."""
    model = ModelFacts(
        name=written.name,
        version=written.version,
        sha256="0" * 64,
        network_sha256=written.files["network.tflite"],
        trained_on_sha256=None,
        labels=tuple(label.name for label in written.labels),
        negative=written.negative,
    )
    evaluation = Evaluation(
        created="2026-11-21T10:00:00Z",
        model=model,
        dataset=DATA,
        operating_point="balanced",
        metrics=Metrics(
            **RATES,
            auroc=known(0.9876),
            auprc=known(0.9765),
            bacterial_vs_viral_auroc=Estimate(value=None, why_not="The data set tells no kinds."),
            calibration_error=0.0321,
            brier=0.05,
        ),
        confusion=CONFUSION,
        classification_report=(),
        kinds=(KindFacts(kind="viral pneumonia", pictures=38, sensitivity=known(0.8987), named_right=known(0.7)),),
        indeterminate=Indeterminate(pictures=0, share=known(0.0), with_pneumonia=0, decided=Rates(**RATES)),
        operating_points=tuple(point(each) for each in written.operating_points),
        corruptions=(BLUR,),
        against_shortcut=AGAINST_SHORTCUT,
        mistakes=MISTAKES,
        curves=CURVES,
        speed=Speed(threads=1, seconds=1.0, decode_ms_median=1.0, network_ms_median=1.0, total_ms_median=2.0, total_ms_p95=3.0),
        intervals="95 %, bootstrap over patients",
        versions={},
        sentences={},
    )
    content: dict[str, Any] = msgspec.to_builtins(interpret(evaluation))
    return content
