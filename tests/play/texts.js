/* texts.js - the texts of the playground and of the lesson in it: `node texts.js TOP`. Each has
 * all languages, with the same places for what is given; each that the scripts ask for is there,
 * and none is left that nothing asks for. The last line counts. */
import {readFileSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {LANGUAGES, table, editorTexts} from '../../compiler/play/page/texts.js';
import {rows} from '../../compiler/play/page/frame_texts.js';

const top = process.argv[2];
const read = (...path) => readFileSync(join(top, ...path), 'utf8');
let passed = 0;
let failed = 0;
function check(what, good) {
  good ? passed++ : failed++;
  if (!good) console.log('FAILED ' + what);
}

const places = text => (text.match(/%\d?/g) || []).sort().join();
const count = Object.keys(LANGUAGES).length;
for (const [name, list] of Object.entries(table)) {
  check(`${name}: ${count} languages`, list.length === count && list.every(t => t));
  check(`${name}: the same places`, list.every(t => places(t) === places(list[0])));
}
for (const [text, list] of Object.entries(rows)) {
  check(`${text}: ${count - 1} languages`, list.length === count - 1 && list.every(t => t));
  check(`${text}: the same places`, list.every(t => [...new Set(places(t).split(','))].join() === [...new Set(places(text).split(','))].join()));
}

/* titles of codes are those of the registry */
const titles = new Map([...read('compiler/tool/errors.txt').matchAll(/^(NG\d{4}) (.*)$/gm)].map(m => m.slice(1)));
for (const name in table) if (/^NG/.test(name)) check(`${name} has the title of errors.txt`, table[name][0] === titles.get(name));
for (const [text, list] of Object.entries(editorTexts)) check(`the editor's ${text}: ${count - 1} languages`, list.length === count - 1 && list.every(t => t));

/* the playground: say('name'), data-text="name", and names that are put together */
const scripts = readdirSync(join(top, 'compiler/play/page')).filter(f => /\.(js|html)$/.test(f) && !/texts\.js$/.test(f)).map(f => read('compiler/play/page', f)).join('\n');
const asked = new Set([...scripts.matchAll(/say\(\s*'(\w+)'|data-(?:text|title|label)="(\w+)"|(?:button|control|slider|choice|group)\(\s*'(\w+)'|say\(\s*\w+ \? '(\w+)' : '(\w+)'\s*\)/g)].flatMap(m => m.slice(1).filter(Boolean)));
for (const name of asked) if (!name.endsWith('_')) check(`say('${name}')`, name in table);
for (const name in table) check(`${name} is asked for`, scripts.includes(`'${name}'`) || scripts.includes(`"${name}"`) || /_title$|^tab_|^set_|^NG|^error$|^warning$|^note$/.test(name));

/* lessons: T('text'), count(n, 'what'), row('text'), and what is in the page itself */
const lesson = ['board', 'code', 'folds', 'graph', 'lectures', 'lesson', 'main', 'plot', 'train'].map(f => read('compiler/explain/page', f + '.js')).join('\n');
const literal = String.raw`((?:'(?:[^'\\]|\\.)*'(?:\s*\+\s*)?)+)`;
const value = text => Function(`return ${text}`)();
const wanted = new Set(['start', 'forward', 'backward', 'update']);
for (const m of lesson.matchAll(new RegExp(String.raw`\bT\(\s*` + literal, 'g'))) wanted.add(value(m[1]));
for (const m of lesson.matchAll(new RegExp(String.raw`\bT\([^()']*\? ${literal} : ${literal}`, 'g'))) wanted.add(value(m[1])).add(value(m[2]));
for (const m of lesson.matchAll(/\bcount\([^']*?, '(\w+)'\)/g)) wanted.add(m[1]).add(m[1] + 's');
for (const m of lesson.matchAll(/\brow\('([^']*)'/g)) wanted.add(m[1]);
const page = read('compiler/explain/page/page.html').replace(/<section id="jacobians"[\s\S]*?<\/section>/, '').replace(/<head>[\s\S]*<\/head>|<script[\s\S]*?<\/script>/g, '');
for (const m of page.matchAll(/(?:title|aria-label)="([^"]*)"/g)) wanted.add(m[1]);
for (const m of page.replace(/<(kbd|code)[^>]*>.*?<\/\1>/g, '<i>').matchAll(/>([^<>]*[a-z][^<>]*)</g)) m[1].replace(/&#\d+;/g, '').trim().split('\n').forEach(t => wanted.add(t.trim()));
const given = /NAME=VALUE|^ngc$/; /* only outside of the playground */
for (const text of wanted) if (/[a-z]/.test(text) && !given.test(text)) check(`a lesson's "${text}" has translations`, text in rows);
const rules = readdirSync(join(top, 'compiler/graph')).filter(f => /^op_.*\.c$/.test(f)).map(f => read('compiler/graph', f)).join('\n');
for (const text in rows) check(`"${text}" is in a lesson`, wanted.has(text) || rules.includes(`teach = "${text}"`));

console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
