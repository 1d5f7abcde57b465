/* net.js - a net as the text of a model: what the controls read from it, and how they change it.
 * The text stays the net: a control changes only its words in it, and a comment stays where it
 * is. */
import {say} from './texts.js';

const OPENS = '([{';
const CLOSES = ')]}';
const NUMBER = /^\d+(\.\d+)?([eE][-+]?\d+)?$/;

/* ---- places in the text: {from, to, text} ---- */

/* The text with blanks for comments and strings, so that places are the same. */
const codeOf = text => text.replace(/"[^"\n]*"|#[^\n]*/g, s => ' '.repeat(s.length));

/* How many brackets are open at each place. */
function depthsOf(code) {
  const depths = new Uint16Array(code.length + 1);
  let depth = 0;
  for (let k = 0; k < code.length; k++) {
    if (CLOSES.includes(code[k])) depth = Math.max(0, depth - 1);
    depths[k] = depth;
    if (OPENS.includes(code[k])) depth++;
  }
  depths[code.length] = depth;
  return depths;
}

/* A part of the code, without the space around it. */
function part(code, from, to) {
  while (from < to && /\s/.test(code[from])) from++;
  while (to > from && /\s/.test(code[to - 1])) to--;
  return {from, to, text: code.slice(from, to)};
}

/* The place of the bracket that closes the one at `open`; -1: there is none. */
function closing(code, depths, open) {
  for (let k = open + 1; k < code.length; k++)
    if (CLOSES.includes(code[k]) && depths[k] === depths[open]) return k;
  return -1;
}

/* The parts of a list, which is at `from` up to `to` within its brackets. */
function listed(code, depths, from, to) {
  const parts = [];
  let start = from;
  for (let k = from; k <= to; k++)
    if (k === to || (code[k] === ',' && depths[k] === depths[from - 1] + 1)) {
      parts.push(part(code, start, k));
      start = k + 1;
    }
  return parts.length === 1 && !parts[0].text ? [] : parts;
}

/* The arguments of a call whose bracket is at `open`: {name or null, value} of each. */
function argumentsAt(code, depths, open) {
  const close = closing(code, depths, open);
  if (close < 0) return null;
  const list = listed(code, depths, open + 1, close).map(whole => {
    const named = /^([A-Za-z_]\w*)\s*=(?!=)/.exec(whole.text);
    const value = named ? part(code, whole.from + named[0].length, whole.to) : whole;
    return {...whole, name: named ? named[1] : null, value};
  });
  const plain = list.filter(a => !a.name);
  return {
    open,
    close,
    list,
    get: (name, at) => (list.find(a => a.name === name) || plain[at])?.value || null
  };
}

/* The statements that are outside of all braces. A new line ends one, unless a bracket is open
 * or an operator comes before or after it. */
function statementsOf(code, depths) {
  const list = [];
  let start = 0;
  for (let k = 0; k <= code.length; k++) {
    if (k < code.length && (depths[k] > 0 || (code[k] !== '\n' && code[k] !== ';'))) continue;
    const goes =
      code[k] === '\n' &&
      (/[-+*/@^|,=]\s*$/.test(code.slice(Math.max(start, k - 40), k)) ||
        /^\s*(\|>|[-+*/@^])/.test(code.slice(k, k + 80)));
    if (goes) continue;
    const whole = part(code, start, k);
    if (whole.text) list.push(whole);
    start = k + 1;
  }
  return list;
}

/* ---- what the text says ---- */

/* `h = dense(x, 8, tanh)`, perhaps with `output` before it and an index after it. */
function layerOf(code, depths, s) {
  const head = /^(?:output\s+)?([A-Za-z_]\w*)\s*=\s*dense\s*\(/.exec(s.text);
  const args = head && argumentsAt(code, depths, s.from + head[0].length - 1);
  const [x, units] = args ? [args.get('x', 0), args.get('n', 1)] : [];
  const after = args && code.slice(args.close + 1, s.to).trim();
  if (!x || !units || (after && !/^\[[^[\]]*\]$/.test(after))) return null;
  return {...s, name: head[1], x, units, act: args.get('act', 2), args, flat: !!after};
}

/* `u = stack([x[:, 0], sin(x[:, 1])], 1)` */
function featuresOf(code, depths, s) {
  const head = /^([A-Za-z_]\w*)\s*=\s*stack\s*\(\s*\[/.exec(s.text);
  const open = head && s.from + head[0].length - 1;
  const close = head ? closing(code, depths, open) : -1;
  if (close < 0 || !/^,\s*1\s*\)$/.test(code.slice(close + 1, s.to).trim())) return null;
  return {
    ...s,
    name: head[1],
    inside: {from: open + 1, to: close},
    list: listed(code, depths, open + 1, close).map(p => p.text)
  };
}

/* At the end of a loss: `+ 0.001*(l2(h1.W) + l2(z.W))` */
const PENALTY =
  /\+\s*([\d.]+(?:[eE][-+]?\d+)?)\s*\*\s*(\(?\s*(?:l[12]\s*\(\s*[\w.]+\s*\)\s*\+?\s*)+\)?)$/;

function penaltyOf(expression) {
  const m = PENALTY.exec(expression.text);
  if (!m || m[2].trimEnd().endsWith('+')) return null;
  const from = expression.from + m.index;
  const number = from + m[0].indexOf(m[1]);
  const weights = [...m[2].matchAll(/l[12]\s*\(\s*([\w.]+)\s*\)/g)].map(w => w[1]);
  const kinds = new Set([...m[2].matchAll(/l[12]/g)].map(k => k[0]));
  if (kinds.size > 1) return null;
  return {
    from,
    to: expression.to,
    rate: m[1],
    number: {from: number, to: number + m[1].length},
    kind: [...kinds][0],
    weights
  };
}

/* `minimize J = mse(z, t) with sgd(lr = 0.1)` */
function lossOf(code, depths, s) {
  const head = /^(?:minimize|maximize)\s+(?:([A-Za-z_]\w*)\s*=(?!=))?/.exec(s.text);
  if (!head) return null;
  const word = name => {
    const at = [...s.text.matchAll(new RegExp(`\\b${name}\\b`, 'g'))].map(m => s.from + m.index);
    return at.find(k => depths[k] === 0) ?? s.to;
  };
  const by = /^with\s+([A-Za-z_]\w*)\s*\(/.exec(code.slice(word('with'), s.to));
  const args = by && argumentsAt(code, depths, word('with') + by[0].length - 1);
  if (!args) return null;
  const expression = part(code, s.from + head[0].length, Math.min(word('over'), word('with')));
  const name = part(code, word('with') + 4, args.open);
  const rate = args.get('lr', 0);
  return {
    ...s,
    name: head[1] || null,
    expression,
    penalty: head[1] ? penaltyOf(expression) : null,
    optimizer: name.text,
    optimizerAt: name,
    args,
    rate: rate?.text ?? null,
    rateAt: rate
  };
}

/* `dim m <= 20`, if it is the first axis of an input; and an input of two columns */
function inputsOf(code, statements) {
  const inputs = statements.filter(s => /^input\b/.test(s.text)).map(s => s.text).join(' ');
  const plane = /([A-Za-z_]\w*)\s*\[\s*\w+\s*,\s*2\s*\]/.exec(inputs);
  let batch = null;
  for (const s of statements.filter(d => /^dim\b/.test(d.text)))
    for (const m of s.text.matchAll(/([A-Za-z_]\w*)\s*<=\s*(\d+)/g))
      if (!batch && new RegExp(`\\[\\s*${m[1]}\\s*[,\\]]`).test(inputs))
        batch = {
          size: +m[2],
          from: s.from + m.index + m[0].length - m[2].length,
          to: s.from + m.index + m[0].length
        };
  return {batch, plane: plane ? plane[1] : null};
}

/* What the controls can move in the text, or null: there is no loss with an optimizer. `chain`:
 * all of the net is a chain of dense layers, each of which is computed from the one before. */
export function readNet(text) {
  const code = codeOf(text);
  const depths = depthsOf(code);
  const statements = statementsOf(code, depths);
  const loss = statements.map(s => lossOf(code, depths, s)).filter(s => s).pop();
  if (!loss) return null;

  const all = statements.map(s => layerOf(code, depths, s)).filter(s => s);
  const chain =
    all.length > 0 &&
    (code.match(/\bdense\b/g) || []).length === all.length &&
    all.every((l, k) => k === 0 || (l.x.text === all[k - 1].name && !all[k - 1].flat));
  const features =
    statements.map(s => featuresOf(code, depths, s)).find(f => f && all[0]?.x.text === f.name) ||
    null;
  return {
    text,
    code,
    all,
    layers: all.slice(0, -1),
    out: all[all.length - 1] || null,
    chain,
    loss,
    features,
    ...inputsOf(code, statements)
  };
}

/* Are all weights of the net in the penalty, and no others? */
const wholePenalty = net =>
  net.loss.penalty && net.loss.penalty.weights.join() === net.all.map(l => l.name + '.W').join();

/* Is a layer used by more than the next layer and the penalty? */
export function usedElsewhere(net, layer) {
  const {penalty} = net.loss;
  const uses = [...net.code.matchAll(new RegExp(`\\b${layer.name}\\b`, 'g'))].map(m => m.index);
  return uses.some(k => !(k >= layer.from && k < layer.to) && !net.all.some(l => l.x.from === k)
    && !(penalty && k >= penalty.from && k < penalty.to));
}

export const isNumber = text => NUMBER.test(text || '');

/* ---- features of a point ---- */

export const FEATURE_FORMS = {
  x1: 'x[:, 0]',
  x2: 'x[:, 1]',
  'x1²': 'x[:, 0]^2',
  'x2²': 'x[:, 1]^2',
  'x1 x2': 'x[:, 0]*x[:, 1]',
  'sin x1': 'sin(x[:, 0])',
  'sin x2': 'sin(x[:, 1])'
};

const tight = form => form.replace(/\s/g, '');
const formOf = (net, name) => FEATURE_FORMS[name].replaceAll('x[', net.plane + '[');

/* Do the controls know what the first layer is computed from? */
export const hasFeatures = net =>
  !!net.plane && (net.features ? true : net.all[0]?.x.text === net.plane);

/* The names of the features that are used. */
export function featureNames(net) {
  if (!net.features) return ['x1', 'x2'];
  const used = net.features.list.map(tight);
  return Object.keys(FEATURE_FORMS).filter(name => used.includes(tight(formOf(net, name))));
}

/* ---- changes ---- */

/* The text with other words at some places. */
function changed(text, edits) {
  for (const {from, to, by} of [...edits].sort((a, b) => b.from - a.from || b.to - a.to))
    text = text.slice(0, from) + by + text.slice(to);
  return text;
}

const over = (place, by) => ({from: place.from, to: place.to, by: String(by)});
const before = (place, by) => ({from: place.from, to: place.from, by});
const behind = (place, by) => ({from: place.to, to: place.to, by});

function freeName(net, make) {
  let k = 1;
  while (new RegExp(`\\b${make(k)}\\b`).test(net.code)) k++;
  return make(k);
}

function sumOf(kind, names) {
  const sum = names.map(name => `${kind}(${name}.W)`).join(' + ');
  return names.length > 1 ? `(${sum})` : sum;
}

/* A penalty of all weights names the layers that there are. */
function penaltyEdits(net, names) {
  const {penalty} = net.loss;
  return wholePenalty(net)
    ? [over(penalty, `+ ${penalty.rate}*${sumOf(penalty.kind, names)}`)]
    : [];
}

/* The line of a statement, or only the statement if there is more in the line. */
function lineOf({text, code}, {from, to}) {
  const start = code.lastIndexOf('\n', from - 1) + 1;
  const end = code.indexOf('\n', to);
  const whole =
    !code.slice(start, from).trim() && !code.slice(to, end < 0 ? code.length : end).trim();
  return whole
    ? {from: start, to: end < 0 ? text.length : end + 1}
    : {from, to: code[to] === ';' ? to + 1 : to};
}

/* Each takes a net and returns the changed text. */
export const changes = {
  units: (net, k, units) => changed(net.text, [over(net.layers[k].units, units)]),

  act: (net, act) =>
    changed(net.text, net.layers.map(l => {
      if (l.act) return over(l.act, act);
      const plain = l.args.list.every(a => !a.name) && l.args.list.length === 2;
      return behind(l.args.list[l.args.list.length - 1], plain ? `, ${act}` : `, act = ${act}`);
    })),

  addLayer(net) {
    const last = net.layers[net.layers.length - 1];
    let k = net.layers.length + 1;
    while (new RegExp(`\\bh${k}\\b`).test(net.code)) k++;
    const name = `h${k}`;
    const own = `${name} = dense(${net.out.x.text}, ${last ? last.units.text : '4'}, ${last ? last.act?.text || 'identity' : 'tanh'})`;
    const names = [...net.layers.map(l => l.name), name, net.out.name];
    return changed(net.text, [
      before(net.out, own + '\n'),
      over(net.out.x, name),
      ...penaltyEdits(net, names)
    ]);
  },

  removeLayer(net) {
    const last = net.layers[net.layers.length - 1];
    if (!last) return net.text;
    const names = [...net.layers.slice(0, -1), net.out].map(l => l.name);
    return changed(net.text, [
      over(lineOf(net, last), ''),
      over(net.out.x, last.x.text),
      ...penaltyEdits(net, names)
    ]);
  },

  rate(net, rate) {
    const {args, rateAt} = net.loss;
    if (rateAt) return changed(net.text, [over(rateAt, rate)]);
    return changed(net.text, [
      {from: args.open + 1, to: args.open + 1, by: `lr = ${rate}${args.list.length ? ', ' : ''}`}
    ]);
  },

  /* params: those of the other optimizer; what it does not have is left out */
  optimizer(net, optimizer, params) {
    const {args, rate, optimizerAt} = net.loss;
    const kept = args.list
      .filter(a => a.name && a.name !== 'lr' && params.includes(a.name))
      .map(a => a.text);
    return changed(net.text, [
      over(optimizerAt, optimizer),
      {from: args.open + 1, to: args.close, by: [`lr = ${rate ?? 0.03}`, ...kept].join(', ')}
    ]);
  },

  penalty(net, kind, rate) {
    const {penalty, expression} = net.loss;
    const all = sumOf(
      kind,
      net.all.map(l => l.name)
    );
    if (!penalty)
      return kind ? changed(net.text, [behind(expression, ` + ${rate}*${all}`)]) : net.text;
    if (kind && +rate) {
      const words = net.text.slice(penalty.number.to, penalty.to).replace(/\bl[12]\b/g, kind);
      return changed(net.text, [over({from: penalty.number.from, to: penalty.to}, rate + words)]);
    }
    let {from} = penalty;
    while (/\s/.test(net.code[from - 1])) from--;
    return changed(net.text, [over({from, to: penalty.to}, '')]);
  },

  batch: (net, size) => changed(net.text, [over(net.batch, size)]),

  /* names of features; others that the text has stay behind them */
  features(net, names) {
    const known = Object.keys(FEATURE_FORMS).map(name => tight(formOf(net, name)));
    const others = (net.features?.list || []).filter(f => !known.includes(tight(f)));
    const list = [...names.map(name => formOf(net, name)), ...others];
    const forms = list.length ? list : [formOf(net, 'x1')];
    const first = net.all[0];
    if (net.features && names.join() === 'x1,x2' && !others.length)
      return changed(net.text, [over(lineOf(net, net.features), ''), over(first.x, net.plane)]);
    if (net.features) return changed(net.text, [over(net.features.inside, forms.join(', '))]);

    const name = freeName(net, k => (k === 1 ? 'u' : `u${k}`));
    return changed(net.text, [
      before(first, `${name} = stack([${forms.join(', ')}], 1)\n`),
      over(first.x, name)
    ]);
  }
};

/* ---- a net to begin with ---- */

/* Lines that bring columns of very different sizes to mean 0 and deviation 1. */
function scaling({means, deviations}) {
  const list = numbers =>
    `[${numbers.map(x => String(+x.toPrecision(3)).replace('e+', 'e')).join(', ')}]`;
  return `u = (x - ${list(means)})/${list(deviations)}`;
}

/* For points with classes (how many: 0 for values), or a curve; scale: {means, deviations} of
 * columns that need it. */
export function firstNet({
  classes,
  inputs,
  table,
  scale,
  layers = classes ? [4, 2] : [8, 4],
  optimizer = 'sgd(lr = 0.1)'
}) {
  const many = classes > 2;
  const ofValues = inputs === 2 ? 'about_plane' : 'about_curve';
  const ofPoints = classes ? 'about_classes' : ofValues;
  const hidden = many ? [8, 4] : layers;
  const last = `h${hidden.length}`;
  const loss = many ? 'cross_entropy' : classes ? 'bce_logits' : 'mse';
  return [
    `# ${say(table ? 'about_table' : ofPoints)} ${say('about_text')}`,
    'dim    m <= 20',
    `input  x[m, ${inputs}], t[m]${many ? ': int' : ''}`,
    ...(scale ? [scaling(scale)] : []),
    ...hidden.map(
      (units, k) => `h${k + 1} = dense(${k ? 'h' + k : scale ? 'u' : 'x'}, ${units}, tanh)`
    ),
    many ? `z = dense(${last}, ${classes})` : `z = dense(${last}, 1)[:, 0]`,
    many ? 'output p = softmax(z)' : classes ? 'output p = sigmoid(z)' : 'output y = z',
    ...(classes ? [`metric accuracy = mean(${many ? 'argmax(z)' : '(z > 0)'} == t)`] : []),
    `minimize J = ${loss}(z, t) with ${optimizer}`,
    ''
  ].join('\n');
}
