/* code.js - the model's text and the C beside the graph; what belongs together lights up in all three. */

/* A text of any length: its lines stand in blocks that the browser lays out when they are seen; marks lie under them. */
class Listing {
  constructor(area, text, onLine) {
    this.area = area;
    this.lines = text.replace(/\n+$/, '').split('\n');
    this.marks = {hot: [], now: []};
    this.cursor = -1;
    this.body = html('div', {class: 'listing'});
    for (let k = 0; k < this.lines.length; k += 250) {
      const some = this.lines.slice(k, k + 250), block = html('div', {class: 'block'});
      block.style.containIntrinsicSize = `auto ${some.length * Listing.LINE}px`;
      some.forEach((s, i) => { this.colour(block, s); if (i < some.length - 1) block.append('\n'); });
      this.body.append(block);
    }
    area.replaceChildren(this.body);
    area.addEventListener('mousemove', e => this.point(Math.floor((e.clientY - this.body.getBoundingClientRect().top) / Listing.LINE), onLine));
    area.addEventListener('mouseleave', () => this.point(-1, onLine));
    area.addEventListener('blur', () => this.point(-1, onLine));
    area.addEventListener('keydown', e => {
      const by = {ArrowDown: 1, ArrowUp: -1}[e.key];
      if (!by) return;
      e.preventDefault();
      e.stopPropagation();
      this.point(Math.max(0, Math.min(this.lines.length - 1, this.cursor + by)), onLine);
      this.see(this.cursor);
    });
  }
  colour(block, s) { /* comments step back */
    const at = s.search(/\/\*|#(?!include)|^ \* /);
    if (at < 0 || this.lines.length > 4000) block.append(s);
    else { block.append(s.slice(0, at)); const end = s.indexOf('*/', at), to = s[at] === '/' && end > 0 ? end + 2 : s.length; block.append(html('i', {}, s.slice(at, to)), s.slice(to)); }
  }
  point(line, onLine) {
    if (line >= this.lines.length) line = -1;
    if (line === this.cursor) return;
    this.cursor = line;
    onLine(line);
  }
  mark(kind, lines) {
    this.marks[kind].forEach(e => e.remove());
    this.marks[kind] = lines.slice(0, 200).map(k => { const e = html('b', {class: kind}); e.style.top = k * Listing.LINE + 'px'; this.body.append(e); return e; });
  }
  see(line) {
    const top = line * Listing.LINE, a = this.area;
    if (line >= 0 && (top < a.scrollTop + 10 || top > a.scrollTop + a.clientHeight - 40)) a.scrollTop = Math.max(0, top - a.clientHeight / 3);
  }
}
Listing.LINE = 18;

const source = new Listing($('source'), L.source, k => linkLine(k + 1));
const code = new Listing($('c'), L.c, k => linkBox(k < 0 ? null : boxOfC(k)));

/* ---- variables of the C: `in->a`, `w->h_z`, or a name of one function's own. Comments and bare words are none. ---- */
const cName = name => name.replace(/[./]/g, '_');
const VARIABLE = /(?:\b(?:in|params|state|w|grads)->)?\b[A-Za-z_]\w*/g;
const statements = code.lines.map(s => /^ \*|^#|^typedef|^static const/.test(s) ? '' : s.replace(/\/\*.*?(\*\/|$)/g, ''));
const functionOf = []; /* by line: "forward" also for its parts */
statements.reduce((inside, s, k) => {
  const m = /^(?:static void|int) (?:\w+_)?(predict|eval|forward|backward|update|step)(?:_\d+)?\(.*[^;]$/.exec(s);
  functionOf[k] = m ? m[1] : inside;
  return s === '}' ? '' : functionOf[k];
}, '');
/* Where each occurs; a function's own as "forward t7". Found once, at the first question. */
let variableLines = null;
function variablesIn(k) {
  return (statements[k].match(VARIABLE) || []).flatMap(v => v.includes('->') ? [v] : functionOf[k] && /^(t\d+|d\w+_d\w+)$/.test(v) ? [`${functionOf[k]} ${v}`] : []);
}
function linesWith(variable) {
  if (!variableLines) {
    variableLines = new Map();
    statements.forEach((_, k) => new Set(variablesIn(k)).forEach(v => { if (!variableLines.has(v)) variableLines.set(v, []); variableLines.get(v).push(k); }));
  }
  return variableLines.get(variable) || [];
}
const BLOCK = {input: 'in->', param: 'params->', state: 'state->'};
const variablesOf = t => [L.variables[t.name] || (BLOCK[t.kind] || 'w->') + cName(t.name)];
function gradientsOf(name) { /* "dJ/dz" */
  return L.variables[name] ? [L.variables[name]] : ['grads->', 'w->', 'backward ', 'forward '].map(p => p + cName(name));
}
const inC = new Map(); /* variables of values and of gradients */
L.steps.forEach(s => gradientsOf(s.downstream).forEach(v => inC.set(v, s.x)));
items.forEach((t, i) => variablesOf(t).forEach(v => inC.set(v, i)));
function boxOfC(k) {
  const said = q => /^\s+\/\*/.test(code.lines[q]);
  if (said(k)) { /* a comment is about what is computed below it */
    while (said(k)) k++;
    const set = q => { const v = variablesIn(q)[0]; return inC.has(v) && computedAt([q], [v], functionOf[q]).length; };
    for (let q = k; functionOf[q] && !said(q); q++) if (set(q)) { k = q; break; }
  }
  const v = variablesIn(k).find(v => inC.has(v));
  return v === undefined ? null : boxOf[inC.get(v)];
}
/* The statements that speak of a value or a gradient, else what is said of its line of the model. */
function linesOfC(item, variables) {
  const hits = variables.flatMap(linesWith);
  return hits.length || !item.line ? hits : code.lines.flatMap((s, k) => s.includes(`/* line ${item.line}: `) ? [k] : []);
}
/* Those of them, of one function, that compute it. */
function computedAt(lines, variables, inside) {
  const names = variables.map(v => v.replace(/^\w+ /, '').replace(/\W/g, '\\$&')), set = RegExp(`(^|[^\\w>])(${names.join('|')})(\\[[^=]*\\])? [-+*/]?= `);
  const own = lines.filter(k => functionOf[k] === inside && set.test(statements[k]));
  return own.length ? own : lines.filter(k => set.test(statements[k]));
}

function linkBox(b) {
  document.querySelectorAll('#graph .hot').forEach(x => x.classList.remove('hot'));
  source.mark('hot', []);
  code.mark('hot', []);
  if (!b) return;
  const t = items[b.result];
  drawn.get(b).g.classList.add('hot');
  source.mark('hot', [...new Set(b.items.map(i => items[i].line).filter(k => k))].map(k => k - 1));
  code.mark('hot', linesOfC(t, variablesOf(t)));
}
function linkLine(line) {
  linkBox(null);
  if (line < 1) return;
  source.mark('hot', [line - 1]);
  const of = items.map((t, i) => i).filter(i => items[i].line === line);
  new Set(of.map(i => boxOf[i])).forEach(b => drawn.get(b).g.classList.add('hot'));
  code.mark('hot', [...new Set(of.flatMap(i => linesOfC(items[i], variablesOf(items[i]))))]);
}
function paintCode(e) {
  source.mark('now', []);
  code.mark('now', []);
  if (!e || !e.box) return;
  const t = items[e.kind === 'forward' ? e.box.result : e.list[0].y];
  if (t.line) { source.mark('now', [t.line - 1]); source.see(t.line - 1); }
  const given = {line: 0}; /* of a folded part, the gradients that the C has names for */
  const gradient = name => computedAt(linesOfC(given, gradientsOf(name)), gradientsOf(name), 'backward');
  let lines = e.kind === 'forward' ? [] : e.list.slice(0, 40).flatMap(s => gradient(s.downstream));
  if (!lines.length && e.kind === 'backward') lines = gradient(e.list[0].upstream); /* then the one that arrives */
  if (!lines.length) {
    const of = e.kind === 'forward' ? t : items[e.list[0].x], all = linesOfC(of, variablesOf(of)), own = computedAt(all, variablesOf(of), 'forward');
    lines = own.length ? own : all;
  }
  lines = [...new Set(lines)].sort((a, b) => a - b);
  code.mark('now', lines);
  if (lines.length) code.see(lines.find(k => functionOf[k] === e.kind) || lines[0]);
}
