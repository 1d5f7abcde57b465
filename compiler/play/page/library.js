/* library.js - what names mean: those of the library, {name: {form, params, text, doc}}, and
 * those that a text defines. */

/* The def that begins at a line of the prelude: up to its closing brace. */
function wholeDef(lines, k) {
  if (!/\{\s*(#.*)?$/.test(lines[k])) return lines[k];
  let end = k;
  const close = /^\s*/.exec(lines[k])[0] + '}';
  while (end < lines.length && lines[end].trimEnd() !== close) end++;
  return lines.slice(k, end + 1).join('\n');
}

/* The def of a name in the model's own text, or null. */
export function ownDef(text, name) {
  const lines = text.split('\n');
  const k = lines.findIndex(l => new RegExp(`^\\s*def\\s+${name}\\s*\\(`).test(l));
  return k < 0 ? null : wholeDef(lines, k);
}

/* prelude: the library's text; primitives: {name: parameters}; manual: {name: [form, what it
 * is]}. */
export function readLibrary({prelude, primitives}, manual) {
  const library = {};
  for (const name in primitives) {
    const words = primitives[name].split(' ').filter(word => word);
    const form = words.map(word => word.replace('?', ' = ...')).join(', ');
    library[name] = {
      form: `${name}(${form})`,
      params: words.map(w => w.replace('?', '')),
      text: ''
    };
  }
  const lines = prelude.split('\n');
  lines.forEach((line, k) => {
    const head = /^def (\w+)(\(.*?\)) (=|\{)/.exec(line);
    if (!head) return;
    const params = head[2]
      .slice(1, -1)
      .split(/,\s*(?![^[(]*[\])])/)
      .map(p => p.split('=')[0].trim());
    library[head[1]] = {form: head[1] + head[2], params, text: wholeDef(lines, k)};
  });
  for (const name in manual)
    if (library[name]) Object.assign(library[name], {form: manual[name][0], doc: manual[name][1]});
  for (const name in library) if (name[0] === '_') delete library[name];
  return library;
}
