/* board.js - what a step says, in words, as a formula and in numbers. Also a value in
 * full. */
const scalars = new Map(
  items.filter(t => node.get(t.node).shape.length === 0).map(t => [t.name, node.get(t.node)])
);

/* A formula with numbers for its names, in the body of loop k. */
const inNumbers = (f, k) =>
  f
    .replace(/(?<![\w.])[A-Za-z_][\w.]*(?!\w*\()/g, w => {
      const loop = loopsAround(k).find(j => L.loops[j].name === w);
      if (loop !== undefined) return indexShown(loop);
      return scalars.has(w) && scalars.get(w).v ? number(scalars.get(w).v[0]) : w;
    })
    .replace(/([-+*/^] ?)(-(inf|[0-9.]+(e-?\d+)?))/g, '$1($2)');

const passCount = x => x + ' ' + T(x === 1 ? 'pass' : 'passes');

/* What is said before the values of a loop's body. */
const inPass = k => (k === null || k === undefined ? '' : `${passText(k)}: `);

/* A loop, and what leaves it. */
function tellLoop(t) {
  const n = node.get(t.node);
  const isLoop = t.kind === 'loop';
  const passes = n.v ? n.v[0] : L.loops[n.attr.loop].passes;
  const body = T('The values of its body are those of one pass: the slider chooses which.');
  return {
    phase: 'forward',
    words: isLoop ? `${t.formula}, ${passCount(passes)}. ${body}` : T('%1 is %2.', t.name, t.formula),
    math: '',
    numbers: isLoop ? [] : [`${inPass(t.loop)}${t.name} = ${show(t.node)}`]
  };
}

function tellForward({box}) {
  const t = items[box.result];
  const scalar = nodeOf(box.result).shape.length === 0;
  if (!box.part && nodeOf(box.result).attr.loop !== undefined) return tellLoop(t);
  if (box.part)
    return {
      phase: 'forward',
      words:
        T(
          '%1: %2 folded into one box. Its result is %3. A click on the box opens it.',
          box.name,
          count(box.made, 'operation'),
          t.name
        ),
      math: '',
      numbers: [`${inPass(t.loop)}${t.name} = ${show(t.node)}`]
    };

  const from = [...new Set(t.args)].map(a => items[a].name).join(', ') || T('constants');
  const teach = t.teach ? ' \u2014 ' + T('backward, it will be: %1', T(t.teach)) : '';
  return {
    phase: 'forward',
    words: T('%1 is computed from %2', t.name, from) + teach,
    math: t.mathml ? `${mathName(t.name)}<mo>=</mo>${t.mathml}` : '',
    numbers: [
      `${inPass(t.loop)}${t.name} = `
        + `${scalar && t.numbers ? inNumbers(t.formula, t.loop) + ' = ' : ''}${show(t.node)}`
    ]
  };
}

/* The local slope at the values that the page has now: downstream over upstream. Where that says
 * nothing, the downstream of an upstream of 1. */
function slopeOf(s) {
  const dy = node.get(s.dy);
  const dx = node.get(s.dx);
  const up = dy.v && dy.v[0];
  if (up && dx.v && Number.isFinite(up) && (up === 1 || Number.isFinite(dx.v[0])))
    return dx.v[0] / up;

  const on = dependents([s.dy]);
  if (!live || !dy.v || !on.has(s.dx)) return num(s.slope);
  const between = needed([s.dx]).filter(n => on.has(n.id) && n !== dy);
  return tryValue(dy, 0, 1, between, dx);
}

/* The value of y with another number for x[k]. `list` is what depends on x. All is put back. */
function tryValue(x, k, at, list, y) {
  const was = x.v[k];
  const saved = list.map(n => n.v);
  list.forEach(n => {
    n.v = null;
  });
  x.v[k] = at;
  computeAside(list);
  const found = y.v[0];
  x.v[k] = was;
  list.forEach((n, q) => {
    n.v = saved[q];
  });
  return found;
}

/* Upstream times local slope is downstream, and what it adds up to. */
function contribution(s) {
  const dy = node.get(s.dy);
  const scalar = s.slope !== null && dy.v && dy.shape.length === 0 && node.get(s.dx).v;
  let product = '';
  if (scalar) {
    const slope = number(slopeOf(s));
    product = `${number(dy.v[0])} \u00d7 ${slope[0] === '-' ? `(${slope})` : slope} = `;
  }
  if (!s.use) return `${inPass(s.loop)}${s.downstream} = ${product}${show(s.dx)}`;
  const gets = T('%1 gets %2; together %1 = %3', s.downstream, product + show(s.dx), show(s.sum));
  return inPass(s.loop) + gets;
}

/* All steps of a folded box at once: the gradients that leave it. */
function tellFoldedBackward({box, list}) {
  const leave = list.filter(
    s => isWhole(s) && (items[s.x].kind === 'param' || boxOf[s.x] !== box)
  );
  const last = new Map(leave.map(s => [s.downstream, s]));
  const more = last.size > 8 ? [T('and %1 more, in the table of gradients', last.size - 8)] : [];
  return {
    phase: 'backward',
    words:
      T(
        'Through %1, folded: %2 of the chain rule. '
          + 'It takes %3 and hands on the gradients of what it was computed from.',
        box.name,
        count(list.length, 'step'),
        list[0].upstream
      ),
    math: '',
    numbers: [...last.values()]
      .slice(0, 8)
      .map(s => `${s.downstream} = ${show(s.sum)}`)
      .concat(more)
  };
}

/* What a loop gives to a value outside, after all of its passes. */
function tellLoopBackward(s) {
  return {
    phase: 'backward',
    words:
      T(
        'After all passes of %1, back: %2 is %3. Upstream is %4.',
        items[s.y].name,
        s.downstream,
        s.rule,
        s.upstream
      ),
    math: '',
    numbers: [contribution(s)]
  };
}

function tellBackward({box, list}) {
  if (box.part) return tellFoldedBackward({box, list});
  const s = list[0];
  const y = items[s.y];
  const teach = s.teach ? ' \u2014 ' + T(s.teach) : '';
  const local = s.local ? ', ' + T('the local slope is %1', s.local) : '';
  if (y.kind === 'loop') return tellLoopBackward(s);
  const within = s.loop === null ? '' : `${L.loops[s.loop].formula}. `;
  const added = s.use ? '; ' + T('use %1 of %2: added', s.use + 1, items[s.x].name) : '';
  return {
    phase: 'backward',
    words: `${within}${T('Through %1', `${y.name} = ${y.formula}`)}${teach}. ${T('Upstream is %1', s.upstream)}${local}${added}.`,
    math: `${fraction(s.downstream)}<mo>${s.use ? '+=' : '='}</mo>${s.mathml}`,
    numbers: [contribution(s)]
  };
}

function inventedText() {
  const made = items.filter(t => t.invented).map(t => t.name);
  if (!made.length) return '';
  const own = framed ? T('Give your own below the text.') : T('Give your own with NAME=VALUE or --data FILE.');
  return `${T('Invented numbers: %1.', made.join(', '))} ${own} `;
}

function tell(k) {
  if (k === 0)
    return {
      phase: 'start',
      words:
        inventedText()
        + T(
          'Press Step, or the right arrow key. First forward: each value from the ones before it. '
            + 'Then backward: from the loss, upstream times local slope.'
        ),
      math: '',
      numbers: []
    };
  const e = steps[k - 1];
  if (e.kind === 'forward') return tellForward(e);
  if (e.kind === 'backward') return tellBackward(e);
  return tellUpdate(e.list);
}

function tellUpdate(list) {
  const next = u => `${T('next %1', u.name)} = ${node.get(u.node) ? show(u.node) : ''}`;
  if (list.length === 1)
    return {
      phase: 'update',
      words: T('%1 becomes %2', list[0].name, list[0].formula) + '.',
      math: '',
      numbers: [next(list[0])]
    };

  const trained = list.filter(u => items.some(t => t.node === u.var && t.kind === 'param'));
  const others = list.length - trained.length;
  const kept = others ? ' ' + T('and %1 that the optimizer keeps', count(others, 'value')) : '';
  const [first] = trained;
  const example = first ? T('%1 becomes %2', first.name, cut(first.formula, 200)) : '';
  const more = trained.length > 6 ? [T('and %1 more', trained.length - 6)] : [];
  return {
    phase: 'update',
    words: `${T('All at once: %1', count(trained.length, 'param'))}${kept}. ${example}`,
    math: '',
    numbers: trained.slice(0, 6).map(next).concat(more)
  };
}

function paintBoard(k) {
  const said = tell(k);
  const math = $('formula');
  $('board').dataset.phase = said.phase;
  $('phase').textContent = T(said.phase);
  $('words').textContent = said.words;
  math.classList.toggle('long', said.math.replace(/<[^>]*>|&#\d+;/g, '').length > 24);
  math.innerHTML = said.math ? `<math display="block">${said.math}</math>` : '';
  $('numbers').replaceChildren(...said.numbers.map(s => html('div', {}, s)));
}

/* ---- a value opened: shape, statistics, a heat map whose cells show their number ---- */
let opened = -1; /* item; -1: none */

/* From 0 to 1; 1 also for what is not finite. */
const shareOf = (x, most) => {
  const s = Math.abs(x) / (most || 1);
  return s <= 1 ? s : 1;
};

/* As --plus above 0, as --minus below, paler toward 0. */
function heatColour(x, most, dark) {
  if (Number.isNaN(x)) return '#888';
  const hue = x < 0 ? 28 : 210;
  const share = shareOf(x, most);
  if (dark) return `hsl(${hue} ${30 + 60 * share}% ${14 + 46 * share}%)`;
  return `hsl(${hue} ${40 + 50 * share}% ${96 - 46 * share}%)`;
}

/* The number in a cell: readable on its colour. */
function heatTextColour(x, most, dark) {
  const strong = shareOf(x, most) > 0.6;
  if (dark) return strong ? '#111' : '#ddd';
  return strong ? '#fff' : '#222';
}

/* "W[0, 1]" for element k. */
function indexed(name, shape, k) {
  const index = [];
  for (let a = shape.length - 1; a >= 0; a--) {
    index[a] = k % shape[a];
    k = Math.floor(k / shape[a]);
  }
  return `${name}[${index.join(', ')}]`;
}

function heatMap(n, name) {
  const v = n.v;
  const last = n.shape[n.shape.length - 1] || 1;
  const line = last === 1 || last === v.length; /* one line of numbers is broken into several */
  const columns = line ? Math.min(v.length, 32) : last;
  const rows = Math.ceil(v.length / columns);

  /* the largest finite number has the full colour */
  const {min, max} = statistics(n);
  const all = Number.isFinite(min + max) ? [min, max] : [...v];
  const most = Math.max(...all.filter(Number.isFinite).map(Math.abs)) || 1;

  const cell = Math.max(4, Math.min(42, Math.floor(400 / columns), Math.floor(420 / rows)));
  const side = cell - (cell > 6);
  const canvas = html('canvas', {
    width: columns * cell,
    height: rows * cell,
    class: 'heat',
    role: 'img',
    'aria-label': T('heat map of %1', name)
  });
  const c = canvas.getContext('2d');
  const dark = matchMedia('(prefers-color-scheme: dark)').matches;
  v.forEach((x, k) => {
    const left = (k % columns) * cell;
    const top = Math.floor(k / columns) * cell;
    c.fillStyle = heatColour(x, most, dark);
    c.fillRect(left, top, side, side);
    if (cell <= 40 || v.length > 100) return;
    c.fillStyle = heatTextColour(x, most, dark);
    c.font = '9px sans-serif';
    c.textAlign = 'center';
    c.fillText(number(x, 2), left + 0.5 * cell, top + 0.6 * cell);
  });

  const out = html('output', {class: 'cell'}, '\u00a0');
  canvas.addEventListener('mousemove', e => {
    const k = Math.floor(e.offsetY / cell) * columns + Math.floor(e.offsetX / cell);
    if (k < v.length) out.textContent = `${indexed(name, n.shape, k)} = ${number(v[k], 6)}`;
  });
  return [html('div', {class: 'scroll'}, canvas), out];
}

function aboutTensor(id, name, cls) {
  const n = node.get(id);
  const part = html(
    'div',
    {class: 'tensor'},
    html('h3', {class: cls}, name + (n.shape.length ? ' ' + shapeText(n) : ''))
  );
  if (n.shape.length === 0) part.append(html('p', {class: cls}, show(id)));
  else {
    const {mean, min, max} = statistics(n);
    part.append(
      html('p', {}, T('mean %1, from %2 to %3', number(mean, 4), number(min, 4), number(max, 4)))
    );
    if (n.v && n.v.length <= 16384) part.append(...heatMap(n, name));
    else part.append(html('p', {class: 'soft'}, T('too large for its elements to be here')));
  }
  return part;
}

function paintDetail() {
  $('detail').hidden = opened < 0;
  if (opened < 0) return;
  const t = items[opened];
  const close = html('button', {'aria-label': T('close')}, '\u00d7');
  close.onclick = () => {
    opened = -1;
    paintDetail();
  };
  $('detail').replaceChildren(
    close,
    html('h2', {}, t.name + (isStart(t) ? ', ' + kindOf(t) : ' = ' + t.formula)),
    html(
      'div',
      {class: 'tensors'},
      aboutTensor(t.node, T('value'), 'v'),
      ...(t.gradient !== null ? [aboutTensor(t.gradient, T('gradient'), 'g')] : [])
    )
  );
}

function unfold(part) {
  const at = place();
  closed.delete(part);
  if (part !== NET)
    $('level')
      .querySelectorAll('button')
      .forEach(x => x.setAttribute('aria-pressed', 'false'));
  refold(at);
}

function openBox(b) {
  if (b.part) {
    unfold(b.part);
    return;
  }
  opened = opened === b.result ? -1 : b.result;
  paintDetail();
  if (opened >= 0) $('detail').scrollIntoView({block: 'nearest'});
}
