/* main.js - puts the page together: the text, what the compiler says of it, and the views. */
import {Editor, wordsOf, applyFix} from './editor.js';
import {readLibrary, ownDef} from './library.js';
import {Asking} from './asking.js';
import {PARTS} from './compiler.js';
import {LessonFrame} from './frame.js';
import {Train} from './train.js';
import {firstNet, readNet} from './net.js';
import {SETS} from './points.js';
import {difference} from './diff.js';
import {LANGUAGES, say, phrases, language, setLanguage, titleOf} from './texts.js';
import {$, html, number, pause, repaint} from './page.js';

const models = JSON.parse($('models').textContent);
let library = {};
let functions = '';
let seed = 1; /* of starting weights */
let train = null;
let answer = null; /* the last one without errors */
let answered = {}; /* its text, what was given to it, and the parts that it has */

/* ---- texts of the page ---- */

function paintTexts() {
  for (const [attribute, set] of [
    ['text', (e, t) => (e.textContent = t)],
    ['title', (e, t) => (e.title = t)],
    ['label', (e, t) => e.setAttribute('aria-label', t)]
  ])
    document
      .querySelectorAll(`[data-${attribute}]`)
      .forEach(e => set(e, say(e.dataset[attribute])));
  document.title = 'ngc ' + say('title');
}

function chooseLanguage(code) {
  setLanguage(code);
  document.documentElement.lang = code;
  $('language').value = code;
  keep('language', code);
  paintTexts();
  paintMenu();
  setState(...state);
  tabs.forEach(t => ($(`tab-${t}`).textContent = say(`tab_${t}`)));
  editor.relabel();
  train.relabel();
  if ($('menu').value.startsWith('lesson ')) showLesson($('menu').value.slice(7) - 1);
  paintMessages(messagesShown);
  if (answer) paintPanel();
}

/* A page that is opened from the disk may not be allowed to keep anything. */
function keep(name, value) {
  try {
    localStorage.setItem('ngc ' + name, value);
  } catch {
    /* it is kept until the page is closed */
  }
}

function kept(name) {
  try {
    return localStorage.getItem('ngc ' + name);
  } catch {
    return null;
  }
}

/* ---- views ---- */

const tabs = ['lesson', 'train', 'c', 'words', 'numbers'];
const partsOf = {
  lesson: 0,
  train: PARTS.program,
  c: PARTS.c,
  words: PARTS.words,
  numbers: PARTS.values | PARTS.check
};
let tab = 'lesson';

function addTabs() {
  for (const name of tabs) {
    const button = html(
      'button',
      {id: `tab-${name}`, role: 'tab', 'aria-controls': `panel-${name}`},
      say(`tab_${name}`)
    );
    button.onclick = () => chooseTab(name);
    $('tabs').append(button);
    $(`panel-${name}`).setAttribute('aria-labelledby', `tab-${name}`);
  }
  $('tabs').addEventListener('keydown', e => {
    const step = {ArrowRight: 1, ArrowLeft: -1}[e.key];
    const end = {Home: 0, End: tabs.length - 1}[e.key];
    if (!step && end === undefined) return;
    e.preventDefault();
    chooseTab(tabs[end ?? (tabs.indexOf(tab) + step + tabs.length) % tabs.length]);
    $(`tab-${tab}`).focus();
  });
}

function chooseTab(name) {
  tab = name;
  for (const t of tabs) {
    $(`tab-${t}`).setAttribute('aria-selected', t === name);
    $(`tab-${t}`).tabIndex = t === name ? 0 : -1;
    $(`panel-${t}`).hidden = t !== name;
  }
  follow();
}

/* ---- the compiler ---- */

const asking = new Asking($('worker').textContent, $('wasm').textContent, {
  library: given => {
    library = readLibrary(given, models.manual);
    functions = given.functions;
    lessonFrame.template = given.page;
    follow();
  },
  failed: why => {
    setState('no_start', why);
  }
});

const lessonFrame = new LessonFrame($('panel-lesson'), () => say('lesson_frame'));

/* "a=3 b=[1, 2]" -> ["a=3", "b=[1,2]"] */
function givenWords() {
  return $('given').value.replace(/\s*([=,\[\]])\s*/g, '$1').split(/\s+/).filter(w => w);
}

let state = []; /* of the page: the name of a text, and what is given to it */
function setState(...said) {
  state = said;
  $('state').textContent = said.length ? say(...said) : '';
  if (said[0] !== 'working') tellSoon();
}

/* What a screen reader hears: not each change while somebody types, but what holds after a
 * while, and only if it is new. */
const tellSoon = pause(1200, () => {
  const first = messagesShown.find(m => m.severity === 'error');
  const about = first
    ? `. ${first.line ? say('line', first.line) + ': ' : ''}${first.message}`
    : '';
  const text = $('state').textContent + (state[0] === 'errors' ? about : '');
  if ($('said').textContent !== text) $('said').textContent = text;
});

let busy = false; /* is the page behind the text? */
let slow = 0;
let change = 0; /* grows with each change of the text, the numbers or the view */

/* Everything follows the text. */
function follow() {
  changing();
  const asked = {change, text: editor.text, given: givenWords(), parts: partsOf[tab]};
  if (!lessonFrame.page) return;
  setState('working');
  asking.ask(asked.text, asked.given, PARTS.lesson | asked.parts, seed, (a, milliseconds) => {
    receive(a, milliseconds, asked);
    busy = change !== asked.change;
  });
}

function changing() {
  busy = true;
  change++;
}

function receive(a, milliseconds, {text, given, parts}) {
  const messages = [];
  for (const name of [
    'messages',
    'lesson_messages',
    'values_messages',
    'check_messages',
    'program_messages'
  ])
    for (const m of a[name] || [])
      if (!messages.some(seen => JSON.stringify(seen) === JSON.stringify(m))) messages.push(m);
  const failed = a.broken || messages.some(m => m.severity === 'error');
  const computed =
    a.lesson || (tab === 'c' && a.c !== undefined); /* a large model may have only its C */
  editor.show(messages);
  paintMessages(messages);
  document.body.classList.toggle('stale', !computed);
  clearTimeout(slow);
  const now = failed ? (answer ? 'errors' : 'only_errors') : computed ? 'ready' : 'not_computed';
  setState(a.late ? 'late' : badLink ? 'bad_link' : now);
  $('state').dataset.milliseconds = milliseconds;
  if (computed && !failed) [answer, answered] = [a, {text, given, parts}];
  if (answer && answer !== a) completeAnswer();
  if (answer) paintPanel();
  else $(`panel-${tab}`).replaceChildren(html('p', {class: 'soft'}, say('nothing_yet')));
}

/* The part of the last good answer that another view shows. */
async function completeAnswer() {
  const of = answer;
  if ((partsOf[tab] & answered.parts) === partsOf[tab]) return;
  answered.parts |= partsOf[tab];
  const more = await asking.askAside(
    answered.text,
    answered.given,
    PARTS.lesson | partsOf[tab],
    seed
  );
  if (answer !== of || !more.lesson) return;
  for (const name in more) of[name] ??= more[name];
  paintPanel();
}

let messagesShown = [];

function paintMessages(messages) {
  messagesShown = messages;
  const rows = messages.map(paintMessage);
  if (language() !== 'en' && messages.length)
    rows.push(html('div', {class: 'soft'}, say('in_english')));
  repaint($('messages'), () => $('messages').replaceChildren(...rows));
  $('messages').hidden = !messages.length;
}

function paintMessage(m) {
  const [first, ...more] = wordsOf(m);
  const row = html('div', {class: 'message ' + m.severity});
  if (m.line && m.file === 'model.ng') {
    const place = html('button', {class: 'place'}, say('line', m.line));
    place.onclick = () => editor.goto(m.line, m.column);
    row.append(place, ' ');
  }
  const title = language() === 'en' ? '' : titleOf(m.code);
  row.append(
    html('b', {}, say(m.severity)),
    ' ',
    ...(title ? [html('span', {}, title + '. ')] : []),
    html('span', {lang: 'en'}, first),
    ...more.map(text => html('div', {class: 'soft', lang: 'en'}, text))
  );
  if (m.fix && m.fix.line) {
    const fix = html('button', {class: 'main fix'}, say('replace_by', m.fix.text));
    fix.onclick = () => applyFix(editor.view, m.fix);
    row.append(' ', fix);
  }
  return row;
}

/* ---- what a word means ---- */

function tensorText(n) {
  if (!n) return '';
  if (n.value && n.shape.length === 0) return number(n.value[0]);
  const shape = `[${n.shape.join(', ')}]`;
  if (n.value && n.value.length <= 8)
    return `${shape} ${n.value.map(x => number(x, 5)).join(', ')}`;
  const numbers =
    n.value && n.value.map(x => (typeof x === 'string' ? +x.replace('inf', 'Infinity') : x));
  const mean = numbers ? numbers.reduce((t, x) => t + x, 0) / numbers.length : n.stats?.mean;
  return mean === undefined ? shape : `${shape} mean ${number(mean, 4)}`;
}

function aboutWord(word) {
  const parts = [];
  const lesson = answer && answer.lesson;
  const item = lesson && lesson.items.find(t => t.name === word);
  if (item) {
    const at = id => lesson.nodes.find(n => n.id === id);
    parts.push(
      html(
        'div',
        {},
        html('b', {}, word),
        ` ${item.kind}${item.formula ? ' = ' + item.formula : ''}`
      )
    );
    parts.push(html('div', {class: 'v'}, `${say('value')} ${tensorText(at(item.node))}`));
    if (item.gradient !== null && at(item.gradient))
      parts.push(html('div', {class: 'g'}, `${say('gradient')} ${tensorText(at(item.gradient))}`));
  }
  const own = item ? null : ownDef(editor.text, word);
  if (own) parts.push(html('pre', {}, own));
  const of = !item && !own && Object.hasOwn(library, word) && library[word];
  if (of) {
    parts.push(html('b', {}, of.form));
    if (of.doc) parts.push(html('div', {lang: 'en'}, of.doc));
    if (of.text) parts.push(html('pre', {}, of.text));
  }
  return parts;
}

/* ---- the panels ---- */

function paintPanel() {
  if (tab === 'lesson' && answer.lesson) lessonFrame.show(answer.lesson);
  if (tab === 'train' && answer.program) train.load(answer.program, functions, answered.text);
  if (tab === 'c' && answer.c !== undefined) paintC();
  if (tab === 'words' && answer.words !== undefined)
    $('panel-words').replaceChildren(longText(answer.words));
  if (tab === 'numbers' && answer.values !== undefined)
    $('panel-numbers').replaceChildren(
      html('h2', {}, say('values')),
      longText(answer.values),
      html('h2', {}, say('check')),
      answer.check ? longText(answer.check) : html('p', {}, say('no_check'))
    );
}

/* What the compiler printed. Of megabytes only the beginning, with a button for all: a page that
 * shows them needs seconds. */
const SHOWN = 2000000;
function longText(text) {
  const listing = html('pre', {lang: 'en'}, text.slice(0, SHOWN));
  if (text.length <= SHOWN) return listing;
  const all = html('button', {}, say('show_all', Math.round(text.length / 1000)));
  all.onclick = () => {
    listing.textContent = text;
    all.remove();
  };
  return html('div', {}, listing, all);
}

function startTraining() {
  train = new Train({
    parent: $('panel-train'),
    script: $('trainer').textContent,
    math: $('math').textContent,
    text: () => editor.text,
    edit: text => editor.edit(text),
    compile: text => asking.askAside(text, givenWords(), PARTS.program, seed),
    params: name => library[name]?.params || [],
    again: another => {
      seed = another;
      follow();
    }
  });
}

let cView = 'fast';

function paintC() {
  const choose = html('nav', {class: 'group', 'aria-label': 'C'});
  for (const view of ['plain', 'fast', 'both']) {
    const button = html('button', {'aria-pressed': cView === view}, say(view));
    button.onclick = () => {
      cView = view;
      paintC();
    };
    choose.append(button);
  }
  repaint($('panel-c'), () => $('panel-c').replaceChildren(choose, paintReasons(), paintListing()));
}

function paintListing() {
  if (cView === 'fast') return html('pre', {lang: 'en'}, answer.c);
  if (!answer.lesson) return html('p', {class: 'soft'}, say('not_computed'));
  if (cView === 'plain') return html('pre', {lang: 'en'}, answer.lesson.c);
  const lines = text => text.replace(/\n$/, '').split('\n');
  const listing = html('pre', {class: 'difference', lang: 'en'});
  for (const [mark, line] of difference(lines(answer.lesson.c), lines(answer.c)))
    listing.append(
      html(mark === '+' ? 'ins' : mark === '-' ? 'del' : 'span', {}, `${mark} ${line}\n`)
    );
  return listing;
}

/* A reason once for each line and value that it made. */
function paintReasons() {
  const rows = new Map(
    [...answer.why].sort((a, b) => a.line - b.line).map(w => [`${w.line} ${w.why}`, w])
  );
  const list = html('ul', {class: 'reasons', lang: 'en'});
  for (const w of rows.values()) {
    const place = html('button', {class: 'place'}, w.line ? say('line', w.line) : '·');
    if (w.line) place.onclick = () => editor.goto(w.line);
    list.append(
      html('li', {}, ...(w.line ? [place] : []), ` ${w.name ? w.name + ': ' : ''}${w.why}`)
    );
  }
  const open = rows.size > 0 && rows.size < 8 ? {open: ''} : {};
  return html(
    'details',
    open,
    html('summary', {}, `${say('reasons')}: ${rows.size || say('no_reasons')}`),
    list
  );
}

/* ---- the menu, lessons, files, links ---- */

function paintMenu() {
  const group = (name, list) => {
    const g = html('optgroup', {label: say(name)});
    list.forEach(([value, text]) => g.append(html('option', {value}, text)));
    return g;
  };
  const was = $('menu').value;
  $('menu').replaceChildren(
    html('option', {value: ''}, say('own')),
    group(
      'lessons',
      models.lessons.map((l, k) => [`lesson ${k + 1}`, `${k + 1}. ${l.title}`])
    ),
    group(
      'nets',
      Object.keys(SETS).map(s => [`net ${s}`, say('set_' + s)])
    ),
    group(
      'examples',
      Object.keys(models.examples).map(name => [name, `${name} — ${aboutExample(name)}`])
    )
  );
  $('menu').value = was;
}

/* The first line of an example says what it is for. */
function aboutExample(name) {
  const about = /^# (.*)/.exec(models.examples[name]);
  if (!about) return '';
  return about[1].length > 64 ? about[1].slice(0, 63) + '…' : about[1];
}

function showLesson(k) {
  const lesson = models.lessons[k];
  $('course').hidden = !lesson;
  document.body.classList.toggle('with-course', !!lesson);
  if (!lesson) return;
  const close = html('button', {class: 'close', 'aria-label': say('close')}, '×');
  close.onclick = () => showLesson(-1);
  const text = html('div', {lang: 'en'});
  text.innerHTML = lesson.html;
  const own = language() === 'en' ? [] : [html('p', {class: 'soft'}, say('course_in_english'))];
  const parts = [
    close,
    html('h2', {id: 'course-title', lang: 'en'}, `${k + 1}. ${lesson.title}`),
    ...own,
    text
  ];
  if (lesson.solution) {
    const solution = html('div', {lang: 'en'});
    solution.innerHTML = lesson.solution;
    parts.push(
      html('details', {class: 'solution'}, html('summary', {}, say('solution')), solution)
    );
  }
  $('course').replaceChildren(...parts);
  $('course').scrollTop = 0;
  $('course').querySelectorAll('button[data-model]').forEach(b => {
    b.onclick = () => openText(models.examples[b.dataset.model], '');
  });
}

function openText(text, given) {
  $('given').value = given;
  train.keeps = false; /* it begins with its own weights */
  editor.text = text;
  follow();
}

/* A lesson about the view that trains begins there. */
function openLesson({model, html}) {
  const text = models.examples[model];
  openText(text, '');
  if (/<i>Train<\/i>/.test(html) && readNet(text)) chooseTab('train');
}

function choose(value) {
  const lesson = /^lesson (\d+)$/.exec(value);
  showLesson(lesson ? lesson[1] - 1 : -1);
  if (lesson) openLesson(models.lessons[lesson[1] - 1]);
  else if (models.examples[value]) openText(models.examples[value], '');
  else if (value.startsWith('net ')) chooseNet(value.slice(4));
}

/* A net for a set of points, in the view that trains. */
function chooseNet(set) {
  train.table = null;
  train.settings.set = set;
  train.renew();
  train.paintData();
  train.restart();
  openText(firstNet(SETS[set]), '');
  chooseTab('train');
}

function save() {
  const url = URL.createObjectURL(new Blob([editor.text], {type: 'text/plain'}));
  const name = models.examples[$('menu').value] ? $('menu').value : 'model';
  html('a', {href: url, download: name + '.ng'}).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/* A table is data for the view that trains. */
async function openTable(file) {
  if (!train.useTable(await file.text())) {
    setState('no_table');
    return;
  }
  $('menu').value = '';
  showLesson(-1);
  openText(train.tableNet(), '');
  chooseTab('train');
}

async function openFile(file) {
  if (!file) return;
  if (file.size > 16 << 20) {
    setState('too_large');
    return;
  }
  if (/\.(csv|tsv|txt)$/i.test(file.name)) {
    await openTable(file);
    return;
  }
  const text = await file.text();
  if (/[\0\ufffd]/.test(text)) {
    setState('no_text');
    return;
  }
  $('menu').value = '';
  showLesson(-1);
  openText(text, '');
}

/* The text in a link: "#" and JSON. */
function linkText() {
  const state = {text: editor.text, ...($('given').value && {given: $('given').value})};
  return '#' + encodeURIComponent(JSON.stringify(state));
}

async function copyLink() {
  const hash = linkText();
  if (hash.length > 1 << 20) { /* browsers cut longer ones */
    setState('too_large');
    return;
  }
  ignoreHash = location.hash !== hash;
  location.hash = hash;
  const url = location.href;
  try {
    await navigator.clipboard.writeText(url);
    setState('copied');
  } catch {
    setState('in_address');
  }
}

let ignoreHash = false;

/* Opens what a link says: a text, or "#lesson-3" or "#xor". Returns false if it says nothing. */
function openLink() {
  const hash = location.hash.slice(1);
  if (!hash) return false;
  const lesson = /^lesson-(\d+)$/.exec(hash);
  const net = /^net-(\w+)$/.exec(hash);
  const value = lesson ? `lesson ${lesson[1]}` : net ? `net ${net[1]}` : hash;
  if (
    (lesson && models.lessons[lesson[1] - 1]) ||
    Object.hasOwn(models.examples, hash) ||
    (net && Object.hasOwn(SETS, net[1]))
  ) {
    $('menu').value = value;
    choose(value);
    return true;
  }
  const {text, given} = textOfLink(hash);
  if (typeof text !== 'string') {
    badLink = true;
    setState('bad_link');
    return false;
  }
  $('menu').value = exampleOf(text);
  showLesson(-1);
  openText(text, typeof given === 'string' ? given : '');
  return true;
}

let badLink = false;

/* {text, given}, or nothing: it may have been cut, or be of another page. */
function textOfLink(hash) {
  try {
    return JSON.parse(decodeURIComponent(hash)) || {};
  } catch {
    return {};
  }
}

const exampleOf = text =>
  Object.keys(models.examples).find(name => models.examples[name] === text) || '';

/* What was here before the page was closed. */
function openKept() {
  const text = kept('text');
  if (!text) return false;
  const value = kept('menu') || '';
  const lesson = /^lesson (\d+)$/.exec(value);
  $('menu').value = lesson && models.lessons[lesson[1] - 1] ? value : exampleOf(text);
  showLesson($('menu').value.startsWith('lesson ') ? lesson[1] - 1 : -1);
  openText(text, kept('given') || '');
  return true;
}

/* ---- together ---- */

const followSoon = pause(100, follow);
const keepSoon = pause(500, () => {
  keep('text', editor.text);
  keep('given', $('given').value);
  keep('menu', $('menu').value);
});
const editor = new Editor({
  parent: $('editor'),
  library: () => library,
  about: aboutWord,
  changed: () => {
    keepSoon();
    changing();
    followSoon();
  },
  words: {
    replaceBy: text => say('replace_by', text),
    phrases,
    label: () => say('editor'),
    keys: () => say('editor_title'),
    say: text => ($('said').textContent = text)
  }
});

$('given').addEventListener('input', () => {
  keepSoon();
  changing();
  followSoon();
});
$('menu').onchange = () => choose($('menu').value);
$('open').onclick = () => $('file').click();
$('file').onchange = () => openFile($('file').files[0]);
$('save').onclick = save;
$('link').onclick = copyLink;
addEventListener('beforeprint', () => lessonFrame.print(true));
addEventListener('afterprint', () => lessonFrame.print(false));
for (const name of ['dragover', 'drop'])
  addEventListener(name, e => {
    if (![...e.dataTransfer.types].includes('Files')) return;
    e.preventDefault();
    if (name === 'drop') openFile(e.dataTransfer.files[0]);
  });
addEventListener('hashchange', () => {
  badLink = false;
  if (!ignoreHash) openLink();
  ignoreHash = false;
});

for (const code in LANGUAGES)
  $('language').append(html('option', {value: code, lang: code}, LANGUAGES[code]));
$('language').onchange = () => chooseLanguage($('language').value);
addTabs();
startTraining();
const wanted = kept('language') || navigator.language.slice(0, 2);
chooseLanguage(wanted in LANGUAGES ? wanted : 'en');
chooseTab('lesson');
if (!openLink() && !openKept()) {
  $('menu').value = 'lesson 1';
  choose('lesson 1');
}

/* for tests, and for the curious */
globalThis.playground = {
  editor,
  frame: lessonFrame,
  get train() {
    return train;
  },
  get answer() {
    return answer;
  },
  get library() {
    return library;
  },
  get busy() {
    return busy || !!document.querySelector('iframe.coming');
  }
};
