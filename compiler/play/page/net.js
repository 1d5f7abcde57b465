/* net.js - a net as the text of a model: what the controls read from it, and how they change it. The
 * text stays the net: a control changes only its words in it. */

const DENSE = /^([A-Za-z_]\w*)\s*=\s*dense\(\s*(\w+)\s*,\s*(\w+)\s*(?:,\s*(\w+)\s*)?\)(\[:, 0\])?\s*(?:#.*)?$/;
const LOSS = /^minimize\s+(\w+)\s*=\s*(\w+)\(([^)]*)\)(\s*\+\s*([\d.eE+-]+)\*(?:\(?)((?:l[12]\(\w+\.W\)(?:\s*\+\s*)?)+)\)?)?\s*with\s+(\w+)\((.*)\)\s*$/;
const FEATURES = /^(\w+)\s*=\s*stack\(\[(.*)\], 1\)\s*$/;

export const FEATURE_FORMS = {
  x1: 'x[:, 0]', x2: 'x[:, 1]', 'x1²': 'x[:, 0]^2', 'x2²': 'x[:, 1]^2', 'x1 x2': 'x[:, 0]*x[:, 1]', 'sin x1': 'sin(x[:, 0])', 'sin x2': 'sin(x[:, 1])'
};

/* What the text says, or null: it is not a chain of dense layers. */
export function readNet(text) {
  const lines = text.split('\n');
  const layers = [];
  let loss = null;
  let features = null;
  let batch = null;
  lines.forEach((l, line) => {
    const dense = DENSE.exec(l);
    if (dense) layers.push({line, name: dense[1], from: dense[2], units: dense[3], act: dense[4] || '', flat: !!dense[5]});
    const f = FEATURES.exec(l);
    if (f && !layers.length) features = {line, name: f[1], list: f[2].split(/,\s*(?![^[(]*[\])])/)};
    const dim = /^dim\s+(\w+)\s*<=\s*(\d+)/.exec(l);
    if (dim && !batch) batch = {line, size: +dim[2]};
    const m = LOSS.exec(l);
    if (m)
      loss = {
        line, name: m[1], kind: m[2], args: m[3],
        penalty: m[4] ? {rate: m[5], kind: m[6].slice(0, 2)} : null,
        optimizer: m[7], options: m[8], rate: (/\blr\s*=\s*([\d.eE+-]+)/.exec(m[8]) || [])[1] || null
      };
  });
  const chain = layers.every((l, k) => k === 0 || l.from === layers[k - 1].name);
  if (!layers.length || !chain || !loss) return null;
  return {lines, layers: layers.slice(0, -1), out: layers[layers.length - 1], loss, features, batch};
}

const denseLine = l => `${l.name} = dense(${l.from}, ${l.units}${l.act ? ', ' + l.act : ''})${l.flat ? '[:, 0]' : ''}`;

function lossLine(l, layers) {
  const weights = layers.map(w => `${l.penalty?.kind}(${w.name}.W)`).join(' + ');
  const penalty = l.penalty && layers.length ? ` + ${l.penalty.rate}*(${weights})` : '';
  return `minimize ${l.name} = ${l.kind}(${l.args})${penalty} with ${l.optimizer}(${l.options})`;
}

/* The text with another loss line; the penalty is on the weights of all layers. */
function withLoss(net, change) {
  const lines = [...net.lines];
  lines[net.loss.line] = lossLine({...net.loss, ...change}, [...net.layers, net.out]);
  return lines.join('\n');
}

const replaceLine = (net, line, text) => net.lines.map((l, k) => (k === line ? text : l)).join('\n');

/* Each takes a net and returns the changed text. */
export const changes = {
  units: (net, k, units) => replaceLine(net, net.layers[k].line, denseLine({...net.layers[k], units})),

  act(net, act) {
    const lines = [...net.lines];
    for (const l of net.layers) lines[l.line] = denseLine({...l, act});
    return lines.join('\n');
  },

  addLayer(net) {
    const last = net.layers[net.layers.length - 1];
    const names = new Set([...net.layers, net.out].map(l => l.name));
    let k = net.layers.length + 1;
    while (names.has(`h${k}`)) k++;
    const own = {name: `h${k}`, from: net.out.from, units: last ? last.units : '4', act: last ? last.act : 'tanh'};
    const lines = [...net.lines];
    lines[net.out.line] = denseLine({...net.out, from: own.name});
    lines.splice(net.out.line, 0, denseLine(own));
    return repaired(lines);
  },

  removeLayer(net) {
    const last = net.layers[net.layers.length - 1];
    if (!last) return net.lines.join('\n');
    const lines = [...net.lines];
    lines[net.out.line] = denseLine({...net.out, from: last.from});
    lines.splice(last.line, 1);
    return repaired(lines);
  },

  rate: (net, rate) =>
    withLoss(net, {
      options: net.loss.rate
        ? net.loss.options.replace(/\blr\s*=\s*[\d.eE+-]+/, `lr = ${rate}`)
        : `lr = ${rate}${net.loss.options ? ', ' + net.loss.options : ''}`
    }),

  optimizer: (net, optimizer) => withLoss(net, {optimizer, options: `lr = ${net.loss.rate || 0.03}`}),

  penalty: (net, kind, rate) => withLoss(net, {penalty: kind && +rate ? {kind, rate} : null}),

  batch: (net, size) => (net.batch ? replaceLine(net, net.batch.line, net.lines[net.batch.line].replace(/<=\s*\d+/, `<= ${size}`)) : net.lines.join('\n')),

  features(net, list) {
    const forms = list.length ? list : [FEATURE_FORMS.x1];
    const plain = forms.length === 2 && forms[0] === FEATURE_FORMS.x1 && forms[1] === FEATURE_FORMS.x2;
    const lines = [...net.lines];
    const first = net.layers[0] || net.out;
    const name = net.features ? net.features.name : 'u';
    lines[first.line] = denseLine({...first, from: plain ? 'x' : name});
    const line = `${name} = stack([${forms.join(', ')}], 1)`;
    if (net.features && plain) lines.splice(net.features.line, 1);
    else if (net.features) lines[net.features.line] = line;
    else if (!plain) lines.splice(first.line, 0, line);
    return lines.join('\n');
  }
};

/* A penalty names the layers that there are. */
function repaired(lines) {
  const text = lines.join('\n');
  const net = readNet(text);
  return net && net.loss.penalty ? withLoss(net, {}) : text;
}

/* A net to begin with, for points with classes or with values, or for a curve. */
export function firstNet({classes, inputs, layers = classes ? [4, 2] : [8, 4], optimizer = 'sgd(lr = 0.1)'}) {
  const x = `x[m, ${inputs}]`;
  return [
    classes
      ? '# Two classes of points in the plane: press Run. The controls change this text, and the text changes them.'
      : `# Values of points ${inputs === 2 ? 'in the plane' : 'on a line: a curve is fitted to them'}. The controls change this text, and the text changes them.`,
    'dim    m <= 20',
    `input  ${x}, t[m]`,
    ...layers.map((units, k) => `h${k + 1} = dense(${k ? 'h' + k : 'x'}, ${units}, tanh)`),
    `z = dense(h${layers.length}, 1)[:, 0]`,
    classes ? 'output p = sigmoid(z)' : 'output y = z',
    ...(classes ? ['metric accuracy = mean((z > 0) == t)'] : []),
    `minimize J = ${classes ? 'bce_logits' : 'mse'}(z, t) with ${optimizer}`,
    ''
  ].join('\n');
}
