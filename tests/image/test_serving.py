"""The image serves both ways what the bare process serves, with as little as a platform may give it."""

import io
import socket
import subprocess
import time

import msgspec
import pytest

from function_gcp.serve import NOBODY
from tests.contract.doors import Ask
from tests.image import servers
from tests.image.conftest import Image, say
from tests.image.engines import Options
from tests.image.servers import WAYS, Served

pytestmark = pytest.mark.image
MOST_PEAK_MIB = 200
SMALL_MIB = 256
ID = {"X-Request-Id": "the-same"}


def post(served: Served, body: bytes, kind: str = "image/jpeg", **query: str) -> tuple[int, dict[str, object]]:
    """Ask for a prediction; return its status and its answer without the milliseconds."""
    answer = served.door.ask(Ask("POST", "/predict", body, {"Content-Type": kind, **ID}, query))
    found: dict[str, object] = msgspec.json.decode(answer.body)
    found.pop("timing_ms", None)
    return answer.status, found


def wait_until_it_takes_nothing_new(served: Served) -> None:
    """Return when the end has begun: a new caller is refused, or gets no answer."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", served.door.port), timeout=0.3) as caller:
                caller.sendall(b"GET /health/live HTTP/1.0\r\n\r\n")
                if not caller.recv(1):
                    return
        except OSError:
            return
    raise AssertionError("It goes on taking requests.")


def dicom() -> bytes:
    """A DICOM file with the phantom, or skip."""
    pydicom = pytest.importorskip("pydicom", reason="needs pydicom: `make test` installs it")
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

    from core import phantom

    grey = phantom.chest(0, 512)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID, meta.TransferSyntaxUID = generate_uid(), ExplicitVRLittleEndian
    file = FileDataset(io.BytesIO(), {}, file_meta=meta, preamble=b"\0" * 128)
    file.SOPClassUID, file.SOPInstanceUID, file.Modality, file.ViewPosition = meta.MediaStorageSOPClassUID, generate_uid(), "DX", "PA"
    file.Rows, file.Columns, file.SamplesPerPixel, file.PhotometricInterpretation = *grey.shape, 1, "MONOCHROME2"
    file.BitsAllocated = file.BitsStored = 8
    file.HighBit, file.PixelRepresentation, file.PixelData = 7, 0, grey.astype("uint8").tobytes()
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, file, enforce_file_format=True)
    return stream.getvalue()


@pytest.mark.parametrize("way", WAYS)
def test_the_image_answers_as_the_bare_process_does(image: Image, way: str, picture: bytes) -> None:
    asked = [(picture, "image/jpeg", {"explain": "heatmap"}), (b"no picture", "image/jpeg", {}), (dicom(), "application/dicom", {})]
    with servers.bare(way) as served:
        expected = [post(served, body, kind, **query) for body, kind, query in asked]
    with image.serving(way) as (served, _):
        found = [post(served, body, kind, **query) for body, kind, query in asked]

    assert (expected[0][0], expected[0][1]["status"]) == (200, "ok")
    assert found == expected


@pytest.mark.parametrize("way", WAYS)
def test_nobody_serves_without_capabilities_or_a_place_to_write_in_256_mib(image: Image, way: str, picture: bytes) -> None:
    with image.serving(way, user=NOBODY, memory_mib=SMALL_MIB, scratch=False) as (served, container):
        statuses = [post(served, picture)[0] for _ in range(5)]
        processes = servers.tree(container.pid())
        peaks = [servers.peak_mib(process) for process in processes]
        users = {servers.user(process) for process in processes}

    say(f"{way}: peak {sum(peaks):.0f} MiB in {len(peaks)} processes ({', '.join(f'{peak:.0f}' for peak in peaks)})")
    assert statuses == [200] * 5
    assert users == {NOBODY}
    assert sum(peaks) < MOST_PEAK_MIB


def test_cloud_runs_command_gives_root_up(image: Image, picture: bytes) -> None:
    with image.serving("google") as (served, container):
        assert post(served, picture)[0] == 200
        users = {servers.user(process) for process in servers.tree(container.pid())}

    assert users == {NOBODY}


@pytest.mark.parametrize("way", WAYS)
def test_serving_writes_no_file(image: Image, way: str, picture: bytes) -> None:
    with image.serving(way, writable=True) as (served, container):
        assert post(served, picture)[0] == 200
        written = container.written()

    assert [name for name in written if "/tmp/" not in name] == []


@pytest.mark.parametrize("way", WAYS)
def test_sigterm_lets_a_running_request_finish_and_ends_with_0(image: Image, way: str, picture: bytes) -> None:
    head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: {len(picture)}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    with image.serving(way) as (served, _), socket.create_connection(("127.0.0.1", served.door.port), timeout=20) as caller:
        caller.sendall(head.encode() + picture[:100])
        assert caller.recv(9999).startswith(b"HTTP/1.1 100 ")  # the server has taken the request on
        served.process.terminate()
        wait_until_it_takes_nothing_new(served)
        asked_s = time.monotonic()
        caller.sendall(picture[100:])
        with caller.makefile("rb") as stream:
            answer = stream.read()
        status = served.process.wait(servers.END_LIMIT_S)
        took_s = time.monotonic() - asked_s

    assert b"HTTP/1.1 200 " in answer
    assert b'"status":"ok"' in answer
    assert (status, took_s < 5) == (0, True)


@pytest.mark.parametrize("way", WAYS)
def test_an_idle_instance_ends_at_once(image: Image, way: str, picture: bytes) -> None:
    with image.serving(way) as (served, _):
        post(served, picture)
        status, took_s = served.end()

    say(f"{way}: ended {took_s:.2f} s after SIGTERM")
    assert (status, took_s < 5) == (0, True)


def test_the_terminals_command_predicts_in_the_image(image: Image, picture: bytes) -> None:
    line = "pneumonia phantom /tmp/p.jpg > /tmp/said && pneumonia predict --json /tmp/p.jpg"
    with image.running(Options(command=["sh", "-c", line])) as container:
        done = subprocess.run(container.command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert msgspec.json.decode(done.stdout.splitlines()[-1])["status"] == "ok"
