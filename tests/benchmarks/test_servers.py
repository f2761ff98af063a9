import os
import select
import sys
from pathlib import Path

import pytest

from benchmarks.servers import ServerFailed, Start, free_port, time_start

# Answers the first POST with 503, then with 200. Its child holds 64 MiB, and a pipe open as long as it lives.
SERVER = """
import http.server, subprocess, sys

hold = "import sys, time; held, pipe = b'x' * 2**26, open(sys.argv[1], 'w'); print(flush=True); time.sleep(60)"
child = subprocess.Popen([sys.executable, "-c", hold, sys.argv[2]], stdout=subprocess.PIPE)
child.stdout.readline()

class Handler(http.server.BaseHTTPRequestHandler):
    answers = iter([503, 200])

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(next(self.answers))
        self.send_header("Content-Length", "0")
        self.end_headers()

http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def start(pipe: Path) -> Start:
    port = free_port()
    return time_start([sys.executable, "-c", SERVER, str(port), str(pipe)], os.environ, pipe.parent, port, b"picture", 60.0)


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


def test_start_ends_with_the_first_200_and_its_children(pipe: Path) -> None:
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    assert 0.0 < start(pipe).first_answer_s < 60.0
    ended = select.poll()
    ended.register(reader, 0)
    assert ended.poll(10_000) == [(reader, select.POLLHUP)]  # nobody is left to write
    os.close(reader)


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="memory is read from Linux's /proc")
def test_memory_of_children_counts(pipe: Path) -> None:
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    found = start(pipe)
    os.close(reader)
    assert found.peak_mib is not None
    assert found.shared_out_mib is not None
    assert 64.0 < found.shared_out_mib < found.peak_mib


def test_server_that_ends_is_told_with_what_it_wrote(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no model here')"]
    with pytest.raises(ServerFailed, match="no model here"):
        time_start(command, os.environ, tmp_path, free_port(), b"picture", 60.0)
