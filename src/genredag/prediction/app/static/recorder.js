// Recording from the microphone, without loss: a browser's own recorder would compress.

import { Problem } from "./server.js";

const CONSTRAINTS = { audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } };

// Start recording. `onBlock(seconds, level)` hears of progress, `onFull()` of the end of `maxSeconds`.
export async function record(onBlock, maxSeconds, onFull) {
  if (!navigator.mediaDevices) {
    throw new Problem({ what: "this browser only records on https pages and on localhost", hint: "choose a file" });
  }
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia(CONSTRAINTS);
  } catch (error) {
    const what = error.name === "NotFoundError" ? "there is no microphone" : "the browser does not allow the microphone";
    throw new Problem({ what, hint: "choose a file instead" });
  }
  const context = new AudioContext();
  await context.audioWorklet.addModule("recorder-worklet.js");
  const node = new AudioWorkletNode(context, "recorder", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
  const blocks = [];
  let length = 0;
  node.port.onmessage = ({ data }) => {
    blocks.push(data);
    length += data.length;
    const seconds = length / context.sampleRate;
    onBlock(seconds, Math.min(1, data.reduce((peak, x) => Math.max(peak, Math.abs(x)), 0)));
    if (seconds >= maxSeconds) onFull();
  };
  context.createMediaStreamSource(stream).connect(node);
  return {
    async finish() {
      node.port.onmessage = null;
      stream.getTracks().forEach((track) => track.stop());
      await context.close();
      return wav(blocks, length, context.sampleRate);
    },
  };
}

// A WAV file of 16 bits, mono.
function wav(blocks, length, rate) {
  const view = new DataView(new ArrayBuffer(44 + 2 * length));
  const write = (offset, text) => [...text].forEach((letter, i) => view.setUint8(offset + i, letter.charCodeAt(0)));
  write(0, "RIFF");
  view.setUint32(4, 36 + 2 * length, true);
  write(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  write(36, "data");
  view.setUint32(40, 2 * length, true);
  let offset = 44;
  for (const block of blocks) {
    for (const sample of block) {
      view.setInt16(offset, Math.max(-1, Math.min(1, sample)) * 32767, true);
      offset += 2;
    }
  }
  return new Blob([view], { type: "audio/wav" });
}
