"""Real places to share through, on loopback: an S3 server, web servers good and bad."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

KEY, SECRET = "testkey", "a-secret-of-the-tests"
_ACTIONS = ["Admin", "Read", "Write", "List", "Tagging"]


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, low enough that the one 10,000 above is a port, too."""
    found: list[int] = []
    for port in range(18000 + os.getpid() * 101 % 20000, 55000):
        if all(_is_free(p) for p in (port, port + 10000)):
            found.append(port)
        if len(found) == count:
            break
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


class S3Server:
    """SeaweedFS with one bucket, `pose`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._config = folder / "s3.json"
        credentials = [{"accessKey": KEY, "secretKey": SECRET}]
        self._config.write_text(
            json.dumps({"identities": [{"name": "test", "credentials": credentials, "actions": _ACTIONS}]})
        )
        self._ports = free_ports(5)
        self._process: subprocess.Popen[bytes] | None = None
        self.endpoint = f"http://127.0.0.1:{self._ports[0]}"
        self.start()

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def start(self) -> None:
        s3, master, filer, volume, admin = self._ports
        log = self._folder / "log"
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [
                    Path(sys.executable).with_name("weed"),
                    *("-logtostderr=true", "mini", f"-dir={self._folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
                    *("-master.telemetry=false", "-admin.ui=false", "-webdav=false"),
                    *("-s3.port.iceberg=0", "-s3.port.lance=0", f"-s3.config={self._config}", "-bucket=pose"),
                    *(f"-s3.port={s3}", f"-master.port={master}", f"-filer.port={filer}"),
                    *(f"-volume.port={volume}", f"-admin.port={admin}"),
                ],
                stdout=out,
                stderr=out,
            )
        for _ in range(300):
            if self._process.poll() is not None:
                break
            if self._healthy() and b"bucket pose" in log.read_bytes():
                return
            time.sleep(0.1)
        raise RuntimeError(f"the S3 server did not start: {log.read_text()[-2000:]}")

    def _healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.endpoint}/healthz", timeout=1) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()


_CONTENTS = ("/objects/", "/packs/")
"""What comes late, or is cut."""


class _Quiet(SimpleHTTPRequestHandler):
    """A web server as Python has it: without ranges."""

    protocol_version = "HTTP/1.1"
    delay = 0.0
    """Seconds before an object comes."""

    def send_head(self) -> Any:
        if any(name in self.path for name in _CONTENTS):
            time.sleep(self.delay)
        return super().send_head()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        del format, args


class _Ranged(_Quiet):
    """With ranges, as web servers usually are."""

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        span = self.headers.get("Range", "").removeprefix("bytes=")
        if not span or not path.is_file():
            super().do_GET()
            return
        first, _, last = span.partition("-")
        time.sleep(self.delay)
        content = path.read_bytes()
        part = content[int(first) : int(last) + 1 if last else None]
        self.send_response(206)
        self.send_header("Content-Length", str(len(part)))
        self.send_header("Content-Range", f"bytes {first}-{int(first) + len(part) - 1}/{len(content)}")
        self.end_headers()
        self.wfile.write(part)


class _Cutting(_Quiet):
    """Cuts the first answers, each after some bytes of its body."""

    after: list[int]

    def do_GET(self) -> None:
        if not self.after or not any(name in self.path for name in _CONTENTS):
            super().do_GET()
            return
        most = self.after.pop()
        write, left = self.wfile.write, [most]

        def some(data: bytes) -> int:
            part = data[: left[0]]
            left[0] -= len(part)
            return write(part)

        buffered: list[bytes] = []
        self.wfile.write = lambda data: buffered.append(bytes(data)) or len(data)  # type: ignore[method-assign,func-returns-value]
        super().do_GET()
        head, _, body = b"".join(buffered).partition(b"\r\n\r\n")
        self.wfile.write = write  # type: ignore[method-assign]
        write(head + b"\r\n\r\n")
        some(body)
        self.close_connection = True


class WebServer(ThreadingHTTPServer):
    """A server that runs until it is closed."""

    def close(self) -> None:
        self.shutdown()
        self.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that has gone is nothing to speak of."""


def web_server(folder: Path, ranges: bool = True, cuts: list[int] | None = None, delay: float = 0.0) -> WebServer:
    """A running server of a folder; with `cuts`, the first answers end after so many bytes of their bodies."""
    base: type[_Quiet] = _Ranged if ranges else _Quiet
    kind = type("Handler", (_Cutting, base) if cuts else (base,), {"after": list(cuts or ()), "delay": delay})
    server = WebServer(("127.0.0.1", 0), partial(kind, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
