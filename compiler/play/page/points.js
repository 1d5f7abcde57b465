/* points.js - data sets of points: made by formulas, read from a table, or clicked. A point is
 * [x1, x2, t], or [x1, t] for curves. Classes are 0 and 1. */

/* A generator of numbers in [0, 1) that depend only on the seed (mulberry32). */
export function generator(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function normal(random) {
  const u = 1 - random();
  return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * random());
}

const between = (random, low, high) => low + (high - low) * random();

/* Each makes n points with this noise (0 to 0.5). Places are within 6 of the center. */
const makers = {
  circle(n, noise, random) {
    return Array.from({length: n}, (_, k) => {
      const inner = k % 2;
      const r = inner ? between(random, 0, 2.5) : between(random, 3.5, 5);
      const a = between(random, 0, 2 * Math.PI);
      const [x, y] = [r * Math.sin(a), r * Math.cos(a)];
      const [dx, dy] = [0, 0].map(() => between(random, -5, 5) * noise);
      return [x, y, +(Math.hypot(x + dx, y + dy) < 2.5)];
    });
  },
  xor(n, noise, random) {
    return Array.from({length: n}, () => {
      const [x, y] = [0, 0].map(() => between(random, -5, 5)).map(v => v + (v > 0 ? 0.3 : -0.3));
      const [dx, dy] = [0, 0].map(() => between(random, -5, 5) * noise);
      return [x, y, +((x + dx) * (y + dy) >= 0)];
    });
  },
  gauss(n, noise, random) {
    const spread = 0.7 + 3 * noise;
    return Array.from({length: n}, (_, k) => {
      const t = k % 2;
      const center = t ? 2 : -2;
      return [center + spread * normal(random), center + spread * normal(random), t];
    });
  },
  spiral(n, noise, random) {
    const half = Math.ceil(n / 2);
    return Array.from({length: n}, (_, k) => {
      const t = k % 2;
      const part = (k >> 1) / half;
      const a = 1.75 * part * 2 * Math.PI + t * Math.PI;
      const r = 5 * part;
      const [dx, dy] = [0, 0].map(() => between(random, -1, 1) * noise);
      return [r * Math.sin(a) + dx, r * Math.cos(a) + dy, t];
    });
  },
  plane(n, noise, random) {
    return Array.from({length: n}, () => {
      const [x, y] = [0, 0].map(() => between(random, -5, 5));
      return [x, y, Math.max(-1, Math.min(1, (x + y) / 10 + noise * normal(random)))];
    });
  },
  hills(n, noise, random) {
    const hills = [[-4, 2.5, 1], [0, 2.5, -1], [4, 2.5, 1], [-4, -2.5, -1], [0, -2.5, 1], [4, -2.5, -1]];
    return Array.from({length: n}, () => {
      const [x, y] = [between(random, -6, 6), between(random, -6, 6)];
      const height = hills.map(([a, b, sign]) => sign * Math.max(0, 1 - Math.hypot(x - a, y - b) / 2));
      const top = height.reduce((p, q) => (Math.abs(q) > Math.abs(p) ? q : p), 0);
      return [x, y, top + noise * normal(random)];
    });
  },
  sine(n, noise, random) {
    return Array.from({length: n}, () => {
      const x = between(random, -5, 5);
      return [x, Math.sin(x) + noise * normal(random)];
    });
  }
};

/* Which kind of target a set has, how many features, and a net that can learn it. */
export const SETS = {
  circle: {classes: true, inputs: 2},
  xor: {classes: true, inputs: 2},
  gauss: {classes: true, inputs: 2},
  spiral: {classes: true, inputs: 2, layers: [16, 8], optimizer: 'adam(lr = 0.03)'},
  plane: {classes: false, inputs: 2},
  hills: {classes: false, inputs: 2, layers: [8, 8], optimizer: 'adam(lr = 0.01)'},
  sine: {classes: false, inputs: 1, layers: [8, 8], optimizer: 'adam(lr = 0.01)'}
};

/* In random order, divided into those to learn from and those to test on. */
export function divide(points, share, seed) {
  const random = generator(seed + 17);
  const all = [...points];
  for (let k = all.length - 1; k > 0; k--) {
    const i = Math.floor(random() * (k + 1));
    [all[k], all[i]] = [all[i], all[k]];
  }
  const cut = Math.max(1, Math.round(all.length * share));
  return {train: all.slice(0, cut), test: all.slice(cut)};
}

export const makePoints = ({set, count, noise, seed}) => makers[set](count, noise, generator(seed));

/* Rows of numbers of a CSV, without a heading; a column of words becomes classes 0, 1, ... */
export function readTable(text) {
  const rows = text.split(/\r?\n/).filter(l => l.trim()).map(l => l.split(/[,;\t]/).map(c => c.trim()));
  if (rows.length && rows[0].some(c => c !== '' && Number.isNaN(+c)) && rows.length > 1
    && rows[0].filter(c => Number.isNaN(+c)).length > rows[1].filter(c => Number.isNaN(+c)).length) rows.shift();
  const words = new Map();
  const columns = rows[0] ? rows[0].length : 0;
  return rows.filter(r => r.length === columns).map(r => r.map(c => {
    if (c !== '' && !Number.isNaN(+c)) return +c;
    if (!words.has(c)) words.set(c, words.size);
    return words.get(c);
  }));
}
