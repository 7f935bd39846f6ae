// What a model says of a song: the leading genre, the set that holds the right one, a bar for each genre.

import { describeModel } from "./card.js";
import { element, percent, sentences } from "./elements.js";

const find = (root, name) => root.querySelector(`.${name}`);

// A card for a model that is still listening.
export function waitingCard(model) {
  const card = document.getElementById("result").content.firstElementChild.cloneNode(true);
  card.setAttribute("aria-busy", "true");
  find(card, "model").textContent = model.name;
  describeModel(find(card, "model-card"), model);
  return card;
}

export function showFailure(card, problem) {
  card.removeAttribute("aria-busy");
  find(card, "waiting").textContent = sentences(problem);
  find(card, "waiting").classList.add("failed");
}

export function showReasonsFailure(card, problem) {
  find(card, "reasons").hidden = false;
  find(card, "reasons").textContent = sentences(problem);
}

export function showResult(card, content, colours) {
  card.removeAttribute("aria-busy");
  const best = content.probabilities.indexOf(Math.max(...content.probabilities));
  find(card, "waiting").hidden = true;
  find(card, "headline").hidden = find(card, "found").hidden = false;
  find(card, "genre").textContent = content.genres[best];
  find(card, "share").textContent = percent(content.probabilities[best]);
  showTrust(card, content);
  showBars(find(card, "bars"), content, colours);
}

function showTrust(card, { trust }) {
  find(card, "caution").hidden = true;
  if (!trust) {
    find(card, "set").textContent = "This model was not calibrated: how far to trust it is unknown.";
    return;
  }
  const share = Math.round(100 * trust.coverage);
  const chips = trust.genres.flatMap((genre) => [element("span", "chip", genre), " "]);
  find(card, "set").replaceChildren(`In ${share} of 100 songs the right genre is in a set like this: `, ...chips);
  const cautions = [];
  if (trust.unsure) cautions.push("Unsure: the set is so large that it says little.");
  if (trust.unlike_training) cautions.push("Unlike the training music: do not rely on this.");
  find(card, "caution").textContent = cautions.join(" ");
  find(card, "caution").hidden = !cautions.length;
}

function showBars(list, content, colours) {
  const order = content.genres.map((_, i) => i);
  order.sort((a, b) => content.probabilities[b] - content.probabilities[a]);
  const rows = order.map((i) => {
    const row = element("li", colours.get(content.genres[i]));
    const track = element("span", "track");
    track.append(element("i", "fill"), element("i", "dot hollow"));
    track.setAttribute("aria-hidden", "true");
    track.style.setProperty("--x", content.probabilities[i]);
    row.append(element("span", "label", content.genres[i]), track, element("span", "value", percent(content.probabilities[i])));
    row.dataset.genre = i;
    return row;
  });
  list.replaceChildren(...rows);
}

// Move the dots of the bars to the probabilities of one slice.
export function showNow(card, row) {
  for (const bar of find(card, "bars").children) {
    find(bar, "track").style.setProperty("--now", row[bar.dataset.genre]);
  }
}

export function leader(content, slice) {
  const row = content.timeline[slice];
  const best = row.indexOf(Math.max(...row));
  return `${content.genres[best]} ${percent(row[best])}`;
}

const N_REASONS = 3;

// The parts that speak most for the genre, and the one that speaks most against it, in words.
export function showReasons(card, reasons, clock) {
  const place = find(card, "reasons");
  place.hidden = !reasons;
  find(card, "why").setAttribute("aria-pressed", String(Boolean(reasons)));
  if (!reasons) return;
  const cells = reasons.effect.flatMap((bands, part) => bands.map((value, band) => ({ value, part, band })));
  cells.sort((a, b) => b.value - a.value);
  const told = [...cells.slice(0, N_REASONS).filter(({ value }) => value > 0.005), ...cells.slice(-1).filter(({ value }) => value < -0.005)];
  const items = told.map(({ value, part, band }) => {
    const span = `${clock(reasons.edges[part])} to ${clock(reasons.edges[part + 1])}, ${reasons.names[band]}`;
    return element("li", "", `${span}: ${value > 0 ? "+" : "−"}${Math.round(100 * Math.abs(value))} points`);
  });
  const intro = element("p", "");
  intro.append(
    "Over the spectrogram: what speaks ",
    element("i", "sample for"),
    ` for ${reasons.genre} and `,
    element("i", "sample against"),
    " against it. Each part was hidden in turn: its points are what it adds to the probability.",
  );
  const list = element("ul", "");
  list.append(...(items.length ? items : [element("li", "", "No single part matters: hiding one changes less than a point.")]));
  place.replaceChildren(intro, list);
}
