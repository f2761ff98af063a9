"""From a start to the first answer, in the image and beside it the bare process: at most 1.3 times as long."""

from statistics import median

import pytest

from benchmarks.servers import time_start
from tests.image.conftest import Image, say
from tests.image.engines import ROOT
from tests.image.servers import WAYS, clean_environ
from tests.support.ports import free_port

pytestmark = pytest.mark.image
ROUNDS = 7
MOST_TIMES = 1.3


@pytest.mark.parametrize("way", WAYS)
def test_the_image_answers_as_soon_as_the_bare_process(image: Image, way: str, picture: bytes) -> None:
    bare_s: list[float] = []
    image_s: list[float] = []
    for _ in range(1 + ROUNDS):
        port = free_port()
        bare_s.append(time_start(WAYS[way].bare(port), clean_environ(), ROOT, port, picture, 60).first_answer_s)
        port = free_port()
        with image.running(WAYS[way].contained(port)) as container:
            image_s.append(time_start(container.command, clean_environ(), ROOT, port, picture, 60).first_answer_s)
    # The first of each reads its files from disk.
    bare, contained = median(bare_s[1:]), median(image_s[1:])

    say(f"{way}: first answer {contained:.3f} s after the image's start, {bare:.3f} s bare: {contained / bare:.2f} times")
    if not image.engine.alone:
        pytest.skip(f"the figure has the start of {image.engine.name} itself in it; buildah and runc give the container's alone")
    assert contained <= MOST_TIMES * bare
