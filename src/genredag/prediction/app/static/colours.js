// Colours: those of the spectrogram, and of genres.

// Anchors of matplotlib's "magma", the colours of spectrograms in the report.
const MAGMA = [
  [0, 0, 4], [24, 15, 61], [68, 15, 118], [114, 31, 129], [158, 47, 127],
  [205, 64, 113], [241, 96, 93], [253, 150, 104], [254, 202, 141], [252, 253, 191],
];

// 256 colours, each packed as the four bytes of a pixel.
export const magma = new Uint32Array(256).map((_, value) => {
  const place = (value / 255) * (MAGMA.length - 1);
  const below = Math.min(Math.floor(place), MAGMA.length - 2);
  const [r, g, b] = MAGMA[below].map((low, i) => Math.round(low + (place - below) * (MAGMA[below + 1][i] - low)));
  return (255 << 24) | (b << 16) | (g << 8) | r;
});

const N_SERIES = 6;

// Each model's leading genres get a colour, the same in all models; the other genres are grey.
export function assignColours(predictions) {
  const weight = new Map();
  for (const { genres, probabilities } of predictions) {
    genres.forEach((genre, i) => weight.set(genre, Math.max(weight.get(genre) ?? 0, probabilities[i])));
  }
  const order = [...weight].sort((a, b) => b[1] - a[1]).map(([genre]) => genre);
  return new Map(order.map((genre, i) => [genre, i < N_SERIES ? `series-${i + 1}` : "series-other"]));
}
