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
from core.manifest import OperatingPoint
from training.cases import Case
from training.corruptions import Corruption
from training.pictures import shrink

Item = TypeVar("Item")
Result = TypeVar("Result")


class Unread(NamedTuple):
    """A file that is no readable picture, and why."""

    case: Case
    code: str
    detail: str


class Answered(NamedTuple):
    """A picture with its answer. `corrupted` holds the probability of pneumonia at the network's size: plain, then each corruption."""

    case: Case
    sha256: str
    size_bytes: int
    prediction: contract.Prediction
    corrupted: tuple[float, ...]


def ask(
    cases: Sequence[Case], classifier: Classifier, point: OperatingPoint, corruptions: Sequence[Corruption], threads: int, progress: bool
) -> tuple[list[Answered], list[Unread]]:
    """Answer for every case, in order.

    Args:
        cases: the files.
        classifier: loaded with as many interpreters as threads.
        point: decides, and says where a JPEG is decoded in full.
        corruptions: also answered under each of these, which takes about twice the time of a plain answer each.
        threads: how many pictures are in work at once.
        progress: show a progress bar on standard error.
    """

    def answer(case: Case) -> Answered | Unread:
        try:
            data = case.file.read_bytes()
            prediction = classifier.classify(data, point, "evaluate", images.MAX_PIXELS)
            corrupted = under(data, classifier, corruptions) if corruptions else ()
        except PictureError as error:
            return Unread(case, error.code, str(error))
        except OSError as error:
            return Unread(case, "unreadable_file", f"Expected a readable file. Received: {error.strerror}.")
        return Answered(case, hashlib.sha256(data).hexdigest(), len(data), prediction, corrupted)

    results = list(in_threads(answer, cases, threads, "reading pictures", progress))
    return [result for result in results if isinstance(result, Answered)], [result for result in results if isinstance(result, Unread)]


def under(data: bytes, classifier: Classifier, corruptions: Sequence[Corruption]) -> tuple[float, ...]:
    """Return the probability of pneumonia of one encoded picture at the network's size: plain, then under each corruption."""
    expected = classifier.manifest.input
    grey = shrink(images.decode(data, draft_px=images.draft_px(expected)).grey, expected)
    seed = int.from_bytes(hashlib.sha256(data).digest()[:4])
    versions = (grey, *(corruption.apply(grey, seed) for corruption in corruptions))
    negative = classifier.manifest.negative_index
    return tuple(1.0 - float(classifier.probabilities(version)[0][negative]) for version in versions)


def in_threads(work: Callable[[Item], Result], items: Sequence[Item], threads: int, title: str, progress: bool) -> Iterator[Result]:
    """Yield the result of each item in order, with a progress bar; Ctrl+C waits for what is in work and for nothing else."""
    pool = ThreadPoolExecutor(threads)
    try:
        yield from tqdm(pool.map(work, items), title, len(items), unit="picture", disable=not progress)
    finally:
        pool.shutdown(cancel_futures=True)
