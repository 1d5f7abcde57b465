/* jacobians.js - the naive way beside the clever way: full Jacobians, where the lesson has them (--jacobians). They are those of
 * the values that the page starts with. */
const jacobians = (L.jacobians || []).map(j => {
  const g = items[j.y].gradient, n = g === null ? null : node.get(g);
  return {...j, value: j.value && j.value.map(num), downstream: j.downstream && j.downstream.map(num), up: j.y === lossItem ? [1] : n && n.v ? [...n.v] : null};
});
const byColumns = L.layout === 'denominator';
/* "z[0, 1]" for element k. */
function entryName(i, k) {
  const shape = nodeOf(i).shape, index = [];
  for (let a = shape.length - 1; a >= 0; a--) { index[a] = k % shape[a]; k = Math.floor(k / shape[a]); }
  return items[i].name + (index.length ? `[${index.join(', ')}]` : '');
}
const vectorText = v => '[' + v.slice(0, 24).map(x => number(x, 4)).join(', ') + (v.length > 24 ? ', \u2026' : '') + ']';
const grouped = x => x < 1e15 ? String(x).replace(/\B(?=(\d{3})+$)/g, ',') : 'about ' + number(x, 3);

function matrixOf(j) {
  if (!j.value) return [];
  const [down, across] = byColumns ? [j.x, j.y] : [j.y, j.x];
  if (j.rows > 40 || j.columns > 24) return heatMap({v: Float64Array.from(j.value), shape: [j.rows, j.columns]}, j.name);
  const cell = x => html('td', {class: x === 0 ? 'soft' : ''}, number(x, 4));
  const head = html('tr', {}, html('th', {}, ''), ...Array.from({length: j.columns}, (_, c) => html('th', {}, entryName(across, c))));
  return [html('table', {class: 'matrix'}, head, ...Array.from({length: j.rows}, (_, r) => html('tr', {}, html('th', {}, entryName(down, r)), ...j.value.slice(r * j.columns, (r + 1) * j.columns).map(cell))))];
}
function paintJacobian() {
  const j = jacobians[+$('jacobian').value], total = j.rows * j.columns, [y, x] = [items[j.y].name, items[j.x].name];
  const filled = j.value ? j.value.filter(v => v !== 0).length : 0;
  $('jacobian-words').textContent = `d${y}/d${x}: ${grouped(j.rows)} \u00d7 ${grouped(j.columns)}, ` +
    (j.value ? j.structure + (total > 1 ? `; not 0: ${grouped(filled)} of ${grouped(total)}` : '') : grouped(total) + ' numbers: too many to write out');
  $('matrix').replaceChildren(...matrixOf(j));
  $('jacobian-down').replaceChildren(...(j.downstream && j.up ? [byColumns ? `d${y}/d${x} times d${loss}/d${y}: the matrix times ` : `d${loss}/d${y} times d${y}/d${x}: `,
    html('span', {class: 'g'}, vectorText(j.up)), byColumns ? ' is ' : ' times the matrix is ', html('span', {class: 'g'}, vectorText(j.downstream))] : []));
}
function paintJacobianCost() {
  const n = 4096, {chain, naive, clever} = L.cost, line = (what, ...told) => html('tr', {}, html('td', {}, what), ...told.map(s => html('td', {class: 'num'}, s)));
  const own = chain.length < 2 ? [] : [html('p', {}, 'The longest chain: ' + chain.map(i => `${items[i].name} (${grouped(size(nodeOf(i).shape))})`).join(' \u2190 ')),
    html('table', {}, line('naive: Jacobian times Jacobian, from the last of these up', grouped(naive) + ' operations'), line('clever: a vector times each Jacobian, from the first of these down', grouped(clever) + ' operations'))];
  const rows = [line('a Jacobian of the layer, n \u00d7 n', grouped(n * n) + ' numbers', grouped(n * n * 4 / 2 ** 20) + ' MiB'),
    line('naive: Jacobian times Jacobian, O(n\u00b3)', grouped(2 * n ** 3) + ' operations', ''), line('clever: a vector times a Jacobian, O(n\u00b2)', grouped(2 * n * n) + ' operations', grouped(n) + ' times fewer'),
    line('of an activation, whose Jacobian is diagonal: slope by slope, O(n)', grouped(n) + ' operations', ''), line('by the layer\u2019s weights, n \u00d7 n\u00b2', grouped(n ** 3) + ' numbers', grouped(n ** 3 * 4 / 2 ** 30) + ' GiB')];
  $('jacobian-cost').replaceChildren(...own, html('p', {}, `Priced for a layer of n = ${grouped(n)} units, in float32:`), html('table', {}, ...rows));
}
if (L.jacobians) {
  $('jacobians').hidden = false;
  $('layout').textContent = byColumns ? 'In denominator layout: of dy/dx a row for each element of x, a column for each of y (--layout=rows: the other way).'
    : 'In numerator layout: of dy/dx a row for each element of y, a column for each of x (--layout=columns: the other way).';
  jacobians.forEach((j, k) => $('jacobian').append(html('option', {value: k}, j.name)));
  $('jacobian').oninput = paintJacobian;
  $('jacobian').parentNode.hidden = !jacobians.length;
  if (jacobians.length) paintJacobian(); else $('jacobian-words').textContent = 'There are none: no value with a name is computed from another.';
  paintJacobianCost();
}
