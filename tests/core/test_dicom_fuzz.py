"""Damage of every kind to DICOM, the same each time: a valid picture or one of our own errors, soon, on one thread or on eight."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from time import thread_time

import numpy as np
import pytest

pytest.importorskip("pydicom", reason="needs the extra dicom: pip install '.[dicom]'")

from core import errors, images
from tests.core.test_images_fuzz import check, mutate
from tests.support import dicoms
from tests.support.dicoms import deep, file, table

CHEST = dicoms.chest()
TWELVE = deep(CHEST, 12)
NESTED = dicoms.code("postero-anterior")
SOUND = {
    "explicit": file(TWELVE, 12, ViewCodeSequence=NESTED, VOILUTSequence=table(0, np.arange(4096))),
    "implicit": file(TWELVE, 12, dicoms.IMPLICIT, ModalityLUTSequence=table(0, np.arange(4096)), PixelPaddingValue=3),
    "big endian": file(TWELVE, 12, dicoms.BIG_ENDIAN, WindowCenter=2000, WindowWidth=3000),
    "without preamble": dicoms.bare(dicoms.dataset(TWELVE, 12, PixelData=TWELVE.tobytes())),
    "deflated": file(TWELVE, 12, dicoms.DEFLATED),
    "RLE": file(TWELVE, 12, dicoms.RLE),
    "JPEG": dicoms.written(dicoms.dataset(CHEST), dicoms.JPEG, dicoms.jpeg(CHEST)),
    "JPEG lossless": dicoms.written(dicoms.dataset(TWELVE, 12), dicoms.JPEG_LOSSLESS, dicoms.lossless_jpeg(TWELVE, 12)),
    "JPEG 2000": file(deep(CHEST, 16), 16, dicoms.J2K_LOSSLESS),
}
MUTATIONS = 400
SECONDS = 2.0  # of the processor, for one file of 12,000 pixels: a hang, not a slow machine


def outcome(data: bytes) -> str:
    start = thread_time()
    try:
        check(images.decode(data, draft_px=(32, 32) if len(data) % 3 == 0 else None))
        found = "read"
    except errors.PictureError as error:
        found = error.code
    assert thread_time() - start < SECONDS
    return found


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("name", SOUND)
def test_damaged_file_is_read_or_refused_and_nothing_else_happens(name: str) -> None:
    chance = random.Random(f"seed of {name}")
    stream = SOUND[name].find(b"\xe0\x7f\x10\0")

    outcomes: Counter[str] = Counter()
    for turn in range(MUTATIONS):
        whole = SOUND[name]
        # Half of the damage goes where the header ends and the pixels begin.
        data = mutate(chance, whole) if turn % 2 else whole[:stream] + mutate(chance, whole[stream:])
        outcomes[outcome(data)] += 1

    assert len(outcomes) > 2, "the damage was not varied enough to show anything"


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("name", SOUND)
def test_file_cut_anywhere_is_refused(name: str) -> None:
    data = SOUND[name]
    cuts = {*range(min(1200, len(data) - 24)), *range(1200, len(data) - 24, max(1, len(data) // 60))}

    assert "read" not in {outcome(data[:cut]) for cut in cuts}


HARMFUL = {
    "sequences in sequences": bytes(128) + b"DICM" + b"\x08\0\x05\0SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff" * 20_000,
    "lengths beyond the end": bytes(128) + b"DICM" + b"\x08\0\x16\0UN\0\0\xfe\xff\xff\xff" + bytes(100),
    "a million tiny elements": bytes(128) + b"DICM" + b"\x09\0\x10\0CS\0\0" * 1_000_000,
    "fragments without end": file(CHEST, 8, dicoms.J2K_LOSSLESS)[:-8] + b"\xfe\xff\0\xe0\0\0\0\0" * 100_000,
    "table of one entry": file(TWELVE, 12, VOILUTSequence=table(0, np.zeros(1))),
    "window as narrow as can be": file(TWELVE, 12, WindowCenter="1e-300", WindowWidth="1e-300", VOILUTFunction="SIGMOID"),
    "slope beyond all bounds": file(TWELVE, 12, RescaleSlope="1e300", RescaleIntercept="-1e300", WindowCenter="1e300", WindowWidth="1"),
    "infinite slope": file(TWELVE, 12, RescaleSlope="1e999", WindowCenter="nan", WindowWidth="inf"),
    "padding everywhere": file(TWELVE, 12, PixelPaddingValue=0, PixelPaddingRangeLimit=4095),
    "rows as a text": file(CHEST).replace(b"\x28\0\x10\0US\x02\0", b"\x28\0\x10\0LO\x02\0"),
    "RLE that unpacks to 64 times its size": dicoms.written(
        dicoms.dataset(CHEST), dicoms.RLE, (1).to_bytes(4, "little") + (64).to_bytes(4, "little") + bytes(56) + b"\x81\0" * 1_000_000
    ),
}


@pytest.mark.parametrize("data", HARMFUL.values(), ids=HARMFUL.keys())
def test_file_made_to_harm_is_read_or_refused_soon(data: bytes) -> None:
    assert outcome(data)


def test_eight_threads_decode_at_once_and_each_gets_its_own_picture() -> None:
    turned = [np.roll(deep(CHEST, 16), shift, 1) for shift in range(4)]
    files = [file(pixels, 16, syntax) for pixels in turned for syntax in (dicoms.EXPLICIT, dicoms.RLE, dicoms.J2K)]
    files.append(SOUND["JPEG lossless"])
    alone = [images.decode(data) for data in files]

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(images.decode, files * 8))

    for index, picture in enumerate(together):
        assert np.array_equal(picture.grey, alone[index % len(files)].grey)
        assert picture[1:] == alone[index % len(files)][1:]
