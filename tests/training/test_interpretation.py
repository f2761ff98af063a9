"""Sentences follow the figures: change a figure, and another sentence stands there."""

import msgspec
import pytest

from training.estimates import BOTH
from training.evaluation import (
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
    Rates,
    ReliabilityBin,
    Speed,
    ThresholdRow,
    UnreadableFile,
)
from training.interpretation import interpret
from training.names import KINDS, PNEUMONIA

pytestmark = pytest.mark.train


def known(value: float, half: float = 0.02) -> Estimate:
    return Estimate(value=value, low=value - half, high=value + half)


NOTHING = Estimate(value=None, why_not=BOTH)
RATES = {
    "accuracy": known(0.9),
    "balanced_accuracy": known(0.9),
    "sensitivity": known(0.9),
    "specificity": known(0.9),
    "positive_predictive_value": known(0.9),
    "negative_predictive_value": known(0.9),
}
METRICS = Metrics(**RATES, auroc=known(0.97), auprc=known(0.98), bacterial_vs_viral_auroc=NOTHING, calibration_error=0.02, brier=0.1)
POINT = Point(
    name="balanced",
    threshold=0.5,
    indeterminate_from=0.4,
    indeterminate_to=0.6,
    promised_sensitivity=known(0.9),
    promised_specificity=known(0.9),
    sensitivity=known(0.9),
    specificity=known(0.9),
    accuracy=known(0.9),
    balanced_accuracy=known(0.9),
)
DATA = DatasetFacts(
    name="somewhere",
    sha256="0" * 64,
    pictures=100,
    normal=40,
    pneumonia=60,
    kinds={},
    patients=90,
    pictures_without_patient=0,
    identical_pictures=0,
    seen_in_training=False,
    held_out=False,
    unreadable=(),
    ignored_folders=(),
)
BIN = ReliabilityBin(low=0.9, high=1.0, pictures=100, mean_probability=0.95, share_with_pneumonia=0.94, share_low=0.9, share_high=0.98)
CURVES = Curves(roc=None, precision_recall=None, reliability=(BIN,), thresholds=())
ROW = CorruptionRow(
    name="blur", degree="moderate", amount="", auroc=0.9, sensitivity=0.9, specificity=0.9, balanced_accuracy=0.9, fall=known(0.01)
)
EVALUATION = Evaluation(
    created="",
    model=ModelFacts(name="m", version="1", sha256="", network_sha256="", trained_on_sha256="", labels=KINDS, negative="normal"),
    dataset=DATA,
    operating_point="balanced",
    metrics=METRICS,
    confusion=Confusion(true_negative=36, false_positive=4, false_negative=6, true_positive=54, decisions={}, kinds={}),
    classification_report=(),
    kinds=(),
    indeterminate=Indeterminate(pictures=0, share=known(0.0), with_pneumonia=0, decided=Rates(**RATES)),
    operating_points=(POINT,),
    corruptions=(),
    mistakes=(),
    curves=CURVES,
    speed=Speed(threads=1, seconds=1.0, decode_ms_median=1.0, network_ms_median=1.0, total_ms_median=2.0, total_ms_p95=3.0),
    intervals="",
    versions={},
    sentences={},
)


def threshold(value: float, balanced: float) -> ThresholdRow:
    return ThresholdRow(
        threshold=value,
        sensitivity=0.9,
        specificity=0.9,
        accuracy=0.9,
        balanced_accuracy=balanced,
        positive_predictive_value=None,
        negative_predictive_value=None,
    )


def kind(name: str, sensitivity: Estimate) -> KindFacts:
    return KindFacts(kind=name, pictures=10, sensitivity=sensitivity, named_right=known(0.5))


def mistake(decision: str) -> Mistake:
    return Mistake(file="a", truth="normal", kind=None, probability=0.9, decision=decision)


def data(**changes: object) -> Evaluation:
    return msgspec.structs.replace(EVALUATION, dataset=msgspec.structs.replace(DATA, **changes))


def point(**changes: object) -> Evaluation:
    return msgspec.structs.replace(EVALUATION, operating_points=(msgspec.structs.replace(POINT, **changes),))


def measured(**changes: object) -> Evaluation:
    return msgspec.structs.replace(EVALUATION, metrics=msgspec.structs.replace(METRICS, **changes))


def curves(**changes: object) -> Evaluation:
    return msgspec.structs.replace(EVALUATION, curves=msgspec.structs.replace(CURVES, **changes))


def bins(error: float, **changes: object) -> Evaluation:
    changed = measured(calibration_error=error)
    reliability = (msgspec.structs.replace(BIN, **changes),)
    return msgspec.structs.replace(changed, curves=msgspec.structs.replace(CURVES, reliability=reliability))


def falls(*amounts: float) -> Evaluation:
    rows = [msgspec.structs.replace(ROW, name=f"kind {number}", fall=known(amount)) for number, amount in enumerate(amounts)]
    return msgspec.structs.replace(EVALUATION, corruptions=tuple(rows))


TWO_KINDS = (kind("bacterial", known(0.98)), kind("viral", known(0.90)))
ALIKE = (kind("bacterial", known(0.98)), kind("viral", known(0.97)))
ZONE = Indeterminate(pictures=5, share=known(0.05), with_pneumonia=2, decided=Rates(**RATES))
UNREAD = UnreadableFile(file="a", code="corrupt_picture", detail="")

CASES = {
    "trained on these": (data(seen_in_training=True), "data", "how well it remembers"),
    "trained on these, in the terminal": (data(seen_in_training=True), "summary", "how well it remembers"),
    "no patient known": (data(pictures_without_patient=100), "data", "No file name tells the patient"),
    "some patients known": (data(pictures_without_patient=7), "data", "Some file names do not tell the patient (7 of 100 pictures)"),
    "no normal": (data(normal=0), "data", "The class normal is missing"),
    "few patients": (data(patients=12), "data", "With 12 patients the intervals are rough"),
    "repeated": (data(identical_pictures=3), "data", "byte for byte: 3"),
    "unreadable": (data(unreadable=(UNREAD,)), "data", "Files left out: 1 (corrupt_picture)"),
    "other folders": (data(ignored_folders=("COVID",)), "data", "passed over: COVID"),
    "chance": (measured(auroc=known(0.52, 0.04)), "discrimination", "reaches 0.5"),
    "wide": (measured(auroc=known(0.8, 0.1)), "discrimination", "interval is wide"),
    "no area": (measured(auroc=NOTHING), "discrimination", "There is no ROC curve: pictures of both classes"),
    "perfect": (measured(auroc=known(1.0, 0.0)), "discrimination", "too few hard pictures"),
    "less than promised": (
        point(specificity=known(0.5)),
        "thresholds",
        "is 0.500 (0.480 to 0.520), clearly less",
    ),
    "more than promised": (point(specificity=known(0.99, 0.005)), "thresholds", "clearly more"),
    "nothing promised": (point(promised_specificity=NOTHING), "thresholds", 'The specificity of "balanced" is 0.900'),
    "a little less": (point(specificity=known(0.89)), "thresholds", "0.890 (0.870 to 0.910), which agrees within chance"),
    "as promised": (EVALUATION, "thresholds", "agrees within chance"),
    "higher threshold": (
        curves(thresholds=(threshold(0.8, 0.97), threshold(0.5, 0.9))),
        "thresholds",
        "a higher one, 0.80 in place",
    ),
    "lower threshold": (curves(thresholds=(threshold(0.2, 0.97), threshold(0.5, 0.9))), "thresholds", "a lower one, 0.20"),
    "no better threshold": (curves(thresholds=(threshold(0.2, 0.905),)), "thresholds", "No threshold is clearly better than 0.50 here"),
    "calibrated": (EVALUATION, "calibration", "it means what it says on the whole"),
    "too high": (bins(0.2, share_with_pneumonia=0.75, share_low=0.7, share_high=0.8), "calibration", "too high by 20.0 points"),
    "too low": (bins(0.2, mean_probability=0.75, share_low=0.9), "calibration", "too low by 19.0 points"),
    "worst bin": (bins(0.2, mean_probability=0.75), "calibration", "probabilities of 0.9 to 1.0 (100 pictures): said 75%, seen 94%"),
    "no kinds": (EVALUATION, "kinds", "No file or folder name tells a kind"),
    "one kind worse": (msgspec.structs.replace(EVALUATION, kinds=TWO_KINDS), "kinds", "Viral is missed more often than bacterial"),
    "kinds alike": (msgspec.structs.replace(EVALUATION, kinds=ALIKE), "kinds", "Neither kind is missed more often"),
    "no zone": (EVALUATION, "indeterminate", "No picture is called indeterminate"),
    "zone": (
        msgspec.structs.replace(EVALUATION, indeterminate=ZONE, mistakes=(mistake("indeterminate"), mistake("positive"))),
        "indeterminate",
        "The zone holds 1 of the 2 mistakes (50%)",
    ),
    "robust": (falls(0.01, 0.03), "corruptions", "the worst is kind 1 with 3.0"),
    "nowhere to fall": (
        msgspec.structs.replace(falls(0.0), metrics=measured(balanced_accuracy=known(0.52)).metrics),
        "corruptions",
        "Balanced accuracy is 0.520 on the pictures as they are and has nowhere to fall",
    ),
    "not robust": (falls(0.06, 0.01, 0.2), "corruptions", "under these moderate corruptions: kind 2 (20.0), kind 0 (6.0)"),
    "mistakes": (
        msgspec.structs.replace(EVALUATION, mistakes=(mistake("positive"),)),
        "mistakes",
        "Missed: 6 with pneumonia.",
    ),
}


def test_a_model_that_knows_no_kinds_is_not_said_to_lack_a_figure_of_them() -> None:
    two = msgspec.structs.replace(EVALUATION, model=msgspec.structs.replace(EVALUATION.model, labels=(KINDS[0], PNEUMONIA)))
    said = " ".join(interpret(two).sentences["summary"])
    assert "Calibration error" in said
    assert "viral" not in said
    assert "Bacterial against viral: AUROC" in " ".join(interpret(EVALUATION).sentences["summary"])


@pytest.mark.parametrize(("evaluation", "section", "expected"), CASES.values(), ids=CASES.keys())
def test_a_figure_gets_its_sentence(evaluation: Evaluation, section: str, expected: str) -> None:
    assert expected in " ".join(interpret(evaluation).sentences[section])


def test_a_sound_data_set_needs_no_warning() -> None:
    assert interpret(EVALUATION).sentences["data"] == ()
    assert interpret(EVALUATION).sentences["corruptions"] == ()
    assert interpret(EVALUATION).sentences["against_shortcut"] == ()


def test_held_out_patients_are_not_held_against_what_was_measured_on_them() -> None:
    held_out = msgspec.structs.replace(EVALUATION, dataset=msgspec.structs.replace(DATA, held_out=True))
    assert "promises" not in " ".join(interpret(held_out).sentences["thresholds"])


def test_no_mistake_is_said_so() -> None:
    perfect = Confusion(true_negative=40, false_positive=0, false_negative=0, true_positive=60, decisions={}, kinds={})
    said = interpret(msgspec.structs.replace(EVALUATION, confusion=perfect)).sentences["mistakes"]
    assert said == ("Every picture is on the right side of the threshold.",)
