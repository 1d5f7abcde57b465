/* join.js - the page as one file, and what it knows of the course, the examples and the manual.
 *
 *     node join.js TOP BUILD OUT     the project, the parts that were built, the page
 */
import {readFileSync, readdirSync, writeFileSync, existsSync} from 'node:fs';
import {gzipSync} from 'node:zlib';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const [top, build, out] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const read = (...path) => readFileSync(join(...path), 'utf8');

/* ---- Markdown, as far as the course uses it ---- */

/* A picture of the course becomes a part of the page. */
function picture(alt, path) {
  const kind = path.endsWith('.svg') ? 'svg+xml' : 'png';
  const data = readFileSync(join(top, 'examples', path)).toString('base64');
  return `<img alt="${alt}" src="data:image/${kind};base64,${data}">`;
}

const escaped = s => s.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

/* A name of an example becomes a button that opens it. */
function inline(text) {
  return escaped(text).split(/(`[^`]*`)/).map(part => {
    const code = /^`(.*)`$/s.exec(part);
    const model = code && /^(?:examples\/)?(\w+)\.ng$/.exec(code[1]);
    if (model) return `<button data-model="${model[1]}" class="place">${model[1]}.ng</button>`;
    if (code) return `<code>${code[1]}</code>`;
    return part
      .replace(/\*\*([^*]*)\*\*/g, '<b>$1</b>')
      .replace(/\*([^*]*)\*/g, '<i>$1</i>')
      .replace(/!\[([^\]]*)\]\(([^)]*)\)/g, (_, alt, path) => picture(alt, path))
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1');
  }).join('');
}

function markdown(text) {
  return text
    .trim()
    .split(/\n\n+(?![^`]*\n```\n)/)
    .join('\n\n')
    .split(/(```[^\n]*\n[\s\S]*?\n```)/)
    .map(piece => {
      const code = /^```[^\n]*\n([\s\S]*?)\n```$/.exec(piece);
      if (code) return `<pre>${escaped(code[1])}</pre>`;
      return piece
        .split(/\n\n+/)
        .filter(p => p.trim())
        .map(p => `<p>${inline(p.trim())}</p>`)
        .join('');
    })
    .join('');
}

/* ---- the course: "## 1. Title" up to the next; its solutions below "## Solutions", "**1.**
 * Text" ---- */

function lessons(readme) {
  const solutions = {};
  const list = (/^## Solutions\n([\s\S]*?)(?=^# )/m.exec(readme) || ['', ''])[1];
  for (const [, k, text] of list.matchAll(/^\*\*(\d+)\.\*\* ([\s\S]*?)(?=^\*\*\d+\.|(?![\s\S]))/gm))
    solutions[k] = markdown(text.replaceAll('$NGC', 'ngc'));
  return [...readme.matchAll(/^## (\d+)\. (.*)\n([\s\S]*?)(?=^#+ )/gm)].map(
    ([, k, title, text]) => ({
      title,
      html: markdown(text.replaceAll('$NGC', 'ngc')),
      model: /`(\w+)\.ng`/.exec(text)[1],
      solution: solutions[k] || ''
    })
  );
}

/* ---- the manual: rows "| `f(a, b)` | what it is |" ---- */

function manual(readme) {
  const about = {};
  for (const [, forms, words] of readme.matchAll(/^\| (`\w+\(.*?`(?: `\w+\(.*?`)*) \| (.*) \|$/gm))
    for (const [, form, name] of forms.matchAll(/`((\w+)\(.*?\))`/g))
      about[name] = [
        form,
        words
          .replace(/\\\|/g, '|')
          .replace(/`/g, '')
          .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      ];
  return about;
}

const examples = {};
for (const file of readdirSync(join(top, 'examples')).sort())
  if (file.endsWith('.ng')) examples[file.slice(0, -3)] = read(top, 'examples', file);

const data = {
  lessons: lessons(read(top, 'examples/README.md')),
  examples,
  manual: manual(read(top, 'grammars/README.md'))
};

/* ---- licences of all packages that are in the page ---- */

function licences() {
  const meta = JSON.parse(read(build, 'meta.json'));
  const packages = new Set();
  for (const path in meta.inputs) {
    const m = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path);
    if (m) packages.add(m[1]);
  }
  const texts = new Map();
  for (const name of [...packages].sort()) {
    const file = join(build, 'node_modules', name, 'LICENSE');
    if (!existsSync(file)) throw new Error(`${name} has no LICENSE`);
    const text = read(file).trim();
    texts.set(text, [...(texts.get(text) || []), name]);
  }
  texts.set(read(top, 'LICENSE').trim(), ['ngc']);
  return [...texts].map(([text, names]) => `${names.join(', ')}\n\n${text}`).join('\n\n----\n\n');
}

const wasm = gzipSync(readFileSync(join(build, 'ngc.wasm')), {level: 9}).toString('base64');
const script = text => text.replace(/<\/script/gi, '<\\/script').replace(/<!--/g, '<\\!--');
const parts = {
  STYLE: read(build, 'style.css'),
  LICENCES: escaped(licences()),
  WASM: wasm,
  WORKER: script(read(build, 'worker.js')),
  MATH: script(
    ['math', 'matrix'].map(name => read(top, 'compiler/explain/page', name + '.js')).join('')
  ),
  TRAINER: script(read(build, 'trainer.js')),
  MODELS: JSON.stringify(data).replace(/</g, '\\u003c'),
  SCRIPT: script(read(build, 'main.js'))
};
writeFileSync(out, read(here, 'playground.html').replace(/@([A-Z]+)@/g, (_, name) => parts[name]));
