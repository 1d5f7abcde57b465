/* graph.js - the graph, drawn from left to right in layers. Reversed, it has local slopes on its
 * edges. */
const BOX_W = 154;
const BOX_H = 68;
const GAP_Y = 14;
const THREAD = 12;
let drawn = new Map();
let wires = [];
let reversed = false;
let zoom = 1;

/* A box is as far right as its longest way from a leaf; a leaf is just before its first user. */
function placeInColumns() {
  for (const b of boxes) b.column = 0;
  for (const b of boxes)
    for (const a of b.args) if (a.order < b.order) b.column = Math.max(b.column, a.column + 1);
  for (const b of boxes)
    if (!b.args.size && b.users.size)
      b.column = Math.max(0, Math.min(...[...b.users].map(u => u.column)) - 1);
}

/* The entries of each column, and edges. An edge over several columns is a thread with an entry in
 * each of them. */
function columnsOf() {
  placeInColumns();
  const columns = [];
  const put = (c, e) => {
    (columns[c] = columns[c] || []).push(e);
    return e;
  };
  const entry = new Map(
    boxes.map(b => [b, put(b.column, {box: b, height: BOX_H + GAP_Y, left: [], right: []})])
  );
  const links = [];
  for (const b of boxes)
    for (const a of b.args) {
      const thread = [entry.get(a)];
      for (let c = a.column + 1; c < b.column; c++)
        thread.push(put(c, {height: THREAD, left: [], right: []}));
      thread.push(entry.get(b));
      for (let k = 1; k < thread.length; k++) {
        thread[k - 1].right.push(thread[k]);
        thread[k].left.push(thread[k - 1]);
      }
      links.push({from: a, to: b, thread});
    }
  return {columns: Array.from(columns, c => c || []), links, entry};
}

/* Heights: each entry wants to be at the mean of its neighbours. Entries do not overlap. */
function settle(columns) {
  for (const c of columns) {
    let y = 0;
    for (const e of c) {
      e.y = y + e.height / 2;
      y += e.height;
    }
  }
  const mean = (list, own) => (list.length ? list.reduce((s, e) => s + e.y, 0) / list.length : own);
  for (let pass = 0; pass < 8; pass++)
    for (let q = 0; q < columns.length; q++) {
      const c = columns[pass % 2 ? columns.length - 1 - q : q];
      for (const e of c) {
        const near = pass % 2 ? e.right : e.left;
        const far = pass % 2 ? e.left : e.right;
        e.want = near.length ? mean(near, e.y) : mean(far, e.y);
      }
      c.sort((a, b) => a.want - b.want);
      let low = -Infinity;
      let shift = 0;
      for (const e of c) {
        e.y = Math.max(e.want, low + e.height / 2);
        low = e.y + e.height / 2;
        shift += e.y - e.want;
      }
      for (const e of c) e.y -= shift / c.length;
    }
}

const ruler = document.createElement('canvas').getContext('2d');
const FONT = '"Inter", "Segoe UI", "Helvetica Neue", "Liberation Sans", Arial, sans-serif';

/* The text as far as it fits into a box. */
function fit(s, style) {
  ruler.font = style + ' ' + FONT;
  while (s.length > 2 && ruler.measureText(s).width > BOX_W - 8) s = s.slice(0, -2) + '\u2026';
  return s;
}

const cut = (s, most) => (s.length > most ? s.slice(0, most - 1) + '\u2026' : s);

/* What is below the name of a box: a formula, a kind, or what is folded. */
function wordsOf(b) {
  const t = items[b.result];
  if (!b.part && t.kind === 'loop') return t.formula.slice(t.name.length);
  if (!b.part) return isStart(t) ? kindOf(t) : '= ' + t.formula;
  const params = b.params.length ? ', ' + count(b.params.length, 'param') : '';
  return count(b.made, 'op') + params;
}

/* The same in a sentence, for those who do not see the drawing. */
function spokenWords(b) {
  if (b.part) return `${T('%1, folded', b.name)}: ${wordsOf(b)}`;
  return b.name + (isStart(items[b.result]) ? ', ' : ' ') + wordsOf(b);
}

/* The radius of a box's corners. */
function cornerOf(kind) {
  if (kind === 'input' || kind === 'data') return BOX_H / 2;
  return kind === 'param' || kind === 'frozen' || kind === 'state' ? 0 : 9;
}

function drawBox(b, x, y) {
  const t = items[b.result];
  const kind = b.part ? 'part' : t.kind;
  const words = wordsOf(b);
  const g = svg('g', {
    class: 'unit ' + kind + (b.items.includes(lossItem) ? ' loss' : ''),
    transform: `translate(${x} ${y})`,
    tabindex: 0,
    role: 'button',
    'aria-label': spokenWords(b)
  });

  const rx = cornerOf(kind);
  const rect = d => svg('rect', {class: 'box', x: d, y: d, width: BOX_W, height: BOX_H, rx});
  if (b.part) g.append(rect(5), rect(2.5)); /* a stack */
  const text = (dy, cls, s) =>
    svg('text', {x: BOX_W / 2, y: dy, class: cls, 'text-anchor': 'middle'}, s);
  const v = text(48, 'v', '');
  const d = text(62, 'g', '');
  const isComputed = !b.part && !isStart(t);
  g.append(
    rect(0),
    svg('title', {}, b.name + (isComputed ? ' ' + words : ` (${words})`)),
    text(17, 'name', fit(b.name, '700 12px')),
    text(32, 'soft', fit(words, '11px')),
    v,
    d
  );

  for (const on of ['mouseenter', 'focus']) g.addEventListener(on, () => linkBox(b));
  for (const off of ['mouseleave', 'blur']) g.addEventListener(off, () => linkBox(null));
  g.addEventListener('click', () => {
    if (!dragged) openBox(b);
  });
  g.addEventListener('keydown', e => {
    if (e.key !== 'Enter' && e.key !== ' ') return;
    e.preventDefault();
    openBox(b);
  });
  return {g, v, d};
}

/* du/dx beside the edge from u back to x: the local slope, a number where it is one. */
function slopeLabel(a, b) {
  if (a.part || b.part) return '';
  const s = L.steps.filter(e => e.y === b.result && e.x === a.result && e.loss === loss);
  if (!s.length) return '';

  const isNumber = e => e.slope !== null && node.get(e.dy).shape.length === 0;
  const parts = s.map(e => (isNumber(e) ? number(slopeOf(e), 4) : e.local));
  if (!parts.every(p => p)) return '';
  return `\u2202${items[b.result].name}/\u2202${items[a.result].name} = ${parts.join(' + ')}`;
}

/* The points of a wire: [x, y], and for an entry of a thread [x, y, its other end]. */
function pointsOf(w, place) {
  const last = w.thread.length - 1;
  return w.thread.map((e, k) => {
    const x = place.x(w.from.column + k);
    const y = e.y - place.top;
    if (k === 0) return [x + BOX_W, y];
    if (k === last) return [place.x(w.to.column), y];
    return [x, y, x + BOX_W];
  });
}

function pathOf(w, points, place) {
  let [x, y] = points[0];
  let d = `M${x} ${y}`;
  if (w.to.column <= w.from.column) {
    /* a fold made a cycle: the wire goes round below */
    const [x2, y2] = [place.x(w.to.column), points[points.length - 1][1]];
    return d + ` C${x + 60} ${y + 90} ${x2 - 60} ${y2 + 90} ${x2} ${y2}`;
  }
  for (const [x2, y2, x3] of points.slice(1)) {
    const bend = Math.max(18, (x2 - x) / 2);
    d += ` C${x + bend} ${y} ${x2 - bend} ${y2} ${x2} ${y2}`;
    if (x3 !== undefined) d += ` H${x3}`;
    [x, y] = [x3 === undefined ? x2 : x3, y2];
  }
  return d;
}

function drawWire(w, place) {
  const points = pointsOf(w, place);
  const arrow = reversed ? {'marker-start': 'url(#from)'} : {'marker-end': 'url(#to)'};
  w.path = svg('path', {d: pathOf(w, points, place), class: 'wire', ...arrow});
  w.label = null;
  const label = reversed ? slopeLabel(w.from, w.to) : '';
  if (!label) return;

  const [before, end] = points.slice(-2);
  const x = ((before[2] || before[0]) + end[0]) / 2;
  const y = (before[1] + end[1]) / 2 - 5;
  w.label = svg('text', {class: 'slope g', x, y, 'text-anchor': 'middle'}, cut(label, 30));
}

function drawGraph() {
  const {columns, links, entry} = columnsOf();
  settle(columns);
  const all = columns.flat();
  const top = all.reduce((y, e) => Math.min(y, e.y - e.height / 2), Infinity);
  const bottom = all.reduce((y, e) => Math.max(y, e.y + e.height / 2), -Infinity);
  const gap = reversed ? 150 : 40;
  const place = {x: c => 10 + c * (BOX_W + gap), top: top - 6};
  const width = 20 + columns.length * (BOX_W + gap) - gap + 5;
  const height = bottom - top + 14;

  const arrow = (id, d, refX) =>
    svg(
      'marker',
      {
        id,
        viewBox: '0 0 8 8',
        refX,
        refY: 4,
        markerWidth: 8,
        markerHeight: 8,
        markerUnits: 'userSpaceOnUse',
        orient: 'auto'
      },
      svg('path', {d, class: 'tip'})
    );
  const picture = svg(
    'svg',
    {
      viewBox: `0 0 ${width} ${height}`,
      role: 'img',
      'aria-label': T('the computation graph'),
      class: reversed ? 'reversed' : ''
    },
    svg('defs', {}, arrow('to', 'M0 1 L8 4 L0 7 Z', 8), arrow('from', 'M8 1 L0 4 L8 7 Z', 0))
  );

  drawn = new Map();
  wires = links;
  const labels = [];
  for (const w of wires) {
    drawWire(w, place);
    picture.append(w.path);
    if (w.label) labels.push(w.label);
  }
  for (const b of boxes) {
    const e = drawBox(b, place.x(b.column), entry.get(b).y - place.top - BOX_H / 2);
    drawn.set(b, e);
    picture.append(e.g);
  }
  picture.append(...labels);
  picture.natural = [width, height];
  $('graph').replaceChildren(picture);
  zoomTo(zoom);
}

function zoomTo(z) {
  const picture = $('graph').firstChild;
  zoom = Math.max(0.15, Math.min(3, z));
  picture.setAttribute('width', picture.natural[0] * zoom);
  picture.setAttribute('height', picture.natural[1] * zoom);
}

/* The graph is between the two texts where it is readable there, else above them. */
const READABLE = 0.72;
function zoomFit() {
  const [w, h] = $('graph').firstChild.natural;
  const g = $('graph');
  const main = document.querySelector('main');
  main.classList.remove('wide');
  main.classList.toggle('wide', innerWidth < 1000 || w * READABLE > g.clientWidth);
  const wide = main.classList.contains('wide');
  const room = wide ? innerHeight * 0.58 : g.clientHeight;
  zoomTo(Math.min(1, Math.max(READABLE, Math.min((g.clientWidth - 4) / w, (room - 4) / h))));
}

/* On paper a wide graph is cut into rows, one below the other. */
const PAPER = 1300;
function cutGraph() {
  const picture = $('graph').firstChild;
  const [w, h] = picture.natural;
  const rows = Math.ceil(w / PAPER);
  const each = w / rows;
  if (rows < 2) return;
  $('graph').replaceChildren(
    ...Array.from({length: rows}, (_, k) => {
      const row = picture.cloneNode(true);
      row.setAttribute('viewBox', `${k * each} 0 ${each} ${h}`);
      row.setAttribute('width', each);
      row.setAttribute('height', h);
      return row;
    })
  );
}

function seeBox(b) {
  const g = $('graph');
  const e = drawn.get(b).g.getBoundingClientRect();
  const r = g.getBoundingClientRect();
  if (e.left < r.left || e.right > r.right)
    g.scrollLeft += e.left - r.left - r.width / 2 + e.width / 2;
  if (e.top < r.top || e.bottom > r.bottom)
    g.scrollTop += e.top - r.top - r.height / 2 + e.height / 2;
}

/* The graph is moved by dragging it. */
let dragged = false;
function allowDrag(area) {
  let from = null;
  area.addEventListener('pointerdown', e => {
    if (e.pointerType === 'mouse') {
      from = [e.clientX, e.clientY, area.scrollLeft, area.scrollTop];
      dragged = false;
    }
  });
  addEventListener('pointermove', e => {
    if (!from) return;
    if (Math.hypot(e.clientX - from[0], e.clientY - from[1]) > 4) dragged = true;
    area.scrollLeft = from[2] - e.clientX + from[0];
    area.scrollTop = from[3] - e.clientY + from[1];
  });
  addEventListener('pointerup', () => {
    from = null;
  });
}

/* The gradient of a box so far, if it has one. */
function gradientText(b, sum, of) {
  if (sum.has(b.result)) return 'grad ' + brief(sum.get(b.result), 17);
  const top = L.steps.find(s => s.loss === of);
  return top && b.result === top.y && sum.size ? 'grad 1' : '';
}

/* Values, gradients and marks after k steps, of which e is the last. */
function paintGraph(k, e) {
  const {done, sum, of} = known(k);
  document
    .querySelectorAll('#graph .now, #graph .fore, #graph .back')
    .forEach(x => x.classList.remove('now', 'fore', 'back'));
  for (const [b, box] of drawn) {
    box.v.textContent = done.has(b.result) ? brief(items[b.result].node) : '';
    box.d.textContent = gradientText(b, sum, of);
  }
  if (!e || !e.box) return;

  drawn.get(e.box).g.classList.add('now');
  const targets = e.kind === 'backward' ? new Set(e.list.map(s => boxOf[s.x])) : null;
  for (const w of wires)
    if (w.to === e.box && (!targets || targets.has(w.from)))
      w.path.classList.add(targets ? 'back' : 'fore');
  if (targets) targets.forEach(b => drawn.get(b).g.classList.add('now'));
  seeBox(e.box);
}
