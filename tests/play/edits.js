/* edits.js - random edits of models, as a student makes them and worse: `node edits.js NGC.WASM
 * EXAMPLES COUNT [SEED]`. The compiler must answer each text with JSON, must not fail inside,
 * and must not keep memory. Says what failed; the last line says how many texts there were. */
import {readFileSync, readdirSync} from 'node:fs';
import {Compiler} from '../../compiler/play/page/compiler.js';

const [wasm, folder, count, seed] = process.argv.slice(2);
const compiler = new Compiler(new WebAssembly.Module(readFileSync(wasm)));
let starts = -1;
const start = compiler.start.bind(compiler);
compiler.start = () => {
  starts++;
  start();
};
compiler.start();

let state = (+seed || 1) * 2654435761 % 4294967296;
function random(n) { /* 0 .. n - 1 */
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor(state / 4294967296 * n);
}
const any = list => list[random(list.length)];

const LARGE = ['char_gpt', 'char_rnn', 'lenet', 'resnet', 'fashion', 'autoencoder', 'digits', 'gan', 'regularised', 'vectorised', 'series'];
const texts = readdirSync(folder).filter(f => f.endsWith('.ng') && !LARGE.includes(f.slice(0, -3)))
  .map(f => readFileSync(`${folder}/${f}`, 'utf8')).filter(t => t.length < 3000);
const some = texts.filter((_, k) => k % (+count < 1000 ? 16 : 4) === 0); /* to see what memory they need */
const PIECES = ['(', ')', '[', ']', '{', '}', ',', '=', ' ', '\n', '*', '@', "'", '.', '"', '#', '0', '1e9', 'x', 'tanh(', 'dense(', 'for i in 0..3 {',
  'if training {', 'def f(x) = ', 'minimize J = ', 'input q[m]', 'dim m <= 4', '|> relu', '\u00e9', '\ud83d\ude00', 'grad(', '..', 'with adam(lr = 1)', '[:, 0]', '-', '^2', '_'];

/* The text with one to four changes. */
function edited(text) {
  for (let k = 1 + random(4); k > 0; k--) {
    const at = random(text.length + 1);
    const end = Math.min(text.length, at + random(random(8) ? 6 : 60));
    const lines = text.split('\n');
    switch (random(5)) {
      case 0: text = text.slice(0, at) + text.slice(end); break;
      case 1: text = text.slice(0, at) + any(PIECES) + text.slice(at); break;
      case 2: text = text.slice(0, at) + text.slice(at, end).repeat(2) + text.slice(end); break;
      case 3: lines.splice(random(lines.length), 1, any(lines)); text = lines.join('\n'); break;
      default: text = text.replace(/\d+/, () => String(random(12)));
    }
  }
  return text;
}

let failed = 0;
let good = 0;
let slowest = 0;
const memory = () => compiler.wasm.memory.buffer.byteLength;
some.forEach(t => compiler.play(t, [], 15));
const before = memory();
let text = any(texts);
for (let i = 0; i < +count; i++) {
  text = random(5) ? edited(text) : any(texts);
  if (text.length > 6000) text = any(texts);
  const since = process.cpuUsage();
  const answer = compiler.play(text, random(9) ? [] : ['m=2', 'a=3'], any([0, 1, 1, 1, 3, 4, 4, 8]));
  const {user, system} = process.cpuUsage(since);
  const time = (user + system) / 1000;
  slowest = Math.max(slowest, time);
  const broken = answer.broken && !/out of memory|nested too deeply/.test(answer.messages[0].message);
  const inside = answer.messages.some(m => /internal error/.test(m.message));
  if (broken || inside || time > 10000) {
    failed++;
    console.log(`FAILED ${answer.messages.map(m => m.message).join('; ')} (${time.toFixed()} ms) of\n${text}\n----`);
  }
  good += !!answer.lesson;
}

/* The same texts again, in an instance that has seen all of that: no more memory than the texts
 * need. */
some.forEach(t => compiler.play(t, [], 15));
const after = memory();
some.forEach(t => compiler.play(t, [], 15));
if (memory() !== after) {
  failed++;
  console.log(`FAILED memory grows from ${after} to ${memory()} bytes by the same texts`);
}
console.log(`${count} texts, ${good} of them with a lesson, ${failed} failed; ${starts} new instances, ${before >> 20} to ${after >> 20} MB, the slowest ${slowest.toFixed()} ms`);
process.exit(failed ? 1 : 0);
