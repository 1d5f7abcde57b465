/* lesson.js - the lesson that ngc wrote into the page, and what all parts of the page use. */
'use strict';
const $ = id => document.getElementById(id);

/* A page that shows this one in a frame may have put the words of another language before this:
 * texts by the English ones, where %1, %2 are what is given. */
const WORDS = globalThis.WORDS || {};
const T = (text, ...given) => (WORDS[text] || text).replace(/%(\d)/g, (_, k) => given[k - 1]);

/* The texts of the page that no script paints. */
function translate(part) {
  const walk = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
  for (let n = walk.nextNode(); n; n = walk.nextNode()) {
    const text = n.data.trim();
    if (WORDS[text] && n.parentNode.tagName !== 'SCRIPT') n.data = n.data.replace(text, () => WORDS[text]);
  }
  for (const name of ['title', 'aria-label'])
    part.querySelectorAll(`[${name}]`).forEach(e => e.setAttribute(name, T(e.getAttribute(name))));
}
if (globalThis.WORDS) translate(document.body);

/* A long lesson is packed (explain_pack.c): a "~", how far back in three digits, and how many
 * characters in one. */
function unpack(s) {
  const out = [];
  const digit = k => {
    const c = s.charCodeAt(k);
    return c - (c > 60 ? 36 : 35);
  };
  for (let k = 0; k < s.length; k++) {
    if (s[k] !== '~' || s[++k] === '~') {
      out.push(s.charCodeAt(k));
      continue;
    }
    const from = out.length - (digit(k) * 90 + digit(k + 1)) * 90 - digit(k + 2);
    const end = from + digit((k += 3)) + 7;
    for (let i = from; i < end; i++) out.push(out[i]);
  }
  let text = '';
  for (let k = 0; k < out.length; k += 8192) text += String.fromCharCode(...out.slice(k, k + 8192));
  return text;
}

const written = $('lesson').textContent;
const L = JSON.parse(written[0] === '~' ? unpack(written.slice(1)) : written);

function element(space, tag, attr, children) {
  const e = space ? document.createElementNS(space, tag) : document.createElement(tag);
  for (const k in attr) if (attr[k] !== null && attr[k] !== undefined) e.setAttribute(k, attr[k]);
  e.append(...children);
  return e;
}

const html = (tag, attr = {}, ...children) => element(null, tag, attr, children);
const svg = (tag, attr = {}, ...children) =>
  element('http://www.w3.org/2000/svg', tag, attr, children);

/* ---- nodes: n.v holds the elements in order, or null where the page has statistics only ---- */
const node = new Map(L.nodes.map(n => [n.id, n]));
/* "inf", "-inf" and "nan" are texts */
const num = x => (typeof x === 'string' ? +x.replace('inf', 'Infinity') : x);
for (const n of L.nodes) {
  n.v = n.value && Float64Array.from(n.value, num);
  for (const k in n.stats) n.stats[k] = num(n.stats[k]);
}

/* ---- loops: the nodes of a body have the values of one pass, which the reader chooses ---- */

/* The loops around, from loop k outward. */
function loopsAround(k) {
  const around = [];
  for (; k !== undefined && k !== null; k = L.loops[k].outer) around.push(k);
  return around;
}

/* The forward loop that loop k is the derivative of, or itself. */
const forwardLoop = k => (L.loops[k].of === null ? k : forwardLoop(L.loops[k].of));
const chosen = L.loops.map(() => Infinity); /* of forward loops: the last pass, if there are fewer */
const chosenPass = k => chosen[forwardLoop(k)];

/* Where the page does not compute, it has the values of some passes. */
for (const n of L.nodes)
  for (const p of n.passes || []) {
    p.v = p.value && Float64Array.from(p.value, num);
    for (const k in p.stats) p.stats[k] = num(p.stats[k]);
  }

/* The last of the passes that a page has, of those that are not after the chosen ones. */
function pickPass(n) {
  const wanted = loopsAround(n.loop).reverse().map(chosenPass);
  const isEarly = p => p.pass.every((k, d) => k <= wanted[d]);
  const found = n.passes.filter(isEarly).pop();
  if (!found) return;
  n.v = found.v;
  n.stats = found.stats;
}

/* The index of loop k in the pass that is shown. */
function indexShown(k) {
  const n = node.get(L.loops[k].node);
  const last = (n && n.v ? n.v[0] : L.loops[k].passes) - 1;
  return Math.min(chosenPass(k), last) + L.loops[k].from;
}

/* "t = 19" for the pass that is shown of loop k and those around it. */
const passText = k =>
  loopsAround(k)
    .reverse()
    .map(j => `${L.loops[j].name} = ${indexShown(j)}`)
    .join(', ');

const items = L.items;
const nodeOf = i => node.get(items[i].node);
const itemAt = new Map(items.map((t, i) => [t.node, i]));
const kindOf = t => t.kind + (t.invented ? ', ' + T('invented') : '');
const users = items.map(() => []);
items.forEach((t, i) => new Set(t.args).forEach(a => users[a].push(i)));
const size = shape => shape.reduce((a, b) => a * b, 1);
/* the first loss: the tables and drawings are about it */
const loss = L.steps.length ? L.steps[0].loss : null;
const lossItem = loss === null ? -1 : L.steps[0].y;

/* ---- numbers as text ---- */
/* As C's %.9g: what `ngc run` prints. */
function number(x, digits = 9) {
  if (Number.isNaN(x)) return 'nan';
  if (!Number.isFinite(x)) return x < 0 ? '-inf' : 'inf';
  const [mantissa, exponent] = x.toExponential(digits - 1).split('e');
  if (x !== 0 && (exponent < -4 || exponent >= digits))
    return +mantissa + 'e' + exponent[0] + exponent.slice(1).padStart(2, '0');
  return String(+x.toPrecision(digits));
}

const shapeText = n => '[' + n.shape.join(', ') + ']';

let epoch = 0; /* grows whenever values change: until then statistics hold */
function statistics(n) {
  if (!n.v) return n.stats || {mean: NaN, min: NaN, max: NaN};
  if (n.known !== epoch) {
    n.known = epoch;
    n.statistics = summary(n);
  }
  return n.statistics;
}

/* A NaN in the elements stays in all three. */
function summary(n) {
  let sum = 0;
  let min = Infinity;
  let max = -Infinity;
  for (const x of n.v) {
    sum += x;
    if (!(x >= min)) min = x;
    if (!(x <= max)) max = x;
  }
  return {mean: sum / n.v.length, min, max};
}

/* All elements of a short tensor, else the shape and the mean. */
function show(id, digits = 9, most = 6) {
  const n = node.get(id);
  if (n.v && n.shape.length === 0) return number(n.v[0], digits);
  if (n.v && n.v.length <= most) return '[' + [...n.v].map(x => number(x, 4)).join(', ') + ']';
  return shapeText(n) + ' mean ' + number(statistics(n).mean, 3);
}

/* What fits into a box. */
function brief(id, most = 21) {
  const s = show(id, 6, 3);
  const n = node.get(id);
  if (s.length <= most) return s;
  const mean = 'mean ' + number(statistics(n).mean, 2);
  const long = shapeText(n) + ' ' + mean;
  return long.length <= most ? long : mean;
}

/* "dJ/da" -> J, a */
const slash = d => {
  const k = d.indexOf('/d');
  return [d.slice(1, k), d.slice(k + 2)];
};

const escaped = s => s.replace(/[<>&]/g, c => '&#' + c.charCodeAt(0) + ';');

/* A name in MathML: what follows the only "_", or the digits at its end, is an index. */
function mathName(name) {
  const m = /^([A-Za-z]+)_([A-Za-z0-9]+)$/.exec(name) || /^([A-Za-z])(\d+)$/.exec(name);
  return m ? `<msub><mi>${m[1]}</mi><mi>${m[2]}</mi></msub>` : `<mi>${escaped(name)}</mi>`;
}

const fraction = d => {
  const [a, b] = slash(d).map(mathName);
  return `<mfrac><mrow><mo>&#8706;</mo>${a}</mrow><mrow><mo>&#8706;</mo>${b}</mrow></mfrac>`;
};

const count = (n, what) => n + ' ' + T(what + (n === 1 ? '' : 's'));
