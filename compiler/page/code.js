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

/* Which lines of C speak of a word; found once, at the first question. */
let wordLines = null;
function linesWith(word) {
  if (!wordLines) {
    wordLines = new Map();
    code.lines.forEach((s, k) => new Set(s.match(/[A-Za-z_]\w*/g)).forEach(w => { if (!wordLines.has(w)) wordLines.set(w, []); wordLines.get(w).push(k); }));
  }
  return wordLines.get(word) || [];
}
const cName = name => name.replace(/\./g, '_');
const inC = new Map(); /* C's names of items */
items.forEach((t, i) => inC.set(cName(t.name), i));
function boxOfC(k) {
  for (const w of code.lines[k].match(/[A-Za-z_]\w*/g) || []) {
    const i = inC.has(w) ? inC.get(w) : /^d[A-Za-z]\w*_d/.test(w) ? inC.get(w.replace(/^d.*?_d/, '')) : undefined;
    if (i !== undefined) return boxOf[i];
  }
  return null;
}
/* Where the C computes a value (or, by its name, a gradient): the statements, else what is said of its line of the model. */
function linesOfC(item, word) {
  const hits = linesWith(word).filter(k => /[+*-]?= |ngrt_|\(/.test(code.lines[k]) && !/^\s*\/\*/.test(code.lines[k]));
  return hits.length || !item.line ? hits : code.lines.flatMap((s, k) => s.includes(`/* line ${item.line}: `) ? [k] : []);
}

/* Where the forward and the backward pass begin: the other functions have the same statements. */
const functionAt = {};
for (const kind of ['forward', 'backward']) functionAt[kind] = code.lines.findIndex(s => RegExp(`^(static void|int) (\\w+_)?${kind}(_\\d+)?\\(.*[^;]$`).test(s));

function linkBox(b) {
  document.querySelectorAll('#graph .hot').forEach(x => x.classList.remove('hot'));
  source.mark('hot', []);
  code.mark('hot', []);
  if (!b) return;
  const t = items[b.result];
  drawn.get(b).g.classList.add('hot');
  source.mark('hot', [...new Set(b.items.map(i => items[i].line).filter(k => k))].map(k => k - 1));
  code.mark('hot', linesOfC(t, cName(t.name)));
}
function linkLine(line) {
  linkBox(null);
  if (line < 1) return;
  source.mark('hot', [line - 1]);
  const of = items.map((t, i) => i).filter(i => items[i].line === line);
  new Set(of.map(i => boxOf[i])).forEach(b => drawn.get(b).g.classList.add('hot'));
  code.mark('hot', [...new Set(of.flatMap(i => linesOfC(items[i], cName(items[i].name))))]);
}
function paintCode(e) {
  source.mark('now', []);
  code.mark('now', []);
  if (!e || !e.box) return;
  const t = items[e.kind === 'forward' ? e.box.result : e.list[0].y];
  if (t.line) { source.mark('now', [t.line - 1]); source.see(t.line - 1); }
  const given = {line: 0}; /* of a folded part, the gradients that the C has names for */
  let lines = e.kind === 'forward' ? [] : e.list.slice(0, 40).flatMap(s => linesOfC(given, `d${e.loss}_d${cName(items[s.x].name)}`));
  if (!lines.length && e.kind === 'backward') lines = linesOfC(given, `d${e.loss}_d${cName(t.name)}`); /* then the one that arrives */
  if (!lines.length) lines = linesOfC(e.kind === 'forward' ? t : items[e.list[0].x], cName(t.name));
  lines = [...new Set(lines)].sort((a, b) => a - b);
  code.mark('now', lines);
  const from = functionAt[e.kind];
  if (lines.length) code.see(lines.find(k => k >= from) || lines[0]);
}
