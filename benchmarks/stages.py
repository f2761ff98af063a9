"""Where the time of `Service.handle` goes: each stage by itself through core's public functions, the whole beside them.

`rest` is what the whole takes beyond the sum: routing, reading the body, request id, headers, and the second look at a picture whose answer
lies so near a threshold that decoding it at a smaller scale could decide.
Called by `benchmarks.latency`.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter

import msgspec

from benchmarks import report
from core import classifier, images, logs
from core.contract import Prediction, Response
from core.manifest import NETWORK_FILE, Manifest, read
from core.metrics import Metrics
from core.network import Network, Outputs

WHOLE, REST = "handle", "rest"


class Stages:
    """The parts of core that a prediction passes through, of one model package."""

    def __init__(self, package: Path) -> None:
        self._manifest: Manifest = read(package)[0]
        self._point = self._manifest.operating_point(None)
        self._network = Network((package / NETWORK_FILE).read_bytes(), self._manifest, 1)
        self._metrics = Metrics()
        contract = self._manifest.input
        self._draft_px = images.draft_px(contract)

    def time(self, data: bytes, handle: Callable[[bytes], Response]) -> dict[str, float]:
        """Return the milliseconds of each stage for one picture."""
        laps = Laps()
        response = handle(data)
        laps.end(WHOLE)
        prediction = msgspec.json.decode(response.body, type=Prediction)
        fields = {
            "request_id": prediction.request_id,
            "route": "/predict",
            "status": response.status,
            "milliseconds": 1.25,
            "model_version": prediction.model.version,
            "decision": prediction.pneumonia.decision,
        }
        laps.start()
        picture = images.decode(data, draft_px=self._draft_px)
        laps.end("decode")
        values = images.preprocess(picture.grey, self._manifest.input)
        laps.end("preprocess")
        outputs = self._network.run(values)
        laps.end("network")
        self._decide(outputs)
        laps.end("calibrate and decide")
        msgspec.json.encode(prediction)
        laps.end("JSON")
        self._metrics.count_answer(prediction)
        self._metrics.count_request("/predict", response.status)
        laps.end("metrics")
        logs.log_request({}, fields, response.status)
        laps.end("log line")
        return laps.milliseconds

    def _decide(self, outputs: Outputs) -> None:
        if self._point is not None:
            classifier.decide(classifier.calibrate(outputs.probabilities, self._manifest.temperature), self._manifest, self._point)


def looked_twice(package: Path, response: Response) -> bool:
    """Whether core decoded a picture again in full: its answer is within `draft_margin` of a bound of the operating point."""
    manifest = read(package)[0]
    point = manifest.operating_point(None)
    share = msgspec.json.decode(response.body, type=Prediction).pneumonia.probability
    if point is None or share in (0.0, 1.0):
        return False
    bounds = [bound for bound in (point.indeterminate_from, point.threshold, point.indeterminate_to) if 0.0 < bound < 1.0]
    return any(abs(classifier.log_odds(share) - classifier.log_odds(bound)) <= manifest.input.draft_margin for bound in bounds)


class Laps:
    """A stopwatch that names what it has timed."""

    def __init__(self) -> None:
        self.milliseconds: dict[str, float] = {}
        self.start()

    def start(self) -> None:
        """Start a lap."""
        self._started = perf_counter()

    def end(self, name: str) -> None:
        """End the lap under a name and start the next one."""
        now = perf_counter()
        self.milliseconds[name] = (now - self._started) * 1000.0
        self._started = perf_counter()


def time_stages(package: Path, handle: Callable[[bytes], Response], jpegs: Sequence[bytes], repetitions: int) -> list[report.Row]:
    """Return a row a stage with its median and its share of the whole; the first round is not counted."""
    stages = Stages(package)
    rounds = [stages.time(data, handle) for _ in range(repetitions + 1) for data in jpegs][len(jpegs) :]
    medians = {name: report.median([laps[name] for laps in rounds]) for name in rounds[0]}
    whole = medians.pop(WHOLE)
    medians[REST] = whole - sum(medians.values())
    medians[WHOLE] = whole
    return [{"stage": name, "median ms": taken, "share": taken / whole} for name, taken in medians.items()]
