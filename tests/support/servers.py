"""Servers on this machine that remote overlays are read from, and that count what they send."""

from __future__ import annotations

import hashlib
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


@dataclass
class WebServer:
    """A web server of objects in memory.

    Attributes:
        url: Where it answers, without a slash at the end.
        objects: Bytes by path, such as ``"/labels.tiff"``.
        ranges: Whether it sends ranges when asked, rather than whole objects.
        status: What it answers to everything, in place of what it should.
        size: Whether it says how large an object is.
        before: Called with method and path before each answer.
        log: Method, path and bytes sent of every answer.
    """

    url: str = ""
    objects: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    status: int | None = None
    size: bool = True
    before: Callable[[str, str], None] = lambda _method, _path: None
    log: list[tuple[str, str, int]] = field(default_factory=list)

    @property
    def sent(self) -> int:
        """Bytes of all bodies sent."""
        return sum(count for _, _, count in self.log)

    def gets(self) -> int:
        """How many requests asked for bytes."""
        return sum(method == "GET" for method, _, _ in self.log)


def bounds(wanted: str, size: int) -> tuple[int, int]:
    """Return the first and the last byte that a header `Range` asks for."""
    first, _, last = wanted.removeprefix("bytes=").partition("-")
    return (int(first), int(last)) if first else (max(0, size - int(last)), size - 1)


class Server(ThreadingHTTPServer):
    """What a `WebServer` describes."""

    daemon_threads = True
    # Clients connect many at a time.
    request_queue_size = 256

    def __init__(self, state: WebServer) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.state = state
        state.url = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection."""

    protocol_version = "HTTP/1.1"
    server: Server  # pyright: ignore[reportIncompatibleVariableOverride] # no other makes it

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.answer()

    def answer(self) -> None:
        state, path = self.server.state, self.path.partition("?")[0]
        state.before(self.command, path)
        data = state.objects.get(path)
        status = state.status or (404 if data is None else 200)
        if status != 200 or data is None:
            self.reply(status, b"", {})
            return
        tag = {"ETag": f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'}
        wanted = self.headers.get("Range")
        if state.ranges and wanted is not None:
            first, last = bounds(wanted, len(data))
            part = data[first : last + 1]
            place = f"bytes {first}-{first + len(part) - 1}/{len(data)}"
            self.reply(206, part, {**tag, "Content-Range": place})
        else:
            self.reply(200, data, tag)

    def reply(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        state = self.server.state
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if state.size:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.close_connection |= not state.size
        sent = self.send(data if self.command == "GET" else b"")
        state.log.append((self.command, self.path, sent))

    def send(self, body: bytes) -> int:
        sent = 0
        try:
            for start in range(0, len(body), 2**16):
                sent += self.wfile.write(body[start : start + 2**16])
        except ConnectionError:
            self.close_connection = True
        return sent

    def log_message(self, *_: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] # called by place
        """Say nothing."""


@contextmanager
def web_server(**settings: Any) -> Generator[WebServer]:
    """Serve until the block ends."""
    state = WebServer(**settings)
    server = Server(state)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
