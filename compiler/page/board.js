/* board.js - what a step says, in words, as a formula and in numbers; and a value opened in full. */
const nth = u => u < 5 ? ['first', 'second', 'third', 'fourth', 'fifth'][u] + ' use' : 'use ' + (u + 1);
const scalars = new Map(items.filter(t => node.get(t.node).shape.length === 0).map(t => [t.name, node.get(t.node)]));
/* A formula with numbers for its names. */
const inNumbers = f => f.replace(/(?<![\w.])[A-Za-z_][\w.]*(?!\w*\()/g, w => scalars.has(w) && scalars.get(w).v ? number(scalars.get(w).v[0]) : w)
  .replace(/([-+*/^] ?)(-(inf|[0-9.]+(e-?\d+)?))/g, '$1($2)');

function tellForward({box}) {
  const t = items[box.result], scalar = nodeOf(box.result).shape.length === 0;
  if (box.part)
    return {phase: 'forward', words: `${box.name}: ${count(box.made, 'operation')} folded into one box. Its result is ${t.name}. A click on the box opens it.`,
      math: '', numbers: [`${t.name} = ${show(t.node)}`]};
  return {phase: 'forward', words: `${t.name} is computed from ${[...new Set(t.args)].map(a => items[a].name).join(', ') || 'constants'}${t.teach ? ' \u2014 backward, it will be: ' + t.teach : ''}`,
    math: t.mathml ? `${mathName(t.name)}<mo>=</mo>${t.mathml}` : '',
    numbers: [`${t.name} = ${scalar && t.numbers ? inNumbers(t.formula) + ' = ' : ''}${show(t.node)}`]};
}

/* The local slope at the values that the page has now: what arrives over what was sent; where that says nothing, what would
 * arrive if 1 were sent. */
function slopeOf(s) {
  const dy = node.get(s.dy), dx = node.get(s.dx), up = dy.v && dy.v[0];
  if (up && dx.v && Number.isFinite(up) && (up === 1 || Number.isFinite(dx.v[0]))) return dx.v[0] / up;
  const on = dependents([s.dy]);
  if (!live || !on.has(s.dx)) return num(s.slope);
  return tryValue(dy, 0, 1, needed([s.dx]).filter(n => on.has(n.id) && n !== dy), dx);
}
/* What y is worth with x[k] at another number; `list` depends on it. All is put back. */
function tryValue(x, k, at, list, y) {
  const was = x.v[k], saved = list.map(n => n.v);
  list.forEach(n => { n.v = null; });
  x.v[k] = at;
  list.forEach(computeNode);
  const found = y.v[0];
  x.v[k] = was;
  list.forEach((n, q) => { n.v = saved[q]; });
  return found;
}
/* upstream x local = downstream, and what it adds up to */
function contribution(s) {
  const dy = node.get(s.dy), dx = node.get(s.dx), scalar = s.slope !== null && dy.v && dy.shape.length === 0 && dx.v;
  const slope = scalar ? number(slopeOf(s)) : '';
  return `${s.downstream}${s.use ? ' gets ' : ' = '}${scalar ? number(dy.v[0]) + ' \u00d7 ' + (slope[0] === '-' ? `(${slope})` : slope) + ' = ' : ''}${show(s.dx)}` +
    (s.use ? `; together ${s.downstream} = ${show(s.sum)}` : '');
}
function tellBackward({box, list}) {
  if (box.part) {
    const leave = list.filter(s => items[s.x].kind === 'param' || boxOf[s.x] !== box), last = new Map(leave.map(s => [s.downstream, s]));
    return {phase: 'backward', words: `Through ${box.name}, folded: ${count(list.length, 'step')} of the chain rule. It takes ${list[0].upstream} and hands on the gradients of what it was computed from.`, math: '',
      numbers: [...last.values()].slice(0, 8).map(s => `${s.downstream} = ${show(s.sum)}`).concat(last.size > 8 ? [`and ${last.size - 8} more, in the table of gradients`] : [])};
  }
  const s = list[0], y = items[s.y], x = items[s.x];
  return {phase: 'backward', words: `Through ${y.name} = ${y.formula}${s.teach ? ' \u2014 ' + s.teach : ''}. Upstream is ${s.upstream}` +
      `${s.local ? ', the local slope is ' + s.local : ''}${s.use ? `; ${nth(s.use)} of ${x.name}: added` : ''}.`,
    math: `${fraction(s.downstream)}<mo>${s.use ? '+=' : '='}</mo>${s.mathml}`, numbers: [contribution(s)]};
}
function inventedText() {
  const made = items.filter(t => t.invented).map(t => t.name);
  return made.length ? `Invented, as nobody gave ${made.length > 1 ? 'them' : 'it'}: the numbers of ${made.join(', ')}. NAME=VALUE or --data FILE gives them. ` : '';
}
function tell(k) {
  if (k === 0)
    return {phase: 'start', words: inventedText() + 'Press Step, or the right arrow key. First forward: each value from the ones before it. Then backward: from the loss, upstream times local slope.', math: '', numbers: []};
  const e = steps[k - 1];
  if (e.kind === 'forward') return tellForward(e);
  if (e.kind === 'backward') return tellBackward(e);
  return tellUpdate(e.list);
}
function tellUpdate(list) {
  const next = u => `next ${u.name} = ${node.get(u.node) ? show(u.node) : ''}`;
  if (list.length === 1) return {phase: 'update', words: `${list[0].name} becomes ${list[0].formula}.`, math: '', numbers: [next(list[0])]};
  const trained = list.filter(u => items.some(t => t.node === u.var && t.kind === 'param'));
  return {phase: 'update', words: `All at once: ${count(trained.length, 'param')}${trained.length < list.length ? ` and ${count(list.length - trained.length, 'value')} that the optimizer keeps` : ''}. ${trained.length ? trained[0].name + ' becomes ' + cut(trained[0].formula, 200) : ''}`,
    math: '', numbers: trained.slice(0, 6).map(next).concat(trained.length > 6 ? [`and ${trained.length - 6} more`] : [])};
}
function paintBoard(k) {
  const said = tell(k), math = $('formula');
  $('board').dataset.phase = said.phase;
  $('phase').textContent = said.phase;
  $('words').textContent = said.words;
  math.classList.toggle('long', said.math.replace(/<[^>]*>|&#\d+;/g, '').length > 24);
  math.innerHTML = said.math ? `<math display="block">${said.math}</math>` : '';
  $('numbers').replaceChildren(...said.numbers.map(s => html('div', {}, s)));
}

/* ---- a value opened: shape, statistics, a heat map whose cells tell their number ---- */
let opened = -1;
const shareOf = (x, most) => { const s = Math.abs(x) / (most || 1); return s <= 1 ? s : 1; }; /* 1 for what is not finite, too */
function heatMap(n, name) {
  const v = n.v, last = n.shape[n.shape.length - 1] || 1, line = last === 1 || last === v.length; /* one line of numbers is folded */
  const columns = line ? Math.min(v.length, 32) : last, rows = Math.ceil(v.length / columns), {min, max} = statistics(n), most = Math.max(...[min, max, ...(Number.isFinite(min + max) ? [] : v)].filter(Number.isFinite).map(Math.abs)) || 1;
  const cell = Math.max(4, Math.min(42, Math.floor(400 / columns), Math.floor(420 / rows))), canvas = html('canvas', {width: columns * cell, height: rows * cell, class: 'heat', role: 'img', 'aria-label': 'heat map of ' + name});
  const c = canvas.getContext('2d'), dark = matchMedia('(prefers-color-scheme: dark)').matches;
  v.forEach((x, k) => { /* blue below 0, orange above; paler toward 0 */
    const w = shareOf(x, most);
    c.fillStyle = Number.isNaN(x) ? '#888' : dark ? `hsl(${x < 0 ? 215 : 28} ${30 + 60 * w}% ${14 + 46 * w}%)` : `hsl(${x < 0 ? 215 : 28} ${40 + 50 * w}% ${96 - 46 * w}%)`;
    c.fillRect(k % columns * cell, Math.floor(k / columns) * cell, cell - (cell > 6), cell - (cell > 6));
    if (cell > 40 && v.length <= 100) { c.fillStyle = w > 0.6 ? dark ? '#111' : '#fff' : dark ? '#ddd' : '#222'; c.font = '9px sans-serif'; c.textAlign = 'center'; c.fillText(number(x, 2), (k % columns + 0.5) * cell, (Math.floor(k / columns) + 0.6) * cell); }
  });
  const out = html('output', {class: 'cell'}, '\u00a0');
  canvas.addEventListener('mousemove', e => {
    let k = Math.floor(e.offsetY / cell) * columns + Math.floor(e.offsetX / cell), rest = k, index = [];
    if (!(k < v.length)) return;
    for (let a = n.shape.length - 1; a >= 0; a--) { index[a] = rest % n.shape[a]; rest = Math.floor(rest / n.shape[a]); }
    out.textContent = `${name}[${index.join(', ')}] = ${number(v[k], 6)}`;
  });
  return [html('div', {class: 'scroll'}, canvas), out];
}
function aboutTensor(id, name, cls) {
  const n = node.get(id), part = html('div', {class: 'tensor'}, html('h3', {class: cls}, name + (n.shape.length ? ' ' + shapeText(n) : '')));
  if (n.shape.length === 0) part.append(html('p', {class: cls}, show(id)));
  else {
    const {mean, min, max} = statistics(n);
    part.append(html('p', {}, `mean ${number(mean, 4)}, from ${number(min, 4)} to ${number(max, 4)}`));
    if (n.v && n.v.length <= 16384) part.append(...heatMap(n, name));
    else part.append(html('p', {class: 'soft'}, 'too large for its elements to be here'));
  }
  return part;
}
function paintDetail() {
  $('detail').hidden = opened < 0;
  if (opened < 0) return;
  const t = items[opened], close = html('button', {'aria-label': 'close'}, '\u00d7');
  close.onclick = () => { opened = -1; paintDetail(); };
  $('detail').replaceChildren(close, html('h2', {}, t.name + (!isStart(t) ? ' = ' + t.formula : ', ' + kindOf(t))), html('div', {class: 'tensors'}, aboutTensor(t.node, 'value', 'v'),
    ...(t.gradient !== null ? [aboutTensor(t.gradient, 'gradient', 'g')] : [])));
}
function openBox(b) {
  if (b.part) { const at = place(); closed.delete(b.part); if (b.part !== NET) $('level').querySelectorAll('button').forEach(x => x.setAttribute('aria-pressed', 'false')); refold(at); return; }
  opened = opened === b.result ? -1 : b.result;
  paintDetail();
  if (opened >= 0) $('detail').scrollIntoView({block: 'nearest'});
}
