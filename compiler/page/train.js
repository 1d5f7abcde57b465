/* train.js - training, one step of the model's own update at a time, with the curve of the loss; and for classifiers with two
 * inputs the regions that they tell apart. */
const history = [];  /* the loss before each step */
let running = null;
const startValues = new Map(L.nodes.filter(isGiven).map(n => [n.id, n.v && n.v.slice()]));
const lossNode = lossItem >= 0 ? nodeOf(lossItem) : null;
const canTrain = live && L.updates.length > 0 && lossNode !== null;

/* All updates are simultaneous: they are read before any is written. */
function trainStep() {
  history.push(lossNode.v[0]);
  nextBatch();
  const next = L.updates.map(u => node.get(u.node).v.slice());
  L.updates.forEach((u, k) => { const n = node.get(u.var); if (n) n.v = next[k]; });
  compute();
}
/* With more rows of data than a batch takes, each step gets the next ones. */
let batch = 0;
function nextBatch() {
  if (!L.data || L.data.batches < 2) return;
  batch = (batch + 1) % L.data.batches;
  for (const d of L.data.inputs) { const n = node.get(d.node); if (n) n.v = Float64Array.from(d.value.slice(batch * n.v.length, (batch + 1) * n.v.length), num); }
}
function trainReset() {
  startValues.forEach((v, id) => { if (v) node.get(id).v = v.slice(); });
  history.length = 0;
  batch = 0;
  compute();
}
function paintTrain() {
  if (!canTrain) return;
  const points = history.concat(lossNode.v[0]).map((y, k) => [k, y]);
  $('curve').replaceChildren(plot({lines: [{points, cls: 'v'}], least: 10, dots: [{x: points.length - 1, y: lossNode.v[0], cls: 'v'}], x: 'steps', y: loss, label: 'the loss after each step'}));
  $('state').replaceChildren(...[`${count(history.length, 'step')}`, `${loss} = ${number(lossNode.v[0], 6)}`]
    .concat(L.results.filter(r => r.kind === 'metric').map(r => `${r.name} = ${show(r.node, 4)}`)).map(s => html('span', {}, s)));
}
function trainMany(steps) {
  for (let k = 0; k < steps; k++) trainStep();
  renderAll();
}
function trainRun(on) {
  const each = () => {
    const until = performance.now() + 25;
    do trainStep(); while (performance.now() < until && history.length % 50);
    renderAll();
    if (history.length >= 20000 || !Number.isFinite(lossNode.v[0])) trainRun(false);
    else running = requestAnimationFrame(each);
  };
  if (running) cancelAnimationFrame(running);
  running = on ? requestAnimationFrame(each) : null;
  $('run').textContent = on ? 'Pause' : 'Run';
}

/* ---- the decision boundary: points of two numbers, a score for each, and the labels they are compared with ---- */
const isTrained = n => items.some(t => t.node === n.id && t.kind === 'param') || L.updates.some(u => u.var === n.id);
function findClassifier() {
  if (!live || lossNode === null) return null;
  const cone = new Set(needed([lossNode.id]).map(n => n.id)), inCone = L.nodes.filter(n => cone.has(n.id));
  const trained = dependents(inCone.filter(isTrained).map(n => n.id));
  const fixed = inCone.filter(n => !trained.has(n.id) && n.v);
  const vector = (n, m) => n.shape[0] === m && (n.shape.length === 1 || (n.shape.length === 2 && n.shape[1] <= 12));
  const candidates = fixed.filter(n => n.shape.length === 2 && n.shape[1] === 2 && n.shape[0] > 1).map(n => ({x: [n], m: n.shape[0]}));
  const inputs = items.filter(t => t.kind === 'input').map(t => node.get(t.node)).filter(n => n.shape.length === 0);
  for (let a = 0; a < inputs.length; a++) for (let b = a + 1; b < inputs.length; b++) candidates.push({x: [inputs[a], inputs[b]], m: 1});
  for (const c of candidates) {
    const on = dependents(c.x.map(n => n.id));
    /* other values that are not trained, as many as there are points: targets; what depends on them is the loss */
    const before = new Set(needed(c.x.map(n => n.id)));
    const other = dependents(fixed.filter(n => !on.has(n.id) && !before.has(n) && isOther(n, c.m)).map(n => n.id));
    const scores = inCone.filter(n => on.has(n.id) && trained.has(n.id) && !other.has(n.id) && (c.m === 1 ? n.shape.length === 0 : vector(n, c.m)));
    const score = narrowest(scores.filter(s => c.x.every(x => needed([s.id]).includes(x)) && (c.m > 1 || s.op === 'sigmoid')), on, inCone);
    const target = fixed.find(n => !on.has(n.id) && !before.has(n) && isOther(n, c.m) && n.v.length === c.m && isLabels(n));
    if (score && target) return {...c, score, target, half: threshold(score, target, inCone), list: needed([score.id]).filter(n => on.has(n.id) && !c.x.includes(n))};
  }
  return null;
}
/* What tells two classes apart: 0 for logits, a half for probabilities and for what is fitted to labels 0 and 1. */
function threshold(score, target, cone) {
  const after = dependents([score.id]), bent = cone.some(n => n !== score && after.has(n.id) && ['sigmoid', 'softplus', 'exp', 'log', 'sign', 'tanh'].includes(n.op));
  return score.op === 'sigmoid' || !(bent || target.v.includes(-1)) ? 0.5 : 0;
}
/* The score that most of the trained values, and the points with them, reach the loss through alone; the first of these: behind it signs may turn. */
function narrowest(scores, on, cone) {
  let best = null, most = 0;
  for (const s of scores.slice(-60)) {
    const own = needed([s.id]).filter(isTrained).map(n => n.id), both = dependents(own);
    const goesBy = cone.some(n => n.id > s.id && n.args.some(a => a < s.id && on.has(a) && both.has(a)));
    if (!goesBy && own.length > most) [best, most] = [s, own.length];
  }
  return best;
}
/* As many elements as there are points, and not the same for all: what a target looks like. */
const isOther = (n, m) => n.op !== 'const' && n.shape[0] === (m === 1 ? undefined : m) && (m === 1 ? n.op === 'var' : n.v.some(x => x !== n.v[0]));
const isLabels = n => n.v.every(x => Number.isInteger(x) && x >= -1) && new Set(n.v).size <= 12;
const classifier = findClassifier();

/* What the model says of each point, as many at a time as it takes: a number, or the largest of several scores. */
function scoresAt(points) {
  const {x, m, score, list} = classifier, keep = x.map(n => n.v), saved = list.map(n => n.v), out = [];
  const k = m === 1 ? 1 : score.v.length / m;
  list.forEach(n => { n.v = null; });
  for (let from = 0; from < points.length; from += m) {
    const at = q => points[Math.min(points.length - 1, from + q)];
    if (x.length === 2) x.forEach((n, a) => { n.v = Float64Array.of(at(0)[a]); });
    else { x[0].v = new Float64Array(2 * m); for (let q = 0; q < m; q++) x[0].v.set(at(q), 2 * q); }
    list.forEach(computeNode);
    for (let q = 0; q < m && from + q < points.length; q++) {
      if (k === 1) out.push(score.v[q]);
      else { const row = score.v.subarray(q * k, q * k + k); out.push(row.indexOf(Math.max(...row))); }
    }
  }
  x.forEach((n, i) => { n.v = keep[i]; });
  list.forEach((n, i) => { n.v = saved[i]; });
  return out;
}
const CLASS_COLOURS = ['#2b6cb0', '#d9822b', '#3a8f5c', '#a04ba0', '#8a6d3b', '#c23b5a'];
function paintBoundary() {
  if (!classifier) return;
  const {x, m, score, target, half} = classifier, points = m === 1 ? [[x[0].v[0], x[1].v[0]]] : Array.from({length: m}, (_, q) => [x[0].v[2 * q], x[0].v[2 * q + 1]]);
  const k = m === 1 ? 1 : score.v.length / m, canvas = $('regions'), c = canvas.getContext('2d'), S = canvas.width, GRID = 90;
  const bound = [0, 1].map(a => { const v = points.map(p => p[a]), lo = Math.min(...v), hi = Math.max(...v), pad = hi > lo ? (hi - lo) * 0.2 : 2; return [lo - pad, hi + pad]; });
  const grid = [];
  for (let j = 0; j < GRID; j++) for (let i = 0; i < GRID; i++) grid.push([bound[0][0] + (i + 0.5) / GRID * (bound[0][1] - bound[0][0]), bound[1][1] - (j + 0.5) / GRID * (bound[1][1] - bound[1][0])]);
  const s = scoresAt(grid);
  const cls = v => k === 1 ? +(v > half) : v;
  c.clearRect(0, 0, S, S);
  const cell = S / GRID;
  s.forEach((v, q) => {
    c.globalAlpha = k === 1 ? 0.12 + 0.3 * Math.min(1, Math.abs(v - half) * (half ? 2 : 0.5)) : 0.35;
    c.fillStyle = CLASS_COLOURS[cls(v) % CLASS_COLOURS.length];
    c.fillRect(q % GRID * cell, Math.floor(q / GRID) * cell, cell, cell);
  });
  c.globalAlpha = 1; /* the boundary itself */
  c.fillStyle = getComputedStyle(document.body).color;
  s.forEach((v, q) => {
    const i = q % GRID, j = Math.floor(q / GRID);
    if (i && cls(s[q - 1]) !== cls(v)) c.fillRect(i * cell - 2, j * cell, 4, cell);
    if (j && cls(s[q - GRID]) !== cls(v)) c.fillRect(i * cell, j * cell - 2, cell, 4);
  });
  points.forEach((p, q) => { /* circles and squares, so that colour is not needed */
    const u = (p[0] - bound[0][0]) / (bound[0][1] - bound[0][0]) * S, w = (bound[1][1] - p[1]) / (bound[1][1] - bound[1][0]) * S, t = Math.max(0, target.v[q]), r = m > 60 ? 6 : 12;
    c.beginPath();
    if (t % 2) c.rect(u - r, w - r, 2 * r, 2 * r); else c.arc(u, w, r, 0, 7);
    c.fillStyle = CLASS_COLOURS[t % CLASS_COLOURS.length]; c.strokeStyle = '#fff'; c.lineWidth = 3;
    c.fill(); c.stroke();
  });
  $('bounds').textContent = `from (${number(bound[0][0], 3)}, ${number(bound[1][0], 3)}) below left to (${number(bound[0][1], 3)}, ${number(bound[1][1], 3)}); ${count(points.length, 'point')}`;
}
