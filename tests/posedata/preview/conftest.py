"""Frames by hand, and a browser for the page."""

import json
import os
import select
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import pytest

from posedata.heatmaps import render, row_table
from posedata.preview.about import About
from posedata.preview.scenes import Drawn, Scene
from posedata.skeleton import K
from posedata.store.views import peaks

PATIENCE = 60.0
"""Seconds that a browser may take to answer."""

ABOUT = About("a store: noise", "ab12", 1, 25.0)


def scene_of(points: dict[int, tuple[float, float]], shift: int = 0, **change: Any) -> Scene:
    """A frame with these keypoints; its input lies `shift` cells to the right of its target, sigma 2."""
    target = np.full((K, 2), np.nan)
    for k, place in points.items():
        target[k] = place
    cells = np.where(np.isnan(target), -1, np.floor(target)).astype(np.int8)
    moved = np.where(cells < 0, cells, cells + np.int8([shift, 0]))
    one, table = np.zeros(1, np.intp), row_table
    heatmaps = [render(table((s,)), c[None], one)[0] for c, s in ((cells, 1.0), (moved, 2.0))]
    drawn = Drawn(cells, np.ones(K)), Drawn(moved, np.full(K, 2.0))
    values = {
        "sequence": "d/one",
        "number": 7,
        "split": "train",
        "target": target,
        "peaks": peaks(heatmaps[1]),
        "target_heatmaps": heatmaps[0],
        "input_heatmaps": heatmaps[1],
        "target_drawn": drawn[0],
        "input_drawn": drawn[1],
    }
    return Scene(**{**values, **change})


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

    def close(self) -> None:
        """End it."""
        os.close(self._out)
        os.close(self._in)
        self._process.terminate()
        self._process.wait(30)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium; skips where there is none."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no chromium found: the page is not tried in a browser")
    started = Browser(program, tmp_path_factory.mktemp("chromium"))
    yield started
    started.close()
