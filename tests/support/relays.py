"""A TCP relay that can be cut: what the network does to a store."""

import contextlib
import socket
import struct
import threading
from types import TracebackType
from typing import Self


class Relay:
    """Passes bytes on to a loopback port, from a port of its own, for as long as the block lasts."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.down = threading.Event()

    def cut(self) -> int:
        """Break all connections off, without a goodbye; return how many. `down` keeps new ones from coming through."""
        with self._lock:
            broken = list(self._open)
            self._open.clear()
        for connection in broken:
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset, not an end
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        return len(broken) // 2

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._server.accept()
            except OSError:
                return
            if self.down.is_set():
                caller.close()
                continue
            target = socket.create_connection(("127.0.0.1", self._target))
            with self._lock:
                self._open |= {caller, target}
            for source, sink in ((caller, target), (target, caller)):
                threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
