"""The page: what stands in it, and what a browser makes of it."""

import base64
import json
import re
import zlib
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import Browser

from posedata.errors import ChoiceError
from posedata.preview.choose import Wanted
from posedata.preview.colours import GROUND, KEYPOINT_COLOURS, PEAK, lighter
from posedata.preview.page import MOST_FILMED, MOST_FRAMES, STEPS, frame_numbers, packed, render, write_html
from posedata.preview.scenes import Scene
from posedata.preview.write import write_preview
from posedata.progress import silent
from posedata.skeleton import INDEX, KEYPOINTS, K
from posedata.store.reader import Store, open_store

from .conftest import ABOUT, scene_of

TWO = {0: (10.25, 20.5), 1: (40.0, 55.999)}


class Page(HTMLParser):
    """What a browser might fetch, the scripts, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.scripts: dict[str, str] = {}
        self.words = ""
        self._script: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.links += [found[name] or "" for name in ("href", "src") if name in found]
        self._script = (found.get("id") or "") if tag == "script" else None

    def handle_data(self, data: str) -> None:
        if self._script is not None:
            self.scripts[self._script] = self.scripts.get(self._script, "") + data
        else:
            self.words += data

    def handle_endtag(self, tag: str) -> None:
        self._script = None


def page_of(*scenes: Scene, **about: Any) -> Page:
    numbers = [frame_numbers(scene) for scene in scenes]
    return Page(render(numbers, replace(ABOUT, frames=len(scenes), **about)))


def test_numbers_of_a_frame() -> None:
    numbers = frame_numbers(scene_of(TWO, shift=3))
    assert (numbers["sequence"], numbers["number"], numbers["split"]) == ("d/one", 7, "train")
    assert numbers["target"] == [1025, 2050, 4000, 5600] + [-1] * 46
    assert numbers["target_cells"][:6] == [10, 20, 40, 55, -1, -1]
    assert numbers["input_cells"][:6] == [13, 20, 43, 55, -1, -1]
    assert numbers["peaks"][:6] == [13, 20, 43, 55, -1, -1]
    assert numbers["input_sigma"] == [2.0] * K
    assert "heatmaps" not in numbers


def test_a_detectors_heatmaps_are_packed_in_steps_up_to_their_peaks() -> None:
    heatmaps = np.zeros((K, 56, 56), np.float16)
    heatmaps[3, 4, 5], heatmaps[3, 4, 6], heatmaps[3, 4, 7] = 30, 4, 0.9
    numbers = frame_numbers(scene_of(TWO, input_heatmaps=heatmaps, input_drawn=None))
    assert "input_cells" not in numbers
    steps = np.frombuffer(zlib.decompress(base64.b64decode(packed(heatmaps))), np.uint8).reshape(K, 56, 56)
    assert numbers["heatmaps"] == packed(heatmaps)
    assert steps[3, 4, 5:8].tolist() == [STEPS, 2, 0]
    assert steps.sum() == STEPS + 2


def test_a_page_fetches_nothing_and_says_so_to_the_browser() -> None:
    page = page_of(scene_of(TWO))
    assert page.links == ["data:,"]
    text = render([frame_numbers(scene_of(TWO))], ABOUT)
    assert "default-src 'none'" in text
    assert not re.search(r"https?:|url\(|@import", text)


def test_a_page_tells_what_its_heatmaps_are() -> None:
    drawn, detected = page_of(scene_of(TWO)), page_of(scene_of(TWO, input_drawn=None))
    assert "not a copy of its arrays" in drawn.words
    assert "the detector's own" in detected.words
    assert f"{STEPS} steps" in detected.words
    assert "the detector's own" not in drawn.words


def test_names_are_text_not_markup() -> None:
    name = '</script><script>alert("x")</script>'
    page = page_of(scene_of(TWO, sequence=name), title=name)
    assert set(page.scripts) == {"shared", "frames", ""}
    assert "alert" not in page.scripts[""]
    assert json.loads(page.scripts["frames"])[0]["sequence"] == name
    assert page.words.count(name) == 2  # title and heading


def test_too_many_frames_for_a_page_are_refused(tmp_path: Path) -> None:
    out = tmp_path / "p.html"
    with pytest.raises(ChoiceError, match=r"p\.html: expected at most 2,000 frames on a page, found 2,001; .*--frames"):
        write_html(out, iter([scene_of(TWO)]), replace(ABOUT, frames=MOST_FRAMES + 1))
    assert not out.exists()
    with pytest.raises(ChoiceError, match=r"at most 300 frames on a page with a film, found 301; .*--frames"):
        write_html(out, iter([scene_of(TWO)]), replace(ABOUT, frames=MOST_FILMED + 1, filmed=True))


def opened(browser: Browser, store: Path, folder: Path, place: str = "", **wanted: Any) -> Store:
    out = folder / "p.html"
    write_preview(store, out, Wanted(**wanted), overwrite=False, progress=silent)
    browser.open(out.as_uri() + place)
    return open_store(store)


def first_name(store: Path) -> str:
    return str(open_store(store)["sequence_name"][0])


def faults(browser: Browser) -> list[dict[str, Any]]:
    """Errors of the page, and what it tried to fetch besides itself and what is in it."""
    browser.ask("draw()")
    return browser.faults(r"file:.*/p\.html$|data:image/jpeg;base64,")


def told(browser: Browser, what: str) -> str:
    browser.ask("draw()")
    return str(browser.ask(f'get("{what}").textContent'))


@pytest.mark.parametrize("name", ["brace", "penn_action", "climbalong"])
def test_a_page_opens_without_an_error_or_a_request(
    name: str, stores: dict[str, Path], browser: Browser, tmp_path: Path
) -> None:
    opened(browser, stores[name], tmp_path, sequence=first_name(stores[name]))
    assert faults(browser) == []
    assert told(browser, "source").startswith(f"{name}/{first_name(stores[name])}, ")


def test_the_client_sees_errors_and_requests(browser: Browser, tmp_path: Path) -> None:
    """Or a page without either would prove nothing."""
    script = "<script>const draw = () => 0; console.error('no'); oops()</script>"
    (tmp_path / "p.html").write_text(f"<body>{script}<img src='http://127.0.0.1:9/'></body>")
    browser.open((tmp_path / "p.html").as_uri())
    methods = {event["method"] for event in faults(browser)}
    assert methods >= {"Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Network.requestWillBeSent"}


def test_the_hash_and_the_slider_move_the_frame(stores: dict[str, Path], browser: Browser, tmp_path: Path) -> None:
    path = stores["penn_action"]
    store = opened(browser, path, tmp_path, "#frame=7", sequence=first_name(path))
    numbers = store["frame_number"][: int(store["sequence_length"][0])].tolist()
    at = numbers.index(7)
    assert told(browser, "frame") == f"7 ({at + 1} of {len(numbers)})"
    assert browser.ask('get("slider").value') == str(at)
    browser.ask('get("slider").value = 3; get("slider").dispatchEvent(new Event("input"))')
    assert told(browser, "frame") == f"{numbers[3]} (4 of {len(numbers)})"
    browser.ask('get("slider").dispatchEvent(new Event("change"))')
    assert browser.ask("location.hash") == f"#frame={numbers[3]}"
    browser.ask(
        f'new Promise(done => {{ addEventListener("hashchange", done); location.hash = "frame={numbers[9]}"; }})'
    )
    assert told(browser, "frame") == f"{numbers[9]} (10 of {len(numbers)})"
    assert faults(browser) == []


def test_play_goes_on_and_begins_anew(stores: dict[str, Path], browser: Browser, tmp_path: Path) -> None:
    path = stores["penn_action"]
    opened(browser, path, tmp_path, "#frame=3", sequence=first_name(path), first=1, end=4)
    assert told(browser, "frame") == "3 (3 of 3)"
    seen = browser.ask(
        """new Promise(done => {
          let seen = "";
          new MutationObserver(() => {
            seen += get("frame").textContent[0];
            if (seen.length > 3) done(seen);
          }).observe(get("frame"), { childList: true });
          get("play").click();
        })"""
    )
    assert seen == "1231"
    assert browser.ask('get("play").textContent') == "pause"
    browser.ask('get("play").click()')
    still = told(browser, "frame")
    assert browser.ask("new Promise(done => setTimeout(done, 200))") is None
    assert told(browser, "frame") == still


def test_the_missing_joints_are_named(browser: Browser, tmp_path: Path) -> None:
    everything = dict.fromkeys(range(K), (20.0, 20.0))
    scenes = [scene_of(everything), scene_of({k: everything[k] for k in range(2, K)}), scene_of({})]
    numbered = [replace(scene, number=n) for n, scene in enumerate(scenes)]
    write_html(tmp_path / "p.html", iter(numbered), replace(ABOUT, frames=3))
    words = {}
    for n in range(3):
        browser.open((tmp_path / "p.html").as_uri() + f"#frame={n}")
        words[n] = told(browser, "missing")
    assert words == {0: "none", 1: "nose, left_ear", 2: "all"}
    assert faults(browser) == []


def test_a_sequence_and_a_frame_of_it_are_found_by_address(
    stores: dict[str, Path], browser: Browser, tmp_path: Path
) -> None:
    store = opened(browser, stores["penn_action"], tmp_path, count=5)
    shown = browser.ask("frames.map(frame => [frame.sequence, frame.number])")
    assert len({name for name, _ in shown}) == 5
    name, number = shown[3]
    browser.open((tmp_path / "p.html").as_uri() + f"#sequence={name}&frame={number}")
    assert told(browser, "frame") == f"{number} (4 of 5)"
    assert told(browser, "source").startswith(f"{name}, ")
    browser.ask("remember()")
    assert browser.ask("location.hash") == f"#sequence={name.replace('/', '%2F')}&frame={number}"
    del store


def test_drawn_heatmaps_are_those_of_the_store(stores: dict[str, Path], browser: Browser, tmp_path: Path) -> None:
    """By another way than the store's own: a sum of exponentials in JavaScript, borders reflected."""
    path = stores["brace"]
    store = opened(browser, path, tmp_path, sequence=first_name(path))
    frames = np.arange(0, int(store["sequence_length"][0]), 5)
    for kind in ("input", "target"):
        sigma = "frames[{}].input_sigma" if kind == "input" else "keypoints.map(() => 1)"
        wanted = store.frames(f"{kind}_heatmaps", frames).astype(np.float64)
        cells = store.frames(f"{kind}_cells", frames)
        for i, n in enumerate(frames.tolist()):
            given = f"frames[{n}].{kind}_cells, {sigma.format(n)}"
            found = browser.ask(f"rendered({given}).map(heatmap => heatmap && Array.from(heatmap))")
            for k in range(K):
                if cells[i, k, 0] < 0:
                    assert found[k] is None
                else:
                    own = wanted[i, k] / wanted[i, k].max()
                    assert np.abs(np.reshape(found[k], (56, 56)) - own).max() < 2e-3
    # Near the border reflection counts: some impulse must have been there.
    near = store["input_cells"][store["annotated"]]
    assert ((near < 3) | (near > 52)).any()


def test_a_detectors_heatmaps_are_the_stores_own(stores: dict[str, Path], browser: Browser, tmp_path: Path) -> None:
    path = stores["climbalong"]
    store = opened(browser, path, tmp_path, sequence=first_name(path))
    for n in (0, 5, 17):
        found = browser.ask(f"detected(frames[{n}].heatmaps).then(all => all.map(h => Array.from(h)))")
        own = store.frames("input_heatmaps", np.asarray([n]))[0].astype(np.float64)
        top = own.max(axis=(-2, -1), keepdims=True)
        scaled = own / np.where(top > 0, top, 1)
        assert np.abs(np.reshape(found, (K, 56, 56)) - scaled).max() <= 0.5 / STEPS + 1e-6


def pixel(browser: Browser, canvas: str, x: float, y: float) -> list[int]:
    """Of a canvas, at a position of the grid."""
    at = f'Math.floor({x} / 56 * get("{canvas}").width), Math.floor({y} / 56 * get("{canvas}").height)'
    return list(browser.ask(f'Array.from(get("{canvas}").getContext("2d").getImageData({at}, 1, 1).data)'))[:3]


def test_pixels_of_the_panels(browser: Browser, tmp_path: Path) -> None:
    """A nose and a left ear; the input stands ten cells to the right."""
    nose, ear = INDEX["nose"], INDEX["left_ear"]
    write_html(tmp_path / "p.html", iter([scene_of({nose: (10.5, 20.5), ear: (10.5, 40.5)}, shift=10)]), ABOUT)
    browser.open((tmp_path / "p.html").as_uri())
    browser.ask("draw()")
    strong, light = list(KEYPOINT_COLOURS[nose]), list(lighter(KEYPOINT_COLOURS[nose]))
    assert pixel(browser, "target", 10.5, 20.5) == strong
    assert pixel(browser, "input", 10.5, 20.5) == strong
    assert pixel(browser, "input", 20.5, 20.5) == light
    assert pixel(browser, "target", 20.5, 20.5) == list(GROUND)
    # Halfway along the limb that joins them, and as bright as a Gaussian is three cells off its middle.
    assert pixel(browser, "target", 10.5, 30.5) == list(KEYPOINT_COLOURS[ear])
    expected = [round(g + np.exp(-0.5 * (3 / 2) ** 2) * (p - g)) for g, p in zip(GROUND, PEAK, strict=True)]
    assert np.abs(np.subtract(pixel(browser, "input", 23.5, 20.5), expected)).max() <= 1
    # The heatmap of one joint only.
    browser.ask(f'get("joint").value = {ear}; get("joint").dispatchEvent(new Event("input"))')
    assert pixel(browser, "input", 23.5, 20.5) == list(GROUND)
    assert np.abs(np.subtract(pixel(browser, "input", 23.5, 40.5), expected)).max() <= 1
    assert browser.ask('Array.from(get("joint").options).map(o => o.text)') == ["all, fused", *KEYPOINTS]
