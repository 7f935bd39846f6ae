// Making parts of the page. Text is never taken for HTML.

export const percent = (share) => `${Math.round(100 * share)} %`;

export function element(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}
