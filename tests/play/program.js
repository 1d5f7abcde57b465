/* program.js - models in JavaScript (print_js.c) against the interpreter: `node program.js
 * NGC.WASM FOLDER MODEL ...`, where FOLDER has math.js and matrix.js. In place of NGC.WASM, a
 * program that native.c became. Gradients after forward and backward, losses, and all that a
 * step changes are those of `ngc run`. Says what differs; the last line counts. */
import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {Compiler} from '../../compiler/play/page/compiler.js';

const [wasm, math, ...models] = process.argv.slice(2);
const native = (...words) => JSON.parse(execFileSync(wasm, words, {encoding: 'utf8', maxBuffer: 1 << 28}));
const compiler = wasm.endsWith('.wasm') ? new Compiler(new WebAssembly.Module(readFileSync(wasm)))
  : {library: () => native(), play: (text, given, parts, model) => native(model, String(parts), ...given)};
const {functions} = compiler.library();
const text = ['math', 'matrix'].map(name => readFileSync(`${math}/${name}.js`, 'utf8')).join('');
const F = new Function(`${text}; return {...${functions}, uniform, ...matrixOps};`)();

/* "W = [[1, 2],\n [3, 4]]" -> {W: [1, 2, 3, 4]} */
function valuesOf(text) {
  const values = {};
  for (const piece of text.split(/\n(?=[^\s[\]])/)) {
    const [, name, list] = /^(.*?) = ([\s\S]*)$/.exec(piece) || [];
    if (name) values[name] = (list.match(/-?(?:inf|nan|\d[\d.e+-]*)/g) || []).map(x => +x.replace('inf', 'Infinity'));
  }
  return values;
}

export function blocksOf(program) {
  const B = {params: {}, state: {}, inputs: {}, work: {}, grads: {}, dims: {...program.dims}};
  for (const a of program.arrays) {
    B[a.block][a.name] = new Float64Array(a.count);
    if (a.start) B[a.block][a.name].set(a.start.map(x => x ?? NaN));
  }
  return B;
}

const near = (x, y) => x === y || (x !== x && y !== y) || Math.abs(x - y) <= 3e-7 * Math.max(1e-3, Math.abs(y));
let passed = 0;
let failed = 0;
let refused = 0;
function compare(model, name, got, want) {
  if (!want) return;
  const good = want.every((x, k) => near(got[k], x));
  good ? passed++ : failed++;
  if (!good) console.log(`FAILED ${model}: ${name} is ${[...got].slice(0, 6)}, not ${want.slice(0, 6)}`);
}

for (const model of models) {
  const answer = compiler.play(readFileSync(model, 'utf8'), [], 8 | 32, model);
  const {program} = answer;
  if (!program || program.reason || answer.values === undefined) {
    refused++;
    if (process.env.SHOW) console.log(`${model}: ${program ? program.reason : JSON.stringify(answer).slice(0, 200)}`);
    continue;
  }
  const values = valuesOf(answer.values);
  const B = blocksOf(program);
  const f = new Function(`return ${program.text}`)()(B, F);
  if (f.forward) f.forward();
  const backward = program.arrays.filter(a => a.block === 'grads');
  if (f.backward) f.backward();
  for (const a of backward) if (f.backward) compare(model, a.of, B.grads[a.name], values[a.of]);
  for (const r of program.results) if (r.kind === 'loss' && f.forward) compare(model, r.name, B.work[r.array], values[r.name]);
  if (f.step) f.step();
  for (const a of program.arrays)
    if ((a.block === 'params' || a.block === 'state') && f.step) compare(model, 'next ' + a.of, B[a.block][a.name], values['next ' + a.of]);
}
console.log(`${models.length} models, ${refused} cannot be printed`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed || !passed ? 1 : 0);
