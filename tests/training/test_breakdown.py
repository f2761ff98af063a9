"""Who was called what, on a table small enough to count by hand."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from sklearn import metrics as sklearn

from core import contract
from core.classifier import Classifier
from core.manifest import Interval, OperatingPoint
from training import breakdown, table
from training.answers import Answered
from training.cases import Case
from training.corruptions import CORRUPTIONS
from training.looks import Looks
from training.table import Table

pytestmark = pytest.mark.train

NORMAL, BACTERIAL, VIRAL = "normal", "bacterial pneumonia", "viral pneumonia"
KNOWN = Interval(value=0.9, low=0.8, high=1.0)
POINT = OperatingPoint(name="only", threshold=0.5, indeterminate_from=0.4, indeterminate_to=0.6, sensitivity=KNOWN, specificity=KNOWN)
LOOKS = Looks(
    bytes=1, width_px=64, height_px=64, brightness=1.0, contrast=1.0, black_share=0.0, sharpness=1.0, edge_density=0.1, jpeg_bytes=1
)
# truth, patient, bacterial, viral
PICTURES = (
    (NORMAL, "a", 0.05, 0.05),
    (NORMAL, "a", 0.30, 0.15),  # 0.45: indeterminate, right side
    (NORMAL, "b", 0.20, 0.60),  # false alarm, viral
    (BACTERIAL, "c", 0.80, 0.10),
    (BACTERIAL, "c", 0.30, 0.40),  # found, called viral
    (BACTERIAL, "d", 0.30, 0.12),  # 0.42: missed, indeterminate
    (VIRAL, "e", 0.10, 0.80),
    (VIRAL, "f", 0.30, 0.25),  # 0.55: indeterminate, right side, called bacterial
)


@pytest.fixture(scope="module")
def drawn(classifier: Classifier) -> Table:
    prediction = classifier.classify(_jpeg(), classifier.operating_point(None), "test", 10**6)
    return table.tabulate([_answer(number, *picture, prediction) for number, picture in enumerate(PICTURES)], classifier.manifest)


def _jpeg() -> bytes:
    from core import phantom

    return phantom.jpeg(0)


def _answer(number: int, kind: str, patient: str, bacterial: float, viral: float, prediction: contract.Prediction) -> Answered:
    total = round(bacterial + viral, 6)
    decision = "indeterminate" if 0.4 <= total < 0.6 else "positive" if total >= 0.5 else "negative"
    shares = {NORMAL: round(1 - total, 6), BACTERIAL: bacterial, VIRAL: viral}
    findings = tuple(contract.Finding(label=label, code="1", probability=share) for label, share in shares.items())
    pneumonia = msgspec.structs.replace(prediction.pneumonia, probability=total, decision=decision)
    answer = msgspec.structs.replace(prediction, findings=findings, pneumonia=pneumonia)
    case = Case(Path(f"{number}.png"), f"{number}.png", kind != NORMAL, kind, patient)
    return Answered(case, f"{number:064d}", 1, answer, (total, 1.0 - total), LOOKS)


def test_what_a_package_promises_stands_beside_what_it_gives(drawn: Table) -> None:
    told = breakdown.operating_point(drawn, POINT)
    assert (told.promised_sensitivity.value, told.sensitivity.value, told.specificity.value) == (0.9, 0.8, 0.6667)
    assert breakdown._promise(None).why_not == "the package does not say"


def test_confusion_is_what_can_be_counted(drawn: Table, classifier: Classifier) -> None:
    counts = breakdown.confusion(drawn, POINT, classifier.manifest)
    assert (counts.true_positive, counts.false_negative, counts.true_negative, counts.false_positive) == (4, 1, 2, 1)
    assert counts.decisions == {
        "normal": {"negative": 1, "indeterminate": 1, "positive": 1},
        "pneumonia": {"negative": 0, "indeterminate": 2, "positive": 3},
    }
    assert counts.kinds == {
        NORMAL: {NORMAL: 2, BACTERIAL: 0, VIRAL: 1},
        BACTERIAL: {NORMAL: 1, BACTERIAL: 1, VIRAL: 1},
        VIRAL: {NORMAL: 0, BACTERIAL: 1, VIRAL: 1},
    }


def test_the_classification_report_is_that_of_scikit_learn(drawn: Table, classifier: Classifier) -> None:
    rows = {row.label: row for row in breakdown.report(drawn, POINT, classifier.manifest)}
    truth = [kind for kind, *_ in PICTURES]
    answers = breakdown.named(drawn, POINT, classifier.manifest).tolist()
    both = [["normal" if name == NORMAL else "pneumonia" for name in names] for names in (truth, answers)]
    expected = {
        **sklearn.classification_report(truth, answers, output_dict=True, zero_division=0),
        **sklearn.classification_report(*both, output_dict=True, zero_division=0),
    }
    assert set(rows) == {NORMAL, "pneumonia", BACTERIAL, VIRAL}
    for label, row in rows.items():
        theirs = expected[label]
        assert (row.precision, row.recall, row.f1, row.pictures) == pytest.approx(
            (theirs["precision"], theirs["recall"], theirs["f1-score"], theirs["support"]), abs=1e-4
        )


def test_each_kind_says_how_often_it_is_found_and_named(drawn: Table, classifier: Classifier) -> None:
    bacterial, viral = breakdown.kinds(drawn, POINT, classifier.manifest)
    assert (bacterial.kind, bacterial.pictures, bacterial.sensitivity.value, bacterial.named_right.value) == (BACTERIAL, 3, 0.6667, 0.3333)
    assert (viral.kind, viral.pictures, viral.sensitivity.value, viral.named_right.value) == (VIRAL, 2, 1.0, 0.5)


def test_kinds_are_told_apart_by_their_share(drawn: Table, classifier: Classifier) -> None:
    rows = [(kind == VIRAL, viral / (bacterial + viral)) for kind, _, bacterial, viral in PICTURES if kind != NORMAL]
    expected = sklearn.roc_auc_score(*zip(*rows, strict=True))
    assert breakdown.between_kinds(drawn, BACTERIAL, VIRAL, classifier.manifest).value == pytest.approx(expected, abs=1e-4)
    assert breakdown.between_kinds(drawn, BACTERIAL, "fungal", classifier.manifest).value is None


def test_indeterminate_pictures_are_left_out_of_what_is_decided(drawn: Table) -> None:
    zone = breakdown.indeterminate(drawn, POINT)
    assert (zone.pictures, zone.with_pneumonia, zone.share.value) == (3, 2, 0.375)
    assert (zone.decided.accuracy.value, zone.decided.sensitivity.value, zone.decided.specificity.value) == (0.8, 1.0, 0.5)


def test_the_surest_mistake_comes_first(drawn: Table) -> None:
    first, second = breakdown.mistakes(drawn, POINT)
    assert (first.file, first.truth, first.kind, first.probability, first.decision) == ("2.png", "normal", None, 0.8, "positive")
    assert (second.file, second.truth, second.kind, second.decision) == ("5.png", "pneumonia", BACTERIAL, "indeterminate")


def test_the_fall_under_a_corruption_is_that_of_balanced_accuracy(drawn: Table) -> None:
    (row,) = breakdown.corruptions(drawn, POINT, CORRUPTIONS[:1])
    plain = (4 / 5 + 2 / 3) / 2
    turned = (1 / 5 + 1 / 3) / 2  # the fixture turns every probability around
    assert row.balanced_accuracy == pytest.approx(turned, abs=1e-4)
    assert row.fall.value == pytest.approx(plain - turned, abs=1e-4)


def test_pictures_of_a_patient_share_a_group_and_so_do_identical_ones(classifier: Classifier) -> None:
    prediction = classifier.classify(_jpeg(), classifier.operating_point(None), "test", 10**6)
    answers = [_answer(number, *picture, prediction) for number, picture in enumerate(PICTURES[:4])]
    answers[3] = answers[3]._replace(sha256=answers[0].sha256)
    assert len(set(table.tabulate(answers, classifier.manifest).groups)) == 2
    unnamed = [answer._replace(case=answer.case._replace(patient=None)) for answer in answers[:3]]
    assert len(np.unique(table.tabulate(unnamed, classifier.manifest).groups)) == 3
