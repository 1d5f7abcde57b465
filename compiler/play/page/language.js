/* language.js - the language in the editor: colours, names to complete, what a name means. */
import {StreamLanguage, HighlightStyle, syntaxHighlighting, indentUnit} from '@codemirror/language';
import {snippetCompletion} from '@codemirror/autocomplete';
import {tags} from '@lezer/highlight';

const DECLARES = [
  'import',
  'dim',
  'input',
  'param',
  'state',
  'update',
  'output',
  'metric',
  'gradient',
  'minimize',
  'maximize',
  'over',
  'with'
];
const CONTROLS = ['for', 'in', 'while', 'if', 'else', 'return', 'backward'];
const KEYWORDS = [...DECLARES, 'def', ...CONTROLS];
const CONSTANTS = ['pi', 'inf', 'training', 'step'];

/* ---- colours ---- */

function wordKind(word, stream, afterColon) {
  if (word === 'def') return 'definitionKeyword';
  if (DECLARES.includes(word)) return 'keyword';
  if (CONTROLS.includes(word)) return 'controlKeyword';
  if (CONSTANTS.includes(word)) return 'atom';
  if (afterColon && (word === 'int' || word === 'float')) return 'typeName';
  return stream.match(/\s*\(/, false) ? 'call' : 'variableName';
}

const tokens = {
  name: 'ng',
  startState: () => ({colon: false}),
  token(stream, state) {
    if (stream.eatSpace()) return null;
    const afterColon = state.colon;
    state.colon = false;
    if (stream.match(/#.*/)) return 'comment';
    if (stream.match(/"[^"]*("|$)/)) return 'string';
    if (stream.match(/\d+(\.\d+)?([eE][-+]?\d+)?/)) return 'number';
    if (stream.match(/\.[A-Za-z_]\w*/)) return 'propertyName';
    const word = stream.match(/[A-Za-z_]\w*/);
    if (word) return wordKind(word[0], stream, afterColon);
    state.colon = stream.peek() === ':';
    if (stream.match(/\|>|\.\.|[-+*\/@^~<>!=]=?/)) return 'operator';
    stream.next();
    return 'punctuation';
  },
  tokenTable: {call: tags.function(tags.variableName)},
  languageData: {
    commentTokens: {line: '#'},
    closeBrackets: {brackets: ['(', '[', '{', '"']},
    indentOnInput: /^\s*\}$/
  }
};

const colours = HighlightStyle.define([
  {tag: [tags.keyword, tags.definitionKeyword], color: 'var(--accent)', fontWeight: '600'},
  {tag: tags.controlKeyword, color: 'var(--accent)'},
  {tag: tags.comment, color: 'var(--comment)', fontStyle: 'italic'},
  {tag: tags.function(tags.variableName), color: 'var(--call)'},
  {tag: [tags.number, tags.atom, tags.string], color: 'var(--value)'},
  {tag: tags.typeName, color: 'var(--call)'}
]);

export const ng = [
  StreamLanguage.define(tokens),
  syntaxHighlighting(colours),
  indentUnit.of('    ')
];

/* ---- completion ---- */

/* Names that the text gives: assigned, declared, defined. */
export function ownNames(text) {
  const names = new Map();
  const code = text.replace(/#.*/g, '');
  for (const [, name, args] of code.matchAll(/\bdef\s+(\w+)\s*\(([^)]*)\)/g))
    names.set(name, {type: 'function', detail: `(${args})`});
  for (const [, list] of code.matchAll(/(?:^|[\n;{])[ \t]*([A-Za-z_][\w, ]*?)\s*=(?!=)/g))
    for (const word of list.split(/[\s,]+/))
      if (word && !KEYWORDS.includes(word)) names.set(word, {type: 'variable'});
  for (const [, kind, list] of code.matchAll(
    /\b(input|param|state|dim|output|metric|minimize)\b([^\n;]*)/g
  ))
    for (const [, name] of list.replace(/\[[^\]]*\]/g, '').matchAll(/(?:^|,)\s*([A-Za-z_]\w*)/g))
      if (!names.has(name)) names.set(name, {type: 'variable', detail: kind});
  return names;
}

/* The call that the place is inside of: its function's name, or null. */
function callAround(before) {
  let depth = 0;
  for (let k = before.length - 1; k >= 0 && before.length - k < 2000; k--) {
    const c = before[k];
    if (c === ')' || c === ']') depth++;
    if (c === '(' || c === '[') {
      if (depth === 0)
        return c === '(' ? (/([A-Za-z_]\w*)\s*$/.exec(before.slice(0, k)) || [])[1] || null : null;
      depth--;
    }
    if (c === '\n' && depth === 0 && /^\s*\w+\s*=/.test(before.slice(k + 1))) return null;
  }
  return null;
}

function argumentsOf(name, library, own) {
  const params = library[name] ? library[name].params
    : own.get(name)?.detail?.slice(1, -1).split(',').map(p => p.split('=')[0].trim()) || [];
  return params.filter(p => p && p !== '_').map(p =>
    snippetCompletion(`${p} = \${}`, {label: `${p} =`, type: 'property', detail: name, boost: 3}));
}

/* library: a function that returns it, as it comes later than the editor. */
export const completions = library => context => {
  const word = context.matchBefore(/[A-Za-z_]\w*/);
  const text = context.state.doc.toString();
  const before = text.slice(0, word ? word.from : context.pos);
  if (/#[^\n]*$/.test(before) || /\.$/.test(before)) return null;
  const own = ownNames(text);
  const call = callAround(before);
  const args = call && /[(,]\s*$/.test(before) ? argumentsOf(call, library(), own) : [];
  if (!word && !context.explicit && !args.length) return null;
  if (!word && !context.explicit) return null;

  const all = library();
  return {
    from: word ? word.from : context.pos,
    validFor: /^\w*$/,
    options: [
      ...args,
      ...[...own].map(([label, what]) => ({label, ...what, boost: 2})),
      ...Object.keys(all).map(label => ({
        label,
        type: 'function',
        detail: all[label].form.slice(label.length),
        info: all[label].doc,
        apply: label
      })),
      ...KEYWORDS.map(label => ({label, type: 'keyword', boost: -1})),
      ...CONSTANTS.map(label => ({label, type: 'constant', boost: -1}))
    ]
  };
};
