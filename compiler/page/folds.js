/* folds.js - parts of the model folded into one box each: which boxes are seen, and the steps that walk them. */

/* ---- the tree of parts: "h.0.attention.W" is in h.0.attention, which is in h.0, which is in the net ---- */
const NET = '\u2217';
function prefixes(group) { /* a number goes with the name before it */
  const out = [];
  let path = '';
  for (const word of group ? group.split('.') : []) {
    if (/^\d+$/.test(word) && out.length) out.pop();
    path += (path ? '.' : '') + word;
    out.push(path);
  }
  return out;
}
const members = new Map(); /* part -> items */
const chain = items.map((t, i) => [...(t.kind === 'input' || t.kind === 'loss' ? [] : [NET]), ...prefixes(t.group)]);
chain.forEach((parts, i) => parts.forEach(p => { if (!members.has(p)) members.set(p, []); members.get(p).push(i); }));
for (const [i, parts] of chain.entries()) /* a part of one item, or of all that the part around it has, folds nothing */
  chain[i] = parts.filter((p, k) => members.get(p).length > 1 && (k === 0 || p === NET || members.get(parts[k - 1]).length > members.get(p).length || parts[k - 1] === NET));
const parts = [...members.keys()].filter(p => p !== NET);
const closed = new Set();
const outermost = new Set(chain.map(c => c.find(p => p !== NET)).filter(p => p));

/* The levels of detail. A model of few operations starts with all of them. */
const detailLevels = {
  op: () => closed.clear(),
  layer: () => { closed.clear(); outermost.forEach(p => closed.add(p)); },
  net: () => { detailLevels.layer(); closed.add(NET); },
};

/* What is known before the first step; and what depends on nothing that is given: masks, counts. */
const isStart = t => !t.formula || t.kind === 'data';
const constant = items.map(() => true);
items.forEach((t, i) => { constant[i] = (t.formula || t.kind === 'data') && t.args.every(a => constant[a]); });

/* ---- the boxes: {key, name, part (null: an item), items, result, args, out} in order ---- */
let boxes = [], boxOf = [], steps = [];
function fold() {
  const key = items.map((t, i) => chain[i].find(p => closed.has(p)) || i);
  let cycle = closed.size ? findCycle(key) : null;
  for (; cycle; cycle = findCycle(key)) { /* values that a part computes from and computes with belong to it */
    const parts = [...cycle].filter(k => typeof k === 'string'), into = parts.sort((a, b) => members.get(b).length - members.get(a).length)[0];
    key.forEach((k, i) => { if (cycle.has(k) && k !== into) key[i] = into; });
  }
  const all = new Map();
  boxOf = items.map((t, i) => {
    if (!all.has(key[i])) all.set(key[i], {key: key[i], part: typeof key[i] === 'string' ? key[i] : null, items: [], args: new Set(), users: new Set(), given: true});
    const b = all.get(key[i]);
    b.items.push(i);
    b.given = b.given && isStart(t);
    return b;
  });
  boxes = [...all.values()];
  for (const b of boxes) {
    const made = b.items.filter(i => !isStart(items[i])), own = made.filter(i => b.part === NET || chain[i].includes(b.part));
    b.result = (own.length ? own : made.length ? made : b.items).slice(-1)[0];
    b.name = b.part === NET ? 'the net' : b.part || items[b.result].name;
    b.params = b.items.filter(i => items[i].kind === 'param');
    b.made = made.length;
  }
  const link = (from, to) => { if (from !== to) { to.args.add(from); from.users.add(to); } };
  const shared = new Map(); /* parts share masks and the like: not worth a line, unless it is all that they are there for */
  items.forEach((t, i) => t.args.forEach(a => {
    const from = boxOf[a], to = boxOf[i];
    if (constant[a] && from.part && to.part) { if (from !== to && from.items.every(k => constant[k])) shared.set(from, (shared.get(from) || new Set()).add(to)); } else link(from, to);
  }));
  for (const [from, all] of shared) if (!from.users.size) all.forEach(to => { if (!to.items.every(k => constant[k])) link(from, to); });
  order();
  steps = walkForward().concat(walkBackward(), walkUpdates());
}

/* The keys of boxes that are computed from each other, or null: Tarjan's strongly connected components. */
function findCycle(key) {
  const args = new Map();
  items.forEach((t, i) => {
    if (!args.has(key[i])) args.set(key[i], new Set());
    t.args.forEach(a => { if (key[a] !== key[i] && !(constant[a] && typeof key[a] === 'string' && typeof key[i] === 'string')) args.get(key[i]).add(key[a]); });
  });
  const index = new Map(), low = new Map(), stack = [];
  const visit = k => {
    let found = null;
    index.set(k, index.size);
    low.set(k, index.get(k));
    stack.push(k);
    for (const a of args.get(k)) {
      if (!index.has(a)) { found = visit(a); if (found) return found; low.set(k, Math.min(low.get(k), low.get(a))); }
      else if (stack.includes(a)) low.set(k, Math.min(low.get(k), index.get(a)));
    }
    if (low.get(k) === index.get(k)) {
      const component = stack.splice(stack.indexOf(k));
      if (component.length > 1) return new Set(component);
    }
    return null;
  };
  for (const k of args.keys()) { const found = index.has(k) ? null : visit(k); if (found) return found; }
  return null;
}

/* Boxes come after what they are computed from, and otherwise as their results stand in the model. */
function order() {
  const done = new Set(), out = [];
  const visit = b => {
    if (done.has(b)) return;
    done.add(b);
    [...b.args].sort((p, q) => p.result - q.result).forEach(visit);
    out.push(b);
  };
  boxes.sort((a, b) => a.result - b.result).forEach(visit);
  if (closed.size) boxes = out; /* with nothing folded they are in order */
  boxes.forEach((b, k) => { b.order = k; });
}
const walkForward = () => boxes.filter(b => b.made).map(box => ({kind: 'forward', box, base: box.made}));
/* Many updates, those of an optimizer's state among them, are told at once. */
const walkUpdates = () => (L.updates.length > 12 ? [L.updates] : L.updates.map(u => [u])).filter(list => list.length).map(list => ({kind: 'update', list, base: list.length}));
/* The steps of a folded part are one. Boxes are walked from the last on: with nothing folded that is the order of the sweep. */
function walkBackward() {
  const out = [];
  for (const of of new Set(L.steps.map(s => s.loss))) {
    const list = L.steps.filter(s => s.loss === of).sort((a, b) => boxOf[b.y].order - boxOf[a.y].order);
    for (const s of list) {
      const box = boxOf[s.y], last = out[out.length - 1];
      if (box.part && last && last.box === box && last.loss === of) { last.list.push(s); last.base++; }
      else out.push({kind: 'backward', box, loss: of, list: [s], base: 1});
    }
  }
  return out;
}

/* What is known after the first k steps: items that have values, and sums of contributions so far, by loss. */
function known(k) {
  const done = new Set(items.map((t, i) => isStart(t) ? i : -1)), sum = new Map(), use = new Map();
  let of = loss, update = false;
  for (const e of steps.slice(0, k)) {
    if (e.kind === 'forward') e.box.items.forEach(i => done.add(i));
    if (e.kind === 'backward') {
      if (e.loss !== of) sum.clear();
      of = e.loss;
      e.list.forEach(s => { if (!sum.has(s.x) || s.use >= use.get(s.x)) { sum.set(s.x, s.sum); use.set(s.x, s.use); } });
    }
    update = update || e.kind === 'update';
  }
  return {done, sum, of, update};
}
