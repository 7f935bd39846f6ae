// Making parts of the page. Text is never taken for HTML.

export const percent = (share) => `${Math.round(100 * share)} %`;

export function element(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

// The words of a problem, as sentences.
export function sentences({ what, expected = "", hint = "" }) {
  return [what + (expected ? `; expected ${expected}` : ""), hint].filter(Boolean).map(asSentence).join(" ");
}

function asSentence(text) {
  const end = /[.?!]$/.test(text) ? "" : ".";
  return text[0].toUpperCase() + text.slice(1) + end;
}
