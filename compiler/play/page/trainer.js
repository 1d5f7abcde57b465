/* trainer.js - trains a model in a worker of its own, and tells the page what it sees. Before this
 * text, the page puts: math.js and matrix.js; F, the functions of one element; `program`, what
 * the compiler said of the model; and `model`, its functions in JavaScript. So nothing is
 * evaluated from a string. */

const B = {params: {}, state: {}, inputs: {}, work: {}, grads: {}, dims: {...program.dims}};
for (const a of program.arrays) {
  B[a.block][a.name] = new Float64Array(a.count);
  if (a.start) B[a.block][a.name].set(a.start.map(x => x ?? NaN));
}
const functions = model(B, {...F, uniform, ...matrixOps});
const start = ['params', 'state'].map(b =>
  Object.fromEntries(Object.entries(B[b]).map(([k, v]) => [k, v.slice()]))
);

const inputs = program.arrays.filter(a => a.block === 'inputs' && (a.batch || a.shape.length));
const batchDim = Object.keys(program.dims)[0];
const width = a => a.shape.slice(1).reduce((t, n) => t * n, 1);
const columns = inputs.reduce((t, a) => t + width(a), 0);
const room = inputs.length ? Math.min(...inputs.map(a => a.shape[0])) : 0;
const loss =
  program.results.find(r => r.kind === 'loss') ||
  program.results.find(r => r.kind === 'metric') ||
  {};
const output = program.results.find(r => r.kind === 'output');
const outputArray =
  output && program.arrays.find(a => a.block === 'work' && a.name === output.array);

let data = {train: [], test: []};
let grid = null; /* {points: [[x1, x2]], unit names} */
let order = [];
let at = 0;
let steps = 0;
let running = false;
let seed = 1;
let speed = 0;
let diverged = false; /* is the loss inf or nan? */

/* A batch of rows, beginning at `from`, into the inputs: columns in the order of declaration. */
function feed(rows, from, count) {
  let column = 0;
  for (const a of inputs) {
    const w = width(a);
    const to = B.inputs[a.name];
    for (let i = 0; i < count; i++)
      for (let k = 0; k < w; k++) {
        const x = rows[from + i][column + k];
        to[i * w + k] =
          x === undefined ? 0 : a.limit ? Math.max(0, Math.min(a.limit - 1, Math.round(x))) : x;
      }
    column += w;
  }
  if (batchDim !== undefined) B.dims[batchDim] = count;
}

let state = 1;
function random(n) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 4294967296) * n);
}

/* One step of the model's own update, on the next rows; after all of them, in another order. */
function step() {
  if (inputs.length) {
    const count = Math.min(room, data.train.length);
    if (!count) return;
    if (at + count > order.length) {
      for (let k = order.length - 1; k > 0; k--) {
        const i = random(k + 1);
        [order[k], order[i]] = [order[i], order[k]];
      }
      at = 0;
    }
    feed(order, at, count);
    at += count;
  }
  functions.step();
  steps++;
}

/* Losses and metrics of rows: means over batches, weighted by their rows. */
function measure(rows) {
  const of = program.results.filter(
    r =>
      r.kind !== 'output' &&
      program.arrays.find(a => a.name === r.array && a.block === 'work').count === 1
  );
  const sums = of.map(() => 0);
  if (!functions.eval) return {};
  const total = inputs.length ? rows.length : 1;
  if (!total) return {};
  for (let from = 0; from < total; from += room || 1) {
    const count = inputs.length ? Math.min(room, total - from) : 1;
    const fixed = inputs.length && batchDim === undefined && count < room;
    if (fixed) break;
    if (inputs.length) feed(rows, from, count);
    functions.eval();
    of.forEach((r, k) => (sums[k] += (count * B.work[r.array][0]) / total));
  }
  return Object.fromEntries(of.map((r, k) => [r.name, sums[k]]));
}

/* The values of units, and of the output, at all places of a grid. */
function picture(units, points) {
  const maps = units.map(u => new Float32Array(u.count * points.length));
  const out = outputArray && new Float32Array(points.length * width(outputArray));
  for (let from = 0; from < points.length; from += room) {
    const count = Math.min(room, points.length - from);
    feed(points, from, batchDim === undefined ? room : count);
    (functions.forward || functions.predict)();
    units.forEach((u, k) => {
      const values = B.work[u.array];
      for (let i = 0; i < count; i++)
        for (let j = 0; j < u.count; j++)
          maps[k][j * points.length + from + i] = values[i * u.count + j];
    });
    if (!out) continue;
    functions.predict();
    const w = width(outputArray);
    for (let i = 0; i < count * w; i++) out[from * w + i] = B.work[output.array][i];
  }
  return {maps, out, outWidth: outputArray ? width(outputArray) : 0};
}

/* Lengths of gradients by param, on a batch. */
function gradients() {
  if (!functions.backward || (inputs.length && !data.train.length)) return {};
  if (inputs.length) feed(data.train, 0, Math.min(room, data.train.length));
  functions.forward();
  functions.backward();
  return Object.fromEntries(program.arrays.filter(a => a.block === 'grads' && a.var)
    .map(a => [a.var, Math.sqrt(B.grads[a.name].reduce((t, x) => t + x * x, 0))]));
}

const weights = () =>
  Object.fromEntries(
    program.arrays.filter(a => a.block === 'params').map(a => [a.of, Array.from(B.params[a.name])])
  );

function report() {
  const rows = data.train;
  const message = {
    kind: 'frame',
    steps,
    epoch:
      inputs.length && rows.length ? (steps * Math.min(room, rows.length)) / rows.length : steps,
    speed,
    train: measure(rows),
    test: data.test.length ? measure(data.test) : {},
    weights: weights(),
    gradients: gradients(),
    running,
    diverged
  };
  if (grid && inputs.length && grid.points.every(p => p.length <= columns)) {
    Object.assign(message, picture(grid.units, grid.points));
    /* a unit that is 0 for all points to learn from */
    const seen = picture(grid.units, rows);
    message.dead = seen.maps.map((m, k) => Array.from({length: grid.units[k].count}, (_, j) =>
      rows.length > 0 && m.subarray(j * rows.length, (j + 1) * rows.length).every(x => x === 0)));
  }
  postMessage(message);
}

/* Steps for some milliseconds, then a report; then the same again. */
const SLICE = 45;
function run() {
  if (!running) return;
  const begin = performance.now();
  const from = steps;
  let now = begin;
  do {
    for (let k = 0; k < 4; k++) step();
    now = performance.now();
  } while (now - begin < SLICE);
  speed = ((steps - from) * 1000) / (now - begin);
  diverged = !!loss.array && !Number.isFinite(B.work[loss.array][0]);
  if (diverged) running = false;
  report();
  setTimeout(run, 0);
}

/* The loss of all rows to learn from over two elements of params, each moved by up to `reach`. */
function surface({a, b, reach, size}) {
  const cell = ({name, k}) => [
    B.params[program.arrays.find(p => p.block === 'params' && p.of === name).name],
    k
  ];
  const [[p, i], [q, j]] = [cell(a), cell(b)];
  const [x, y] = [p[i], q[j]];
  const values = new Float32Array(size * size);
  for (let r = 0; r < size; r++)
    for (let c = 0; c < size; c++) {
      p[i] = x + reach * ((2 * c) / (size - 1) - 1);
      q[j] = y + reach * ((2 * r) / (size - 1) - 1);
      values[r * size + c] = measure(data.train)[loss.name];
    }
  p[i] = x;
  q[j] = y;
  postMessage({kind: 'surface', values, size, x, y, reach});
}

const commands = {
  data({train, test}) {
    const fits = row => row.length === columns;
    data = {train: train.filter(fits), test: test.filter(fits)};
    order = [...data.train];
    at = 0;
    report();
  },
  grid(given) {
    grid = given;
    report();
  },
  run() {
    running = true;
    run();
  },
  pause() {
    running = false;
    report(); /* after those that were on their way */
  },
  step({count = 1}) {
    running = false;
    for (let k = 0; k < count; k++) step();
    report();
  },
  reset() {
    running = diverged = false;
    ['params', 'state'].forEach((b, k) =>
      Object.entries(start[k]).forEach(([name, v]) => B[b][name].set(v))
    );
    steps = 0;
    state = seed;
    at = 0;
    order = [...data.train];
    report();
  },
  /* the weights of the net before the text changed, where they have the same name and size */
  keep({weights: given}) {
    for (const a of program.arrays)
      if (a.block === 'params' && given[a.of]?.length === a.count)
        B.params[a.name].set(given[a.of]);
  },
  surface,

  /* trains from the start, and tells the loss of all rows to learn from now and then */
  record({count, every}) {
    const path = [[0, measure(data.train)[loss.name]]];
    for (let k = 1; k <= count; k++) {
      step();
      if (k % every === 0) path.push([k, measure(data.train)[loss.name]]);
    }
    postMessage({kind: 'path', path});
  }
};

onmessage = ({data: message}) => commands[message.kind](message);
postMessage({
  kind: 'ready',
  columns,
  room,
  inputs: inputs.map(a => ({name: a.of, width: width(a), limit: a.limit})),
  classes: outputArray && width(outputArray)
});
