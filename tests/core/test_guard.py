"""The guard: its looks at a picture, its distance, its file, and that it costs next to nothing."""

import io
from pathlib import Path
from time import perf_counter

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from core import errors, guard, images, package, phantom
from core.classifier import Classifier
from core.images import Picture
from core.manifest import GUARD_FILE, MANIFEST_FILE, GuardContract
from tests.contract.bodies import encoded
from tests.contract.guard_cases import blank, coloured, faint, png
from tests.support import packages
from tests.support.pictures import encode

SIZE = 8
DECIDES = GuardContract(warn_distance=2.0, refuse_distance=3.0, chosen="by hand")


def plane() -> guard.Reference:
    """Embeddings lie along the first axis; the second is what tilts."""
    axes = np.eye(SIZE, dtype=np.float32)
    return guard.Reference(np.zeros(SIZE, np.float32), axes[:1], 0.5, 4.0 * axes[1], 0.25)


def embedding(*values: float) -> npt.NDArray[np.float32]:
    return np.array([*values, *[0.0] * (SIZE - len(values))], dtype=np.float32)


def test_distance_is_that_from_the_plane_and_the_tilt() -> None:
    assert plane().distance(embedding(5.0)) == pytest.approx(0.25)
    assert plane().distance(embedding(3.0, 0.0, 4.0)) == pytest.approx(0.8 / 0.5 + 0.25)
    assert plane().distance(embedding(3.0, 4.0)) == pytest.approx(0.8 / 0.5 + 4.0 * 0.8 + 0.25)
    assert plane().distance(embedding(3.0, -4.0)) == 0.0
    assert plane().distance(embedding(0.0)) == pytest.approx(0.25)


def looked_at(data: bytes) -> list[str]:
    return guard.looks(images.decode(data))


@pytest.mark.parametrize(
    ("data", "codes"),
    [
        (phantom.jpeg(), []),
        (encoded("JPEG", "RGB"), []),
        (encoded("PNG", "P"), []),
        (encoded("TIFF", "CMYK"), []),
        (blank(), [guard.BLANK]),
        (png(np.full((300, 300), 255)), [guard.BLANK, guard.WHITE]),
        (faint(), [guard.LOW_CONTRAST]),
        (coloured(), [guard.COLOUR, guard.SEVERAL]),
        (encode(phantom.chest(0, 64), "PNG"), [guard.SMALL]),
        (png(np.tile(phantom.chest(0, 256), (1, 4))), [guard.ASPECT, guard.SEVERAL]),
        (png(np.tile(phantom.chest(0, 256), (3, 1))), [guard.ASPECT]),
        (png(np.hstack([phantom.chest(1, 256), phantom.chest(2, 256)])), [guard.SEVERAL]),
        (png(np.tile(phantom.chest(3, 256), (2, 2))), [guard.SEVERAL]),
    ],
    ids=["phantom", "grey RGB", "palette", "CMYK", "blank", "white", "faint", "coloured", "small", "wide", "high", "two", "four"],
)
def test_looks_at_the_picture(data: bytes, codes: list[str]) -> None:
    assert looked_at(data) == codes


def test_noise_of_a_camera_and_a_tint_are_no_colour() -> None:
    chest = phantom.chest(0, 400).astype(float)
    grain = np.random.default_rng(0).normal(0.0, 6.0, (400, 400, 3))

    assert looked_at(png(np.clip(chest[:, :, np.newaxis] + grain, 0, 255))) == []
    assert looked_at(png(np.clip(chest[:, :, np.newaxis] * 0.6 + [0.0, 20.0, 60.0], 0, 255))) == []


@pytest.mark.parametrize("draft_px", [None, (448, 448)])
def test_colour_is_seen_however_a_jpeg_is_decoded(draft_px: tuple[int, int] | None) -> None:
    from PIL import Image

    with Image.open(io.BytesIO(coloured())) as image:
        stream = io.BytesIO()
        image.resize((1600, 1600)).save(stream, "JPEG")

    assert images.decode(stream.getvalue(), draft_px=draft_px).coloured_share > 0.3


@pytest.mark.parametrize(
    ("distance", "verdict", "reasons"),
    [(1.0, "accept", ()), (2.0, "accept", ()), (2.5, "warn", (guard.UNUSUAL,)), (3.5, "refuse", (guard.FAR,))],
)
def test_distance_gives_the_verdict(distance: float, verdict: str, reasons: tuple[str, ...]) -> None:
    reference = plane()._replace(offset=distance)
    picture = Picture(phantom.chest(0), "png", 512, 512)

    answer = guard.Guard(DECIDES, reference).judge(picture, embedding(1.0))

    assert (answer.verdict, answer.reasons) == (verdict, reasons)
    assert answer.distance == pytest.approx(distance)
    assert (answer.warn_distance, answer.threshold) == (2.0, 3.0)


def test_strongest_reason_is_the_verdict() -> None:
    picture = Picture(np.full((512, 512), 90, np.uint8), "png", 512, 512)

    answer = guard.Guard(DECIDES, plane()._replace(offset=2.5)).judge(picture, embedding(1.0))

    assert (answer.verdict, answer.reasons) == ("refuse", (guard.UNUSUAL, guard.BLANK))


def test_file_brings_the_reference_back() -> None:
    read = guard.read(guard.write(plane()), SIZE)

    before = plane()
    assert (read.spread, read.offset) == (before.spread, before.offset)
    for one, other in ((before.mean, read.mean), (before.directions, read.directions), (before.tilt, read.tilt)):
        np.testing.assert_allclose(one, other, atol=1e-3)


def damaged(name: str) -> bytes:
    stream = io.BytesIO()
    arrays = plane()._asdict()
    if name == "missing":
        del arrays["tilt"]
    if name == "not finite":
        arrays["mean"] = np.full(SIZE, np.nan)
    if name == "another size":
        arrays["directions"] = np.eye(SIZE + 1)[:1]
    if name == "no spread":
        arrays["spread"] = 0.0
    if name == "pickled":
        arrays["mean"] = np.array([object()] * SIZE)
    np.savez(stream, **arrays)
    return stream.getvalue() if name != "cut" else stream.getvalue()[:100]


@pytest.mark.parametrize("name", ["missing", "not finite", "another size", "no spread", "pickled", "cut"])
def test_damaged_file_is_refused(name: str) -> None:
    with pytest.raises(errors.ModelUnavailable, match=r"Expected .*guard\.npz"):
        guard.read(damaged(name), SIZE)


def test_package_whose_guard_changed_does_not_load(tmp_path: Path) -> None:
    folder = packages.guarded(tmp_path)
    package.load(folder)
    (folder / GUARD_FILE).write_bytes(guard.write(plane()))

    with pytest.raises(errors.ModelUnavailable, match=GUARD_FILE):
        package.load(folder)
    packages.sign(folder)
    with pytest.raises(errors.ModelUnavailable, match=GUARD_FILE):
        package.load(folder)
    (folder / GUARD_FILE).unlink()
    packages.sign(folder)
    with pytest.raises(errors.ModelUnavailable, match=GUARD_FILE):
        package.load(folder)


def test_the_sample_picture_looks_like_a_chest_to_the_shipped_guard(classifier: Classifier) -> None:
    verdict = classifier.judge(phantom.jpeg(), images.MAX_PIXELS)[1]

    assert verdict.verdict == "accept"
    assert verdict.distance is not None
    assert verdict.warn_distance is not None
    assert verdict.distance < 0.9 * verdict.warn_distance  # no other processor or library may turn it into a warning


def test_package_without_a_guard_says_that_nothing_was_checked(tmp_path: Path) -> None:
    classifier = package.load(packages.copy(tmp_path))

    answer = classifier.classify(coloured(), classifier.operating_point(None), "id", 10**7)

    assert (answer.guard.verdict, answer.guard.reasons) == ("unchecked", ("package_has_no_guard",))


def test_manifest_refuses_a_guard_that_cannot_be(tmp_path: Path) -> None:
    content = msgspec.json.decode((packages.guarded(tmp_path) / MANIFEST_FILE).read_bytes())["guard"]
    for change in ({"warn_distance": 99.0}, {"distance_bounds": [2.0, 1.0]}, {"distance_shares": [1.0]}):
        with pytest.raises(msgspec.ValidationError, match="Invalid guard"):
            msgspec.convert(content | change, GuardContract)


def test_every_reason_has_a_line_in_the_docs() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text("utf-8")

    for code, (severity, _) in guard.REASONS.items():
        assert f"| `{code}` | {severity} |" in text


@pytest.mark.measures
def test_judging_takes_less_than_half_a_millisecond(tmp_path: Path) -> None:
    judge = package.load(packages.guarded(tmp_path))._guard
    assert judge is not None
    picture, known = images.decode(phantom.jpeg()), np.ones(1280, np.float32)
    times = []
    for _ in range(100):
        start = perf_counter()
        judge.judge(picture, known)
        times.append(perf_counter() - start)

    assert min(times) < 0.0005
