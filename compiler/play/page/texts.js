/* texts.js - the texts of the page, in each language: one table. What the compiler says is English. */

/* By name: the texts in the order of LANGUAGES. */
export const LANGUAGES = {en: 'English', de: 'Deutsch'};

const table = {
  title: ['ngc playground', 'ngc-Spielplatz'],
  menu: ['lesson or example', 'Lektion oder Beispiel'],
  lessons: ['The course in ten lessons', 'Der Kurs in zehn Lektionen'],
  examples: ['Examples', 'Beispiele'],
  own: ['your own text', 'eigener Text'],
  open: ['Open', 'Öffnen'],
  open_title: ['a model from a file; a file can also be dropped on the page', 'ein Modell aus einer Datei; man kann eine Datei auch auf die Seite ziehen'],
  save: ['Save', 'Speichern'],
  save_title: ['the text as a file', 'den Text als Datei'],
  link: ['Link', 'Link'],
  link_title: ['copies a link that contains the text', 'kopiert einen Link, der den Text enthält'],
  copied: ['the link is copied', 'der Link ist kopiert'],
  in_address: ['the link is in the address bar', 'der Link steht in der Adresszeile'],
  language: ['language', 'Sprache'],
  the_model: ['The model', 'Das Modell'],
  editor: ['the text of the model', 'der Text des Modells'],
  numbers: ['Numbers', 'Zahlen'],
  messages: ['messages', 'Meldungen'],
  views: ['views', 'Ansichten'],
  tab_lesson: ['Lesson', 'Lektion'],
  tab_c: ['C', 'C'],
  tab_words: ['In words', 'In Worten'],
  tab_numbers: ['Numbers', 'Zahlen'],
  lesson_frame: ['the graph, its values and gradients, step by step', 'der Graph, seine Werte und Gradienten, Schritt für Schritt'],
  working: ['computing …', 'rechnet …'],
  ready: ['up to date', 'aktuell'],
  errors: ['errors: the last good text is shown', 'Fehler: der letzte gute Text ist zu sehen'],
  late: ['this model takes too long for this page', 'dieses Modell dauert zu lange für diese Seite'],
  replace_by: ['replace by %', 'durch % ersetzen'],
  line: ['line %', 'Zeile %'],
  plain: ['to read (-O0)', 'zum Lesen (-O0)'],
  fast: ['to run (-O2)', 'zum Rechnen (-O2)'],
  both: ['the difference', 'der Unterschied'],
  reasons: ['What was simplified', 'Was vereinfacht wurde'],
  no_reasons: ['nothing', 'nichts'],
  values: ['Values and derivatives', 'Werte und Ableitungen'],
  check: ['Derivatives compared with differences', 'Ableitungen verglichen mit Differenzen'],
  no_check: ['not done here: see the messages', 'hier nicht gemacht: siehe die Meldungen'],
  solution: ['Solution', 'Lösung'],
  close: ['close', 'schließen'],
  value: ['value', 'Wert'],
  gradient: ['gradient', 'Gradient'],
  licences: ['Licences of what this page is made of', 'Lizenzen der Teile dieser Seite'],
  no_start: ['the compiler could not be started: %', 'der Compiler konnte nicht gestartet werden: %'],
  too_large: ['the file is too large', 'die Datei ist zu groß']
};

let column = 0;

export function setLanguage(code) {
  column = Math.max(0, Object.keys(LANGUAGES).indexOf(code));
}

/* The text of a name; % is what is given. */
export function say(name, given = '') {
  const row = table[name];
  if (!row) throw new Error(`no text ${name}`);
  return (row[column] ?? row[0]).replace('%', given);
}
