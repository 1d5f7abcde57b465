/* compiler.js - the compiler of the page: an instance of its WebAssembly, and the few calls of WASI
 * that its C library makes. It has no files, no environment and no arguments. */

const OK = 0;
const BAD_FILE = 8; /* WASI's EBADF */

/* What is asked for besides messages: PLAY_... of play.h. */
export const PARTS = {lesson: 1, words: 2, c: 4, values: 8, check: 16, program: 32};

class Exit extends Error {}

export class Compiler {
  constructor(module) {
    this.module = module;
    this.start();
  }

  /* A new instance, with new memory: also after the old one has come to an end. */
  start() {
    this.said = '';
    const known = {
      fd_write: (file, list, count, written) => this.write(list, count, written),
      proc_exit: status => {
        throw new Exit(`exit ${status}`);
      },
      environ_sizes_get: (count, size) => this.store(0, count, size),
      environ_get: () => OK
    };
    const imports = {};
    for (const {module, name} of WebAssembly.Module.imports(this.module))
      (imports[module] ||= {})[name] = known[name] || (() => BAD_FILE);
    this.wasm = new WebAssembly.Instance(this.module, imports).exports;
    this.wasm._initialize();
  }

  store(value, ...places) {
    const memory = new DataView(this.wasm.memory.buffer);
    places.forEach(at => memory.setUint32(at, value, true));
    return OK;
  }

  /* All that is written are the last words of a compiler that cannot continue. */
  write(list, count, written) {
    const memory = new DataView(this.wasm.memory.buffer);
    let size = 0;
    for (let k = 0; k < count; k++) {
      const [at, length] = [0, 4].map(d => memory.getUint32(list + 8 * k + d, true));
      this.said += new TextDecoder().decode(new Uint8Array(memory.buffer, at, length));
      size += length;
    }
    return this.store(size, written);
  }

  /* The text that a function of the module returns. */
  take(at) {
    const memory = new Uint8Array(this.wasm.memory.buffer);
    const text = new TextDecoder().decode(memory.subarray(at, memory.indexOf(0, at)));
    this.wasm.play_free(at);
    return JSON.parse(text);
  }

  library() {
    return this.take(this.wasm.play_library());
  }

  /* The answer to a text. given: ["a=3", ...]. */
  play(text, given, parts, seed = 1) {
    const words = [text, ...given.filter(word => word), ''].map(word =>
      word.replaceAll('\0', '\ufffd')
    );
    const bytes = new TextEncoder().encode(words.join('\0') + '\0');
    try {
      const room = this.wasm.play_room(bytes.length);
      new Uint8Array(this.wasm.memory.buffer).set(bytes, room);
      const answer = this.take(this.wasm.play(room, parts, seed));
      this.wasm.play_free(room);
      return answer;
    } catch (error) {
      return this.recover(error);
    }
  }

  /* The compiler has exited, or its stack was too small: says so, and begins anew. */
  recover(error) {
    const why = this.said.trim().replace(/^ngc: (error: )?/, '') || String(error.message || error);
    const deep = error instanceof RangeError || /stack|unreachable/i.test(error.message);
    this.start();
    const message = deep ? 'nested too deeply for this page' : why;
    return {
      version: 1,
      broken: true,
      messages: [{severity: 'error', code: deep ? 'NG0108' : '', message}]
    };
  }
}

/* The WebAssembly as it is in the page: compressed, in base 64. */
export async function unpackModule(text) {
  const bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return WebAssembly.compile(await new Response(stream).arrayBuffer());
}
