/* jacobians.js - the naive way beside the clever way: full Jacobians, where the lesson has them
 * (--jacobians). They are those of the values that the page starts with. */

/* The gradient of the first loss by item i, or null. */
function gradientAt(i) {
  if (i === lossItem) return [1];
  const n = node.get(items[i].gradient);
  return n && n.v ? [...n.v] : null;
}

const jacobians = (L.jacobians || []).map(j => ({
  ...j,
  value: j.value && j.value.map(num),
  downstream: j.downstream && j.downstream.map(num),
  up: gradientAt(j.y)
}));
const byColumns = L.layout === 'denominator';

/* "z[0, 1]" for element k of item i. */
const entryName = (i, k) => {
  const shape = nodeOf(i).shape;
  return shape.length ? indexed(items[i].name, shape, k) : items[i].name;
};

function vectorText(v) {
  const some = v.slice(0, 24).map(x => number(x, 4));
  if (v.length > 24) some.push('\u2026');
  return `[${some.join(', ')}]`;
}

/* 16777216 as "16,777,216". */
const grouped = x =>
  x < 1e15 ? String(x).replace(/\B(?=(\d{3})+$)/g, ',') : 'about ' + number(x, 3);

function matrixOf(j) {
  if (!j.value) return [];
  const [down, across] = byColumns ? [j.x, j.y] : [j.y, j.x];
  if (j.rows > 40 || j.columns > 24)
    return heatMap({v: Float64Array.from(j.value), shape: [j.rows, j.columns]}, j.name);
  const cell = x => html('td', {class: x === 0 ? 'soft' : ''}, number(x, 4));
  const head = html(
    'tr',
    {},
    html('th', {}, ''),
    ...Array.from({length: j.columns}, (_, c) => html('th', {}, entryName(across, c)))
  );
  return [
    html(
      'table',
      {class: 'matrix'},
      head,
      ...Array.from({length: j.rows}, (_, r) =>
        html(
          'tr',
          {},
          html('th', {}, entryName(down, r)),
          ...j.value.slice(r * j.columns, (r + 1) * j.columns).map(cell)
        )
      )
    )
  ];
}

/* "4 \u00d7 6, diagonal: ...; not 0: 4 of 24" */
function jacobianWords(j) {
  const size = `${grouped(j.rows)} \u00d7 ${grouped(j.columns)}`;
  const total = j.rows * j.columns;
  if (!j.value) return `${size}, ${grouped(total)} numbers: too many to write out`;
  if (total <= 1) return `${size}, ${j.structure}`;
  const filled = j.value.filter(v => v !== 0).length;
  return `${size}, ${j.structure}; not 0: ${grouped(filled)} of ${grouped(total)}`;
}

/* The gradient that y sends down to x: a vector times the matrix. */
function downstreamWords(j, y, x) {
  if (!j.downstream || !j.up) return [];
  const vector = v => html('span', {class: 'g'}, vectorText(v));
  if (byColumns)
    return [
      `d${y}/d${x} times d${loss}/d${y}: the matrix times `,
      vector(j.up),
      ' is ',
      vector(j.downstream)
    ];
  return [
    `d${loss}/d${y} times d${y}/d${x}: `,
    vector(j.up),
    ' times the matrix is ',
    vector(j.downstream)
  ];
}

function paintJacobian() {
  const j = jacobians[+$('jacobian').value];
  const [y, x] = [items[j.y].name, items[j.x].name];
  $('jacobian-words').textContent = `d${y}/d${x}: ${jacobianWords(j)}`;
  $('matrix').replaceChildren(...matrixOf(j));
  $('jacobian-down').replaceChildren(...downstreamWords(j, y, x));
}

/* A row of a table: words, then numbers. */
const costLine = (what, ...cells) =>
  html('tr', {}, html('td', {}, what), ...cells.map(s => html('td', {class: 'num'}, s)));

/* The longest chain of Jacobians at its own sizes. */
function chainCost({chain, naive, clever}) {
  if (chain.length < 2) return [];
  const sizes = chain.map(i => `${items[i].name} (${grouped(size(nodeOf(i).shape))})`);
  return [
    html('p', {}, 'The longest chain: ' + sizes.join(' \u2190 ')),
    html(
      'table',
      {},
      costLine(
        'naive: Jacobian times Jacobian, from the last of these up',
        grouped(naive) + ' operations'
      ),
      costLine(
        'clever: a vector times each Jacobian, from the first of these down',
        grouped(clever) + ' operations'
      )
    )
  ];
}

/* The same, with n elements for each value. */
function paintJacobianCost() {
  const n = 4096;
  const rows = [
    costLine(
      'a Jacobian of the layer, n \u00d7 n',
      grouped(n * n) + ' numbers',
      grouped((n * n * 4) / 2 ** 20) + ' MiB'
    ),
    costLine('naive: Jacobian times Jacobian, O(n\u00b3)', grouped(2 * n ** 3) + ' operations', ''),
    costLine(
      'clever: a vector times a Jacobian, O(n\u00b2)',
      grouped(2 * n * n) + ' operations',
      grouped(n) + ' times fewer'
    ),
    costLine(
      'of an activation, whose Jacobian is diagonal: slope by slope, O(n)',
      grouped(n) + ' operations',
      ''
    ),
    costLine(
      'by the layer\u2019s weights, n \u00d7 n\u00b2',
      grouped(n ** 3) + ' numbers',
      grouped((n ** 3 * 4) / 2 ** 30) + ' GiB'
    )
  ];
  $('jacobian-cost').replaceChildren(
    ...chainCost(L.cost),
    html('p', {}, `Priced for a layer of n = ${grouped(n)} units, in float32:`),
    html('table', {}, ...rows)
  );
}

if (L.jacobians) {
  $('jacobians').hidden = false;
  $('layout').textContent = byColumns
    ? 'In denominator layout: of dy/dx a row for each element of x, a column for each of y '
      + '(--layout=rows: the other way).'
    : 'In numerator layout: of dy/dx a row for each element of y, a column for each of x '
      + '(--layout=columns: the other way).';
  jacobians.forEach((j, k) => $('jacobian').append(html('option', {value: k}, j.name)));
  $('jacobian').oninput = paintJacobian;
  $('jacobian').parentNode.hidden = !jacobians.length;
  if (jacobians.length) paintJacobian();
  else
    $('jacobian-words').textContent =
      'There are none: no value with a name is computed from another.';
  paintJacobianCost();
}
