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
    const hills = [
      [-4, 2.5, 1],
      [0, 2.5, -1],
      [4, 2.5, 1],
      [-4, -2.5, -1],
      [0, -2.5, 1],
      [4, -2.5, -1]
    ];
    return Array.from({length: n}, () => {
      const [x, y] = [between(random, -6, 6), between(random, -6, 6)];
      const height = hills.map(
        ([a, b, sign]) => sign * Math.max(0, 1 - Math.hypot(x - a, y - b) / 2)
      );
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
  circle: {classes: 2, inputs: 2},
  xor: {classes: 2, inputs: 2},
  gauss: {classes: 2, inputs: 2},
  spiral: {classes: 2, inputs: 2, layers: [16, 8], optimizer: 'adam(lr = 0.03)'},
  plane: {classes: 0, inputs: 2},
  hills: {classes: 0, inputs: 2, layers: [8, 8], optimizer: 'adam(lr = 0.01)'},
  sine: {classes: 0, inputs: 1, layers: [8, 8], optimizer: 'adam(lr = 0.01)'}
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

/* ---- tables ---- */

/* The cells of each line: a quoted one may have separators, quotes and new lines inside. */
function cellsOf(text, separator) {
  const rows = [[]];
  const cell =
    separator === ' '
      ? /[^\S\n]*(?:"((?:[^"]|"")*)"|([^\s]*))([^\S\n]+|\n|$)/y
      : new RegExp(
          `[^\\S\\n${separator}]*(?:"((?:[^"]|"")*)"[^\\n${separator}]*|([^\\n${separator}]*))(${separator}|\\n|$)`,
          'y'
        );
  for (let m; cell.lastIndex < text.length && (m = cell.exec(text));) {
    rows[rows.length - 1].push((m[1] !== undefined ? m[1].replaceAll('""', '"') : m[2]).trim());
    if (m[3] === '\n') rows.push([]);
    if (!m[0]) break;
  }
  return rows.filter(r => r.some(c => c));
}

/* The separator that divides most lines into equally many cells. */
function separatorOf(text) {
  const lines = text.split('\n').filter(l => l.trim()).slice(0, 50);
  const score = separator => {
    const counts = lines.map(l => cellsOf(l, separator)[0]?.length || 0);
    return counts[0] < 2 ? 0 : counts.filter(n => n === counts[0]).length;
  };
  return ['\t', ';', ',', ' '].reduce((best, s) => (score(s) > score(best) ? s : best));
}

const MISSING = /^(|\?|-|na|n\/a|nan|null|none)$/i;

/* A number, also one with a decimal comma; NaN: a word. */
function numberIn(cell, comma) {
  const text = comma && /^[-+]?\d*,\d+(e[-+]?\d+)?$/i.test(cell) ? cell.replace(',', '.') : cell;
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) ? +text : NaN;
}

/* How many classes a column has: that of its words, or of the numbers 0, 1, 2, ...; 0: it has
 * values. */
function classesOf(column, words) {
  if (words) return words.size < 21 ? Math.max(2, words.size) : 0;
  const kinds = new Set(column);
  const count = kinds.size;
  const all = [...Array(count).keys()].every(k => kinds.has(k));
  return count === 2 && all
    ? 2
    : all && count > 2 && count <= 10 && column.length >= 5 * count
      ? count
      : 0;
}

/* A text as {rows, left, kinds}: rows of numbers without a heading, how many rows were left out
 * because cells are missing (or there are more than `most`), and how many classes the last
 * column has. The words of a column become 0, 1, ... */
export function readTable(text, most = 20000) {
  const clean = text.replace(/^\ufeff/, '').replace(/\r\n?/g, '\n');
  const separator = separatorOf(clean);
  const all = cellsOf(clean, separator);
  const columns = all[0] ? all[0].length : 0;
  const isWord = c => !MISSING.test(c) && Number.isNaN(numberIn(c, separator !== ','));
  const count = row => row.filter(isWord).length;
  if (all.length > 1 && count(all[0]) > count(all[1])) all.shift();

  const full = all
    .filter(r => r.length === columns && !r.some(c => MISSING.test(c)))
    .slice(0, most);
  const words = Array.from({length: columns}, (_, k) =>
    2 * full.filter(r => isWord(r[k])).length > full.length ? new Map() : null
  );
  const codes = full.map(r =>
    r.map((c, k) => {
      if (!words[k]) return numberIn(c, separator !== ',');
      if (!words[k].has(c)) words[k].set(c, words[k].size);
      return words[k].get(c);
    })
  );
  const rows = codes.filter(r => r.every(Number.isFinite)); /* a word among numbers is a mistake */
  return {
    rows,
    left: all.length - rows.length,
    kinds: classesOf(
      rows.map(r => r[columns - 1]),
      words[columns - 1]
    )
  };
}
