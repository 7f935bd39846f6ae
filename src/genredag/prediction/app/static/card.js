// The card of a model: what it was trained on, how good it is, where it fails.

import { element, percent } from "./elements.js";

const measured = (share) => (share === null ? "not measured" : percent(share));

export function describeModel(place, { card, summary }) {
  if (!card) {
    place.replaceChildren(element("p", "note", summary));
    return;
  }
  const parts = [facts(resultsOf(card)), genreTable(card), heading("Limits"), list(card.limits)];
  parts.push(heading("How it was made"), facts(originOf(card)));
  if (card.warning) parts.unshift(element("p", "caution", card.warning));
  place.replaceChildren(...parts);
}

function resultsOf({ accuracy_text, chance, macro_f1, sets, unlike, tracks }) {
  return [
    ["Right on test tracks (95 % interval)", accuracy_text],
    ["Always the most common genre", percent(chance)],
    ["Macro F1", macro_f1.toFixed(2)],
    [`Sets of ${percent(sets.promised)} that hold the right genre`, percent(sets.held)],
    ["Genres in such a set, mean", sets.mean_size.toFixed(1)],
    ["Test tracks marked unsure", percent(sets.unsure)],
    ["Test tracks unlike the training music", measured(unlike)],
    ["Tracks: training, validation, test", `${tracks.train}, ${tracks.validation}, ${tracks.test}`],
  ];
}

function kindOf({ members, n_parameters }) {
  const names = Object.entries(members).map(([name, n]) => (n > 1 ? `${n} x ${name}` : name));
  const size = n_parameters === null ? [] : [`${n_parameters.toLocaleString("en")} weights`];
  if (names.length) return [`the product of ${names.join(" and ")}`, ...size].join(", ");
  return size[0] ?? "a scikit-learn classifier";
}

function originOf(card) {
  const { data, input, split, fold, protocol, model, seed, commit, date, versions } = card;
  return [
    ["Data set", data.name],
    ["Licence of the music", data.licence],
    ["Home page", link(data.homepage)],
    ["Model", `${model}, ${kindOf(card)}, seed ${seed}`],
    ["Input", input],
    ["Split", `${split}, fold ${fold}: ${protocol}`],
    ["Code", `${commit ? `commit ${commit.slice(0, 10)}` : "commit unknown"}, ${date ?? "date unknown"}`],
    ["Versions", Object.entries(versions).map((pair) => pair.join(" ")).join(", ")],
  ];
}

function facts(pairs) {
  const made = element("dl", "facts");
  for (const [name, value] of pairs) {
    const pair = element("div", "");
    const shown = element("dd", "");
    shown.append(value);
    pair.append(element("dt", "", name), shown);
    made.append(pair);
  }
  return made;
}

function genreTable({ genres }) {
  const table = element("table", "");
  const head = table.createTHead().insertRow();
  ["genre", "recall", "precision", "test tracks"].forEach((name, i) => {
    const cell = element("th", i ? "number" : "", name);
    cell.scope = "col";
    head.append(cell);
  });
  const body = table.createTBody();
  for (const { genre, recall, precision, tracks } of genres) {
    const row = body.insertRow();
    const name = element("th", "", genre);
    name.scope = "row";
    row.append(name, rate(recall), rate(precision), element("td", "number", String(tracks)));
  }
  const scroll = element("div", "scroll");
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", "Results for each genre");
  scroll.append(table);
  return scroll;
}

function rate(share) {
  const cell = element("td", "number meter", percent(share));
  cell.style.setProperty("--x", percent(share).replace(" ", ""));
  return cell;
}

// An address becomes a link; anything else remains text.
function link(address) {
  if (!/^https?:/.test(address)) return address;
  const made = element("a", "", address);
  Object.assign(made, { href: address, target: "_blank", rel: "noreferrer" });
  return made;
}

const heading = (text) => element("h4", "", text);

function list(items) {
  const made = element("ul", "");
  made.append(...items.map((item) => element("li", "", item)));
  return made;
}
