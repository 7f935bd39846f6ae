// What a model says of a song: the leading genre, the set that holds the right one, a bar for each genre.

import { describeModel } from "./card.js";
import { element, percent } from "./elements.js";

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
  find(card, "waiting").textContent = `${problem.what}. ${problem.hint}`;
  find(card, "waiting").classList.add("failed");
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
  find(card, "set").hidden = find(card, "caution").hidden = !trust;
  if (!trust) return;
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
