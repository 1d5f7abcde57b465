/* main.js - puts the page together: which cards there are, buttons, keys, sliders. */
let at = 0;

function render() {
  const e = steps[at - 1];
  paintBoard(at);
  paintGraph(at, e);
  paintCode(e);
  paintTable(e);
  paintNudges(e);
  $('where').textContent = `${at} / ${steps.length}`;
  $('bar').style.width = (steps.length ? (100 * at) / steps.length : 0) + '%';
  $('first').disabled = $('back').disabled = at === 0;
  $('next').disabled = $('last').disabled = at === steps.length;
  remember();
}

/* In a frame of another page, what the reader has chosen is kept for the lesson that takes the place
 * of this one. */
const framed = parent !== window;
document.documentElement.classList.toggle('framed', framed);
const chosenBefore = window.name;
let chosenLevel = '';
function remember() {
  if (framed) window.name = JSON.stringify({level: chosenLevel, at, reversed, top: scrollY});
}

function recall() {
  if (!framed || chosenBefore[0] !== '{') return;
  const kept = JSON.parse(chosenBefore);
  if (kept.reversed) $('reverse').click();
  setLevel(kept.level);
  go(kept.at);
  scrollTo(0, kept.top);
}

function go(k) {
  at = Math.max(0, Math.min(steps.length, k));
  render();
}

/* After a change of values: everything that shows one. */
function renderAll() {
  if (reversed) drawGraph();
  render();
  paintDetail();
  for (const [id, paint] of [
    ['card-train', paintTrain],
    ['card-regions', paintBoundary],
    ['card-neurons', paintNeurons],
    ['card-curves', paintCurve]
  ])
    if (!$(id).hidden) paint();
  if (isQuick(slopeChoice())) paintSlope();
  document.querySelectorAll('#knobs > div, #passes > div').forEach(d => d.refresh());
}

/* The place among all single steps, so that folding does not lose it. */
const place = () => steps.slice(0, at).reduce((t, s) => t + s.base, 0);

/* Folds again, and goes to the step that has the place `was`. */
function refold(was) {
  fold();
  drawGraph();
  let k = 0;
  for (let t = 0; k < steps.length && t + steps[k].base <= was; k++) t += steps[k].base;
  go(k);
}

function setLevel(name) {
  const was = place();
  chosenLevel = name;
  detailLevels[name]();
  $('level')
    .querySelectorAll('button')
    .forEach(b => b.setAttribute('aria-pressed', b.value === name));
  refold(was);
  zoomFit();
}

/* A row of the table of gradients: that of the loss `of` by item i, as far as it is known. */
function gradientRow(i, of, sum, touched) {
  const shape = nodeOf(i).shape.length ? shapeText(nodeOf(i)) : '';
  const gradient = sum.has(i) ? brief(sum.get(i), 13) : '\u00b7';
  return html(
    'tr',
    touched ? {class: 'now'} : {},
    html('td', {}, `d${of}/d${items[i].name} `, html('span', {class: 'soft'}, shape)),
    html('td', {class: 'g num'}, gradient),
    html('td', {class: 'v num'}, brief(items[i].node, 13))
  );
}

function updateRow(u) {
  const next = node.get(u.node) ? brief(u.node, 24) : '';
  return html('tr', {}, html('td', {}, T('next %1', u.name)), html('td', {class: 'num'}, next));
}

/* The table of gradients as the sweep fills it. */
function paintTable(e) {
  const {sum, of, update} = known(at);
  const touched = e && e.kind === 'backward' ? new Set(e.list.map(s => s.x)) : new Set();
  const total = new Set(L.steps.filter(s => s.loss === of).map(s => s.x));
  const listed = [...total].filter(i => items[i].kind !== 'value' || sum.has(i)).slice(0, 200);
  listed.sort((a, b) => a - b);
  $('table').replaceChildren(
    html(
      'tr',
      {},
      html('th', {}, T('gradient')),
      html('th', {class: 'num'}, T('%1 of %2 known', sum.size, total.size)),
      html('th', {class: 'num'}, T('value'))
    ),
    ...listed.map(i => gradientRow(i, of, sum, touched.has(i)))
  );
  $('updates').replaceChildren(...(update ? L.updates.slice(0, 40).map(updateRow) : []));
}

/* The range of a slider for x, in steps of one decimal digit, so that it stops at round numbers. */
function sliderRange(x) {
  const at = Number.isFinite(x) ? x : 0;
  const wide = Math.max(1, 2 * Math.abs(at));
  const digit = Math.floor(Math.log10(wide / 3)) - 1;
  const step = 10 ** digit;
  const round = v => +(Math.round(v / step) * step).toPrecision(12);
  return {min: round(at - wide), max: round(at + wide), step: +step.toPrecision(1)};
}

/* Is it a number that a slider can move? */
function isKnob(t) {
  const n = node.get(t.node);
  const given = t.kind === 'input' || t.kind === 'param';
  return given && n.shape.length === 0 && !n.attr.int;
}

/* A slider and a box for each scalar that is given. */
function addKnobs() {
  const given = items.filter(isKnob).slice(0, 24);
  $('knobs').hidden = !live || !given.length;
  if ($('knobs').hidden) return;
  for (const t of given) {
    const n = node.get(t.node);
    const range = html('input', {type: 'range', 'aria-label': t.name});
    const box = html('input', {type: 'number', class: 'v', 'aria-label': T('%1, the number', t.name)});
    const knob = html('div', {}, html('span', {}, t.name), range, box);
    const fit = () => {
      const s = sliderRange(n.v[0]);
      Object.assign(range, s);
      box.step = s.step;
    };
    knob.refresh = () => {
      if (n.v[0] < +range.min || n.v[0] > +range.max) fit();
      if (document.activeElement !== range) range.value = n.v[0];
      if (document.activeElement !== box) {
        box.value = number(n.v[0]);
        box.placeholder = number(n.v[0]); /* is seen at inf, where the box is blank */
      }
    };
    const set = x => {
      if (Number.isNaN(x)) return;
      n.v[0] = x;
      if (t.invented) {
        t.invented = false;
        drawGraph();
      }
      compute();
      history.length = 0;
      renderAll();
    };
    range.addEventListener('input', () => set(+range.value));
    box.addEventListener('input', () => set(box.valueAsNumber));
    box.addEventListener('blur', knob.refresh);
    fit();
    knob.refresh();
    $('knobs').append(knob);
  }
}

/* The passes of loop k that can be shown, as numbers from 0. */
function passesToShow(k) {
  const n = node.get(L.loops[k].node);
  const count = n && n.v ? n.v[0] : L.loops[k].passes;
  if (live) return Array.from({length: count}, (_, p) => p);
  const depth = loopsAround(k).length - 1;
  const kept = L.nodes.filter(e => e.passes && loopsAround(e.loop).includes(k));
  return [...new Set(kept.flatMap(e => e.passes.map(p => p.pass[depth])))].sort((a, b) => a - b);
}

/* Shows pass p of loop k: the values of its body, and of the loop that goes back. */
function showPass(k, p) {
  chosen[k] = p;
  if (live) compute();
  else L.nodes.filter(n => n.passes).forEach(pickPass);
  epoch++;
  renderAll();
}

/* A slider for each loop, which chooses the pass that is shown. */
function addPasses() {
  const forward = L.loops.map((l, k) => k).filter(k => L.loops[k].item !== null && forwardLoop(k) === k);
  $('passes').hidden = !forward.length;
  for (const k of forward) {
    const name = items[L.loops[k].item].name;
    const range = html('input', {type: 'range', min: 0, step: 1, 'aria-label': T('pass of %1', name)});
    const shown = html('span', {class: 'v'});
    const row = html('div', {}, html('span', {}, name), range, shown);
    row.refresh = () => {
      const list = passesToShow(k);
      const last = list.length - 1;
      range.max = Math.max(0, last);
      range.value = list.filter(p => p <= chosen[k]).length - 1;
      shown.textContent = list.length ? passText(k) : T('no pass');
    };
    range.addEventListener('input', () => showPass(k, passesToShow(k)[+range.value]));
    row.refresh();
    $('passes').append(row);
  }
}

function showCards() {
  const show = (id, when) => {
    $(id).hidden = !when;
  };
  show('card-train', canTrain);
  show('card-regions', classifier);
  show('card-table', L.steps.length);
  show('card-neurons', tensorChains.length || scalarNeurons.length);
  show('card-paths', loss !== null && !L.loops.length); /* a pass of many is one path of many */
  show('card-cost', loss !== null && L.work.numbers > 0 && L.work.forward > 0);
  show('card-nudges', L.nudges.length);
  if (!$('card-paths').hidden) paintPaths();
  if (!$('card-cost').hidden) paintCost();
  L.curves.forEach((c, k) => $('function').append(html('option', {value: k}, c.name)));
  const own = L.curves.findIndex(c => items.some(t => node.get(t.node).op === c.op));
  $('function').value = Math.max(0, own);
  addSlopeChoices();
  slopeChoices.forEach((c, k) => $('slope-of').append(html('option', {value: k}, c.name)));
  const steep = slopeChoices.findIndex(c => c.g && isQuick(c) && c.g.v[c.k] !== 0);
  if (steep > 0) $('slope-of').value = steep;
}

const keys = {
  ArrowRight: () => go(at + 1),
  ArrowLeft: () => go(at - 1),
  Home: () => go(0),
  End: () => go(steps.length),
  1: () => setLevel('op'),
  2: () => setLevel('layer'),
  3: () => setLevel('net'),
  r: () => $('reverse').click(),
  t: () => {
    if (canTrain) trainMany(1);
  },
  '+': () => zoomTo(zoom * 1.25),
  '-': () => zoomTo(zoom / 1.25),
  0: zoomFit,
  Escape: () => {
    opened = -1;
    paintDetail();
  }
};

document.addEventListener('keydown', e => {
  const typing = ['INPUT', 'SELECT'].includes(e.target.tagName);
  if (!(e.key in keys) || typing || e.ctrlKey || e.metaKey || e.altKey) return;
  e.preventDefault();
  keys[e.key]();
});

const press = {
  first: () => go(0),
  back: () => go(at - 1),
  next: () => go(at + 1),
  last: () => go(steps.length),
  'zoom-in': () => zoomTo(zoom * 1.25),
  'zoom-out': () => zoomTo(zoom / 1.25),
  fit: zoomFit,
  'train-1': () => trainMany(1),
  'train-10': () => trainMany(10),
  run: () => trainRun(!running),
  reset: () => {
    trainRun(false);
    trainReset();
    renderAll();
  }
};

for (const id in press) $(id).onclick = press[id];
$('level')
  .querySelectorAll('button')
  .forEach(b => {
    b.onclick = () => setLevel(b.value);
  });
$('reverse').onclick = () => {
  reversed = !reversed;
  $('reverse').setAttribute('aria-pressed', reversed);
  drawGraph();
  zoomFit();
  render();
};

$('function').oninput = paintCurve;
$('slope-of').oninput = $('run-of').oninput = paintSlope;

$('title').textContent = document.title = L.model;
document.title += ' \u2014 how it is computed and differentiated';
showCards();
addKnobs();
addPasses();
allowDrag($('graph'));
setLevel(items.length > 120 && outermost.size > 1 ? 'layer' : 'op');
renderAll();
addEventListener('beforeprint', () => {
  if (!$('graph').firstChild.natural) return; /* it is ready for paper already */
  go(steps.length);
  zoomFit();
  cutGraph();
});

addEventListener('afterprint', () => {
  drawGraph();
  render();
});

$('emitted').classList.toggle('long', code.lines.length > 500);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', renderAll);
requestAnimationFrame(() => {
  if (at === 0) code.see(code.lines.findIndex(s => /^int \w*(?:forward|predict)\(.*[^;]$/.test(s)));
});
if (location.hash === '#end') go(steps.length);
recall();
addEventListener('scroll', remember);
