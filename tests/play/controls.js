/* controls.js - the controls of the view that trains, on texts as students write them: `node
 * controls.js NGC.WASM`. After each control the text has no mistake, says what was chosen, and
 * has all of its comments. Then tables as they come from other programs. Says what failed; the
 * last line counts. */
import {readFileSync} from 'node:fs';
import {Compiler} from '../../compiler/play/page/compiler.js';
import {readLibrary} from '../../compiler/play/page/library.js';
import {readNet, changes, firstNet, featureNames, hasFeatures, usedElsewhere, isNumber} from '../../compiler/play/page/net.js';
import {SETS, readTable} from '../../compiler/play/page/points.js';

const compiler = new Compiler(new WebAssembly.Module(readFileSync(process.argv[2])));
const library = readLibrary(compiler.library(), {});
let passed = 0;
let failed = 0;
function check(what, good, told = '') {
  good ? passed++ : failed++;
  if (!good) console.log(`FAILED ${what}\n${told}`);
}

const errorsOf = text => compiler.play(text, [], 0).messages.filter(m => m.severity === 'error').map(m => m.message).join('; ');
const commentsOf = text => (text.match(/#.*/g) || []).join('\n');

const TEXTS = {
  'names of one\'s own, comments': `# a net of mine
dim n <= 16, k = 3
input points[n, 2], t[n]
first = dense(points, 8, act = relu)   # the first layer
second = dense(first, n = 4)  # dense(first, 5)
out = dense(second, 1)[:, 0]
output p = sigmoid(out)
minimize J = bce_logits(out, t) + 0.01*(l2(first.W) + l2(second.W) + l2(out.W)) with adam(0.01, beta1 = 0.8) # the end
`,
  'a rate that falls, and sizes with a name': `dim m <= 8
input x[m, 2], t[m]
width = 6 # of all layers
a = dense(x, width, gelu); b = dense(a, width, act = gelu, bias = 0)
y = dense(b, 1)[:, 0]
minimize loss = mse(y, t) with sgd(lr = 0.1*0.99^step, momentum = 0.9)
`,
  'a layer that is used twice': `dim m <= 8
input x[m, 2], t[m]
h1 = dense(x, 4, tanh)
h2 = dense(h1, 4, tanh)
z = dense(h2, 1)[:, 0] + sum(h2, 1)
minimize J = mse(z, t) with adam()
`,
  'layers in a loop': `dim m <= 8
input x[m, 2], t[m]
h = dense(x, 8, tanh)
for k in 0..3 { # three more
    h = dense(h, 8, tanh)
}
z = dense(h, 1)[:, 0]
minimize J = mse(z, t) with rmsprop(lr = 0.01, alpha = 0.9)
`,
  'activations of their own': `dim m <= 8
input x[m, 2], t[m]
def bump(x) = exp(-x^2)
z1 = dense(x, 4)
a1 = bump(z1)
z2 = dense(a1, 3, bump)
z3 = dense(z2, 1)[:, 0]
minimize J = mean((z3 - t)^2) + 0.1*l1(z1.W) with sgd(0.1)
`,
  'features, over several lines': `dim m <= 8
input pos[m, 2], t[m]
q = stack([pos[:,0], pos[:, 1]^3, sin( pos[:, 1] )], 1) # three
u1 = dense(q,
    4, # units
    tanh)
y = dense(u1, 1)[:, 0]
minimize
    J = mse(y, t)
    with sgd(lr = 0.1)
`.replace('minimize\n    J = mse(y, t)\n    with', 'minimize J = mse(y, t) with'),
  'no net at all': `param A[3, 3] = [[2, 1, 0], [0, 1, 3], [1, 0, 1]]
minimize J = (det(A) - 1)^2 with sgd(lr = 0.01)
`,
  'a loss that was named before': `dim m <= 8
input x[m, 2], t[m]
z = x |> dense(4, tanh) |> dense(1)
J = mse(z[:, 0], t)
minimize J with sgd(lr = 0.1)
`,
  'one layer': `dim m <= 8
input x[m, 2], t[m]
z = dense(x, 1)[:, 0]
minimize J = bce_logits(z, t) with sgd(lr = 1)
`
};
for (const set in SETS) TEXTS[`the net for ${set}`] = firstNet(SETS[set]);
TEXTS['the net for a table of three classes'] = firstNet({classes: 3, inputs: 4, table: true, scale: {means: [1e6, 2, 3, 4], deviations: [1e-9, 1, 2, 3]}});

/* A control as the page offers it: [what, the text after it, what is read from that, what it
 * should be]. */
function* moves(net) {
  const {layers, loss} = net;
  const then = (what, text, read, want) => [what, text, () => read(readNet(text)), want];
  for (const k of layers.keys())
    if (isNumber(layers[k].units.text)) yield then(`units of ${layers[k].name}`, changes.units(net, k, 7), n => n.layers[k].units.text, '7');
  if (layers.length) yield then('activation', changes.act(net, 'sigmoid'), n => n.layers.every(l => l.act.text === 'sigmoid'), true);
  if (net.chain) {
    yield then('a layer more', changes.addLayer(net), n => n.layers.length, layers.length + 1);
    const last = layers[layers.length - 1];
    if (last && !usedElsewhere(net, last)) yield then('a layer less', changes.removeLayer(net), n => n.layers.length, layers.length - 1);
  }
  for (const o of ['sgd', 'adam', 'rmsprop', 'adagrad', 'adamw'])
    yield then(`optimizer ${o}`, changes.optimizer(net, o, library[o].params), n => n.loss.optimizer, o);
  yield then('rate', changes.rate(net, '0.3'), n => n.loss.rate, '0.3');
  if (loss.name && net.all.length) {
    for (const kind of ['l1', 'l2']) yield then(kind, changes.penalty(net, kind, '0.003'), n => n.loss.penalty?.kind + n.loss.penalty?.rate, kind + '0.003');
    yield then('no penalty', changes.penalty(net, '', '0.003'), n => n.loss.penalty, null);
  }
  if (net.batch) yield then('batch', changes.batch(net, '50'), n => n.batch.size, 50);
  if (net.all.length && hasFeatures(net))
    for (const list of [['x1', 'x2'], ['x1', 'x1²'], ['sin x2'], ['x1 x2', 'sin x1']])
      yield then(`features ${list}`, changes.features(net, list), n => featureNames(n).join(), list.join());
}

let count = 0;
for (const [name, text] of Object.entries(TEXTS)) {
  check(`${name}: is right`, !errorsOf(text), errorsOf(text));
  const net = readNet(text);
  check(`${name}: is read`, net);
  for (const [what, after, read, want] of net ? moves(net) : []) {
    const errors = errorsOf(after);
    check(`${name}: ${what} makes no mistake`, !errors, `${errors}\n${after}`);
    check(`${name}: ${what} moves the control to ${want}`, readNet(after) && read() === want, after);
    const lost = what === 'a layer less' || what.startsWith('features');
    check(`${name}: ${what} keeps the comments`, lost || commentsOf(after) === commentsOf(text), after);
    const next = readNet(after) ? [...moves(readNet(after))] : [];
    for (const [again, twice] of next.filter((_, k) => (k + count++) % 12 === 0)) /* some of all pairs */
      check(`${name}: ${what}, then ${again}`, !errorsOf(twice), `${errorsOf(twice)}\n${twice}`);
  }
}
check('a net without a loss has no controls', readNet('input x[4, 2]\nz = dense(x, 3)\n') === null);
check('a loss in a comment is none', readNet('# minimize J = mse(z, t) with sgd(lr = 1)\n') === null);
check('a layer used twice stays', (n => n === null || !n.chain || usedElsewhere(n, n.layers[n.layers.length - 1]))(readNet(TEXTS['a layer that is used twice'])));

/* ---- tables ---- */

const TABLES = [
  ['a decimal comma', 'a;b;t\n1,5;2,25;0\n-0,5;1e3;1\n', [[1.5, 2.25, 0], [-0.5, 1000, 1]], 0, 2],
  ['a mark at the start, returns, tabs', '\ufeffx\ty\r\n1\t2\r\n3\t4\r\n', [[1, 2], [3, 4]], 0, 0],
  ['quotes with commas and quotes', '"a, b","c ""d""",kind\n1,2,"x, y"\n3,4,"z"\n', [[1, 2, 0], [3, 4, 1]], 0, 2],
  ['missing cells', 'a,b,t\n1,,0\n2,NA,1\n3,4,1\n5,6,0\n7,8\n', [[3, 4, 1], [5, 6, 0]], 3, 2],
  ['words of two columns', 'red,1,no\nblue,2,yes\nred,3,yes\n', [[0, 1, 0], [1, 2, 1], [0, 3, 1]], 0, 2],
  ['three classes', 'a,b,kind\n' + ['p', 'q', 'r'].map((w, k) => `${k},2,${w}`).join('\n'), [[0, 2, 0], [1, 2, 1], [2, 2, 2]], 0, 3],
  ['blanks between', ' 1  2 3\n 4  5 6\n', [[1, 2, 3], [4, 5, 6]], 0, 0],
  ['numbers without a heading', '1,2\n3,4\n', [[1, 2], [3, 4]], 0, 0],
  ['too large to be a number', '1,1e999\n3,4\n', [[3, 4]], 1, 0],
  ['a word among numbers', '1,2\n3,4\n"5,6\n', [[1, 2], [3, 4]], 1, 0],
  ['nothing', '', []],
  ['only words', 'This is no table.\nIt has lines.\n', [], 1, 0]
];
for (const [name, text, rows, left, kinds] of TABLES) {
  const table = readTable(text);
  check(`a table with ${name}`, JSON.stringify(table.rows) === JSON.stringify(rows), JSON.stringify(table));
  if (left !== undefined) check(`a table with ${name}: ${left} left out, ${kinds} classes`, table.left === left && table.kinds === kinds, JSON.stringify(table));
}
const start = process.cpuUsage();
const large = readTable('a,b,c\n' + '1.5,2.5,"yes, or no"\n'.repeat(200000));
const {user} = process.cpuUsage(start);
check('a table of 200,000 lines', large.rows.length === 20000 && large.left === 180000, `${large.rows.length} ${large.left}`);
check('in three seconds', user < 3e6, user);

console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
