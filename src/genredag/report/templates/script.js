"use strict";

// The leaderboard: headers become buttons that sort, and the filter keeps rows that contain every word. LEAKY
// rows are in a separate table body, which always stays below the others.
const table = document.getElementById("leaderboard-table");
const bodies = [...table.tBodies];
const headers = [...table.tHead.rows[0].cells];

function sortKey(row, column) {
  const cell = row.cells[column];
  return "value" in cell.dataset ? Number(cell.dataset.value) : cell.textContent.trim();
}

function compare(a, b) {
  return typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true });
}

function sortBy(column) {
  const header = headers[column];
  const first = header.classList.contains("number") ? "descending" : "ascending";
  const other = first === "ascending" ? "descending" : "ascending";
  const order = header.getAttribute("aria-sort") === first ? other : first;
  const sign = order === "ascending" ? 1 : -1;
  for (const body of bodies) {
    body.append(...[...body.rows].sort((a, b) => sign * compare(sortKey(a, column), sortKey(b, column))));
  }
  headers.forEach((each) => each.removeAttribute("aria-sort"));
  header.setAttribute("aria-sort", order);
}

headers.forEach((header, column) => {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...header.childNodes);
  button.addEventListener("click", () => sortBy(column));
  header.append(button);
});

const filter = document.getElementById("filter");

function keepMatching() {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  const rows = bodies.flatMap((body) => [...body.rows]);
  rows.forEach((row) => {
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
  });
  const kept = rows.filter((row) => !row.hidden).length;
  document.querySelector("output[for=filter]").textContent = `${kept} of ${rows.length}`;
}

filter.closest("p").hidden = false;
filter.addEventListener("input", keepMatching);

// Each clip is embedded once, even if several entries misclassify its track.
const clips = JSON.parse(document.getElementById("clips").textContent);
document.querySelectorAll("audio").forEach((audio) => {
  audio.src = clips[audio.dataset.clip];
});

// A link to an entry opens it.
function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) {
    target.open = true;
    target.scrollIntoView();
  }
}

addEventListener("hashchange", openTarget);
openTarget();
