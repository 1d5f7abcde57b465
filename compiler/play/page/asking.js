/* asking.js - asks the compiler's worker: only the latest text counts. A worker that does not
 * answer in time is ended, and a new one started. */

const LIMIT = 15000; /* milliseconds */

export class Asking {
  /* source: the worker's script; wasm: the compiler, in base 64 */
  constructor(source, wasm, {library, failed}) {
    this.url = URL.createObjectURL(new Blob([source], {type: 'text/javascript'}));
    Object.assign(this, {wasm, library, failed, next: null, aside: [], current: null, number: 0});
    this.start();
  }

  start() {
    this.worker = new Worker(this.url);
    this.worker.onmessage = ({data}) => this.receive(data);
    this.worker.onerror = event => this.failed(event.message || 'the worker could not be started');
    this.worker.postMessage({wasm: this.wasm});
  }

  receive(data) {
    if (data.failed) this.failed(data.failed);
    if (data.library) this.library(data.library);
    if (!data.result || !this.current || data.id !== this.current.id) return;
    clearTimeout(this.timer);
    const {done} = this.current;
    this.current = null;
    done(data.result, data.milliseconds);
    if (!this.current) this.send(); /* unless done has asked */
  }

  /* Asks about a text; done gets the answer, unless another text comes before it is asked. */
  ask(text, given, parts, seed, done) {
    this.next = {id: ++this.number, text, given, parts, seed, done};
    if (!this.current) this.send();
  }

  /* Asks about another text, when there is nothing else to do. */
  askAside(text, given, parts, seed) {
    return new Promise(done => {
      this.aside.push({id: ++this.number, text, given, parts, seed, done});
      if (!this.current) this.send();
    });
  }

  send() {
    this.current = this.next || this.aside.shift();
    this.next = null;
    if (!this.current) return;
    const {id, text, given, parts, seed, done} = this.current;
    this.worker.postMessage({id, text, given, parts, seed});
    this.timer = setTimeout(() => {
      this.worker.terminate();
      this.current = null;
      this.start();
      done({broken: true, late: true, messages: []});
      if (!this.current) this.send();
    }, LIMIT);
  }
}
