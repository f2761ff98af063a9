"""What the package answers for the pictures of a data set, through the serving path itself and a pool of threads. No TensorFlow.

Each picture is read once: its digest, its answer and its answers under corruption come from the same bytes. Pillow and LiteRT let go of
the interpreter's lock while they work, so threads help.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

from tqdm import tqdm

from core import contract, images
from core.classifier import Classifier
from core.errors import PictureError
from core.grey import Grey
from core.manifest import InputContract, OperatingPoint
from training import looks
from training.cases import Case
from training.corruptions import Corruption
from training.kept import NOTHING, Kept
from training.looks import Looks
from training.pictures import GreyStack, shrink

Item = TypeVar("Item")
Result = TypeVar("Result")


class Unread(NamedTuple):
    """A file that is no readable picture, and why."""

    case: Case
    code: str
    detail: str


class Answered(NamedTuple):
    """A picture with its answer and the looks of its file.

    `corrupted` holds the probability of pneumonia at the network's size: plain, then each corruption.
    """

    case: Case
    sha256: str
    size_bytes: int
    prediction: contract.Prediction
    corrupted: tuple[float, ...]
    looks: Looks


class _Content(NamedTuple):
    """What of an answer hangs on the file's bytes alone."""

    prediction: contract.Prediction
    corrupted: tuple[float, ...]
    looks: Looks


def ask(
    cases: Sequence[Case],
    classifier: Classifier,
    point: OperatingPoint,
    corruptions: Sequence[Corruption],
    threads: int,
    progress: bool,
    kept: Kept = NOTHING,
) -> tuple[list[Answered], list[Unread]]:
    """Answer for every case, in order.

    Args:
        cases: the files.
        classifier: loaded with as many interpreters as threads.
        point: decides, and says where a JPEG is decoded in full.
        corruptions: also answered under each of these, which takes about twice the time of a plain answer each.
        threads: how many pictures are in work at once.
        progress: show a progress bar on standard error.
        kept: of this package, point and corruptions.
    """
    # Decoded once for the corruptions and the looks, as large as either needs it.
    width_px, height_px = (max(sides) for sides in zip(*map(images.draft_px, (classifier.manifest.input, looks.COMPARED)), strict=True))
    draft_px = (width_px, height_px)

    def work(data: bytes) -> _Content:
        prediction = classifier.classify(data, point, "evaluate", images.MAX_PIXELS)
        decoded = images.decode(data, draft_px=draft_px)
        corrupted = under(decoded.grey, seed_of(data), classifier, corruptions) if corruptions else ()
        return _Content(prediction, corrupted, looks.look(decoded, looks.compared(decoded.grey), len(data)))

    content = kept.remember("answers", work, _Content)

    def answer(case: Case, data: bytes) -> Answered:
        return Answered(case, hashlib.sha256(data).hexdigest(), len(data), *content(data))

    return for_each(cases, answer, threads, "reading pictures", progress)


def for_each(
    cases: Sequence[Case], answer: Callable[[Case, bytes], Result], threads: int, title: str, progress: bool
) -> tuple[list[Result], list[Unread]]:
    """Read each file once and answer for its bytes; return the answers in order, and the files that are no readable picture.

    Args:
        cases: the files.
        answer: may raise `core.errors.PictureError`.
        threads: how many pictures are in work at once.
        title: of the progress bar.
        progress: show it on standard error.
    """

    def one(case: Case) -> Result | Unread:
        try:
            return answer(case, case.file.read_bytes())
        except PictureError as error:
            return Unread(case, error.code, str(error))
        except OSError as error:
            return Unread(case, "unreadable_file", f"Expected a readable file. Received: {error.strerror}.")

    results = list(_in_threads(one, cases, threads, title, progress))
    return [result for result in results if not isinstance(result, Unread)], [result for result in results if isinstance(result, Unread)]


def under(decoded: Grey, seed: int, classifier: Classifier, corruptions: Sequence[Corruption]) -> tuple[float, ...]:
    """Return the probability of pneumonia of one picture at the network's size: plain, then under each corruption.

    Args:
        decoded: 2-D array (height, width), uint8 or float32, values in [0, 255].
        seed: of the corruptions that draw.
        classifier: answers.
        corruptions: in order.
    """
    grey = shrink(decoded, classifier.manifest.input)
    versions = (grey, *(corruption.apply(grey, seed) for corruption in corruptions))
    negative = classifier.manifest.negative_index
    return tuple(1.0 - float(classifier.probabilities(version)[0][negative]) for version in versions)


def at_network_size(data: bytes, expected: InputContract) -> tuple[GreyStack, int]:
    """Return an encoded picture as serving decodes it, uint8 array (height_px, width_px), and the seed of what is simulated on it.

    Raises:
        core.errors.PictureError: it is no picture that can be read.
    """
    grey = shrink(images.decode(data, draft_px=images.draft_px(expected)).grey, expected)
    return grey, seed_of(data)


def seed_of(data: bytes) -> int:
    """Return the seed of what is simulated on a picture: its own, wherever it lies."""
    return int.from_bytes(hashlib.sha256(data).digest()[:4])


def _in_threads(work: Callable[[Item], Result], items: Sequence[Item], threads: int, title: str, progress: bool) -> Iterator[Result]:
    """Yield the result of each item in order, with a progress bar; Ctrl+C waits for what is in work and for nothing else."""
    pool = ThreadPoolExecutor(threads)
    try:
        yield from tqdm(pool.map(work, items), title, len(items), unit="picture", disable=not progress)
    finally:
        pool.shutdown(cancel_futures=True)
