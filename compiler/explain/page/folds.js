/* folds.js - parts of the model, each folded into one box: which boxes are seen, and the steps that
 * walk them. */

/* ---- the tree of parts: "h.0.ffn.W" is in h.0.ffn, that in h.0, that in the net ---- */
const NET = '\u2217';

/* "h.0.attention" -> h.0, h.0.attention: a number goes with the name before it. */
function prefixes(group) {
  const out = [];
  let path = '';
  for (const word of group ? group.split('.') : []) {
    if (/^\d+$/.test(word) && out.length) out.pop();
    path += (path ? '.' : '') + word;
    out.push(path);
  }
  return out;
}

/* The loops that an item is in, from the outermost, as parts; a loop is in its own part. */
const loopOf = t => (t.kind === 'loop' ? node.get(t.node).attr.loop : t.loop);
const loopParts = t =>
  loopsAround(loopOf(t))
    .reverse()
    .filter(k => L.loops[k].item !== null)
    .map(k => items[L.loops[k].item].name);

const members = new Map(); /* part -> items */
const chain = items.map((t, i) => [
  ...(t.kind === 'input' || t.kind === 'loss' ? [] : [NET]),
  ...loopParts(t),
  ...prefixes(t.group)
]);

chain.forEach((parts, i) =>
  parts.forEach(p => {
    if (!members.has(p)) members.set(p, []);
    members.get(p).push(i);
  })
);

/* A part of one item, or of all items that the part around it has, folds nothing. */
function isWorthFolding(part, outer) {
  const size = members.get(part).length;
  if (size <= 1) return false;
  if (part === NET || outer === undefined || outer === NET) return true;
  return members.get(outer).length > size;
}

for (const [i, parts] of chain.entries())
  chain[i] = parts.filter((p, k) => isWorthFolding(p, parts[k - 1]));
const parts = [...members.keys()].filter(p => p !== NET);
const closed = new Set();
const outermost = new Set(chain.map(c => c.find(p => p !== NET)).filter(p => p));

/* The levels of detail. A model of few operations starts with all of them. */
const detailLevels = {
  op: () => closed.clear(),
  layer: () => {
    closed.clear();
    outermost.forEach(p => closed.add(p));
  },
  net: () => {
    detailLevels.layer();
    closed.add(NET);
  }
};

/* Is the value known before the first step? */
const isStart = t => !t.formula || t.kind === 'data';

/* Values that depend on nothing that is given: masks, counts. */
const constant = items.map(() => true);
items.forEach((t, i) => {
  const isFixed = (t.formula || t.kind === 'data') && loopOf(t) === null;
  constant[i] = isFixed && t.args.every(a => constant[a]);
});

/* ---- the boxes: {key, name, part (null: an item), items, result, args, out} in order ---- */
let boxes = [];
let boxOf = [];
let steps = [];

/* By item: the outermost closed part that it is in, or the item itself. A part takes in the values
 * that it is computed from and that are computed from it, so that boxes have an order. */
function foldKeys() {
  const key = items.map((t, i) => chain[i].find(p => closed.has(p)) || i);
  if (!closed.size) return key;
  for (let cycle = findCycle(key); cycle; cycle = findCycle(key)) {
    const parts = [...cycle].filter(k => typeof k === 'string');
    const into = parts.sort((a, b) => members.get(b).length - members.get(a).length)[0];
    key.forEach((k, i) => {
      if (cycle.has(k) && k !== into) key[i] = into;
    });
  }
  return key;
}

function newBox(key) {
  const part = typeof key === 'string' ? key : null;
  return {key, part, items: [], args: new Set(), users: new Set(), given: true};
}

/* The result, the name and the counts of a box, from its items. */
function describeBox(b) {
  const made = b.items.filter(i => !isStart(items[i]));
  const own = made.filter(i => b.part === NET || chain[i].includes(b.part));
  const [candidates] = [own, made, b.items].filter(list => list.length);
  const values = candidates.filter(i => items[i].kind !== 'loop'); /* the loop itself is a number */
  [b.result] = (values.length ? values : candidates).slice(-1);
  b.name = b.part === NET ? T('the net') : b.part || items[b.result].name;
  b.params = b.items.filter(i => items[i].kind === 'param');
  b.made = made.length;
}

/* Which box is computed from which. Parts share masks and the like: no line is drawn for these,
 * unless the box has nothing else. */
function linkBoxes() {
  const link = (from, to) => {
    if (from === to) return;
    to.args.add(from);
    from.users.add(to);
  };
  const isConstant = b => b.items.every(k => constant[k]);
  const shared = new Map(); /* box of constants -> its users */

  items.forEach((t, i) =>
    t.args.forEach(a => {
      const from = boxOf[a];
      const to = boxOf[i];
      if (!(constant[a] && from.part && to.part)) link(from, to);
      else if (from !== to && isConstant(from))
        shared.set(from, (shared.get(from) || new Set()).add(to));
    })
  );
  for (const [from, all] of shared) {
    if (from.users.size) continue;
    for (const to of all) if (!isConstant(to)) link(from, to);
  }
}

function fold() {
  const key = foldKeys();
  const all = new Map();
  boxOf = items.map((t, i) => {
    if (!all.has(key[i])) all.set(key[i], newBox(key[i]));
    const b = all.get(key[i]);
    b.items.push(i);
    b.given = b.given && isStart(t);
    return b;
  });
  boxes = [...all.values()];

  boxes.forEach(describeBox);
  linkBoxes();
  order();
  steps = walkForward().concat(walkBackward(), walkUpdates());
}

/* By key: the keys that it is computed from, without constants that parts share. */
function keyArgs(key) {
  const args = new Map();
  const isPart = k => typeof k === 'string';
  items.forEach((t, i) => {
    if (!args.has(key[i])) args.set(key[i], new Set());
    for (const a of t.args) {
      const isShared = constant[a] && isPart(key[a]) && isPart(key[i]);
      if (key[a] !== key[i] && !isShared) args.get(key[i]).add(key[a]);
    }
  });
  return args;
}

/* The keys of boxes that are computed from each other, or null: Tarjan's strongly connected
 * components. */
function findCycle(key) {
  const args = keyArgs(key);
  const index = new Map();
  const low = new Map();
  const stack = [];
  const visit = k => {
    let found = null;
    index.set(k, index.size);
    low.set(k, index.get(k));
    stack.push(k);
    for (const a of args.get(k)) {
      if (!index.has(a)) {
        found = visit(a);
        if (found) return found;
        low.set(k, Math.min(low.get(k), low.get(a)));
      } else if (stack.includes(a)) low.set(k, Math.min(low.get(k), index.get(a)));
    }
    if (low.get(k) === index.get(k)) {
      const component = stack.splice(stack.indexOf(k));
      if (component.length > 1) return new Set(component);
    }
    return null;
  };
  for (const k of args.keys()) {
    const found = index.has(k) ? null : visit(k);
    if (found) return found;
  }
  return null;
}

/* Boxes come after what they are computed from, and otherwise in the order of their results. */
function order() {
  const done = new Set();
  const out = [];
  const visit = b => {
    if (done.has(b)) return;
    done.add(b);
    [...b.args].sort((p, q) => p.result - q.result).forEach(visit);
    out.push(b);
  };
  boxes.sort((a, b) => a.result - b.result).forEach(visit);
  if (closed.size) boxes = out; /* with nothing folded they are in order */
  boxes.forEach((b, k) => {
    b.order = k;
  });
}

const walkForward = () =>
  boxes.filter(b => b.made).map(box => ({kind: 'forward', box, base: box.made}));

/* Many updates, such as those of an optimizer's state, are one step. */
function walkUpdates() {
  const lists = L.updates.length > 12 ? [L.updates] : L.updates.map(u => [u]);
  return lists.map(list => ({kind: 'update', list, base: list.length}));
}

/* When the sweep comes to a step: higher is earlier. What a loop gives to what it uses comes after
 * all of its body. */
function turnOf(s) {
  const t = items[s.y];
  const own = boxOf[s.y].order;
  if (t.kind !== 'loop' || boxOf[s.y].part) return own;
  const body = items.map((e, i) => i).filter(i => loopsAround(items[i].loop).includes(loopOf(t)));
  return Math.min(own, ...body.map(i => boxOf[i].order - 0.5));
}

/* The steps of a folded part are one. Boxes are walked from the last on, as in the sweep where
 * nothing is folded. */
function walkBackward() {
  const out = [];
  for (const of of new Set(L.steps.map(s => s.loss))) {
    const list = L.steps
      .filter(s => s.loss === of)
      .sort((a, b) => turnOf(b) - turnOf(a));
    for (const s of list) {
      const box = boxOf[s.y];
      const last = out[out.length - 1];
      if (box.part && last && last.box === box && last.loss === of) {
        last.list.push(s);
        last.base++;
      } else out.push({kind: 'backward', box, loss: of, list: [s], base: 1});
    }
  }
  return out;
}

/* Is it about the gradient itself, and not about what one pass of a loop gives to it? */
const isWhole = s => items[s.x].loop === (s.loop === null ? null : L.loops[s.loop].of);

/* What is known after the first k steps: items that have values (done), and the gradients so far of
 * the loss `of` (sum). */
function known(k) {
  const done = new Set(items.map((t, i) => (isStart(t) ? i : -1)));
  const sum = new Map();
  const use = new Map();
  let of = loss;
  let update = false;
  for (const e of steps.slice(0, k)) {
    if (e.kind === 'forward') e.box.items.forEach(i => done.add(i));
    if (e.kind === 'backward') {
      if (e.loss !== of) sum.clear();
      of = e.loss;
      e.list.filter(isWhole).forEach(s => {
        if (!sum.has(s.x) || s.use >= use.get(s.x)) {
          sum.set(s.x, s.sum);
          use.set(s.x, s.use);
        }
      });
    }
    update = update || e.kind === 'update';
  }
  return {done, sum, of, update};
}
