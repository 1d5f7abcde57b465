/* worker.js - the compiler, in a thread of its own, so that typing never waits for it. */
import {Compiler, unpackModule} from './compiler.js';

let compiler = null;
let waiting = [];

function answer({id, text, given, parts, seed}) {
  const start = performance.now();
  const result = compiler.play(text, given, parts, seed);
  postMessage({id, result, milliseconds: performance.now() - start});
}

onmessage = async ({data}) => {
  if (!data.wasm) {
    if (compiler) answer(data);
    else waiting.push(data);
    return;
  }
  try {
    compiler = new Compiler(await unpackModule(data.wasm));
    postMessage({library: compiler.library()});
    waiting.forEach(answer);
    waiting = [];
  } catch (error) {
    postMessage({failed: String(error)});
  }
};
