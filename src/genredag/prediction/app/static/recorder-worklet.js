// Sends the samples of the microphone to the page, a few thousand at a time.

const SIZE = 4096;

class Recorder extends AudioWorkletProcessor {
  block = new Float32Array(SIZE);
  filled = 0;

  process([[samples]]) {
    for (const sample of samples ?? []) {
      this.block[this.filled] = sample;
      this.filled += 1;
      if (this.filled === SIZE) {
        this.port.postMessage(this.block);
        this.block = new Float32Array(SIZE);
        this.filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("recorder", Recorder);
