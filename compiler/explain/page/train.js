/* train.js - training, one step of the model's own update at a time, with the curve of the loss.
 * For classifiers with two inputs also the regions of their classes. */
const history = []; /* the loss before each step */
let running = null;
const startValues = new Map(L.nodes.filter(isGiven).map(n => [n.id, n.v && n.v.slice()]));
const lossNode = lossItem >= 0 ? nodeOf(lossItem) : null;
const canTrain = live && L.updates.length > 0 && lossNode !== null;

/* All updates are simultaneous: they are read before any is written. */
function trainStep() {
  history.push(lossNode.v[0]);
  nextBatch();
  const next = L.updates.map(u => node.get(u.node).v.slice());
  L.updates.forEach((u, k) => {
    const n = node.get(u.var);
    if (n) n.v = next[k];
  });
  compute();
}

/* With more rows of data than a batch takes, each step gets the next ones. */
let batch = 0;
function nextBatch() {
  if (!L.data || L.data.batches < 2) return;
  batch = (batch + 1) % L.data.batches;
  for (const d of L.data.inputs) {
    const n = node.get(d.node);
    if (n)
      n.v = Float64Array.from(d.value.slice(batch * n.v.length, (batch + 1) * n.v.length), num);
  }
}

function trainReset() {
  startValues.forEach((v, id) => {
    if (v) node.get(id).v = v.slice();
  });
  history.length = 0;
  batch = 0;
  compute();
}

function paintTrain() {
  if (!canTrain) return;
  const points = history.concat(lossNode.v[0]).map((y, k) => [k, y]);
  $('curve').replaceChildren(
    plot({
      lines: [{points, cls: 'v'}],
      least: 10,
      dots: [{x: points.length - 1, y: lossNode.v[0], cls: 'v'}],
      x: T('steps'),
      y: loss,
      label: T('the loss after each step')
    })
  );
  $('state').replaceChildren(
    ...[`${count(history.length, 'step')}`, `${loss} = ${number(lossNode.v[0], 6)}`]
      .concat(L.results.filter(r => r.kind === 'metric').map(r => `${r.name} = ${show(r.node, 4)}`))
      .map(s => html('span', {}, s))
  );
}

function trainMany(steps) {
  for (let k = 0; k < steps; k++) trainStep();
  renderAll();
}

function trainRun(on) {
  const each = () => {
    const until = performance.now() + 25;
    do trainStep();
    while (performance.now() < until && history.length % 50);
    renderAll();
    if (history.length >= 20000 || !Number.isFinite(lossNode.v[0])) trainRun(false);
    else running = requestAnimationFrame(each);
  };
  if (running) cancelAnimationFrame(running);
  running = on ? requestAnimationFrame(each) : null;
  $('run').textContent = on ? T('Pause') : T('Run');
}

/* ---- the decision boundary: points of two numbers, a score and a label for each ---- */
const isTrained = n =>
  items.some(t => t.node === n.id && t.kind === 'param') || L.updates.some(u => u.var === n.id);

/* What may be points: a fixed tensor [m, 2], or two scalar inputs. */
function pointCandidates(fixed) {
  const isPoints = n => n.shape.length === 2 && n.shape[1] === 2 && n.shape[0] > 1;
  const tensors = fixed.filter(isPoints).map(n => ({x: [n], m: n.shape[0]}));
  const inputs = items
    .filter(t => t.kind === 'input')
    .map(t => node.get(t.node))
    .filter(n => n.shape.length === 0);
  const pairs = inputs.flatMap((a, k) => inputs.slice(k + 1).map(b => ({x: [a, b], m: 1})));
  return tensors.concat(pairs);
}

/* Is it one score for each of m points, or a few? */
function isScore(n, m) {
  if (m === 1) return n.shape.length === 0;
  const [rows, columns = 1] = n.shape;
  return rows === m && n.shape.length <= 2 && columns <= 12;
}

/* The classifier of these points, or null. */
function classifierOf({x, m}, cone, trained, fixed) {
  const on = dependents(x.map(n => n.id));
  const before = new Set(needed(x.map(n => n.id)));

  /* targets: other values that are not trained, as many as points; the loss depends on them */
  const targets = fixed.filter(n => !on.has(n.id) && !before.has(n) && isOther(n, m));
  const target = targets.find(n => n.v.length === m && isLabels(n));
  const other = dependents(targets.map(n => n.id));

  const scores = cone.filter(
    n => on.has(n.id) && trained.has(n.id) && !other.has(n.id) && isScore(n, m)
  );
  const isOfPoints = s => x.every(n => needed([s.id]).includes(n)) && (m > 1 || s.op === 'sigmoid');
  const score = narrowest(scores.filter(isOfPoints), on, cone);
  if (!score || !target) return null;
  const list = needed([score.id]).filter(n => on.has(n.id) && !x.includes(n));
  return {x, m, score, target, half: threshold(score, target, cone), list};
}

function findClassifier() {
  if (!live || lossNode === null) return null;
  const cone = needed([lossNode.id]);
  const trained = dependents(cone.filter(isTrained).map(n => n.id));
  const fixed = cone.filter(n => !trained.has(n.id) && n.v);
  for (const points of pointCandidates(fixed)) {
    const found = classifierOf(points, cone, trained, fixed);
    if (found) return found;
  }
  return null;
}

/* Where one class ends and the other begins: 0 for logits; a half for probabilities, and for scores
 * that are fitted to labels 0 and 1. */
function threshold(score, target, cone) {
  if (score.op === 'sigmoid') return 0.5;
  const BENDS = ['sigmoid', 'softplus', 'exp', 'log', 'sign', 'tanh'];
  const after = dependents([score.id]);
  const isBent = cone.some(n => n !== score && after.has(n.id) && BENDS.includes(n.op));
  return isBent || target.v.includes(-1) ? 0 : 0.5;
}

/* The score through which most of the trained values, with the points, reach the loss: no other way
 * goes past it. The first of several, as signs may change after it. */
function narrowest(scores, on, cone) {
  let best = null;
  let most = 0;
  for (const s of scores.slice(-60)) {
    const own = needed([s.id])
      .filter(isTrained)
      .map(n => n.id);
    const both = dependents(own);
    const goesBy = cone.some(
      n => n.id > s.id && n.args.some(a => a < s.id && on.has(a) && both.has(a))
    );
    if (!goesBy && own.length > most) [best, most] = [s, own.length];
  }
  return best;
}

/* May it be a target? As many elements as there are points, and not the same for all. */
function isOther(n, m) {
  if (m === 1) return n.op === 'var' && n.shape.length === 0;
  return n.op !== 'const' && n.shape[0] === m && n.v.some(x => x !== n.v[0]);
}

const isLabels = n => n.v.every(x => Number.isInteger(x) && x >= -1) && new Set(n.v).size <= 12;
const classifier = findClassifier();

/* What the model says of each point: a number, or which of several scores is the largest. It takes
 * m points at a time. */
function scoresAt(points) {
  const {x, m, score, list} = classifier;
  const keep = x.map(n => n.v);
  const saved = list.map(n => n.v);
  const out = [];
  const k = m === 1 ? 1 : score.v.length / m;
  list.forEach(n => {
    n.v = null;
  });
  for (let from = 0; from < points.length; from += m) {
    const at = q => points[Math.min(points.length - 1, from + q)];
    if (x.length === 2)
      x.forEach((n, a) => {
        n.v = Float64Array.of(at(0)[a]);
      });
    else {
      x[0].v = new Float64Array(2 * m);
      for (let q = 0; q < m; q++) x[0].v.set(at(q), 2 * q);
    }
    computeAside(list);
    for (let q = 0; q < m && from + q < points.length; q++) {
      if (k === 1) out.push(score.v[q]);
      else {
        const row = score.v.subarray(q * k, q * k + k);
        out.push(row.indexOf(Math.max(...row)));
      }
    }
  }
  x.forEach((n, i) => {
    n.v = keep[i];
  });
  list.forEach((n, i) => {
    n.v = saved[i];
  });
  return out;
}

const CLASS_COLOURS = ['#d9822b', '#2b6cb0', '#3a8f5c', '#a04ba0', '#8a6d3b', '#c23b5a'];
const colourOf = label => CLASS_COLOURS[label % CLASS_COLOURS.length];
const GRID = 90; /* cells of the regions, across and down */

/* The range of the points along axis a, and a little more. */
function boundsOf(points, a) {
  const v = points.map(p => p[a]);
  const low = Math.min(...v);
  const high = Math.max(...v);
  const pad = high > low ? (high - low) * 0.2 : 2;
  return [low - pad, high + pad];
}

/* The middle of each cell, from the upper left. */
function gridPoints([[x0, x1], [y0, y1]]) {
  const grid = [];
  for (let j = 0; j < GRID; j++)
    for (let i = 0; i < GRID; i++)
      grid.push([x0 + ((i + 0.5) / GRID) * (x1 - x0), y1 - ((j + 0.5) / GRID) * (y1 - y0)]);
  return grid;
}

/* A region is stronger where one score is further from the threshold. */
function paintRegions(c, scores, label, cell, single) {
  const {half} = classifier;
  scores.forEach((v, q) => {
    const sure = Math.min(1, Math.abs(v - half) * (half ? 2 : 0.5));
    c.globalAlpha = single ? 0.12 + 0.3 * sure : 0.35;
    c.fillStyle = colourOf(label(v));
    c.fillRect((q % GRID) * cell, Math.floor(q / GRID) * cell, cell, cell);
  });
  c.globalAlpha = 1;
}

/* Lines between cells of two classes. */
function paintEdges(c, scores, label, cell) {
  c.fillStyle = getComputedStyle(document.body).color;
  scores.forEach((v, q) => {
    const i = q % GRID;
    const j = Math.floor(q / GRID);
    if (i && label(scores[q - 1]) !== label(v)) c.fillRect(i * cell - 2, j * cell, 4, cell);
    if (j && label(scores[q - GRID]) !== label(v)) c.fillRect(i * cell, j * cell - 2, cell, 4);
  });
}

/* Circles and squares, so that colour is not needed. */
function paintPoint(c, x, y, label, r) {
  c.beginPath();
  if (label % 2) c.rect(x - r, y - r, 2 * r, 2 * r);
  else c.arc(x, y, r, 0, 7);
  c.fillStyle = colourOf(label);
  c.strokeStyle = '#fff';
  c.lineWidth = 3;
  c.fill();
  c.stroke();
}

function paintBoundary() {
  if (!classifier) return;
  const {x, m, score, target, half} = classifier;
  const points = Array.from({length: m}, (_, q) =>
    x.length === 2 ? [x[0].v[0], x[1].v[0]] : [x[0].v[2 * q], x[0].v[2 * q + 1]]
  );
  const bounds = [boundsOf(points, 0), boundsOf(points, 1)];
  const [[x0, x1], [y0, y1]] = bounds;
  const single = m === 1 || score.v.length === m;
  const label = v => (single ? +(v > half) : v);
  const scores = scoresAt(gridPoints(bounds));

  const c = $('regions').getContext('2d');
  const side = $('regions').width;
  c.clearRect(0, 0, side, side);
  paintRegions(c, scores, label, side / GRID, single);
  paintEdges(c, scores, label, side / GRID);
  points.forEach((p, q) => {
    const left = ((p[0] - x0) / (x1 - x0)) * side;
    const top = ((y1 - p[1]) / (y1 - y0)) * side;
    paintPoint(c, left, top, Math.max(0, target.v[q]), m > 60 ? 6 : 12);
  });

  const corner = (x, y) => `(${number(x, 3)}, ${number(y, 3)})`;
  $('bounds').textContent =
    `${T('from %1 below left to %2', corner(x0, y0), corner(x1, y1))}; ${count(points.length, 'point')}`;
}
