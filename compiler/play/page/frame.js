/* frame.js - the lesson: the page that `ngc explain` writes, in a frame. A new lesson is loaded
 * into a second frame, which takes the place of the first when it is drawn; so nothing flickers.
 * What the reader has chosen there (the step, the detail) goes from the one to the other by
 * their names. */
import {html} from './page.js';
import {frameWords} from './frame_texts.js';
import {language} from './texts.js';

const asScript = object => JSON.stringify(object).replaceAll('<', '\\u003c');

export class LessonFrame {
  constructor(parent, title) {
    Object.assign(this, {parent, title, page: null, shown: null, number: 0, lesson: null});
  }

  /* The page with a place for the lesson. */
  set template(page) {
    this.page = page.split('@LESSON@');
  }

  show(lesson) {
    const text = asScript(lesson);
    if (text + language() === this.lesson) return;
    this.lesson = text + language();
    const number = ++this.number;
    const frame = html('iframe', {title: this.title(), class: 'coming'});
    if (this.shown) frame.name = this.shown.contentWindow.name;
    const [before, after] = this.page;
    const words =
      language() === 'en'
        ? ''
        : `<script>globalThis.WORDS = ${asScript(frameWords(language()))}</script>`;
    const head = before.replace('<html lang="en">', `<html lang="${language()}">`);
    frame.srcdoc = head.replace('</head>', () => words + '</head>') + text + after;
    frame.addEventListener('load', () => this.loaded(frame, number));
    this.parent.append(frame);
  }

  loaded(frame, number) {
    if (number !== this.number) {
      frame.remove();
      return;
    }
    frame.classList.remove('coming');
    this.shown?.remove();
    this.shown = frame;
    this.done?.();
  }

  /* On paper, all of the lesson; in the width of the paper it is longer than it is here. */
  print(on) {
    const inside = this.shown?.contentDocument;
    if (!inside) return;
    this.shown.contentWindow.dispatchEvent(new Event(on ? 'beforeprint' : 'afterprint'));
    this.parent.style.setProperty(
      '--printed',
      on ? 1.8 * inside.documentElement.scrollHeight + 'px' : ''
    );
  }
}
