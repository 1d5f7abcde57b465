/* editor.js - the text: CodeMirror with the language, messages under it, and what a name means. */
import {Compartment, EditorState, StateEffect, StateField, Transaction} from '@codemirror/state';
import {
  EditorView,
  keymap,
  lineNumbers,
  highlightActiveLine,
  highlightActiveLineGutter,
  drawSelection,
  hoverTooltip,
  showTooltip
} from '@codemirror/view';
import {defaultKeymap, history, historyKeymap, toggleComment} from '@codemirror/commands';
import {bracketMatching, indentOnInput} from '@codemirror/language';
import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap
} from '@codemirror/autocomplete';
import {linter, lintGutter, lintKeymap, setDiagnostics} from '@codemirror/lint';
import {searchKeymap, highlightSelectionMatches} from '@codemirror/search';
import {ng, completions} from './language.js';
import {html} from './page.js';

/* Colours are those of the page, light and dark. */
const theme = EditorView.theme({
  '&': {height: '100%', fontSize: '13.5px', background: 'transparent', color: 'var(--fg)'},
  '.cm-scroller': {fontFamily: 'var(--mono)', lineHeight: '1.5', overflow: 'auto'},
  '.cm-content': {caretColor: 'var(--fg)'},
  '.cm-cursor': {borderLeftColor: 'var(--fg)', borderLeftWidth: '2px'},
  '.cm-gutters': {background: 'transparent', color: 'var(--soft)', border: 'none'},
  '.cm-activeLine, .cm-activeLineGutter': {background: 'var(--active)'},
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground':
    {
      background: 'var(--hot) !important'
    },
  '.cm-tooltip': {
    background: 'var(--card)',
    color: 'var(--fg)',
    border: '1px solid var(--line)',
    borderRadius: '8px',
    maxWidth: 'min(560px, 92vw)'
  },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': {
    background: 'var(--accent)',
    color: 'var(--on-accent)'
  },
  '.cm-panels': {background: 'var(--card)', color: 'var(--fg)'},
  '.cm-button': {
    background: 'var(--fill)',
    color: 'var(--fg)',
    border: '1px solid var(--line)',
    borderRadius: '5px'
  },
  '.cm-textfield': {
    background: 'var(--bg)',
    color: 'var(--fg)',
    border: '1px solid var(--line)',
    borderRadius: '5px'
  },
  '.cm-diagnosticAction': {
    background: 'var(--accent)',
    color: 'var(--on-accent)',
    borderRadius: '5px',
    padding: '2px 8px'
  },
  '.cm-matchingBracket': {background: 'var(--hot)'}
});

/* The place in the document of a line and a column of a message. Columns count characters, those of
 * JavaScript are units of UTF-16. */
export function placeOf(doc, line, column) {
  const at = doc.line(Math.max(1, Math.min(line, doc.lines)));
  let units = 0;
  let left = column - 1;
  for (const c of at.text) {
    if (left-- <= 0) break;
    units += c.length;
  }
  return at.from + Math.min(units, at.length);
}

const rangeOf = (doc, m) => {
  const from = placeOf(doc, m.line, m.column);
  return {from, to: Math.max(from, placeOf(doc, m.end_line, m.end_column))};
};

/* What a message says in full: with its labels and notes. */
export function wordsOf(m) {
  const line = n => (n.line && n.file === 'model.ng' ? ` (${n.line})` : '');
  return [
    m.message,
    ...(m.labels || []).map(l => l.text),
    ...(m.notes || []).map(n => n.message + line(n))
  ];
}

function diagnosticOf(doc, m, words) {
  const own = m.line && m.file === 'model.ng';
  const range = own ? rangeOf(doc, m) : {from: 0, to: 0};
  const actions = m.fix && m.fix.line
    ? [{name: words.replaceBy(m.fix.text), apply: view => applyFix(view, m.fix)}]
    : [];
  return {
    ...range,
    severity: m.severity === 'note' ? 'info' : m.severity,
    source: m.code,
    message: wordsOf(m).join('\n'),
    actions
  };
}

export function applyFix(view, fix) {
  view.dispatch({
    changes: {...rangeOf(view.state.doc, fix), insert: fix.text},
    userEvent: 'input.fix'
  });
  view.focus();
}

/* The word at a place: a path like h.z, or a name. */
function wordAt(state, pos) {
  const line = state.doc.lineAt(pos);
  for (const m of line.text.matchAll(/[A-Za-z_][\w]*(\.\w+)*/g)) {
    const from = line.from + m.index;
    if (from <= pos && pos <= from + m[0].length) {
      const end = m[0].indexOf('.', pos - from);
      return {from, to: from + m[0].length, word: end < 0 ? m[0] : m[0].slice(0, end)};
    }
  }
  return null;
}

const hover = about =>
  hoverTooltip((view, pos) => {
    const at = wordAt(view.state, pos);
    const parts = at && about(at.word);
    if (!parts || !parts.length) return null;
    return {
      pos: at.from,
      end: at.to,
      above: true,
      create: () => ({dom: html('div', {class: 'hover'}, ...parts)})
    };
  });

/* The same by a key, for the word at the cursor, until the cursor moves. */
const tell = StateEffect.define();
const told = StateField.define({
  create: () => null,
  update(tip, change) {
    for (const effect of change.effects) if (effect.is(tell)) return effect.value;
    return change.docChanged || change.selection ? null : tip;
  },
  provide: field => showTooltip.from(field)
});

const aboutCursor = (about, say) => view => {
  const at = wordAt(view.state, view.state.selection.main.head);
  const parts = at ? about(at.word) : [];
  const dom = html('div', {class: 'hover'}, ...parts);
  view.dispatch({
    effects: tell.of(parts.length ? {pos: at.from, above: true, create: () => ({dom})} : null)
  });
  say(parts.map(p => p.textContent).join('. '));
  return true;
};

function closeTold(view) {
  if (!view.state.field(told)) return false;
  view.dispatch({effects: tell.of(null)});
  return true;
}

export class Editor {
  /* about: a word's meaning, as elements; changed: called after each change of the text */
  constructor({parent, library, about, changed, words}) {
    this.words = words;
    this.texts = new Compartment();
    const extensions = [
      lineNumbers(),
      lintGutter(),
      history(),
      drawSelection(),
      indentOnInput(),
      bracketMatching(),
      closeBrackets(),
      autocompletion({override: [completions(library)], icons: true}),
      highlightActiveLine(),
      highlightActiveLineGutter(),
      highlightSelectionMatches(),
      ng,
      theme,
      hover(about),
      told,
      linter(null),
      keymap.of([
        {key: 'Mod-i', run: aboutCursor(about, words.say)},
        {key: 'Escape', run: closeTold},
        ...closeBracketsKeymap,
        ...defaultKeymap,
        ...searchKeymap,
        ...historyKeymap,
        ...completionKeymap,
        ...lintKeymap,
        {key: 'Mod-/', run: toggleComment}
      ]) /* Tab leaves the text */,
      EditorView.contentAttributes.of({
        spellcheck: 'false',
        autocapitalize: 'off',
        autocorrect: 'off'
      }),
      this.texts.of(this.ownTexts()),
      EditorView.updateListener.of(update => {
        if (update.docChanged) changed(this.text);
      })
    ];
    this.extensions = extensions;
    this.view = new EditorView({parent, state: EditorState.create({doc: '', extensions})});
  }

  /* The texts of CodeMirror itself, and the name of the editor. */
  ownTexts() {
    const attributes = {'aria-label': this.words.label(), 'aria-description': this.words.keys()};
    return [
      EditorState.phrases.of(this.words.phrases()),
      EditorView.contentAttributes.of(attributes)
    ];
  }

  relabel() {
    this.view.dispatch({effects: this.texts.reconfigure(this.ownTexts())});
  }

  get text() {
    return this.view.state.doc.toString();
  }

  /* Another model; undo goes back to the one before. */
  set text(text) {
    this.view.dispatch({
      changes: {from: 0, to: this.view.state.doc.length, insert: text},
      annotations: Transaction.userEvent.of('input.open')
    });
    this.view.scrollDOM.scrollTop = 0;
  }

  /* Replaces only what differs, so that the cursor stays where it is. */
  edit(text) {
    const was = this.text;
    let from = 0;
    while (from < was.length && was[from] === text[from]) from++;
    let end = 0;
    while (
      end < Math.min(was.length, text.length) - from &&
      was[was.length - 1 - end] === text[text.length - 1 - end]
    )
      end++;
    if (was !== text)
      this.view.dispatch({
        changes: {from, to: was.length - end, insert: text.slice(from, text.length - end)}
      });
  }

  show(messages) {
    const {state} = this.view;
    this.view.dispatch(
      setDiagnostics(
        state,
        messages.map(m => diagnosticOf(state.doc, m, this.words))
      )
    );
  }

  goto(line, column = 1) {
    const anchor = placeOf(this.view.state.doc, line, column);
    this.view.dispatch({selection: {anchor}, scrollIntoView: true});
    this.view.focus();
  }
}
