"""From the bytes of one picture to a `Prediction`: decode, preprocess, network, calibrate, decide.

Called by `core.api` for a request and by `core.package` for the self-test. Nothing here knows a threshold: they come from the manifest.
"""

import base64
import math
import threading
from time import perf_counter
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from core import contract, errors, heatmap, images
from core.grey import Grey
from core.guard import Guard
from core.manifest import Interval, Manifest, OperatingPoint
from core.network import Floats, Network, Outputs
from core.radiograph import ADULT

Decision = Literal["positive", "negative", "indeterminate"]
Probabilities = npt.NDArray[np.float64]

UNCHECKED: Final = contract.Guard(verdict="unchecked", reasons=("package_has_no_guard",))
NO_MAPS: Final = "package_has_no_maps"
NOT_MEASURED: Final = "operating_point_not_measured"
DECIMALS: Final = 6  # of every probability in an answer
_SMALLEST: Final = 1e-12  # keeps logarithms finite where a probability is 0 or 1


class Reading(NamedTuple):
    """One look at a picture: what was decoded, what the network made of it, and the seconds both took."""

    picture: images.Picture
    probabilities: Probabilities
    outputs: Outputs
    decode_s: float
    network_s: float


class Classifier:
    """One model package, ready to answer; thread-safe."""

    def __init__(self, manifest: Manifest, identity: contract.ModelIdentity, network: Network, guard: Guard | None = None) -> None:
        self.manifest = manifest
        self.identity = identity
        self._network = network
        self._guard = guard
        # Pictures are the largest things in memory: no more are decoded at once than the network can take.
        self._slots = threading.BoundedSemaphore(network.interpreters)
        self._draft_px = images.draft_px(manifest.input)

    def operating_point(self, name: str | None) -> OperatingPoint:
        """Return the named operating point, or the default one.

        Raises:
            errors.InvalidParameter: the package has no such point.
        """
        point = self.manifest.operating_point(name)
        if point is None:
            names = ", ".join(point.name for point in self.manifest.operating_points)
            raise errors.InvalidParameter(f"Invalid `operating_point`: Expected one of {names}. Received: {str(name)[:32]!r}.")
        return point

    def probabilities(self, grey: Grey) -> tuple[Probabilities, Outputs]:
        """Return the calibrated probabilities of a grey picture, float64 array (K,) that sums to 1, and the network's raw outputs.

        Raises:
            errors.InternalError: the network answers NaN or infinity, which no comparison with a threshold would notice.
        """
        outputs = self._network.run(images.preprocess(grey, self.manifest.input))
        if not np.isfinite(outputs.probabilities).all():
            raise errors.InternalError("Expected finite probabilities from the network. Received: NaN or infinity.")
        return calibrate(outputs.probabilities, self.manifest.temperature), outputs

    def classify(self, data: bytes, point: OperatingPoint, request_id: str, max_pixels: int, explain: bool = False) -> contract.Prediction:
        """Answer for one picture, also for one that the guard refuses: whoever shows the answer looks at its verdict.

        Args:
            data: the encoded picture.
            point: the operating point that decides.
            request_id: goes into the answer.
            max_pixels: larger pictures are refused.
            explain: adds the heat map, or the warning that the package has none.

        Raises:
            errors.PictureError: the bytes cannot be read as one picture.
        """
        start = perf_counter()
        with self._slots:
            looks = [self._look(data, max_pixels, self._draft_px)]
            if looks[0].picture.reduced and self._scaling_could_decide(looks[0], point):
                looks.append(self._look(data, max_pixels, None))
        picture, probabilities, outputs, _, _ = looks[-1]
        pneumonia, findings, most_probable = decide(probabilities, self.manifest, point)
        return contract.Prediction(
            request_id=request_id,
            model=self.identity,
            pneumonia=pneumonia,
            findings=findings,
            most_probable=most_probable,
            guard=self._judge(picture, outputs),
            image=contract.ImageFacts(
                format=picture.format, width_px=picture.width_px, height_px=picture.height_px, warnings=_told(picture, self.manifest)
            ),
            explanation=self._explain(picture, outputs.maps, pneumonia.probability) if explain and outputs.maps is not None else None,
            warnings=_warnings(point, explain, outputs),
            timing_ms=contract.Timing(
                decode=_milliseconds(sum(look.decode_s for look in looks)),
                network=_milliseconds(sum(look.network_s for look in looks)),
                total=_milliseconds(perf_counter() - start),
            ),
        )

    def judge(self, data: bytes, max_pixels: int, *, whole: bool = False) -> tuple[images.Picture, contract.Guard]:
        """Decode one picture and say whether the model was made for it, and nothing else.

        Args:
            data: the encoded picture.
            max_pixels: larger pictures are refused.
            whole: decode at full size, for who keeps the decoded picture.

        Raises:
            errors.PictureError: the bytes cannot be read as one picture.
        """
        with self._slots:
            look = self._look(data, max_pixels, None if whole else self._draft_px)
        return look.picture, self._judge(look.picture, look.outputs)

    def _judge(self, picture: images.Picture, outputs: Outputs) -> contract.Guard:
        if self._guard is None or outputs.embedding is None:
            return UNCHECKED
        return self._guard.judge(picture, outputs.embedding)

    def _look(self, data: bytes, max_pixels: int, draft_px: tuple[int, int] | None) -> Reading:
        start = perf_counter()
        picture = images.decode(data, max_pixels, draft_px)
        decoded = perf_counter()
        probabilities, outputs = self.probabilities(picture.grey)
        return Reading(picture, probabilities, outputs, decoded - start, perf_counter() - decoded)

    def _scaling_could_decide(self, look: Reading, point: OperatingPoint) -> bool:
        """Whether scaled JPEG decoding, which moves the log-odds by up to `draft_margin`, could change the decision."""
        answered = log_odds(1.0 - float(look.probabilities[self.manifest.negative_index]))
        bounds = (point.indeterminate_from, point.threshold, point.indeterminate_to)
        return any(abs(answered - log_odds(bound)) <= self.manifest.input.draft_margin for bound in bounds)

    def _explain(self, picture: images.Picture, maps: Floats, pneumonia: float) -> contract.Explanation:
        cells = heatmap.evidence(maps, self.manifest.negative_index, pneumonia)
        png = heatmap.render(cells, picture.width_px, picture.height_px, self.manifest.map_offset)
        return contract.Explanation(method=heatmap.METHOD, heatmap_png_b64=base64.b64encode(png).decode())


def calibrate(probabilities: Floats, temperature: float) -> Probabilities:
    """Calibrate probabilities by a temperature: softmax(log(p) / T) (Guo et al., On Calibration of Modern Neural Networks, ICML 2017).

    Args:
        probabilities: float32 array (K,), in [0, 1].
        temperature: above 1 softens, below 1 sharpens.

    Returns:
        float64 array (K,), in [0, 1], sum 1.
    """
    logits = np.log(np.maximum(probabilities.astype(np.float64), _SMALLEST)) / temperature
    odds = np.exp(logits - logits.max())
    calibrated: Probabilities = odds / odds.sum()
    return calibrated


def decide(
    probabilities: Probabilities, manifest: Manifest, point: OperatingPoint
) -> tuple[contract.Pneumonia, tuple[contract.Finding, ...], contract.MostProbable | None]:
    """Put calibrated probabilities into words: pneumonia or not, all labels from most to least probable, the most probable kind.

    The probability of pneumonia is 1 - that of the negative label, rounded to what the answer shows before it meets the threshold, so
    that answer and decision cannot disagree. A negative picture has no most probable kind, nor has one of a network that tells no kinds.

    Args:
        probabilities: float64 array (K,), in the manifest's order of labels, sum 1.
        manifest: says which label is negative.
        point: the operating point that decides.
    """
    negative = manifest.negative_index
    shares = [round(float(share), DECIMALS) for share in probabilities]
    total = round(sum(share for index, share in enumerate(shares) if index != negative), DECIMALS)
    shares[negative] = round(1.0 - total, DECIMALS)
    decision = _decision(total, point)
    findings = [
        contract.Finding(label=label.name, code=label.code, probability=share)
        for label, share in sorted(zip(manifest.labels, shares, strict=True), key=lambda pair: -pair[1])
    ]
    kind = next(finding for finding in findings if finding.label != manifest.negative)
    pneumonia = contract.Pneumonia(
        probability=total,
        decision=decision,
        code=manifest.pneumonia_code,
        operating_point=contract.OperatingPointUsed(
            name=point.name,
            threshold=point.threshold,
            indeterminate_from=point.indeterminate_from,
            indeterminate_to=point.indeterminate_to,
            sensitivity=_value(point.sensitivity),
            specificity=_value(point.specificity),
        ),
    )
    confidence = round(kind.probability / total, DECIMALS) if total else 0.0
    untold = decision == "negative" or len(manifest.labels) == 2
    most_probable = None if untold else contract.MostProbable(label=kind.label, confidence=confidence)
    return pneumonia, tuple(findings), most_probable


def _told(picture: images.Picture, manifest: Manifest) -> tuple[str, ...]:
    """Return the codes of what the file says; that of an adult is no news to a network that knows others than children."""
    return tuple(code for code in picture.warnings if code != ADULT or manifest.for_children)


def _value(measured: Interval | None) -> float | None:
    return None if measured is None else measured.value


def _warnings(point: OperatingPoint, explain: bool, outputs: Outputs) -> tuple[str, ...]:
    """Return the codes of what this package cannot give to this request."""
    measured = point.sensitivity is not None and point.specificity is not None
    return (() if measured else (NOT_MEASURED,)) + ((NO_MAPS,) if explain and outputs.maps is None else ())


def _decision(probability: float, point: OperatingPoint) -> Decision:
    if point.indeterminate_from <= probability < point.indeterminate_to:
        return "indeterminate"
    return "positive" if probability >= point.threshold else "negative"


def log_odds(probability: float) -> float:
    """Return the logarithm of the odds; finite for 0 and 1 too."""
    bounded = min(max(probability, _SMALLEST), 1.0 - _SMALLEST)
    return math.log(bounded / (1.0 - bounded))


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000.0, 3)
