"""One picture from end to end: what `Classifier.classify` answers, and when it decodes a second time."""

from math import exp, log
from pathlib import Path

import msgspec
import pytest

from core import errors, images, package, phantom, settings
from core.bootstrap import bootstrap
from core.classifier import Classifier
from core.contract import Prediction
from core.network import Network
from tests.support import packages, pictures
from tests.support.pictures import encode
from tests.support.requests import post

MAX_PIXELS = images.MAX_PIXELS


def test_unknown_operating_point_is_refused_and_the_known_ones_are_named(classifier: Classifier) -> None:
    with pytest.raises(errors.InvalidParameter) as caught:
        classifier.operating_point("lucky")

    assert all(point.name in str(caught.value) for point in classifier.manifest.operating_points)
    assert "'lucky'" in str(caught.value)


def test_lossless_formats_get_the_very_same_answer(classifier: Classifier) -> None:
    used = classifier.operating_point(None)
    pixels = phantom.chest(6, 300)

    answers = [classifier.classify(encode(pixels, name), used, "id", MAX_PIXELS) for name in ("PNG", "BMP", "TIFF")]

    assert answers[0].pneumonia == answers[1].pneumonia == answers[2].pneumonia
    assert [answer.image.format for answer in answers] == ["png", "bmp", "tiff"]


def test_answer_says_what_was_read_and_how_long_it_took(classifier: Classifier) -> None:
    image = encode(pictures.lying(6), "PNG", exif=pictures.exif(6))

    answer = classifier.classify(image, classifier.operating_point(None), "the-id", MAX_PIXELS)

    assert answer.request_id == "the-id"
    assert answer.model == classifier.identity
    assert (answer.image.width_px, answer.image.height_px) == (pictures.WIDTH_PX, pictures.HEIGHT_PX)
    assert answer.image.warnings == ("rotated_by_exif",)
    assert answer.explanation is None
    timing = answer.timing_ms
    assert 0.0 < timing.decode < timing.total
    assert 0.0 < timing.network < timing.total
    assert timing.decode + timing.network <= timing.total + 0.01


def test_explanation_changes_nothing_else(classifier: Classifier) -> None:
    used = classifier.operating_point(None)
    with_map = classifier.classify(phantom.jpeg(2), used, "id", MAX_PIXELS, explain=True)
    without = classifier.classify(phantom.jpeg(2), used, "id", MAX_PIXELS)

    assert with_map.explanation is not None
    assert (with_map.pneumonia, with_map.findings) == (without.pneumonia, without.findings)
    assert with_map.warnings == without.warnings == ()


def test_a_package_without_maps_says_so_where_a_heat_map_is_asked_for(tmp_path: Path) -> None:
    service = bootstrap({"PNEUMONIA_MODEL": str(packages.without(tmp_path, maps=False))})

    asked, not_asked = (
        msgspec.json.decode(service.handle(post(phantom.jpeg(2), query=query)).body, type=Prediction)
        for query in ({"explain": "heatmap"}, {})
    )

    assert asked.explanation is None
    assert asked.warnings == ("package_has_no_maps",)
    assert not_asked.warnings == ()
    assert asked.pneumonia == not_asked.pneumonia


def test_a_threshold_that_nobody_measured_is_answered_with_null_and_a_warning(tmp_path: Path) -> None:
    classifier = package.load(packages.unmeasured(tmp_path))

    answer = classifier.classify(phantom.jpeg(2), classifier.operating_point(None), "id", MAX_PIXELS)

    assert (answer.pneumonia.operating_point.sensitivity, answer.pneumonia.operating_point.specificity) == (None, None)
    assert answer.warnings == ("operating_point_not_measured",)


@pytest.fixture(scope="module")
def large() -> bytes:
    return encode(phantom.chest(11, 1024), "JPEG", quality=90)


def count_decodes(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Record for each decoding whether it was a full one."""
    decode, calls = images.decode, []

    def counted(data: bytes, max_pixels: int, draft_px: tuple[int, int] | None) -> images.Picture:
        calls.append(draft_px is None)
        return decode(data, max_pixels, draft_px)

    monkeypatch.setattr(images, "decode", counted)
    return calls


MARGIN = 0.05
INFINITELY_FAR = {"start": 1.0, "end": 0.0}  # in log-odds


@pytest.mark.parametrize("bound", ["threshold", "start", "end"])
@pytest.mark.parametrize(("distance", "again"), [(0.0, True), (0.04, True), (-0.04, True), (0.06, False), (-0.06, False)])
def test_picture_within_the_margin_of_a_bound_is_decoded_in_full(
    tmp_path: Path, classifier: Classifier, large: bytes, monkeypatch: pytest.MonkeyPatch, bound: str, distance: float, again: bool
) -> None:
    full, reduced = images.decode(large), images.decode(large, draft_px=(448, 448))
    probability = 1.0 - float(classifier.probabilities(reduced.grey)[0][classifier.manifest.negative_index])
    near = 1.0 / (1.0 + exp(-log(probability / (1.0 - probability)) - distance))
    zone = {"threshold": None, "start": (near, 1.0), "end": (0.0, near)}[bound]
    changed = package.load(packages.with_point(tmp_path, INFINITELY_FAR.get(bound, near), zone, draft_margin=MARGIN))
    calls = count_decodes(monkeypatch)

    answer = changed.classify(large, changed.operating_point(None), "id", MAX_PIXELS)

    assert calls == ([False, True] if again else [False])
    used = full if again else reduced
    shown = 1.0 - float(changed.probabilities(used.grey)[0][changed.manifest.negative_index])
    assert answer.pneumonia.probability == pytest.approx(shown, abs=1e-6)
    assert (answer.image.width_px, answer.image.height_px) == (1024, 1024)


def test_picture_that_was_not_reduced_is_decoded_once(classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = count_decodes(monkeypatch)

    classifier.classify(encode(phantom.chest(1, 300), "JPEG"), classifier.operating_point(None), "id", MAX_PIXELS)

    assert len(calls) == 1


def test_network_that_answers_without_a_number_gets_no_decision(tmp_path: Path, classifier: Classifier) -> None:
    folder = packages.copy(tmp_path)
    packages.poison(folder)
    network = Network((folder / "network.tflite").read_bytes(), classifier.manifest, 1)
    poisoned = Classifier(classifier.manifest, classifier.identity, network)

    with pytest.raises(errors.ServiceError):
        poisoned.classify(phantom.jpeg(), poisoned.operating_point(None), "id", MAX_PIXELS)


def test_shipped_package_answers_for_the_sample_picture() -> None:
    loaded = package.load(settings.BAKED_MODEL)

    answer = loaded.classify(phantom.jpeg(), loaded.operating_point(None), "id", MAX_PIXELS)

    assert {finding.label for finding in answer.findings} == {"normal", "bacterial pneumonia", "viral pneumonia"}
    assert answer.guard.verdict in ("unchecked", "accept", "warn")
