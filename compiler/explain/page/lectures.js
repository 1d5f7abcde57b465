/* lectures.js - what lectures draw beside the graph: neurons, the paths of the chain rule, the
 * price of a gradient, curves and their slopes, a slope as rise over run, and the error of a finite
 * difference. */

/* ---- neurons: sums of products with weights, one circle each ---- */
const isView = n => ['reshape', 'expand', 'permute', 'copy', 'cast', 'slice'].includes(n.op);

/* What a node is a view of. */
function viewed(n) {
  while (isView(n) && n.args.length) n = node.get(n.args[0]);
  return n;
}

const isWeight = t => t.kind === 'param' || t.kind === 'frozen';

/* The param that a node is a view of, as an item; -1: none. */
function paramOf(n) {
  const i = itemAt.get(viewed(n).id);
  return i !== undefined && isWeight(items[i]) ? i : -1;
}

const NO_ACTIVATION = [
  'add',
  'sub',
  'copy',
  'mul',
  'div',
  'neg',
  'pow',
  'log',
  'eq',
  'lt',
  'le',
  'where'
];

/* The value after the bias and the activation of item i, and the name of the activation. */
function outputOf(i) {
  const follows = u => isView(nodeOf(u)) || nodeOf(u).op in elementwise;
  for (;;) {
    const u = users[i].find(u => !['cast', 'stop'].includes(nodeOf(u).op) && follows(u));
    if (u === undefined) return {end: i, act: ''};

    /* another operand that is neither a param nor a constant: no neuron any more */
    const n = nodeOf(u);
    const others = n.args.filter(a => itemAt.get(a) !== i).map(a => node.get(a));
    if (others.some(o => o && viewed(o).op !== 'const' && paramOf(o) < 0)) return {end: i, act: ''};

    if (n.op in elementwise && !NO_ACTIVATION.includes(n.op))
      return {end: u, act: n.op === 'maximum' ? 'relu' : n.op};
    if (!isView(n) && n.op !== 'add' && n.op !== 'sub') return {end: i, act: ''};
    i = u;
  }
}

/* The product of inputs and weights in node n: of matrices, or a sum of products; or null. */
function productOf(n) {
  if (n.op === 'matmul') return n;
  const a = n.op === 'sum' ? node.get(n.args[0]) : null;
  return a && a.op === 'mul' ? a : null;
}

/* How many inputs a weight matrix has; k: which operand of the product n it is. */
function inputsOf(n, W, seen, k) {
  if (n.op !== 'matmul' || seen.shape.length < 2) return size(W.shape);
  const transposed = k ? n.attr.tb : n.attr.ta;
  const isRow = (k === 1) === !transposed;
  return seen.shape[seen.shape.length - (isRow ? 2 : 1)];
}

/* Do the inputs run along the first axis of W as it is stored? */
function isInputFirst(n, W, seen, k, inputs) {
  if (W.shape.length !== 2 || inputs !== W.shape[0]) return false;
  if (inputs !== W.shape[1]) return true;
  const transposed = !!(k ? n.attr.tb : n.attr.ta);
  const permuted = viewed(seen) !== seen && seen.op === 'permute';
  return (k === 1) !== (transposed !== permuted);
}

/* Item i as a layer of neurons: data times weights; null: it is not one. */
function layerOf(i) {
  const n = nodeOf(i);
  const product = productOf(n);
  const args = product ? product.args.map(a => node.get(a)) : [];
  if (!product || args.some(a => !a)) return null;

  const which = args.map(paramOf);
  const k = which[0] >= 0 ? 0 : 1;
  if (which.filter(w => w >= 0).length !== 1) return null;
  const W = nodeOf(which[k]);
  const isVector = W.shape.length === 1 && n.shape.length === 0;
  if (W.shape.length > 2 || (n.op !== 'matmul' && !isVector)) return null;

  const inputs = inputsOf(n, W, args[k], k);
  return {
    i,
    W: which[k],
    ins: inputs,
    outs: size(W.shape) / inputs,
    from: itemAt.get(viewed(args[1 - k]).id),
    inputFirst: isInputFirst(n, W, args[k], k, inputs),
    ...outputOf(i)
  };
}

/* Layers, each computed from the one before it in its chain. */
function layersOfTensors() {
  const layers = items.map((t, i) => layerOf(i)).filter(l => l);
  const chains = [];
  for (const l of layers) {
    const from = l.from === undefined ? [] : needed([items[l.from].node]);
    const before = new Set(from.map(n => n.id));
    const chain = chains.find(c => {
      const last = c[c.length - 1];
      return before.has(items[last.i].node) && last.outs === l.ins;
    });
    if (chain) chain.push(l);
    else chains.push([l]);
  }
  return chains.filter(c => c.every(l => l.ins && Number.isInteger(l.outs))).slice(0, 3);
}

/* A weighted sum of scalars, as [[weight, input], ...]; the input of a bias is -1. Or null. */
function weightedTerms(i) {
  const isParam = k => isWeight(items[k]);
  if (isParam(i)) return [[i, -1]];

  const op = nodeOf(i).op;
  const [a, b] = items[i].args;
  if (b === undefined || items[i].args.length > 2) return null;
  if (op === 'mul' && isParam(a) !== isParam(b)) return [isParam(a) ? [a, b] : [b, a]];
  if (op !== 'add') return null;
  const parts = [weightedTerms(a), weightedTerms(b)];
  return parts.every(p => p) ? parts.flat() : null;
}

/* Scalars: w1*x1 + w3*x2 + b, then perhaps an activation. */
function neuronsOfScalars() {
  const isTerm = u => nodeOf(u).op === 'add' && weightedTerms(u);
  const found = [];
  items.forEach((t, i) => {
    const n = nodeOf(i);
    if (!t.formula || n.shape.length || !['add', 'mul'].includes(n.op)) return;
    const sum = weightedTerms(i);
    if (sum && sum.some(([, x]) => x >= 0) && !users[i].some(isTerm))
      found.push({i, sum, ...outputOf(i)});
  });
  return found;
}

const strength = (w, most) => `${(0.6 + 3.4 * shareOf(w, most)).toFixed(2)}`;
function synapse(x1, y1, x2, y2, w, most, name) {
  return svg(
    'path',
    {
      d: `M${x1} ${y1}L${x2} ${y2}`,
      class: 'synapse' + (w < 0 ? ' minus' : ''),
      'stroke-width': strength(w, most)
    },
    svg('title', {}, `${name}${w ? ' = ' + number(w, 5) : ''}`)
  );
}

/* A circle with a number in it; a longer number is smaller. */
function circle(x, y, value, cls = '') {
  const text = svg('text', {x, y: y + 4, 'text-anchor': 'middle', class: 'v'}, value);
  if (value.length > 5) text.style.fontSize = (12 * 5) / value.length + 'px';
  return [svg('circle', {cx: x, cy: y, r: 17, class: 'neuron ' + cls}), text];
}

function neuron(x, y, name, value, cls) {
  return svg(
    'g',
    {},
    ...circle(x, y, value, cls),
    svg('text', {x, y: y - 22, 'text-anchor': 'middle', class: 'soft'}, cut(name, 14))
  );
}

function neuronDrawing(width, height) {
  const s = svg('svg', {
    viewBox: `0 0 ${width} ${height}`,
    class: 'neurons',
    role: 'img',
    'aria-label': T('the neurons and their weights')
  });
  s.style.maxWidth = Math.max(260, width) + 'px';
  return s;
}

/* "W[0, 1]" for the weight from input a to output b. */
function weightName(l, a, b) {
  const name = items[l.W].name;
  if (nodeOf(l.W).shape.length !== 2) return `${name}[${Math.max(a, b)}]`;
  return l.inputFirst ? `${name}[${a}, ${b}]` : `${name}[${b}, ${a}]`;
}

/* The weights of a layer, as lines between the first neurons of two columns. */
function synapsesOf(l, most, from, to) {
  const W = nodeOf(l.W);
  const {min, max} = statistics(W);
  const largest = Math.max(Math.abs(min), Math.abs(max));
  const lines = [];
  for (let a = 0; a < Math.min(l.ins, most); a++)
    for (let b = 0; b < Math.min(l.outs, most); b++) {
      const k = l.inputFirst ? a * l.outs + b : b * l.ins + a;
      const [x1, y1] = from(a);
      const [x2, y2] = to(b);
      const w = W.v ? W.v[k] : 0;
      lines.push(synapse(x1 + 17, y1, x2 - 17, y2, w, largest, weightName(l, a, b)));
    }
  return lines;
}

/* A chain of layers: a column of neurons for the input and for each layer. */
function drawChain(chain) {
  const MOST = tensorChains.length > 1 ? 5 : 8; /* neurons that are drawn of a column */
  const DX = 130;
  const DY = 56;
  const from = chain[0].from;
  const columns = [
    {n: chain[0].ins, name: from === undefined ? 'input' : items[from].name, item: from},
    ...chain.map(l => ({n: l.outs, name: items[l.end].name, act: l.act, item: l.end}))
  ];
  const shown = c => Math.min(c.n, MOST) + (c.n > MOST);
  const rows = Math.max(...columns.map(shown));
  const spot = (c, k) => [
    DX / 2 + c * DX,
    36 + ((rows - shown(columns[c])) * DY) / 2 + k * DY + DY / 2
  ];

  const s = neuronDrawing(columns.length * DX, rows * DY + 52);
  chain.forEach((l, c) =>
    s.append(
      ...synapsesOf(
        l,
        MOST,
        a => spot(c, a),
        b => spot(c + 1, b)
      )
    )
  );
  columns.forEach((c, q) => {
    const value = c.item === undefined ? null : nodeOf(c.item).v;
    const known = value && value.length >= c.n;
    const text = (x, y, cls, words) =>
      svg('text', {x, y, 'text-anchor': 'middle', class: cls}, words);
    for (let k = 0; k < Math.min(c.n, MOST); k++) {
      const shownValue = known ? number(value[k], 2) : '';
      s.append(...circle(...spot(q, k), shownValue, q ? '' : 'data'));
    }
    if (c.n > MOST) {
      const [x, y] = spot(q, MOST);
      s.append(text(x, y + 4, 'soft', T('and %1 more', c.n - MOST)));
    }
    const middle = DX / 2 + q * DX;
    s.append(
      text(middle, 15, 'name', cut(c.name, 18)),
      text(middle, 30, 'soft', c.act ? `${c.n}, ${c.act}` : c.n)
    );
  });
  return s;
}

/* By item: the neuron that it is in, from its sum to its activation. */
function neuronOfItem(found) {
  const of = new Map();
  found.forEach((f, k) => {
    for (let i = f.i; i !== undefined; i = users[i].find(u => u <= f.end)) {
      of.set(i, k);
      if (i === f.end) break;
    }
  });
  return of;
}

/* Columns of inputs {input: item} and neurons {neuron: its number}. Sets the inputs of each neuron:
 * f.in is [[weight, item], ...]. */
function scalarColumns(found, of) {
  const column = [];
  const inputs = new Set();
  const beyondViews = i => {
    while (!of.has(i) && items[i].args.length === 1) [i] = items[i].args;
    return i;
  };
  found.forEach((f, k) => {
    column[k] = 1;
    f.in = f.sum.filter(([, x]) => x >= 0).map(([w, x]) => [w, beyondViews(x)]);
    for (const [, b] of f.in) {
      if (of.has(b)) column[k] = Math.max(column[k], column[of.get(b)] + 1);
      else inputs.add(b);
    }
  });

  const columns = [[...inputs].map(i => ({input: i}))];
  found.forEach((f, k) => (columns[column[k]] = columns[column[k]] || []).push({neuron: k}));
  return columns;
}

/* A circle for each input and each neuron, with the weights between them. */
function drawScalarNet(found) {
  const DX = 150;
  const DY = 76;
  const of = neuronOfItem(found);
  const columns = scalarColumns(found, of);
  const rows = Math.max(...columns.map(c => c.length));
  const s = neuronDrawing(columns.length * DX, rows * DY + 14);
  columns.forEach((c, q) =>
    c.forEach((e, k) => {
      e.x = DX / 2 + q * DX;
      e.y = 14 + ((rows - c.length) * DY) / 2 + k * DY + DY / 2;
    })
  );
  const spots = columns.flat();
  const spotOf = i => spots.find(e => (of.has(i) ? e.neuron === of.get(i) : e.input === i));

  const valueOf = i => (nodeOf(i).v ? nodeOf(i).v[0] : 0);
  const most = Math.max(...found.flatMap(f => f.in.map(([w]) => Math.abs(valueOf(w)))));
  const labels = [];
  found.forEach((f, k) => {
    const to = spots.find(e => e.neuron === k);
    for (const [w, b] of f.in) {
      const from = spotOf(b);
      const name = items[w].name;
      const x = from.x + (to.x - from.x) * 0.3;
      const y = from.y + (to.y - from.y) * 0.3 - 3;
      const label = `${name} ${number(valueOf(w), 3)}`;
      s.append(synapse(from.x + 17, from.y, to.x - 17, to.y, valueOf(w), most, name));
      labels.push(svg('text', {x, y, 'text-anchor': 'middle', class: 'halo'}, label));
    }
  });

  for (const e of spots) {
    const isInput = e.input !== undefined;
    const {end, act} = isInput ? {end: e.input} : found[e.neuron];
    const name = items[end].name + (act ? ', ' + act : '');
    s.append(neuron(e.x, e.y, name, number(valueOf(end), 3), isInput ? 'data' : undefined));
  }
  s.append(...labels);
  return s;
}

/* Not of a large net, where the lines could not be seen apart. */
const tensorChains =
  items.filter((t, i) => nodeOf(i).op === 'matmul').length > 12 ? [] : layersOfTensors();
const scalarNeurons = live ? neuronsOfScalars() : [];

function paintNeurons() {
  const drawings = tensorChains.map(drawChain);
  if (scalarNeurons.length) drawings.push(drawScalarNet(scalarNeurons));
  $('neurons').replaceChildren(...drawings);
}

/* ---- the paths of the chain rule: a product for each path, or a stored sum for each value ---- */
function countPaths() {
  const edges = L.steps.filter(s => s.loss === loss);
  const paths = items.map(() => 0n);
  const lengths = items.map(() => 0n);
  paths[lossItem] = 1n;

  /* from the loss down: y is complete before it is passed on */
  for (const s of edges) {
    paths[s.x] += paths[s.y];
    lengths[s.x] += lengths[s.y] + paths[s.y];
  }
  const leaves = items.map((t, i) => i).filter(i => !items[i].formula && paths[i]);
  return {
    paths,
    leaves,
    naive: leaves.reduce((t, i) => t + lengths[i], 0n),
    stored: edges.length,
    total: leaves.reduce((t, i) => t + paths[i], 0n)
  };
}

/* "16,777,216" */
function big(n) {
  const s = String(n);
  if (s.length < 10) return s.replace(/\B(?=(\d{3})+$)/g, ',');
  return T('about %1', `${s[0]}.${s[1]} \u00d7 10^${s.length - 1}`);
}

const barOf = (share, cls) => {
  const b = html('div', {class: 'bar ' + cls});
  b.style.width = Math.min(100, Math.max(0.5, 100 * share)) + '%';
  return b;
};

/* A row of a table: words and a number. */
const wordsAndNumber = (what, x) =>
  html('tr', {}, html('td', {}, what), html('td', {class: 'num'}, x));

function paintPaths() {
  const {paths, leaves, naive, stored, total} = countPaths();
  const share = Number((BigInt(stored) * 100000n) / (naive || 1n)) / 100000;
  const some = leaves.slice(0, 12).map(i => `${items[i].name}: ${big(paths[i])}`);
  if (leaves.length > 12) some.push('\u2026');
  $('paths').replaceChildren(
    html(
      'p',
      {},
      `${
        total === 1n
          ? T('From %1 back to what is given there is one path.', loss)
          : T('From %1 back to what is given there are %2 paths.', loss, big(total))
      } `
        + T(
          'The naive chain rule multiplies the slopes along each; backpropagation stores what '
            + 'arrives at a value and passes it on once.'
        )
    ),
    html(
      'table',
      {},
      wordsAndNumber(T('naive: slopes on all paths'), big(naive)),
      wordsAndNumber(T('stored: an edge, a slope'), big(BigInt(stored)))
    ),
    barOf(1, 'naive'),
    barOf(share, 'stored'),
    html('p', {class: 'soft'}, some.join('; '))
  );
}

/* ---- the price: n + 1 passes forward, or one backward ---- */
function paintCost() {
  const {forward, all, numbers} = L.work;
  const back = all - forward;
  const round = x => big(BigInt(Math.round(x)));
  const differences = forward * (numbers + 1);
  const row = (what, x) => wordsAndNumber(T(what), T('%1 operations', round(x)));
  $('cost').replaceChildren(
    html(
      'p',
      {},
      T(
        '%1 depends on %2 that it is differentiated by. '
          + 'Differences move them one by one: %3 + 1 passes forward. '
          + 'The backward pass gives all slopes at once.',
        loss,
        round(numbers) + ' ' + T(numbers === 1 ? 'number' : 'numbers'),
        round(numbers)
      )
    ),
    html(
      'table',
      {},
      row('one pass forward', forward),
      row('differences: n + 1 passes', differences),
      row('one forward and one backward', all)
    ),
    barOf(1, 'naive'),
    barOf(all / differences, 'stored'),
    html(
      'p',
      {class: 'soft'},
      T(
        'The backward pass costs %1 times the forward one, however many numbers there are.',
        number(back / forward, 2)
      )
    )
  );
}

/* ---- curves of functions and of their slopes, from the compiler's records ---- */

/* The model's own values on a curve, at most 200. */
function dotsOn(c) {
  const dots = [];
  for (const t of items) {
    const n = node.get(t.node);
    const a = n.op === c.op && n.args.length ? node.get(n.args[0]) : null;
    if (!a || !a.v || !n.v) continue;
    a.v.forEach((x, k) => {
      if (x >= c.from && x <= c.to) dots.push({x, y: n.v[k], cls: 'v', r: 3.5});
    });
  }
  return dots.slice(0, 200);
}

/* What a slope does to a gradient that passes through. */
function slopeWords(c) {
  if (c.name === 'relu')
    return T(
      'The slope is 1 for what is positive and 0 for all else: '
        + 'a unit that is never positive learns nothing.'
    );
  const most = Math.max(...c.slope.filter(x => x !== null).map(Math.abs));
  const edge = Math.abs(c.slope[c.slope.length - 1]);
  if (edge >= 0.02 * most) return T('The slope at a = %1 is %2.', c.to, number(edge, 3));
  return T(
    'The slope is at most %1, and at a = %2 it is %3: '
      + 'far out the function saturates, and a gradient that passes through it all but vanishes.',
    number(most, 3),
    c.to,
    number(edge, 2)
  );
}

function paintCurve() {
  const c = L.curves[+$('function').value];
  const step = (c.to - c.from) / (c.y.length - 1);
  const points = ys => ys.map((y, k) => [c.from + step * k, y === null ? NaN : y]);
  const finite = c.y.concat(c.slope).filter(x => x !== null && Math.abs(x) < 6);
  const dots = dotsOn(c);
  const about = T('Dots: the values that this model gives to it.');
  $('curves').replaceChildren(
    plot({
      lines: [
        {cls: 'v', points: points(c.y)},
        {cls: 'g dashed', points: points(c.slope)}
      ],
      dots,
      x: 'a',
      y: '',
      range: [Math.min(...finite) - 0.1, Math.max(...finite) + 0.1],
      label: T('%1 and its slope', c.name)
    }),
    legend(
      ['v', `${c.name}(a)`],
      ['g', T('its slope: %1', c.rule.replace(/^dy\*|dy/g, m => (m === 'dy' ? '1' : '')))]
    ),
    html('p', {}, slopeWords(c)),
    ...(dots.length ? [html('p', {class: 'soft'}, about)] : [])
  );
}

/* ---- the test by a nudge, at the values that the page has now ---- */
const nudges = L.nudges.map(n => {
  const x = node.get(n.node);
  const y = items.find(t => t.name === n.of);
  const shown = {...n};
  for (const k of ['from', 'to', 'loss', 'moved', 'slope', 'derivative']) shown[k] = num(n[k]);
  if (!live || !x || !y) return {shown};
  const on = dependents([x.id]);
  const list = needed([y.node]).filter(e => on.has(e.id) && e !== x);
  return {
    shown,
    x,
    y: node.get(y.node),
    g: node.get(n.gradient),
    list,
    cost: costOf(list)
  };
});

const nudgeCost = nudges.reduce((t, n) => t + (n.cost || 0), 0);

/* The place of the steepest slope. */
function steepest(slopes) {
  let best = 0;
  slopes.forEach((d, k) => {
    if (Math.abs(d) > Math.abs(slopes[best])) best = k;
  });
  return best;
}

/* A step of one digit: 0.1 at 3.7, 0.001 at 0.02. */
function nudgeStep(x) {
  if (x === 0 || !Number.isFinite(x)) return 0.1;
  return 10 ** (Math.floor(Math.log10(Math.abs(x))) - 1);
}

/* The entry with the steepest slope, moved as ngc does it (explain.c). */
function nudge({shown, x, y, g, list}) {
  if (!x) return shown;
  const k = steepest(g.v);
  const from = x.v[k];
  const h = nudgeStep(from);
  const before = y.v[0];
  const moved = tryValue(x, k, from + h, list, y);
  const slope = (moved - before) / h;
  return {
    ...shown,
    entry: entryName(itemAt.get(x.id), k),
    from,
    to: from + h,
    loss: before,
    moved,
    slope: Math.abs(slope) < 1e-9 ? 0 : slope,
    derivative: g.v[k]
  };
}

function nudgeRow(n, touched) {
  const entry = html('div', {class: 'soft'}, `${number(n.from, 4)} \u2192 ${number(n.to, 4)}`);
  const moved = html('div', {}, '\u2192 ' + number(n.moved, 6));
  return html(
    'tr',
    touched ? {class: 'now'} : {},
    html('td', {}, n.entry, entry),
    html('td', {class: 'v num'}, number(n.loss, 6), moved),
    html('td', {class: 'num'}, number(n.slope, 4)),
    html('td', {class: 'g num'}, number(n.derivative, 4))
  );
}

let nudgedAt = -1; /* the epoch of the numbers in the table */
let nudgeWait = null;
function paintNudges(e) {
  const stale = nudgedAt !== epoch;
  if (stale && nudgedAt >= 0 && nudgeCost >= 100000) {
    /* not before the values have come to rest */
    clearTimeout(nudgeWait);
    nudgeWait = setTimeout(() => {
      nudgedAt = -1;
      paintNudges(steps[at - 1]);
    }, 200);
    return;
  }

  if (stale)
    nudges.forEach(n => {
      n.shown = nudge(n);
    });
  nudgedAt = epoch;
  const touched = e && e.kind === 'backward' ? e.list.map(s => items[s.x].node) : [];
  $('nudges').replaceChildren(
    $('nudges').rows[0],
    ...nudges.map(n => nudgeRow(n.shown, touched.includes(n.shown.node)))
  );
}

/* ---- slope as rise over run, and the error of a difference against its step ---- */
const slopeChoices = [{name: 'w\u00b2 at w = 3', of: 'w\u00b2', x: 3, f: w => w * w, exact: 6}];
function addSlopeChoices() {
  for (const d of L.derivatives.slice(0, 40)) {
    const [of, by] = slash(d.name);
    const i = items.findIndex(t => t.name === by && !t.formula);
    const y = items.findIndex(t => t.name === of);
    const g = node.get(d.node);
    if (!live || i < 0 || y < 0 || !g || !g.v) continue;

    const k = steepest(g.v);
    const x = nodeOf(i);
    const on = dependents([x.id]);
    const again = needed([items[y].node]).filter(n => !isGiven(n) && on.has(n.id));
    slopeChoices.push({
      name: T('%1 by %2', of, by + (x.shape.length ? `[${k}]` : '')),
      of,
      item: i,
      k,
      list: again,
      y: nodeOf(y),
      g,
      cost: costOf(again)
    });
  }
}

/* The function of one number, its place and its slope. */
function sample(c) {
  if (c.f) return c;
  const n = nodeOf(c.item);
  const x = n.v[c.k];
  const saved = c.list.map(e => e.v && e.v.slice());
  const f = at => {
    n.v[c.k] = at;
    compute(c.list);
    return c.y.v[0];
  };
  return {
    ...c,
    x,
    f,
    exact: c.g.v[c.k],
    restore: () => {
      n.v[c.k] = x;
      c.list.forEach((e, q) => {
        e.v = saved[q];
      });
      epoch++;
    }
  };
}

const slopeChoice = () => slopeChoices[+$('slope-of').value];
const isQuick = c => !(c.cost > 20000); /* to be drawn again whenever a value changes */

/* Relative errors of two kinds of differences, in powers of ten, for steps from 1 to 1e-15. */
function differenceErrors(c, by) {
  const y0 = c.f(c.x);
  const scale = Math.max(1e-12, Math.abs(c.exact));
  const error = (e, slope) => [-e, Math.log10(Math.max(1e-16, Math.abs(slope - c.exact) / scale))];
  const forward = [];
  const central = [];
  for (let e = 0; e <= 15; e += by) {
    const h = 10 ** -e;
    const up = c.f(c.x + h);
    const down = c.f(c.x - h);
    forward.push(error(e, (up - y0) / h));
    central.push(error(e, (up - down) / (2 * h)));
  }
  return {forward, central};
}

function paintSlope() {
  const c = sample(slopeChoice());
  const h = 10 ** -+$('run-of').value;
  const wide = Math.max(h * 1.25, 0.02 * Math.max(1, Math.abs(c.x)));
  const few = !isQuick(c);
  const N = few ? 17 : 61;
  const y0 = c.f(c.x);
  const y1 = c.f(c.x + h);
  const slope = (y1 - y0) / h;
  const xs = Array.from({length: N}, (_, k) => c.x - wide + (2 * wide * k) / (N - 1));
  const curve = xs.map(x => [x, c.f(x)]);
  const ends = [xs[0], xs[N - 1]];
  const {forward, central} = differenceErrors(c, few ? 1 : 0.5);
  if (c.restore) c.restore();

  const tangent = slope => ends.map(x => [x, y0 + slope * (x - c.x)]);
  $('rise').replaceChildren(
    plot({
      lines: [
        {points: curve, cls: 'plain'},
        {points: tangent(slope), cls: 'fore dashed'},
        {points: tangent(c.exact), cls: 'g'}
      ],
      dots: [
        {x: c.x, y: y0, cls: 'plain'},
        {x: c.x + h, y: y1, cls: 'fore'}
      ],
      x: T('the number that is moved'),
      y: c.of,
      label: T('rise over run')
    })
  );
  $('rise-words').textContent =
    T(
      'run %1, rise %2: slope %3; the derivative is %4',
      number(h, 3),
      number(y1 - y0, 6),
      number(slope, 7),
      number(c.exact, 7)
    );
  $('errors').replaceChildren(
    plot({
      lines: [
        {points: forward, cls: 'fore'},
        {points: central, cls: 'v dashed'}
      ],
      x: T('the step h'),
      y: T('relative error'),
      log: true,
      label: T('the error of a finite difference against its step')
    }),
    legend(['fore', '(J(x+h) \u2212 J(x))/h'], ['v', '(J(x+h) \u2212 J(x\u2212h))/2h']),
    html(
      'p',
      {class: 'soft'},
      T(
        'A large step errs by the curve it cuts off, a tiny one by the digits that a subtraction '
          + 'loses. The derivative has neither error.'
      )
    )
  );
}
