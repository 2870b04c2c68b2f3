"""A browser to open pages with."""

import json
import os
import re
import select
import subprocess
from pathlib import Path
from time import monotonic
from typing import Any

PATIENCE = 60.0
"""Seconds that a browser may take to answer."""


class Browser:
    """Headless Chromium, spoken to over a pipe: https://chromedevtools.github.io/devtools-protocol."""

    def __init__(self, program: str, home: Path) -> None:
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        # The protocol is spoken on the descriptors 3 and 4.
        shell = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
        flags = ("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={home}", "--remote-debugging-pipe")
        self._process = subprocess.Popen(
            ["bash", "-c", shell, "bash", program, *flags],
            pass_fds=(theirs_in, theirs_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._out, self._in, self._heard = ours_out, ours_in, b""
        self._number = 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        tab = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=tab, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def _message(self, end: float) -> dict[str, Any]:
        """The next one, before a point in time."""
        while b"\0" not in self._heard:
            assert select.select([self._in], [], [], max(0, end - monotonic()))[0], "chromium does not answer"
            heard = os.read(self._in, 1 << 20)
            assert heard, "chromium has gone"
            self._heard += heard
        message, _, self._heard = self._heard.partition(b"\0")
        return dict(json.loads(message))

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """What a method of the protocol answers; events that come before it are kept."""
        self._number += 1
        request: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            request["sessionId"] = self._session
        os.write(self._out, json.dumps(request).encode() + b"\0")
        end = monotonic() + PATIENCE
        while (message := self._message(end)).get("id") != self._number:
            self.events.append(message)
        assert "error" not in message, message
        return dict(message["result"])

    def open(self, address: str) -> None:
        """Load a page anew, and wait for it."""
        # From page to page#place alone nothing would be loaded.
        for url in ("about:blank", address):
            self.events.clear()
            end = monotonic() + PATIENCE
            self.call("Page.navigate", url=url)
            while not any(event["method"] == "Page.loadEventFired" for event in self.events):
                self.events.append(self._message(end))

    def ask(self, expression: str) -> Any:
        """The value of an expression in the page; a promise is waited for."""
        found = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def faults(self, own: str) -> list[dict[str, Any]]:
        """Errors of the page so far, and what it asked for at other addresses than those like the pattern `own`."""
        found = []
        for event in self.events:
            method, told = event["method"], event.get("params", {})
            if method == "Network.requestWillBeSent" and not re.match(own, told["request"]["url"]):
                found.append(event)
            logged = method == "Log.entryAdded" and told["entry"]["level"] == "error"
            called = method == "Runtime.consoleAPICalled" and told["type"] in ("error", "assert")
            if method == "Runtime.exceptionThrown" or logged or called:
                found.append(event)
        return found

    def close(self) -> None:
        """End it."""
        os.close(self._out)
        os.close(self._in)
        self._process.terminate()
        self._process.wait(30)
