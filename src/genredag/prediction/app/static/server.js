// Requests to the server. A failure is a Problem: what is wrong, what was expected, a hint.

export class Problem extends Error {
  constructor({ what, expected = "", hint = "" }) {
    super(what);
    Object.assign(this, { what, expected, hint });
  }
}

const UNREACHABLE = { what: "the app does not answer", hint: "check that genredag app is still running" };
const UNKNOWN = { what: "the app failed", hint: "its terminal shows why" };

function problemOf(text) {
  try {
    return new Problem(JSON.parse(text).error ?? UNKNOWN);
  } catch {
    return new Problem(UNKNOWN);
  }
}

async function ask(address, options) {
  let response;
  try {
    response = await fetch(`api/${address}`, options);
  } catch {
    throw new Problem(UNREACHABLE);
  }
  if (!response.ok) throw problemOf(await response.text());
  return response;
}

function post(address, body) {
  const options = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  return ask(address, options).then((response) => response.json());
}

export const about = () => ask("about").then((response) => response.json());
export const link = (address) => post("links", { address });
export const predict = (song, model) => post(`songs/${song}/predictions`, { model });
export const explain = (song, model) => post(`songs/${song}/explanations`, { model });
export const forget = (song) => ask(`songs/${song}`, { method: "DELETE" });
export const audioAddress = (song) => `api/songs/${song}/audio`;
export const playableAddress = (song) => `api/songs/${song}/playable`;

export async function spectrogram(song) {
  return new Uint8Array(await (await ask(`songs/${song}/spectrogram`)).arrayBuffer());
}

// fetch can't report how much of an upload was sent.
export function upload(file, name, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `api/songs?name=${encodeURIComponent(name)}`);
    request.upload.onprogress = (event) => onProgress(event.loaded / event.total);
    request.onload = () => {
      if (request.status === 200) resolve(JSON.parse(request.responseText));
      else reject(problemOf(request.responseText));
    };
    request.onerror = () => reject(new Problem(UNREACHABLE));
    request.send(file);
  });
}
