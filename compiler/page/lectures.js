/* lectures.js - what lectures draw beside the graph: the neurons, the paths of the chain rule, the price of a gradient, curves
 * and their slopes, a slope as rise over run, and what a finite difference loses. */

/* ---- neurons: sums of products with weights, one circle each ---- */
const isView = n => ['reshape', 'expand', 'permute', 'copy', 'cast', 'slice'].includes(n.op);
const source1 = n => { while (isView(n) && n.args.length) n = node.get(n.args[0]); return n; };
const paramNode = n => { const s = source1(n), i = itemAt.get(s.id); return i !== undefined && items[i].kind === 'param' ? i : -1; };
/* The items after y that only bend it: bias added, activation; the last of them, and the names of the functions. */
function outputOf(i) {
  const acts = [];
  for (;;) {
    const next = users[i].filter(u => !['cast', 'stop'].includes(nodeOf(u).op) && (isView(nodeOf(u)) || nodeOf(u).op in elementwise));
    const u = next[0];
    if (u === undefined) break;
    const n = nodeOf(u), others = n.args.filter(a => itemAt.get(a) !== i && node.get(a) && node.get(a).op !== 'const' && paramNode(node.get(a)) < 0 && source1(node.get(a)).op !== 'const');
    if (others.length) break;
    if (n.op in elementwise && !['add', 'sub', 'copy', 'mul', 'div', 'neg', 'pow', 'log', 'eq', 'lt', 'le', 'where'].includes(n.op)) acts.push(n.op === 'maximum' ? 'relu' : n.op);
    else if (!isView(n) && n.op !== 'add' && n.op !== 'sub') break;
    i = u;
    if (acts.length) break;
  }
  return {end: i, act: acts[0] || ''};
}
function layersOfTensors() {
  const layers = [];
  items.forEach((t, i) => {
    const n = nodeOf(i), dot = n.op === 'sum' && node.get(n.args[0]) && node.get(n.args[0]).op === 'mul' ? node.get(n.args[0]) : null;
    if (n.op !== 'matmul' && !dot) return;
    const args = (dot || n).args.map(a => node.get(a));
    if (args.some(a => !a)) return;
    const which = args.map(paramNode), k = which[0] >= 0 ? 0 : 1;
    if ((which[0] >= 0) === (which[1] >= 0)) return;
    const W = nodeOf(which[k]), data = args[1 - k], x = itemAt.get(source1(data).id);
    if (W.shape.length > 2 || (dot && (W.shape.length !== 1 || n.shape.length))) return;
    const total = size(W.shape), seen = args[k], turn = k ? n.attr.tb : n.attr.ta;
    const inner = dot ? total : seen.shape.length < 2 ? total : k === 1 ? seen.shape[seen.shape.length - (turn ? 1 : 2)] : seen.shape[seen.shape.length - (turn ? 2 : 1)];
    /* does the input run along the first axis of W as it is stored? */
    const inputFirst = W.shape.length === 2 && inner === W.shape[0] && (inner !== W.shape[1] || (k === 1) !== (!!turn !== (source1(args[k]) !== args[k] && args[k].op === 'permute')));
    layers.push({i, W: which[k], ins: inner, outs: total / inner, from: x, inputFirst, ...outputOf(i)});
  });
  const chains = [];
  for (const l of layers) {
    const before = l.from === undefined ? new Set() : new Set(needed([items[l.from].node]).map(n => n.id));
    const chain = chains.find(c => { const p = c[c.length - 1]; return before.has(items[p.i].node) && p.outs === l.ins; });
    if (chain) chain.push(l); else chains.push([l]);
  }
  return chains.filter(c => c.every(l => l.ins && Number.isInteger(l.outs))).slice(0, 3);
}
/* Scalars: w1*x1 + w3*x2 + b, then perhaps an activation. */
function neuronsOfScalars() {
  const scalar = i => nodeOf(i).shape.length === 0, kind = i => items[i].kind, found = [];
  const terms = i => { /* [[weight, input]], or null where it is no weighted sum */
    const n = nodeOf(i), a = items[i].args;
    if (kind(i) === 'param') return [[i, -1]];
    if (n.op === 'mul' && a.length === 2 && (kind(a[0]) === 'param') !== (kind(a[1]) === 'param')) return [kind(a[0]) === 'param' ? [a[0], a[1]] : [a[1], a[0]]];
    if (n.op !== 'add' || a.length !== 2) return null;
    const parts = a.map(terms);
    return parts.every(p => p) ? parts.flat() : null;
  };
  items.forEach((t, i) => {
    if (!t.formula || !scalar(i) || !['add', 'mul'].includes(nodeOf(i).op)) return;
    const sum = terms(i);
    if (sum && sum.some(([, x]) => x >= 0) && !users[i].some(u => nodeOf(u).op === 'add' && terms(u))) found.push({i, sum, ...outputOf(i)});
  });
  return found;
}
const strength = (w, most) => `${(0.6 + 3.4 * shareOf(w, most)).toFixed(2)}`;
function synapse(x1, y1, x2, y2, w, most, name) {
  return svg('path', {d: `M${x1} ${y1}L${x2} ${y2}`, class: 'synapse' + (w < 0 ? ' minus' : ''), 'stroke-width': strength(w, most)}, svg('title', {}, `${name}${w ? ' = ' + number(w, 5) : ''}`));
}
function circle(x, y, value, cls = '') { /* a number that is longer is smaller */
  const text = svg('text', {x, y: y + 4, 'text-anchor': 'middle', class: 'v'}, value);
  if (value.length > 5) text.style.fontSize = 12 * 5 / value.length + 'px';
  return [svg('circle', {cx: x, cy: y, r: 17, class: 'neuron ' + cls}), text];
}
function neuron(x, y, name, value, cls) {
  return svg('g', {}, ...circle(x, y, value, cls), svg('text', {x, y: y - 22, 'text-anchor': 'middle', class: 'soft'}, cut(name, 14)));
}
function drawChain(chain) {
  const MOST = tensorChains.length > 1 ? 5 : 8, columns = [{n: chain[0].ins, name: chain[0].from === undefined ? 'input' : items[chain[0].from].name, item: chain[0].from}];
  for (const l of chain) columns.push({n: l.outs, name: items[l.end].name, act: l.act, item: l.end});
  const rows = Math.max(...columns.map(c => Math.min(c.n, MOST) + (c.n > MOST))), DX = 130, DY = 56, s = svg('svg', {viewBox: `0 0 ${columns.length * DX} ${rows * DY + 52}`, class: 'neurons', role: 'img', 'aria-label': 'the neurons and their weights'});
  s.style.maxWidth = Math.max(260, columns.length * DX) + 'px';
  const spot = (c, k) => { const shown = Math.min(columns[c].n, MOST) + (columns[c].n > MOST); return [DX / 2 + c * DX, 36 + (rows - shown) * DY / 2 + k * DY + DY / 2]; };
  chain.forEach((l, c) => {
    const W = nodeOf(l.W), most = statistics(W), top = Math.max(Math.abs(most.min), Math.abs(most.max));
    for (let a = 0; a < Math.min(l.ins, MOST); a++)
      for (let b = 0; b < Math.min(l.outs, MOST); b++) {
        const k = l.inputFirst ? a * l.outs + b : b * l.ins + a, [x1, y1] = spot(c, a), [x2, y2] = spot(c + 1, b);
        s.append(synapse(x1 + 17, y1, x2 - 17, y2, W.v ? W.v[k] : 0, top, items[l.W].name + (W.shape.length === 2 ? (l.inputFirst ? `[${a}, ${b}]` : `[${b}, ${a}]`) : `[${Math.max(a, b)}]`)));
      }
  });
  columns.forEach((c, q) => {
    const value = c.item === undefined ? null : nodeOf(c.item).v;
    for (let k = 0; k < Math.min(c.n, MOST); k++) {
      const [x, y] = spot(q, k);
      s.append(...circle(x, y, value && value.length >= c.n ? number(value[k], 2) : '', q ? '' : 'data'));
    }
    if (c.n > MOST) { const [x, y] = spot(q, MOST); s.append(svg('text', {x, y: y + 4, 'text-anchor': 'middle', class: 'soft'}, `and ${c.n - MOST} more`)); }
    s.append(svg('text', {x: DX / 2 + q * DX, y: 15, 'text-anchor': 'middle', class: 'name'}, cut(c.name, 18)), svg('text', {x: DX / 2 + q * DX, y: 30, 'text-anchor': 'middle', class: 'soft'}, `${c.n}${c.act ? ', ' + c.act : ''}`));
  });
  return s;
}
function drawScalarNet(found) {
  const of = new Map(), column = new Map(), input = new Map();
  found.forEach((f, k) => { for (let i = f.i; ; i = users[i].find(u => u <= f.end)) { of.set(i, k); if (i === f.end || i === undefined) break; } });
  const behind = i => { while (!of.has(i) && items[i].args.length === 1) [i] = items[i].args; return i; };
  found.forEach((f, k) => {
    let c = 1;
    f.in = f.sum.filter(([, x]) => x >= 0).map(([w, x]) => { const b = behind(x); if (of.has(b)) c = Math.max(c, column.get(of.get(b)) + 1); else input.set(b, 0); return [w, b]; });
    column.set(k, c);
  });
  const columns = [[...input.keys()].map(i => ({input: i}))];
  found.forEach((f, k) => (columns[column.get(k)] = columns[column.get(k)] || []).push({neuron: k}));
  const rows = Math.max(...columns.map(c => c.length)), DX = 150, DY = 76, s = svg('svg', {viewBox: `0 0 ${columns.length * DX} ${rows * DY + 14}`, class: 'neurons', role: 'img', 'aria-label': 'the neurons and their weights'});
  s.style.maxWidth = Math.max(260, columns.length * DX) + 'px';
  columns.forEach((c, q) => c.forEach((e, k) => { [e.x, e.y] = [DX / 2 + q * DX, 14 + (rows - c.length) * DY / 2 + k * DY + DY / 2]; }));
  const spots = columns.flat(), most = Math.max(...found.flatMap(f => f.in.map(([w]) => Math.abs(nodeOf(w).v ? nodeOf(w).v[0] : 0))));
  const labels = [];
  found.forEach((f, k) => {
    const to = spots.find(e => e.neuron === k);
    f.in.forEach(([w, b]) => {
      const from = of.has(b) ? spots.find(e => e.neuron === of.get(b)) : spots.find(e => e.input === b), v = nodeOf(w).v[0], u = 0.3;
      s.append(synapse(from.x + 17, from.y, to.x - 17, to.y, v, most, items[w].name));
      labels.push(svg('text', {x: from.x + (to.x - from.x) * u, y: from.y + (to.y - from.y) * u - 3, 'text-anchor': 'middle', class: 'halo'}, `${items[w].name} ${number(v, 3)}`));
    });
  });
  spots.forEach(e => s.append(e.input !== undefined ? neuron(e.x, e.y, items[e.input].name, number(nodeOf(e.input).v[0], 3), 'data')
    : neuron(e.x, e.y, items[found[e.neuron].end].name + (found[e.neuron].act ? ', ' + found[e.neuron].act : ''), number(nodeOf(found[e.neuron].end).v[0], 3))));
  s.append(...labels);
  return s;
}
/* Of a large net they would be a thicket. */
const tensorChains = items.filter((t, i) => nodeOf(i).op === 'matmul').length > 12 ? [] : layersOfTensors(), scalarNeurons = live ? neuronsOfScalars() : [];
function paintNeurons() {
  const drawings = tensorChains.map(drawChain);
  if (scalarNeurons.length) drawings.push(drawScalarNet(scalarNeurons));
  $('neurons').replaceChildren(...drawings);
}

/* ---- the paths of the chain rule: a product for each path, or a stored sum for each value ---- */
function countPaths() {
  const edges = L.steps.filter(s => s.loss === loss), paths = items.map(() => 0n), lengths = items.map(() => 0n);
  paths[lossItem] = 1n;
  for (const s of edges) { /* from the loss on: y is complete before it is passed on */
    paths[s.x] += paths[s.y];
    lengths[s.x] += lengths[s.y] + paths[s.y];
  }
  const leaves = items.map((t, i) => i).filter(i => !items[i].formula && paths[i]);
  return {paths, leaves, naive: leaves.reduce((t, i) => t + lengths[i], 0n), stored: edges.length, total: leaves.reduce((t, i) => t + paths[i], 0n)};
}
const big = n => { const s = String(n); return s.length < 10 ? s.replace(/\B(?=(\d{3})+$)/g, ',') : `about ${s[0]}.${s[1]} \u00d7 10^${s.length - 1}`; };
const barOf = (share, cls) => { const b = html('div', {class: 'bar ' + cls}); b.style.width = Math.min(100, Math.max(0.5, 100 * share)) + '%'; return b; };
function paintPaths() {
  const {paths, leaves, naive, stored, total} = countPaths();
  $('paths').replaceChildren(
    html('p', {}, `From ${loss} back to what is given there ${total === 1n ? 'is' : 'are'} ${big(total)} path${total === 1n ? '' : 's'}. The naive chain rule multiplies the slopes along each; backpropagation stores what arrives at a value and passes it on once.`),
    html('table', {}, html('tr', {}, html('td', {}, 'naive: slopes on all paths'), html('td', {class: 'num'}, big(naive))), html('tr', {}, html('td', {}, 'stored: an edge, a slope'), html('td', {class: 'num'}, big(BigInt(stored))))),
    barOf(1, 'naive'), barOf(Number(BigInt(stored) * 100000n / (naive || 1n)) / 100000, 'stored'),
    html('p', {class: 'soft'}, leaves.slice(0, 12).map(i => `${items[i].name}: ${big(paths[i])}`).join('; ') + (leaves.length > 12 ? '; \u2026' : '')));
}

/* ---- the price: n + 1 passes forward, or one backward ---- */
function paintCost() {
  const {forward, all, numbers} = L.work, back = all - forward, round = x => big(BigInt(Math.round(x)));
  $('cost').replaceChildren(
    html('p', {}, `${loss} depends on ${round(numbers)} number${numbers === 1 ? '' : 's'} that it is differentiated by. Differences move them one by one: ${round(numbers)} + 1 passes forward. The backward pass gives all slopes at once.`),
    html('table', {}, ...[['one pass forward', forward], ['differences: n + 1 passes', forward * (numbers + 1)], ['one forward and one backward', all]].map(([what, x]) => html('tr', {}, html('td', {}, what), html('td', {class: 'num'}, round(x) + ' operations')))),
    barOf(1, 'naive'), barOf(all / (forward * (numbers + 1)), 'stored'),
    html('p', {class: 'soft'}, `The backward pass costs ${number(back / forward, 2)} times the forward one, however many numbers there are.`));
}

/* ---- curves of functions and of their slopes, from the compiler's records ---- */
function paintCurve() {
  const c = L.curves[+$('function').value], xs = c.y.map((_, k) => c.from + (c.to - c.from) * k / (c.y.length - 1)), at = [];
  items.forEach((t, i) => { /* where the model's own values lie */
    const n = nodeOf(i), a = n.op === c.op && n.args.length ? node.get(n.args[0]) : null;
    if (a && a.v && n.v) a.v.forEach((x, k) => { if (at.length < 200 && x >= c.from && x <= c.to) at.push({x, y: n.v[k], cls: 'v', r: 3.5}); });
  });
  const finite = c.y.concat(c.slope).filter(x => x !== null && Math.abs(x) < 6), range = [Math.min(...finite) - 0.1, Math.max(...finite) + 0.1];
  const lines = [[c.y, 'v'], [c.slope, 'g dashed']].map(([ys, cls]) => ({cls, points: xs.map((x, k) => [x, ys[k] === null ? NaN : ys[k]])}));
  const slopes = c.slope.filter(x => x !== null), most = Math.max(...slopes.map(Math.abs)), edge = Math.abs(c.slope[c.slope.length - 1]);
  $('curves').replaceChildren(plot({lines, dots: at, x: 'a', y: '', range, label: c.name + ' and its slope'}), legend(['v', `${c.name}(a)`], ['g', `its slope: ${c.rule.replace(/^dy\*|dy/g, m => m === 'dy' ? '1' : '')}`]),
    html('p', {}, c.name === 'relu' ? 'The slope is 1 for what is positive and 0 for all else: a unit that is never positive learns nothing.'
      : edge < 0.02 * most ? `The slope is at most ${number(most, 3)}, and at a = ${c.to} it is ${number(edge, 2)}: far out the function saturates, and a gradient that passes through it all but vanishes.`
        : `The slope at a = ${c.to} is ${number(edge, 3)}.`), ...(at.length ? [html('p', {class: 'soft'}, `Dots: the values that this model gives to it.`)] : []));
}

/* ---- the test by a nudge, at the values that the page has now ---- */
const nudges = L.nudges.map(n => {
  const x = node.get(n.node), y = items.find(t => t.name === n.of), told = {...n};
  for (const k of ['from', 'to', 'loss', 'moved', 'slope', 'derivative']) told[k] = num(n[k]);
  if (!live || !x || !y) return {told};
  const on = dependents([x.id]), list = needed([y.node]).filter(e => on.has(e.id) && e !== x);
  return {told, x, y: node.get(y.node), g: node.get(n.gradient), list, cost: list.reduce((t, e) => t + size(e.shape), 0)};
});
const nudgeCost = nudges.reduce((t, n) => t + (n.cost || 0), 0);
/* The entry with the steepest slope, moved by a step of one digit: as ngc does it. */
function nudge({told, x, y, g, list}) {
  if (!x) return told;
  let k = 0;
  g.v.forEach((d, q) => { if (Math.abs(d) > Math.abs(g.v[k])) k = q; });
  const from = x.v[k], h = from === 0 || !Number.isFinite(from) ? 0.1 : 10 ** (Math.floor(Math.log10(Math.abs(from))) - 1), before = y.v[0];
  const moved = tryValue(x, k, from + h, list, y), slope = (moved - before) / h;
  return {...told, entry: entryName(itemAt.get(x.id), k), from, to: from + h, loss: before, moved, slope: Math.abs(slope) < 1e-9 ? 0 : slope, derivative: g.v[k]};
}
let nudgedAt = -1, nudgeWait = null;
function paintNudges(e) {
  const quick = nudgeCost < 100000, touched = e && e.kind === 'backward' ? e.list.map(s => items[s.x].node) : [];
  if (nudgedAt >= 0 && nudgedAt !== epoch && !quick) { /* when the values have come to rest */
    clearTimeout(nudgeWait);
    nudgeWait = setTimeout(() => { nudgedAt = -1; paintNudges(steps[at - 1]); }, 200);
    return;
  }
  if (nudgedAt !== epoch) nudges.forEach(n => { n.told = nudge(n); });
  nudgedAt = epoch;
  $('nudges').replaceChildren($('nudges').rows[0], ...nudges.map(({told: n}) => html('tr', touched.includes(n.node) ? {class: 'now'} : {}, html('td', {}, n.entry, html('div', {class: 'soft'}, `${number(n.from, 4)} \u2192 ${number(n.to, 4)}`)),
    html('td', {class: 'v num'}, number(n.loss, 6), html('div', {}, '\u2192 ' + number(n.moved, 6))), html('td', {class: 'num'}, number(n.slope, 4)), html('td', {class: 'g num'}, number(n.derivative, 4)))));
}

/* ---- slope as rise over run, and the error of a difference against its step ---- */
const slopeChoices = [{name: 'w\u00b2 at w = 3', of: 'w\u00b2', x: 3, f: w => w * w, exact: 6}];
function addSlopeChoices() {
  for (const d of L.derivatives.slice(0, 40)) {
    const [of, by] = slash(d.name), i = items.findIndex(t => t.name === by && !t.formula), y = items.findIndex(t => t.name === of), g = node.get(d.node);
    if (!live || i < 0 || y < 0 || !g || !g.v) continue;
    let k = 0;
    g.v.forEach((x, q) => { if (Math.abs(x) > Math.abs(g.v[k])) k = q; });
    const x = nodeOf(i), list = needed([items[y].node]).filter(n => !isGiven(n)), on = dependents([x.id]), again = list.filter(n => on.has(n.id));
    slopeChoices.push({name: `${of} by ${by}${x.shape.length ? `[${k}]` : ''}`, of, item: i, k, list: again, y: nodeOf(y), g, cost: again.reduce((t, n) => t + size(n.shape), 0)});
  }
}
function sample(c) { /* the function of one number, its place and its slope */
  if (c.f) return c;
  const n = nodeOf(c.item), x = n.v[c.k], saved = c.list.map(e => e.v && e.v.slice());
  const f = at => { n.v[c.k] = at; compute(c.list); return c.y.v[0]; };
  return {...c, x, f, exact: c.g.v[c.k], restore: () => { n.v[c.k] = x; c.list.forEach((e, q) => { e.v = saved[q]; }); epoch++; }};
}
const slopeChoice = () => slopeChoices[+$('slope-of').value];
const isQuick = c => !(c.cost > 20000); /* to be drawn anew whenever a value changes */
function paintSlope() {
  const c = sample(slopeChoice()), h = 10 ** -(+$('run-of').value), wide = Math.max(h * 1.25, 0.02 * Math.max(1, Math.abs(c.x)));
  const few = !isQuick(c), N = few ? 17 : 61, y0 = c.f(c.x), y1 = c.f(c.x + h), slope = (y1 - y0) / h;
  const xs = Array.from({length: N}, (_, k) => c.x - wide + 2 * wide * k / (N - 1));
  const curve = xs.map(x => [x, c.f(x)]), ends = [xs[0], xs[N - 1]];
  const errors = [[], []];
  for (let e = 0; e <= 15; e += few ? 1 : 0.5) {
    const s = 10 ** -e, up = c.f(c.x + s), both = [(up - y0) / s, (up - c.f(c.x - s)) / (2 * s)];
    both.forEach((d, q) => errors[q].push([-e, Math.log10(Math.max(1e-16, Math.abs(d - c.exact) / Math.max(1e-12, Math.abs(c.exact))))]));
  }
  if (c.restore) c.restore();
  $('rise').replaceChildren(plot({lines: [{points: curve, cls: 'plain'}, {points: ends.map(x => [x, y0 + slope * (x - c.x)]), cls: 'fore dashed'}, {points: ends.map(x => [x, y0 + c.exact * (x - c.x)]), cls: 'g'}],
    dots: [{x: c.x, y: y0, cls: 'plain'}, {x: c.x + h, y: y1, cls: 'fore'}], x: 'the number that is moved', y: c.of, label: 'rise over run'}));
  $('rise-words').textContent = `run ${number(h, 3)}, rise ${number(y1 - y0, 6)}: slope ${number(slope, 7)}; the derivative is ${number(c.exact, 7)}`;
  $('errors').replaceChildren(plot({lines: [{points: errors[0], cls: 'fore'}, {points: errors[1], cls: 'v dashed'}], x: 'the step h', y: 'relative error', log: true, label: 'the error of a finite difference against its step'}),
    legend(['fore', '(J(x+h) \u2212 J(x))/h'], ['v', '(J(x+h) \u2212 J(x\u2212h))/2h']),
    html('p', {class: 'soft'}, 'A large step errs by the curve it cuts off, a tiny one by the digits that a subtraction loses. The derivative has neither error.'));
}
