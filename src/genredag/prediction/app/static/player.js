// The player: waveform, spectrogram and a ribbon of genres for each model, over one axis of time.

import WaveSurfer from "./vendor/wavesurfer/wavesurfer.esm.js";
import { magma } from "./colours.js";

const STEP = 5; // seconds that an arrow key moves
const WAVEFORM_HEIGHT = 44; // pixels; the server's Content-Security-Policy names the style that follows from it
const FREQUENCIES = [100, 500, 1000, 2000, 5000, 10000];
const TIME_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200];
const FOR = "64 170 255"; // colours of parts that speak for a genre and against it
const AGAINST = "255 150 50";
const SVG = "http://www.w3.org/2000/svg";
const SHORTEST_LABEL = 0.055; // share of the width that a genre's name needs
const LOWEST_LABEL = 0.34; // share of a ribbon's height that a genre's name needs

const find = (id) => document.getElementById(id);
const audio = find("audio");
const timeline = find("timeline");
const cursor = find("cursor");
const play = find("play");

let song = null;
let waveform = null;
let listeners = [];

export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const end = String(rest).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${end}` : `${minutes}:${end}`;
}

export const onMove = (listener) => listeners.push(listener);
export const position = () => audio.currentTime;

// Show a song. `sources` are addresses of its sound, the best first: a browser can't play every format.
export function showSong(shown, pixels, sources) {
  song = shown;
  find("song-name").textContent = song.name;
  find("duration").textContent = clock(song.duration);
  timeline.setAttribute("aria-valuemax", Math.round(song.duration));
  drawWaveform();
  drawSpectrogram(pixels);
  labelHz();
  labelSeconds();
  loadSound([...sources]);
  moved();
}

function loadSound(sources) {
  audio.onerror = () => sources.length && loadSound(sources);
  audio.src = sources.shift();
}

export function stop() {
  audio.onerror = null;
  audio.pause();
  audio.removeAttribute("src");
  song = null;
}

function drawWaveform() {
  waveform?.destroy();
  const style = getComputedStyle(document.documentElement);
  waveform = WaveSurfer.create({
    container: find("waveform"),
    height: WAVEFORM_HEIGHT,
    peaks: [song.peaks],
    duration: song.duration,
    interact: false,
    normalize: true,
    cursorWidth: 0,
    barWidth: 2,
    barGap: 1,
    barRadius: 2,
    waveColor: style.getPropertyValue("--wave"),
    progressColor: style.getPropertyValue("--accent"),
  });
}

function drawSpectrogram(pixels) {
  const [width, height] = [pixels.length / song.hz.length, song.hz.length];
  const image = new ImageData(width, height);
  const colours = new Uint32Array(image.data.buffer);
  for (let column = 0; column < width; column += 1) {
    for (let row = 0; row < height; row += 1) {
      colours[(height - 1 - row) * width + column] = magma[pixels[column * height + row]];
    }
  }
  const canvas = find("spectrogram");
  Object.assign(canvas, { width, height });
  canvas.getContext("2d").putImageData(image, 0, 0);
}

// Where a frequency is on the spectrogram: 0 at its lower edge, 1 at its upper edge.
function heightOf(hz) {
  const above = song.hz.findIndex((each) => each >= hz);
  if (above < 1) return above === 0 ? 0 : 1;
  const [low, high] = [song.hz[above - 1], song.hz[above]];
  return (above - 0.5 + (hz - low) / (high - low)) / song.hz.length;
}

function labelHz() {
  const labels = FREQUENCIES.map((hz) => [heightOf(hz), hz >= 1000 ? `${hz / 1000} kHz` : `${hz} Hz`]);
  find("hz").replaceChildren(...labels.filter(([y]) => y > 0.05 && y < 0.96).map(([y, text]) => placed("--y", y, text)));
}

// Show which parts of the song speak for a genre and which against it, over the spectrogram; null hides them.
export function showReasons(reasons) {
  const canvas = find("heat");
  canvas.hidden = !reasons;
  find("picture").classList.toggle("explained", Boolean(reasons));
  find("hz").hidden = Boolean(reasons && !reasons.hz);
  find("bands").replaceChildren();
  if (!reasons) return;
  Object.assign(canvas, { width: 2 * timeline.clientWidth, height: 2 * find("picture").clientHeight });
  const context = canvas.getContext("2d");
  const { edges, effect, names } = reasons;
  const heights = reasons.hz ? reasons.hz.map(heightOf) : [...names.keys(), names.length].map((i) => i / names.length);
  const most = Math.max(0.02, ...effect.flat().map(Math.abs));
  const [x, y] = [edges.map((time) => (time / song.duration) * canvas.width), heights.map((up) => (1 - up) * canvas.height)];
  effect.forEach((bands, part) =>
    bands.forEach((value, band) => {
      context.fillStyle = `rgb(${value > 0 ? FOR : AGAINST} / ${(0.85 * Math.abs(value)) / most})`;
      context.fillRect(x[part], y[band + 1], x[part + 1] - x[part] - 1, y[band] - y[band + 1] - 1);
    }),
  );
  if (!reasons.hz) {
    find("bands").replaceChildren(...names.map((name, i) => placed("--y", (i + 0.5) / names.length, name)));
  }
}

function labelSeconds() {
  const room = Math.max(3, Math.floor(timeline.clientWidth / 90));
  const step = TIME_STEPS.find((each) => song.duration / each <= room) ?? 3600;
  const labels = [];
  for (let time = 0; time < 0.96 * song.duration; time += step) labels.push(placed("--x", time / song.duration, clock(time)));
  find("seconds").replaceChildren(...labels);
}

function placed(property, share, text) {
  const label = document.createElement("span");
  label.textContent = text;
  label.style.setProperty(property, share);
  return label;
}

// Show a ribbon for each prediction: the probabilities of genres over time, stacked.
export function showRibbons(predictions, colours) {
  find("ribbons").replaceChildren(...predictions.map(({ name, content }) => ribbon(name, content, colours)));
  find("cursor").hidden = false;
}

function ribbon(name, content, colours) {
  const order = content.genres
    .map((_, i) => i)
    .sort((a, b) => content.probabilities[b] - content.probabilities[a]);
  const edges = edgesOf(content);
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", `0 0 ${song.duration} 1`);
  drawing.setAttribute("preserveAspectRatio", "none");
  const base = content.timeline.map(() => 0);
  const middle = new Map();
  for (const genre of order) {
    const lower = [...base];
    content.timeline.forEach((row, i) => (base[i] += row[genre]));
    middle.set(genre, base.map((top, i) => (top + lower[i]) / 2));
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", steps(edges, base, lower));
    path.setAttribute("class", colours.get(content.genres[genre]));
    drawing.append(path);
  }
  const figure = document.createElement("div");
  figure.className = "ribbon";
  const caption = document.createElement("span");
  caption.className = "ribbon-name";
  caption.textContent = name;
  const strip = document.createElement("div");
  strip.className = "strip";
  strip.append(drawing, ...names(content, edges, middle, colours));
  figure.append(caption, strip);
  return figure;
}

// Where one slice gives way to the next: between their centres.
function edgesOf({ start, end }) {
  const centres = start.map((time, i) => (time + end[i]) / 2);
  const between = centres.slice(1).map((centre, i) => (centre + centres[i]) / 2);
  return [0, ...between, song.duration];
}

function steps(edges, upper, lower) {
  const there = upper.map((top, i) => `V${(1 - top).toFixed(4)}H${edges[i + 1].toFixed(2)}`).join("");
  const back = lower.map((low, i) => `V${(1 - low).toFixed(4)}H${edges[i].toFixed(2)}`).reverse().join("");
  return `M0 1${there}${back}Z`;
}

// The names of genres on the stretches that they lead.
function names(content, edges, middle, colours) {
  const leaders = content.timeline.map((row) => row.indexOf(Math.max(...row)));
  const labels = [];
  for (let first = 0, i = 1; i <= leaders.length; i += 1) {
    if (i < leaders.length && leaders[i] === leaders[first]) continue;
    const genre = leaders[first];
    const rows = content.timeline.slice(first, i);
    const mean = rows.reduce((sum, row) => sum + row[genre], 0) / rows.length;
    const width = (edges[i] - edges[first]) / song.duration;
    if (width >= SHORTEST_LABEL * Math.max(1, 900 / timeline.clientWidth) && mean >= LOWEST_LABEL) {
      const label = placed("--x", (edges[first] + edges[i]) / 2 / song.duration, content.genres[genre]);
      const heights = middle.get(genre).slice(first, i);
      label.style.setProperty("--y", heights.reduce((sum, y) => sum + y, 0) / heights.length);
      label.style.setProperty("--w", width);
      label.className = colours.get(content.genres[genre]);
      labels.push(label);
    }
    first = i;
  }
  return labels;
}

// The slice that is heard at a time: the one whose centre is nearest.
export function sliceAt({ start, end }, time) {
  let best = 0;
  start.forEach((from, i) => {
    const distance = (each) => Math.abs((start[each] + end[each]) / 2 - time);
    if (distance(i) < distance(best)) best = i;
  });
  return best;
}

function moved() {
  if (!song) return;
  const time = Math.min(audio.currentTime, song.duration);
  cursor.style.setProperty("--x", time / song.duration);
  find("position").textContent = clock(time);
  timeline.setAttribute("aria-valuenow", Math.round(time));
  waveform.setTime(time);
  listeners.forEach((listener) => listener(time));
}

function seek(time) {
  if (!song) return;
  audio.currentTime = Math.min(Math.max(0, time), Math.max(0, song.duration - 0.05));
  moved();
}

function toggle() {
  if (audio.paused) audio.play().catch(() => {});
  else audio.pause();
}

function follow() {
  moved();
  if (!audio.paused) requestAnimationFrame(follow);
}

play.addEventListener("click", toggle);
audio.addEventListener("play", () => {
  play.classList.add("playing");
  play.setAttribute("aria-label", "Pause");
  follow();
});
audio.addEventListener("pause", () => {
  play.classList.remove("playing");
  play.setAttribute("aria-label", "Play");
});
audio.addEventListener("seeked", moved);

function pointed(event) {
  const box = timeline.getBoundingClientRect();
  seek(((event.clientX - box.left) / box.width) * song.duration);
}

timeline.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  timeline.setPointerCapture(event.pointerId);
  pointed(event);
});
timeline.addEventListener("pointermove", (event) => {
  if (timeline.hasPointerCapture(event.pointerId)) pointed(event);
});

const KEYS = {
  ArrowRight: () => audio.currentTime + STEP,
  ArrowUp: () => audio.currentTime + STEP,
  ArrowLeft: () => audio.currentTime - STEP,
  ArrowDown: () => audio.currentTime - STEP,
  PageUp: () => audio.currentTime + 6 * STEP,
  PageDown: () => audio.currentTime - 6 * STEP,
  Home: () => 0,
  End: () => song.duration,
};

timeline.addEventListener("keydown", (event) => {
  if (event.key in KEYS) seek(KEYS[event.key]());
  else if (event.key === " ") toggle();
  else return;
  event.preventDefault();
});

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => song && drawWaveform());
addEventListener("resize", () => song && labelSeconds());
