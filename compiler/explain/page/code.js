/* code.js - the model's text and the C beside the graph. What belongs together lights up in all
 * three. */

/* A text of any length. Its lines are in blocks that the browser lays out when they are seen. Marks
 * lie under them. */
class Listing {
  constructor(area, text, onLine) {
    this.area = area;
    this.lines = text.replace(/\n+$/, '').split('\n');
    this.marks = {hot: [], now: []};
    this.cursor = -1;
    this.body = html('div', {class: 'listing'});
    for (let k = 0; k < this.lines.length; k += 250) {
      const some = this.lines.slice(k, k + 250);
      const block = html('div', {class: 'block'});
      block.style.containIntrinsicSize = `auto ${some.length * Listing.LINE}px`;
      some.forEach((s, i) => {
        this.colour(block, s);
        if (i < some.length - 1) block.append('\n');
      });
      this.body.append(block);
    }
    area.replaceChildren(this.body);
    area.addEventListener('mousemove', e =>
      this.point(
        Math.floor((e.clientY - this.body.getBoundingClientRect().top) / Listing.LINE),
        onLine
      )
    );
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

  /* Comments are paler. */
  colour(block, s) {
    const at = s.search(/\/\*|#(?!include)|^ \* /);
    if (at < 0 || this.lines.length > 4000) {
      block.append(s);
      return;
    }
    const end = s.indexOf('*/', at);
    const to = s[at] === '/' && end > 0 ? end + 2 : s.length;
    block.append(s.slice(0, at), html('i', {}, s.slice(at, to)), s.slice(to));
  }

  point(line, onLine) {
    if (line >= this.lines.length) line = -1;
    if (line === this.cursor) return;
    this.cursor = line;
    onLine(line);
  }

  mark(kind, lines) {
    this.marks[kind].forEach(e => e.remove());
    this.marks[kind] = lines.slice(0, 200).map(k => {
      const e = html('b', {class: kind});
      e.style.top = k * Listing.LINE + 'px';
      this.body.append(e);
      return e;
    });
  }

  see(line) {
    const top = line * Listing.LINE;
    const a = this.area;
    if (line >= 0 && (top < a.scrollTop + 10 || top > a.scrollTop + a.clientHeight - 40))
      a.scrollTop = Math.max(0, top - a.clientHeight / 3);
  }
}

Listing.LINE = 18;

const source = new Listing($('source'), L.source, k => linkLine(k + 1));
const code = new Listing($('c'), L.c, k => linkBox(k < 0 ? null : boxOfC(k)));

/* ---- variables of the C: `in->a`, `w->h_z`, or a function's own; no words of comments ---- */
const cName = name => name.replace(/[./]/g, '_');
const VARIABLE = /(?:\b(?:in|params|state|frozen|w|grads)->)?\b[A-Za-z_]\w*/g;
const statements = code.lines.map(s =>
  /^ \*|^#|^typedef|^static const/.test(s) ? '' : s.replace(/\/\*.*?(\*\/|$)/g, '')
);

/* By line: the function that it is in; "forward" also for the parts of forward. */
const functionOf = [];
const BEGINS_FUNCTION =
  /^(?:static void|int) (?:\w+_)?(predict|eval|forward|backward|update|step)(?:_\d+)?\(.*[^;]$/;
statements.reduce((inside, s, k) => {
  const m = BEGINS_FUNCTION.exec(s);
  functionOf[k] = m ? m[1] : inside;
  return s === '}' ? '' : functionOf[k];
}, '');

/* The variables in line k; a function's own as "forward t7". */
function variablesIn(k) {
  const own = v => functionOf[k] && /^(t\d+|d\w+_d\w+)$/.test(v);
  return (statements[k].match(VARIABLE) || [])
    .filter(v => v.includes('->') || own(v))
    .map(v => (v.includes('->') ? v : `${functionOf[k]} ${v}`));
}

/* By variable: its lines. Found at the first question. */
let variableLines = null;
function linesWith(variable) {
  if (!variableLines) {
    variableLines = new Map();
    statements.forEach((_, k) =>
      new Set(variablesIn(k)).forEach(v => {
        if (!variableLines.has(v)) variableLines.set(v, []);
        variableLines.get(v).push(k);
      })
    );
  }
  return variableLines.get(variable) || [];
}

const BLOCK = {input: 'in->', param: 'params->', state: 'state->', frozen: 'frozen->'};
const variablesOf = t => [L.variables[t.name] || (BLOCK[t.kind] || 'w->') + cName(t.name)];

/* What "dJ/dz" may be called in the C. */
function gradientsOf(name) {
  if (L.variables[name]) return [L.variables[name]];
  return ['grads->', 'w->', 'backward ', 'forward '].map(p => p + cName(name));
}

const inC = new Map(); /* variables of values and of gradients */
L.steps.forEach(s => gradientsOf(s.downstream).forEach(v => inC.set(v, s.x)));
items.forEach((t, i) => variablesOf(t).forEach(v => inC.set(v, i)));

/* The first line from k on that computes a value; a comment is about what is below it. */
function lineOfComment(k) {
  const isComment = q => /^\s+\/\*/.test(code.lines[q]);
  if (!isComment(k)) return k;
  while (isComment(k)) k++;

  const computes = q => {
    const v = variablesIn(q)[0];
    return inC.has(v) && computedAt([q], [v], functionOf[q]).length;
  };
  for (let q = k; functionOf[q] && !isComment(q); q++) if (computes(q)) return q;
  return k;
}

function boxOfC(k) {
  const v = variablesIn(lineOfComment(k)).find(v => inC.has(v));
  return v === undefined ? null : boxOf[inC.get(v)];
}

/* The lines that have one of the variables; without any, the comment on the item's line. */
function linesOfC(item, variables) {
  const hits = variables.flatMap(linesWith);
  if (hits.length || !item.line) return hits;
  const comment = `/* line ${item.line}: `;
  return [...code.lines.keys()].filter(k => code.lines[k].includes(comment));
}

/* Those of the lines that compute it, in one function if it does. */
function computedAt(lines, variables, inside) {
  const names = variables.map(v => v.replace(/^\w+ /, '').replace(/\W/g, '\\$&'));
  const set = RegExp(`(^|[^\\w>])(${names.join('|')})(\\[[^=]*\\])? [-+*/]?= `);
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
  source.mark(
    'hot',
    [...new Set(b.items.map(i => items[i].line).filter(k => k))].map(k => k - 1)
  );
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

/* The lines that compute the gradients of a step: those that it sends down, else the one that
 * arrives. Of a folded part, those that the C has names for. */
function linesOfGradients(e) {
  const lines = name => {
    const variables = gradientsOf(name);
    return computedAt(linesOfC({line: 0}, variables), variables, 'backward');
  };
  const down = e.list.slice(0, 40).flatMap(s => lines(s.downstream));
  return down.length ? down : lines(e.list[0].upstream);
}

/* The lines of a step, of which t is the value. */
function linesOfStep(e, t) {
  const gradients = e.kind === 'backward' ? linesOfGradients(e) : [];
  if (gradients.length) return gradients;

  const of = e.kind === 'forward' ? t : items[e.list[0].x];
  const all = linesOfC(of, variablesOf(of));
  const own = computedAt(all, variablesOf(of), 'forward');
  return own.length ? own : all;
}

function paintCode(e) {
  source.mark('now', []);
  code.mark('now', []);
  if (!e || !e.box) return;
  const t = items[e.kind === 'forward' ? e.box.result : e.list[0].y];
  if (t.line) {
    source.mark('now', [t.line - 1]);
    source.see(t.line - 1);
  }

  const lines = [...new Set(linesOfStep(e, t))].sort((a, b) => a - b);
  code.mark('now', lines);
  if (lines.length) code.see(lines.find(k => functionOf[k] === e.kind) || lines[0]);
}
