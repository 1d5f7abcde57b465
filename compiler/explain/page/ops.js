/* ops.js - every operation of ngc in JavaScript, in double precision, so that the page can compute
 * the graph again. */

/* By the ops' names, from their records (OpInfo.js). */
const elementwise = {/*@ELEMENTWISE@*/};

/* ---- elements in other places: a map has the place of each element on the other side ---- */
const strides = shape => {
  const s = [];
  for (let a = shape.length - 1, k = 1; a >= 0; k *= shape[a--]) s[a] = k;
  return s;
};

function walk(shape, stride, start) {
  const to = new Int32Array(size(shape));
  const index = shape.map(() => 0);
  let at = start;
  for (let k = 0; k < to.length; k++) {
    to[k] = at;
    for (let a = shape.length - 1; a >= 0; a--) {
      at += stride[a];
      if (++index[a] < shape[a]) break;
      at -= stride[a] * index[a];
      index[a] = 0;
    }
  }
  return to;
}

/* The axes that a reduction leaves, or that an expansion has already. */
const kept = (n, rank) =>
  Array.from({length: rank}, (_, a) => a).filter(a => !((n.attr.axes >> a) & 1));

/* Strides along `shape` of a tensor that has only these axes of it. */
function spread(shape, axes, of) {
  const s = shape.map(() => 0);
  const own = strides(of);
  axes.forEach((a, k) => {
    s[a] = own[k];
  });
  return s;
}

const stepped = (n, shape) => strides(shape).map((x, a) => x * n.attr.step[a]);

/* By level: the number of the pass of the loop there. */
const passAt = [];

/* A size that may depend on these: a number, or coefficients. */
const sizeAt = s =>
  typeof s === 'number' ? s : s.c.reduceRight((t, c) => t * passAt[s.level] + sizeAt(c), 0);

/* Where the part that a slice takes, or a pad gives, begins in a tensor of this shape. */
const startOf = (n, shape) =>
  strides(shape).reduce((t, x, a) => t + x * sizeAt(n.attr.lo[a]), 0);

/* A gather or scatter: elements before, of and after the indexed axes of this shape, and the row of
 * them that each element of the indices chooses. */
function indexedRows(n, a, shape) {
  const {axis} = n.attr;
  const end = axis + a.length - 1;
  const rows = size(shape.slice(axis, end));
  const row = Array.from(a[1].v, (_, i) =>
    a.slice(1).reduce((r, index, k) => r * shape[axis + k] + index.v[i], 0)
  );
  return {outer: size(shape.slice(0, axis)), rows, inner: size(shape.slice(end)), row};
}

const mapOf = {
  expand: (n, x) => walk(n.shape, spread(n.shape, kept(n, n.shape.length), x), 0),
  permute: (n, x) =>
    walk(
      n.shape,
      n.attr.perm.map(p => strides(x)[p]),
      0
    ),
  slice: (n, x) => walk(n.shape, stepped(n, x), 0),
  pad: (n, x) => walk(x, stepped(n, n.shape), 0),
  collect: (n, x) => walk(x, stepped(n, n.shape), 0),
  sum: (n, x) => walk(x, spread(x, kept(n, x.length), n.shape), 0),
  max: (n, x) => walk(x, spread(x, kept(n, x.length), n.shape), 0)
};

const mapped = (n, args) => n.map || (n.map = mapOf[n.op](n, args[0].shape));

/* ---- whole tensors: each fills y from its operands ---- */
const read = (n, y, a) => {
  const map = mapped(n, a);
  const x = a[0].v;
  for (let k = 0; k < y.length; k++) y[k] = x[map[k]];
};

const outerInner = (shape, axis) => [
  size(shape.slice(0, axis)),
  shape[axis],
  size(shape.slice(axis + 1))
];

const whole = {
  expand: read,
  permute: read,
  slice: (n, y, a) => {
    const map = mapped(n, a);
    const x = a[0].v;
    const start = startOf(n, a[0].shape);
    for (let k = 0; k < y.length; k++) y[k] = x[start + map[k]];
  },
  reshape: (n, y, a) => y.set(a[0].v),
  given: (n, y, a) => y.set(a[0].v),
  pad: (n, y, a) => {
    const map = mapped(n, a);
    const start = startOf(n, n.shape);
    y.fill(0);
    a[0].v.forEach((x, k) => {
      y[start + map[k]] = x;
    });
  },
  sum: (n, y, a) => {
    const map = mapped(n, a);
    const x = a[0].v;
    y.fill(0);
    for (let k = 0; k < x.length; k++) y[map[k]] += x[k];
  },
  max: (n, y, a) => {
    const map = mapped(n, a);
    const x = a[0].v;
    y.fill(-Infinity);
    for (let k = 0; k < x.length; k++) if (x[k] > y[map[k]] || x[k] !== x[k]) y[map[k]] = x[k];
  },
  concat(n, y, a) {
    const own = strides(n.shape);
    let start = 0;
    for (const x of a) {
      const map = walk(x.shape, own, start);
      x.v.forEach((e, k) => {
        y[map[k]] = e;
      });
      start += x.shape[n.attr.axis] * own[n.attr.axis];
    }
  },
  iota(n, y) {
    const [, d, inner] = outerInner(n.shape, n.attr.axis);
    for (let k = 0; k < y.length; k++) y[k] = Math.floor(k / inner) % d;
  },
  argmax(n, y, a) {
    const [outer, d, inner] = outerInner(a[0].shape, n.attr.axis);
    const x = a[0].v;
    for (let o = 0; o < outer; o++)
      for (let i = 0; i < inner; i++) {
        let best = 0;
        for (let k = 1; k < d; k++) {
          const now = x[(o * d + k) * inner + i];
          const top = x[(o * d + best) * inner + i];
          const isFirstNaN = now !== now && top === top; /* larger than any number */
          if (now > top || isFirstNaN) best = k;
        }
        y[o * inner + i] = best;
      }
  },
  gather(n, y, a) {
    const {outer, rows, inner, row} = indexedRows(n, a, a[0].shape);
    const x = a[0].v;
    for (let o = 0; o < outer; o++)
      row.forEach((r, i) => {
        for (let k = 0; k < inner; k++)
          y[(o * row.length + i) * inner + k] = x[(o * rows + r) * inner + k];
      });
  },
  scatter(n, y, a) {
    const {outer, rows, inner, row} = indexedRows(n, a, n.shape);
    const x = a[0].v;
    y.fill(0);
    for (let o = 0; o < outer; o++)
      row.forEach((r, i) => {
        for (let k = 0; k < inner; k++)
          y[(o * rows + r) * inner + k] += x[(o * row.length + i) * inner + k];
      });
  },
  matmul(n, y, [a, b]) {
    const [m, p] = n.shape.slice(-2);
    const {ta, tb} = n.attr;
    const k = a.shape[a.shape.length - (ta ? 2 : 1)];
    const x = a.v;
    const w = b.v;
    /* strides of a along i and l, of b along l and j */
    const [ai, al] = ta ? [1, m] : [k, 1];
    const [bl, bj] = tb ? [1, k] : [p, 1];
    for (let t = 0; t * m * p < y.length; t++)
      for (let i = 0; i < m; i++)
        for (let j = 0; j < p; j++) {
          let from = t * m * k + i * ai;
          let by = t * k * p + j * bj;
          let sum = 0;
          for (let l = 0; l < k; l++, from += al, by += bl) sum += x[from] * w[by];
          y[(t * m + i) * p + j] = sum;
        }
  },
  ...matrixOps,
  index: (n, y) => {
    y[0] = passAt[L.loops[n.attr.loop].level];
  },
  carried: () => {},
  loop: (n, y) => {
    y[0] = runLoop(n);
  },
  last: (n, y, [leaf, loop]) => y.set(loop.after[loop.args.indexOf(leaf.id)]),
  collect: (n, y, [, loop]) => y.set(loop.results[loop.outs.indexOf(n)]),
  passes: (n, y, [loop]) => y.set(loop.v),
  noise(n, y, a) {
    for (let i = 0; i < y.length; i++)
      y[i] = unit(BigInt(Math.trunc(a[0].v[0])), BigInt(sizeAt(n.attr.stream)), BigInt(i));
  }
};

/* ---- loops: a body is computed in each pass; after all of them its nodes have the values of the
 * pass that the reader chose ---- */

/* By loop: the nodes of its body, without the bodies of loops inside it. */
const inside = L.loops.map((_, k) => L.nodes.filter(n => n.loop === k));

/* The operands of a node; those of a loop are also what its body uses. */
const usesOf = n =>
  n.op === 'loop' ? n.args.concat(inside[n.attr.loop].flatMap(usesOf)) : n.args;

/* The nodes in the body of loop k (undefined: in none), operands first. A loop may use what was
 * made after it. */
function inOrder(k) {
  const done = new Set();
  const out = [];
  const visit = n => {
    if (!n || n.loop !== k || done.has(n)) return;
    done.add(n);
    usesOf(n).forEach(id => visit(node.get(id)));
    out.push(n);
  };
  L.nodes.forEach(visit);
  return out;
}

const bodies = L.loops.map((_, k) => inOrder(k));
for (const n of L.nodes)
  if (n.op === 'loop')
    n.outs = L.nodes.filter(e => e.op === 'collect' && e.args[1] === n.id);

/* Do nodes of the loops that are run keep the values of the chosen pass? */
let showing = true;

/* Adds what a pass gives to the sums of a loop. */
function collectPass(n) {
  n.outs.forEach((e, k) => {
    const part = e.operands[0];
    const map = mapped(e, e.operands);
    const start = startOf(e, e.shape);
    const sum = n.results[k];
    for (let i = 0; i < map.length; i++) sum[start + map[i]] += part.v[i];
  });
}

/* Is this the pass to show? Without a test it is known how many there will be. */
function isShown(k, p, passes, test) {
  const wanted = chosenPass(k);
  return test ? p <= wanted : p === Math.min(wanted, passes - 1);
}

/* Runs all passes; returns how many there were. */
function runLoop(n) {
  const k = n.attr.loop;
  const {level, down, variables} = L.loops[k];
  const a = n.operands;
  const test = n.attr.kind & 1 ? a[3 * variables] : null;
  const passes = n.attr.kind & 2 ? a[3 * variables + (test ? 1 : 0)].v[0] : L.loops[k].passes;
  const was = {showing, pass: passAt[level]};
  let shown = was.pass;
  let done = 0;

  /* what is computed is not what is shown */
  for (const e of bodies[k]) {
    e.shown = e.v;
    e.v = e.work || new Float64Array(size(e.shape));
  }
  n.outs.forEach(e => {
    e.operands = e.operands || e.args.map(id => node.get(id));
  });
  n.results = n.outs.map(e => new Float64Array(size(e.shape)));
  for (let i = 0; i < variables; i++) a[i].v.set(a[variables + i].v);

  for (; done < passes; done++) {
    const p = down ? passes - 1 - done : done;
    passAt[level] = p;
    showing = was.showing && isShown(k, p, passes, test);
    bodies[k].forEach(computeNode);
    if (test && test.v[0] === 0) break;
    collectPass(n);
    if (showing) {
      shown = p;
      for (const e of bodies[k]) e.shown = e.v.slice();
    }
    const next = a.slice(2 * variables, 3 * variables).map(e => e.v.slice());
    next.forEach((v, i) => a[i].v.set(v));
  }

  n.after = a.slice(0, variables).map(e => e.v.slice());
  for (const e of bodies[k]) {
    e.work = e.v;
    e.v = e.shown || e.v.slice();
  }
  showing = was.showing;
  passAt[level] = showing ? shown : was.pass;
  return done;
}

/* ---- the graph ---- */
const isGiven = n => n.args.length === 0 && n.op !== 'iota' && n.loop === undefined;
const live =
  L.live && L.nodes.every(n => (isGiven(n) ? n.v : n.op in elementwise || n.op in whole));

/* Ints go round, modulo 2^32. */
const GOES_ROUND = ['add', 'sub', 'neg', 'sum'];
const elementFunction = n => (n.attr.int && n.op === 'mul' ? Math.imul : elementwise[n.op]);

function computeNode(n) {
  const a = n.operands || (n.operands = n.args.map(id => node.get(id)));
  if (!n.v) n.v = new Float64Array(size(n.shape));
  const y = n.v;
  const f = elementFunction(n);
  if (!f) whole[n.op](n, y, a);
  else if (a.length === 1) {
    const x = a[0].v;
    for (let k = 0; k < y.length; k++) y[k] = f(x[k]);
  } else if (a.length === 2) {
    const x = a[0].v;
    const w = a[1].v;
    for (let k = 0; k < y.length; k++) y[k] = f(x[k], w[k]);
  } else {
    const c = a[0].v;
    const x = a[1].v;
    const w = a[2].v;
    for (let k = 0; k < y.length; k++) y[k] = f(c[k], x[k], w[k]);
  }
  if (n.attr.int && GOES_ROUND.includes(n.op)) for (let k = 0; k < y.length; k++) y[k] |= 0;
}

const outside = inOrder(undefined);
const computed = outside.filter(n => !isGiven(n));
function compute(list = computed) {
  showing = list === computed;
  list.forEach(computeNode);
  showing = true;
  epoch++;
}

/* Computes what is not to be shown. */
function computeAside(list) {
  showing = false;
  list.forEach(computeNode);
  showing = true;
}

/* What `ids` are computed from, operands first. Loops compute their bodies: these are left out,
 * unless one of `ids` is in one. */
function needed(ids) {
  const need = new Set(ids);
  for (let k = L.nodes.length - 1; k >= 0; k--)
    if (need.has(L.nodes[k].id)) L.nodes[k].args.forEach(a => need.add(a));
  const list = ids.some(id => node.get(id).loop !== undefined) ? L.nodes : outside;
  return list.filter(n => need.has(n.id));
}

/* What depends on one of `ids`, as a set of ids. A loop depends on what is in its body. */
function dependents(ids) {
  const from = new Set(ids);
  for (const n of L.nodes) {
    if (!from.has(n.id) && !n.args.some(a => from.has(a))) continue;
    from.add(n.id);
    for (const k of loopsAround(n.loop))
      for (const e of L.nodes) if (e.op === 'loop' && e.attr.loop === k) from.add(e.id);
  }
  return from;
}

/* Elements to compute for these nodes, those in loops once for each pass. */
const costOf = list => list.reduce((t, n) => t + (n.op === 'loop' ? costOfLoop(n) : size(n.shape)), 0);
const costOfLoop = n => L.loops[n.attr.loop].passes * costOf(bodies[n.attr.loop]);

if (live) compute();
