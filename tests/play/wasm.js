/* wasm.js - the compiler of the page in Node: `node wasm.js NGC.WASM MODEL PARTS [NAME=VALUE
 * ...]` prints its answer. */
import {readFileSync} from 'node:fs';
import {Compiler} from '../../compiler/play/page/compiler.js';

const [wasm, model, parts, ...given] = process.argv.slice(2);
const compiler = new Compiler(new WebAssembly.Module(readFileSync(wasm)));
console.log(JSON.stringify(compiler.play(readFileSync(model, 'utf8'), given, +parts)));
