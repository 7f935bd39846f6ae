// The page: a song is added, models are chosen, their predictions are shown.

import { assignColours } from "./colours.js";
import { element, sentences } from "./elements.js";
import * as player from "./player.js";
import { record } from "./recorder.js";
import * as results from "./results.js";
import * as server from "./server.js";
import { Problem } from "./server.js";

const find = (id) => document.getElementById(id);
const pickers = [find("model-0"), find("model-1")];

let about = { models: [], upload_bytes: 0, song_seconds: 0 };
let song = null;
let blobAddress = null;
let shown = []; // the chosen models: { model, card, content }
let answers = new Map(); // what models said of this song, by their id

// Adding a song

const PANELS = ["drop", "recording", "busy"];

function showPanel(name) {
  PANELS.forEach((panel) => (find(panel).hidden = panel !== name));
}

function busy(text, share = null) {
  showPanel("busy");
  find("busy-text").textContent = text;
  if (share === null) find("progress").removeAttribute("value");
  else find("progress").value = share;
}

function complain(problem, name = "") {
  const words = problem instanceof Problem ? sentences(problem) : String(problem);
  find("problem").replaceChildren(element("strong", "", name && `${name} can't be used. `), words);
  showPanel("drop");
}

async function add(name, arrive, blob = null) {
  find("problem").replaceChildren();
  try {
    const added = await arrive();
    const pixels = await server.spectrogram(added.id);
    openSong(added, pixels, blob);
  } catch (problem) {
    if (!(problem instanceof Problem)) console.error(problem);
    complain(problem, name);
  }
}

function addFile(file, name = file.name) {
  const limit = about.upload_bytes;
  if (file.size > limit) {
    complain(new Problem({ what: `it is larger than ${Math.round(limit / 2 ** 20)} MB`, hint: "cut it or compress it" }), name);
    return;
  }
  const uploaded = (share) => (share < 1 ? busy(`Sending ${name}`, share) : busy(`Decoding ${name}`));
  busy(`Sending ${name}`, 0);
  add(name, () => server.upload(file, name, uploaded), file);
}

function openSong(added, pixels, blob) {
  forgetSong();
  song = added;
  answers = new Map();
  blobAddress = blob && URL.createObjectURL(blob);
  const original = blobAddress ?? server.audioAddress(song.id);
  find("add").hidden = true;
  find("player").hidden = false;
  player.showSong(song, pixels, [original, server.playableAddress(song.id)]);
  document.title = `${song.name} · genredag`;
  find("status").textContent = `${song.name} is ready to play.`;
  find("play").focus();
  predictAll();
}

function forgetSong() {
  player.stop();
  if (blobAddress) URL.revokeObjectURL(blobAddress);
  if (song) server.forget(song.id).catch(() => {});
  song = null;
}

function startOver() {
  hideReasons();
  forgetSong();
  shown = [];
  find("results").replaceChildren();
  find("ribbons").replaceChildren();
  find("player").hidden = true;
  find("add").hidden = false;
  showPanel("drop");
  find("choose").focus();
}

find("choose").addEventListener("click", () => find("file").click());
find("file").addEventListener("change", ({ target }) => {
  if (target.files.length) addFile(target.files[0]);
  target.value = "";
});
find("link").addEventListener("submit", (event) => {
  event.preventDefault();
  const address = find("address").value.trim();
  busy(`Fetching ${address}`);
  add(address, () => server.link(address));
});
find("another").addEventListener("click", startOver);

function dropped(transfer) {
  if (transfer.files.length > 1) {
    complain(new Problem({ what: "one song at a time", hint: "`genredag predict` takes whole folders" }));
  } else if (transfer.files.length) {
    addFile(transfer.files[0]);
  }
}

addEventListener("dragover", (event) => {
  event.preventDefault();
  find("add").classList.add("over");
});
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) find("add").classList.remove("over");
});
addEventListener("drop", (event) => {
  event.preventDefault();
  find("add").classList.remove("over");
  dropped(event.dataTransfer);
});

// Recording

let recording = null;

function showRecorded(seconds, level) {
  find("recorded").textContent = player.clock(seconds);
  find("level").value = level;
}

find("record").addEventListener("click", async () => {
  find("problem").replaceChildren();
  try {
    recording = await record(showRecorded, Math.min(about.song_seconds, 600), () => find("stop").click());
    showPanel("recording");
    find("stop").focus();
  } catch (problem) {
    complain(problem);
  }
});
find("stop").addEventListener("click", async () => {
  const file = await recording.finish();
  addFile(file, `Recording of ${new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}.wav`);
});
find("discard").addEventListener("click", async () => {
  await recording.finish();
  showPanel("drop");
  find("record").focus();
});

// Models and what they say

function fillPickers() {
  const options = about.models.map(({ id, name }) => new Option(name, id));
  pickers[0].replaceChildren(...options);
  pickers[1].replaceChildren(new Option("no other model", ""), ...options.map((option) => option.cloneNode(true)));
  pickers[1].closest("p").hidden = about.models.length < 2;
  summarise();
}

function summarise() {
  pickers.forEach((picker) => {
    const model = about.models.find(({ id }) => id === picker.value);
    picker.parentElement.querySelector("small").textContent = model?.summary ?? "";
  });
}

function chosenModels() {
  const ids = [...new Set(pickers.map((picker) => picker.value).filter(Boolean))];
  return ids.map((id) => about.models.find((model) => model.id === id));
}

pickers.forEach((picker) =>
  picker.addEventListener("change", () => {
    summarise();
    if (song) predictAll();
  }),
);

async function predictAll() {
  const asked = song;
  hideReasons();
  shown = chosenModels().map((model) => ({ model, card: results.waitingCard(model), content: null, reasons: null }));
  shown.forEach((entry) => entry.card.querySelector(".why").addEventListener("click", () => toggleReasons(entry)));
  find("results").replaceChildren(...shown.map(({ card }) => card));
  find("results").classList.toggle("two", shown.length > 1);
  for (const entry of shown) {
    try {
      entry.content = answers.get(entry.model.id) ?? (await server.predict(asked.id, entry.model.id));
      if (asked !== song) return;
      answers.set(entry.model.id, entry.content);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      results.showFailure(entry.card, problem);
    }
    if (!entry.card.isConnected) return; // other models were chosen meanwhile
    redraw();
  }
}

// Why a model said so: asked for with its button, one model at a time

async function toggleReasons(entry) {
  const button = entry.card.querySelector(".why");
  const asked = button.getAttribute("aria-pressed") === "false";
  hideReasons();
  if (!asked) return;
  button.setAttribute("aria-pressed", "true");
  button.setAttribute("aria-busy", "true");
  button.textContent = "Hiding parts of the song…";
  try {
    entry.reasons ??= await server.explain(song.id, entry.model.id);
    if (!entry.card.isConnected || button.getAttribute("aria-pressed") === "false") return;
    results.showReasons(entry.card, entry.reasons, player.clock);
    player.showReasons(entry.reasons);
    find("status").textContent = `What speaks for ${entry.reasons.genre} is listed below the bars.`;
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    results.showReasonsFailure(entry.card, problem);
  } finally {
    button.removeAttribute("aria-busy");
    button.textContent = "Why?";
  }
}

function hideReasons() {
  shown.forEach(({ card }) => results.showReasons(card, null));
  player.showReasons(null);
}

function redraw() {
  const known = shown.filter(({ content }) => content);
  const colours = assignColours(known.map(({ content }) => content));
  known.forEach(({ card, content }) => results.showResult(card, content, colours));
  player.showRibbons(known.map(({ model, content }) => ({ name: model.name, content })), colours);
  showNow(player.position());
}

function showNow(time) {
  const said = [];
  for (const { model, card, content } of shown) {
    if (!content) continue;
    const slice = player.sliceAt(content, time);
    results.showNow(card, content.timeline[slice]);
    said.push(`${shown.length > 1 ? `${model.name}: ` : ""}${results.leader(content, slice)}`);
  }
  find("key").textContent = said.length ? `Now ${said.join(" · ")}` : "";
  find("timeline").setAttribute("aria-valuetext", [player.clock(time), ...said].join(", "));
}

player.onMove(showNow);

function describeLimits() {
  const [size, length] = [Math.round(about.upload_bytes / 2 ** 20), Math.round(about.song_seconds / 60)];
  find("limits").textContent = `Up to ${size} MB and ${length} minutes. The song goes to the computer that runs this app, and is removed afterwards.`;
}

try {
  about = await server.about();
  fillPickers();
  describeLimits();
} catch (problem) {
  complain(problem);
}
