"use strict";
const get = id => document.getElementById(id);
const shared = JSON.parse(get("shared").textContent);
const frames = JSON.parse(get("frames").textContent);
const { grid, keypoints } = shared;
const several = new Set(frames.map(frame => frame.sequence)).size > 1;
let shown = 0;

// Positions lie flat, x y x y; a missing one is negative.
const point = (numbers, k, scale, shift) =>
  numbers[2 * k] < 0 ? null : [numbers[2 * k] * scale + shift, numbers[2 * k + 1] * scale + shift];

// One axis of a smeared impulse: scipy's gaussian_filter1d, mode "reflect", truncate 4.
function response(cell, sigma) {
  const radius = Math.floor(4 * sigma + 0.5);
  const values = new Float64Array(grid);
  for (let d = -radius; d <= radius; d++) {
    let i = cell + d;
    while (i < 0 || i >= grid) i = i < 0 ? -1 - i : 2 * grid - 1 - i;
    values[i] += Math.exp(-0.5 * (d / sigma) ** 2);
  }
  const top = Math.max(...values);
  return values.map(value => value / top);
}

// Heatmaps from 0 to 1, one a keypoint; null where there is none.
const rendered = (cells, sigma) => keypoints.map((_, k) => {
  if (cells[2 * k] < 0) return null;
  const [x, y] = [response(cells[2 * k], sigma[k]), response(cells[2 * k + 1], sigma[k])];
  return Float64Array.from({ length: grid * grid }, (_, i) => x[i % grid] * y[Math.floor(i / grid)]);
});

async function detected(text) {
  const packed = Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const steps = new Uint8Array(await new Response(stream).arrayBuffer());
  return keypoints.map((_, k) =>
    Float64Array.from(steps.subarray(k * grid * grid, (k + 1) * grid * grid), step => step / shared.steps));
}

async function picture(text) {
  const found = new Image();
  found.src = `data:image/jpeg;base64,${text}`;
  await found.decode();
  return found;
}

// The heatmap of one joint, or of all: the largest at every cell.
function fused(heatmaps, joint) {
  const values = new Float64Array(grid * grid);
  for (const heatmap of joint < 0 ? heatmaps : [heatmaps[joint]]) {
    if (heatmap) values.forEach((value, i) => { values[i] = Math.max(value, heatmap[i]); });
  }
  return values;
}

// Both canvases as large as the film, and its image on them.
function project(film) {
  for (const canvas of [get("target"), get("input")]) {
    [canvas.width, canvas.height] = [film.width, film.height];
    canvas.getContext("2d").drawImage(film, 0, 0);
  }
}

function paint(canvas, values) {
  const cells = new ImageData(grid, grid);
  values.forEach((value, i) => {
    for (let c = 0; c < 3; c++) {
      cells.data[4 * i + c] = Math.round(shared.ground[c] + value * (shared.peak[c] - shared.ground[c]));
    }
    cells.data[4 * i + 3] = 255;
  });
  const small = new OffscreenCanvas(grid, grid);
  small.getContext("2d").putImageData(cells, 0, 0);
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
}

// Points are in cells from the edge of the grid, or null; the grid lies in a box of the canvas, x0 y0 x1 y1.
function skeleton(canvas, box, cells, colours, thick) {
  const context = canvas.getContext("2d");
  const scale = Math.max(canvas.width, canvas.height) / (box ? 2 : 1) / grid;
  const [x0, y0, x1, y1] = box ?? [0, 0, canvas.width, canvas.height];
  const points = cells.map(cell => cell && [x0 + cell[0] * (x1 - x0) / grid, y0 + cell[1] * (y1 - y0) / grid]);
  context.lineWidth = thick * scale;
  context.lineCap = "round";
  shared.limbs.forEach(([a, b], n) => {
    if (!points[a] || !points[b]) return;
    context.strokeStyle = `rgb(${colours.limbs[n]})`;
    context.beginPath();
    context.moveTo(...points[a]);
    context.lineTo(...points[b]);
    context.stroke();
  });
  points.forEach((place, k) => {
    if (!place) return;
    context.fillStyle = `rgb(${colours.keypoints[k]})`;
    context.beginPath();
    context.arc(...place, (0.3 + thick / 2) * scale, 0, 2 * Math.PI);
    context.fill();
  });
}

function describe(frame, target) {
  const absent = keypoints.filter((_, k) => !target[k]);
  get("frame").textContent = `${frame.number} (${shown + 1} of ${frames.length})`;
  get("source").textContent = `${frame.sequence}, ${frame.split}`;
  get("missing").textContent = absent.length === keypoints.length ? "all" : absent.join(", ") || "none";
}

async function heatmaps(frame) {
  const joint = Number(get("joint").value);
  const seen = frame.heatmaps ? await detected(frame.heatmaps) : rendered(frame.input_cells, frame.input_sigma);
  const target = rendered(frame.target_cells, keypoints.map(() => 1));
  return [fused(target, joint), fused(seen, joint)];
}

async function draw() {
  const frame = frames[shown];
  const ground = await (frame.film ? picture(frame.film) : heatmaps(frame));
  if (frame !== frames[shown]) return; // another one was asked for meanwhile
  if (frame.film) project(ground);
  else ["target", "input"].forEach((name, i) => paint(get(name), ground[i]));
  const target = keypoints.map((_, k) => point(frame.target, k, 0.01, 0));
  const peaks = keypoints.map((_, k) => point(frame.peaks, k, 1, 0.5));
  skeleton(get("target"), frame.box, target, shared.target, 0.4);
  skeleton(get("input"), frame.box, target, shared.target, 0.4);
  skeleton(get("input"), frame.box, peaks, shared.input, 0.2);
  describe(frame, target);
}

function show(number) {
  shown = number;
  get("slider").value = number;
  return draw();
}

// #frame=17 is a frame's number in its source; of several sequences, one is named too: #sequence=a/b&frame=17.
function obey() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const found = frames.findIndex(frame =>
    [null, String(frame.number)].includes(asked.get("frame")) && [null, frame.sequence].includes(asked.get("sequence")));
  return show(Math.max(found, 0));
}

function remember() {
  const frame = frames[shown];
  const address = new URLSearchParams(several ? { sequence: frame.sequence, frame: frame.number } : { frame: frame.number });
  history.replaceState(null, "", `#${address}`);
}

let playing = null;
function play() {
  clearInterval(playing);
  playing = playing ? null : setInterval(() => show((shown + 1) % frames.length), 1000 / shared.rate);
  get("play").textContent = playing ? "pause" : "play";
}

["all, fused", ...keypoints].forEach((name, n) => get("joint").add(new Option(name, n - 1)));
get("joint").addEventListener("input", draw);
get("slider").addEventListener("input", () => show(Number(get("slider").value)));
get("slider").addEventListener("change", remember);
get("play").addEventListener("click", play);
addEventListener("hashchange", obey);
obey();
