/* train.js - the view that trains: data, controls that change the text, and what the net does
 * with all that. The training itself is in a worker (trainer.js). */
import {html, number, pause, repaint} from './page.js';
import {say} from './texts.js';
import {SETS, makePoints, divide, readTable} from './points.js';
import {
  readNet,
  changes,
  firstNet,
  isNumber,
  hasFeatures,
  featureNames,
  usedElsewhere,
  FEATURE_FORMS
} from './net.js';
import {heat, pointsOn, curveOn, chart, manyLines, wires, contourOf} from './drawing.js';

const GRID = 44; /* places of a heat map along a side */
const CURVE = 161; /* places of a curve */
const PATIENCE = 12000; /* milliseconds that the worker may take for an answer */

const ACTIVATIONS = ['tanh', 'relu', 'sigmoid', 'leaky_relu', 'gelu', 'identity'];
const OPTIMIZERS = ['sgd', 'adam', 'rmsprop', 'adagrad', 'adamw'];
const RATES = ['0.0001', '0.001', '0.003', '0.01', '0.03', '0.1', '0.3', '1', '3', '10'];
const PENALTIES = ['0', '0.0001', '0.001', '0.003', '0.01', '0.03', '0.1', '1'];
const BATCHES = ['1', '5', '10', '20', '50', '100', '200'];

export class Train {
  /* text, edit: the model's text, and what changes it; again: asks for the program anew;
   * compile: the program of another text; params: of a function, by its name */
  constructor({parent, script, math, text, edit, again, compile, params}) {
    Object.assign(this, {parent, script, math, text, edit, again, compile, params});
    this.settings = {set: 'circle', count: 200, noise: 0, share: 0.5, seed: 1};
    this.seed = 1;
    this.table = null; /* rows of a file */
    this.clicked = []; /* points that were added by clicks */
    this.history = [];
    this.heights = [-1, 1]; /* of a curve's picture */
    this.worker = null;
    this.problem = null; /* the name of a text, and what is given to it */
    this.build();
    new ResizeObserver(() => this.frame && this.paintWires(this.frame.weights)).observe(parent);
    this.renew();
  }

  /* ---- data ---- */

  renew() {
    const points = this.table || makePoints(this.settings);
    const own = this.clicked.filter(p => p.length === (points[0] || p).length);
    const parts = divide(points, this.settings.share, this.settings.seed);
    this.data = {train: [...parts.train, ...own], test: parts.test};
    this.inputs = (points[0] || [0, 0, 0]).length - 1;
    this.findRange(points);
    this.send({kind: 'data', ...this.data});
    this.history = [];
  }

  /* Where the points are: that of all formulas, or that of the table. */
  findRange(points) {
    this.range = [0, 1].map(k => {
      if (!this.table) return [-6, 6];
      const values = points.map(p => p[k]);
      const low = values.reduce((a, b) => Math.min(a, b), Infinity);
      const high = values.reduce((a, b) => Math.max(a, b), -Infinity);
      const margin = (high - low || 1) * 0.1;
      return [low - margin, high + margin];
    });
    const t = points.map(p => p[p.length - 1]);
    this.classes = this.table ? this.kinds : SETS[this.settings.set].classes;
    this.high = this.classes
      ? Math.max(1, this.classes - 1)
      : t.reduce((high, x) => Math.max(high, Math.abs(x)), 1e-9);
  }

  /* A table that was dropped on the page; false: there is none in the text. */
  useTable(text) {
    const {rows, left, kinds} = readTable(text);
    if (rows.length < 2 || rows[0].length < 2) return false;
    Object.assign(this, {table: rows, left, kinds, clicked: []});
    this.renew();
    this.paintData();
    return true;
  }

  /* A net for the table; columns of very different sizes are brought to one. */
  tableNet() {
    const columns = Array.from({length: this.inputs}, (_, k) => this.table.map(row => row[k]));
    const mean = list => list.reduce((t, x) => t + x, 0) / list.length;
    const means = columns.map(mean);
    const variances = columns.map((c, k) => mean(c.map(x => (x - means[k]) ** 2)));
    const deviations = variances.map(v => Math.sqrt(v) || 1);
    const even = means.every(m => Math.abs(m) < 4) && deviations.every(d => d > 0.25 && d < 4);
    const scale = even ? null : {means, deviations};
    return firstNet({classes: this.classes, inputs: this.inputs, table: true, scale});
  }

  gridPoints() {
    const [x, y] = this.range;
    const at = ([low, high], k, n) => low + ((high - low) * (k + 0.5)) / n;
    if (this.inputs === 1) return Array.from({length: CURVE}, (_, k) => [at(x, k, CURVE)]);
    if (this.inputs !== 2) return [];
    const place = k => [at(x, k % GRID, GRID), at(y, GRID - 1 - Math.floor(k / GRID), GRID)];
    return Array.from({length: GRID * GRID}, (_, k) => place(k));
  }

  /* ---- the worker ---- */

  /* The program that the compiler made of a text. */
  load(program, functions, text) {
    const key = JSON.stringify(program);
    this.net = readNet(text);
    if (key === this.key) {
      this.paintControls();
      if (this.isReady && this.frame)
        this.paintFrame(this.frame); /* the view may have been hidden */
      return;
    }
    this.key = key;
    this.stop();
    this.keptWeights = this.keeps ? this.frame?.weights || this.keptWeights : null;
    this.frame = null; /* it is that of another program */
    this.program = program;
    this.paintControls();
    const trains = !program.reason && program.text.includes('\n  step() {');
    this.say(
      program.reason ? ['not_in_page', program.reason] : trains ? null : ['nothing_to_minimize']
    );
    if (this.problem) return;
    this.functions = functions;
    this.worker = this.workerOf(program, message => this.receive(message));
    this.worker.onerror = e => this.say(['as_is', String(e.message)]);
    this.expect();
  }

  /* The program is a part of the worker's script. */
  workerOf(program, receive) {
    const parts = [
      this.math,
      `\nconst F = ${this.functions};`,
      `\nconst program = ${JSON.stringify(program)};`,
      `\nconst model = ${program.text};\n`,
      this.script
    ];
    const url = URL.createObjectURL(new Blob(parts, {type: 'text/javascript'}));
    const worker = new Worker(url);
    worker.onmessage = ({data}) => {
      if (data.kind === 'ready') URL.revokeObjectURL(url);
      receive(data);
    };
    return worker;
  }

  stop() {
    clearTimeout(this.timer);
    this.worker?.terminate();
    this.worker = null;
    this.isReady = false;
    this.wasRunning = this.running;
  }

  /* A worker that does not answer in time, as in a loop of 10^9 passes, is ended. */
  expect() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.stop();
      this.setRunning(this.wasRunning = false);
      this.key = '';
      this.say(['late']);
    }, PATIENCE);
  }

  send(message) {
    if (!this.worker) return;
    this.worker.postMessage(message);
    this.expect();
  }

  receive(message) {
    clearTimeout(this.timer);
    if (message.kind === 'ready') this.ready(message);
    if (message.kind === 'frame') this.show(message);
    if (message.kind === 'surface') this.paintSurface(message);
    if (this.running) this.expect();
  }

  ready(message) {
    this.isReady = true;
    this.layout = message;
    const wanted = message.columns - (message.inputs.length ? 1 : 0);
    if (message.inputs.length && wanted !== this.inputs) this.fitData(wanted);
    this.paintControls(); /* features are those of the data */
    this.say(
      message.inputs.length && wanted !== this.inputs ? ['other_columns', message.columns] : null
    );
    this.units = this.findUnits();
    this.buildPicture();
    if (this.keptWeights) this.send({kind: 'keep', weights: this.keptWeights});
    else this.history = [];
    this.send({kind: 'data', ...this.data});
    this.send({kind: 'grid', points: this.gridPoints(), units: this.units});
    if (this.wasRunning) this.send({kind: 'run'});
  }

  /* Data with as many features as the model takes. */
  fitData(wanted) {
    if (this.table) return;
    const set = Object.keys(SETS).find(s => SETS[s].inputs === wanted);
    if (!set) return;
    this.settings.set = set;
    this.renew();
    this.paintData();
  }

  /* The layers of units: those of the net, else all values with a name and a row for each point. */
  findUnits() {
    const isNamed = a => a.block === 'work' && a.of && !/[./ ]/.test(a.of);
    const hasRows = a => a.shape.length === 2 && a.shape[0] === this.layout.room;
    const shown = this.program.arrays.filter(a => isNamed(a) && hasRows(a));
    const own = this.net?.chain
      ? [this.net.features?.name, ...this.net.layers.map(l => l.name)]
      : shown.map(a => a.of);
    return [...new Set(own)].map(name => shown.find(a => a.of === name)).filter(a => a)
      .map(a => ({name: a.of, array: a.name, count: Math.min(a.shape[1], 16)}));
  }

  /* ---- controls ---- */

  build() {
    const button = (name, action, cls) => {
      const b = html('button', {class: cls || null, title: say(name + '_title')}, say(name));
      b.onclick = action;
      return b;
    };
    this.runButton = button('run', () => this.toggle(), 'main');
    this.bar = html('div', {class: 'bar-row'},
      html('div', {class: 'group'},
        this.runButton,
        button('one_step', () => this.step()),
        button('restart', () => this.restart()),
        button('reseed', () => this.reseed())),
      (this.facts = html('span', {class: 'facts'})));
    this.note = html('p', {class: 'soft', role: 'status', hidden: ''});
    this.dataRow = html('div', {class: 'controls', role: 'group', 'aria-label': say('data')});
    this.netRow = html('div', {class: 'controls', role: 'group', 'aria-label': say('net')});
    this.picture = html('div', {class: 'picture'});
    this.side = html('div', {class: 'side'});
    const stage = html('div', {class: 'stage'}, this.picture, this.side);
    this.parent.replaceChildren(this.bar, this.note, this.dataRow, this.netRow, stage);
    this.paintControls();
    this.paintProblem();
  }

  /* All texts anew, in another language. */
  relabel() {
    this.build();
    this.setRunning(this.running);
    if (!this.isReady) return;
    this.buildPicture();
    if (this.frame) this.paintFrame(this.frame);
  }

  control(name, field, tag = 'label') {
    return html(tag, {class: 'control'}, html('span', {}, say(name)), field);
  }

  choice(name, values, value, change, labels = values) {
    const select = html('select', {});
    const all = values.includes(value) ? values : [value, ...values];
    const labelOf = v => values.includes(v) ? labels[values.indexOf(v)] : v || say('by_default');
    all.forEach(v => select.append(html('option', {value: v}, labelOf(v))));
    select.value = value;
    select.onchange = () => change(select.value);
    return this.control(name, select);
  }

  slider(name, low, high, step, value, change, show = String) {
    const range = html('input', {type: 'range', min: low, max: high, step, value});
    const out = html('output', {}, show(value));
    const act = pause(60, () => change(+range.value));
    range.oninput = () => {
      out.textContent = show(+range.value);
      act();
    };
    return this.control(name, html('span', {class: 'slide'}, range, out));
  }

  /* Sliders stay as they are: one of them may be held at this moment. */
  set(name, value) {
    this.settings[name] = value;
    if (name === 'set') this.table = null;
    this.renew();
    if (name === 'set') this.paintData();
    this.send({kind: 'grid', points: this.gridPoints(), units: this.units || []});
  }

  paintData() {
    const {set, count, noise, share, seed} = this.settings;
    const names = Object.keys(SETS);
    if (this.layout && !this.layout.inputs.length) { /* it takes no data */
      this.dataRow.replaceChildren();
      return;
    }
    const left = this.table && this.left ? '; ' + say('rows_left', this.left) : '';
    const labels = names.map(n => say('set_' + n));
    const sets = this.table ? ['', ...names] : names;
    const setLabels = this.table ? [say('a_file'), ...labels] : labels;
    const choose = v => v && this.chooseSet(v);
    const clicks = say(this.classes ? 'click_points' : 'click_values');
    repaint(this.dataRow, () =>
      this.dataRow.replaceChildren(
        html('b', {}, say('data')),
        this.choice('set', sets, this.table ? '' : set, choose, setLabels),
        ...(this.table
          ? [html('span', {class: 'soft'}, say('from_file', this.table.length) + left)]
          : [
              this.slider('noise', 0, 0.5, 0.05, noise, v => this.set('noise', v)),
              this.slider('count', 20, 1000, 20, count, v => this.set('count', v)),
              this.slider('data_seed', 1, 50, 1, seed, v => this.set('seed', v))
            ]),
        this.slider(
          'share',
          0.1,
          0.9,
          0.1,
          share,
          v => this.set('share', v),
          v => Math.round(100 * v) + ' %'
        ),
        ...(this.inputs <= 2 ? [html('span', {class: 'soft'}, clicks)] : [])
      )
    );
  }

  /* Another kind of data needs another loss; a text that is not a net stays as it is. */
  chooseSet(set) {
    const was = [this.classes, this.inputs].join();
    this.clicked = [];
    this.set('set', set);
    if (this.net && was !== [this.classes, this.inputs].join()) this.edit(firstNet(SETS[set]));
  }

  paintControls() {
    this.paintData();
    repaint(this.netRow, () =>
      this.netRow.replaceChildren(html('b', {}, say('net')), ...this.netControls()));
  }

  /* A control reads the text as it is now, and changes its words. */
  change(name, ...args) {
    const net = readNet(this.text());
    if (!net) {
      this.say(['no_controls']);
      return;
    }
    this.keeps = ['rate', 'optimizer', 'penalty', 'batch'].includes(name);
    this.edit(changes[name](net, ...args));
  }

  /* Those that the text has words for. */
  netControls() {
    const {net} = this;
    if (!net) return [html('span', {class: 'soft'}, say('no_controls'))];
    const {penalty, expression, name, optimizer, rate} = net.loss;
    const change = (...args) => this.change(...args);
    const penalize = v => change('penalty', v, penalty ? penalty.rate : '0.001');
    const setPenalty = v => change('penalty', penalty.kind, v);
    const canPenalize = name && expression.text && net.all.length;
    return [
      net.chain ? this.layerButtons(net) : html('span', {class: 'soft'}, say('some_controls')),
      ...(net.layers.length ? [this.unitButtons(net)] : []),
      ...(net.layers.length ? [this.activationChoice(net)] : []),
      this.choice('optimizer', OPTIMIZERS, optimizer, v => change('optimizer', v, this.params(v))),
      this.choice('rate', RATES, rate || '', v => change('rate', v)),
      ...(canPenalize ? [this.choice('penalty', ['', 'l1', 'l2'], penalty ? penalty.kind : '',
        penalize, [say('none'), 'L1', 'L2'])] : []),
      ...(penalty ? [this.choice('penalty_rate', PENALTIES, penalty.rate, setPenalty)] : []),
      ...(net.batch
        ? [this.choice('batch', BATCHES, String(net.batch.size), v => change('batch', v))]
        : []),
      ...(this.inputs === 2 && net.all.length && hasFeatures(net) ? [this.featureBoxes(net)] : [])
    ];
  }

  /* A button that says why it does nothing; it keeps the focus. */
  small(text, label, action, off) {
    const title = typeof off === 'string' ? off : label;
    const disabled = off ? 'true' : null;
    const b = html('button', {'aria-label': label, title, 'aria-disabled': disabled}, text);
    if (!off) b.onclick = action;
    return b;
  }

  layerButtons(net) {
    const last = net.layers[net.layers.length - 1];
    const used = last && usedElsewhere(net, last) ? say('used_elsewhere', last.name) : false;
    const count = net.layers.length;
    const group = html('span', {class: 'group', role: 'group', 'aria-label': say('layers')},
      this.small('−', say('fewer_layers'), () => this.change('removeLayer'), !last || used),
      html('span', {class: 'count'}, String(count)),
      this.small('+', say('more_layers'), () => this.change('addLayer'), count >= 6));
    return this.control('layers', group, 'span');
  }

  unitButtons(net) {
    const groups = net.layers.map((l, k) => {
      const fixed = isNumber(l.units.text) ? false : say('in_text', l.units.text);
      const count = +l.units.text;
      const fewer = () => this.change('units', k, count - 1);
      const more = () => this.change('units', k, count + 1);
      return html('span', {class: 'group', role: 'group', 'aria-label': l.name},
        this.small('−', say('fewer_units', l.name), fewer, fixed || count <= 1),
        html('span', {class: 'count', title: l.name}, l.units.text),
        this.small('+', say('more_units', l.name), more, fixed || count >= 16));
    });
    return html('span', {class: 'control'}, html('span', {}, say('units')), ...groups);
  }

  /* One for all layers; if they differ, all are named until one is chosen. */
  activationChoice(net) {
    const kinds = [...new Set(net.layers.map(l => l.act?.text || 'identity'))];
    return this.choice('activation', ACTIVATIONS, kinds.join(', '), v => this.change('act', v));
  }

  featureBoxes(net) {
    const used = featureNames(net);
    const boxes = html('span', {class: 'features', role: 'group', 'aria-label': say('features')});
    for (const name in FEATURE_FORMS) {
      const box = html('input', {type: 'checkbox'});
      box.checked = used.includes(name);
      const isChosen = f => f === name ? box.checked : used.includes(f);
      box.onchange = () => this.change('features', Object.keys(FEATURE_FORMS).filter(isChosen));
      boxes.append(html('label', {}, box, ' ', name));
    }
    return html('span', {class: 'control'}, html('span', {}, say('features')), boxes);
  }

  /* Says the text of a name below the buttons, or nothing. */
  say(problem) {
    this.problem = problem;
    this.paintProblem();
  }

  paintProblem() {
    const text = this.problem ? say(...this.problem) : '';
    this.note.hidden = !text;
    if (this.note.textContent !== text) this.note.textContent = text;
  }

  toggle() {
    this.keeps = true;
    if (!this.isReady) { /* it begins as soon as it can */
      this.wasRunning = !this.wasRunning;
      this.setRunning(this.wasRunning);
      return;
    }
    this.send({kind: this.running ? 'pause' : 'run'});
    this.setRunning(!this.running);
  }

  setRunning(on) {
    this.running = on;
    this.runButton.textContent = say(on ? 'pause' : 'run');
  }

  step() {
    this.setRunning(false);
    this.keeps = true;
    this.send({kind: 'step'});
  }

  restart() {
    this.setRunning(false);
    if (!this.worker && this.problem?.[0] === 'late') this.again(this.seed); /* it was ended */
    this.history = [];
    this.keeps = false;
    if (this.surface) this.path = [];
    this.send({kind: 'reset'});
  }

  /* Other starting weights. */
  reseed() {
    this.restart();
    this.seed++;
    this.again(this.seed);
  }

  /* ---- what is seen ---- */

  buildPicture() {
    const picture = (size, name, label) =>
      html('canvas', {width: size, height: size, class: name, role: 'img', 'aria-label': label});
    this.canvases = this.units.map(u =>
      Array.from({length: u.count}, (_, k) => picture(44, 'unit-map', `${u.name}[${k}]`))
    );
    const features =
      (this.net?.chain && this.net.features) || this.inputs !== 2 ? [] : ['x1', 'x2'];
    this.featureMaps = features.map(name => picture(44, 'unit-map', name));
    this.lines = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    this.lines.setAttribute('class', 'wires');
    this.lines.setAttribute('aria-hidden', 'true');
    const column = (title, cells) =>
      html('div', {class: 'column'}, html('span', {class: 'soft'}, title), ...cells);
    const columns = [];
    if (this.inputs === 2 || this.inputs === 1) {
      if (features.length) columns.push(column('x', this.featureMaps));
      columns.push(...this.units.map((u, k) => column(u.name, this.canvases[k])));
    }
    this.big = picture(352, 'big', say('boundary'));
    this.big.tabIndex = 0;
    this.big.onclick = e => this.clickPoint(e);
    this.big.onkeydown = e => this.keyPoint(e);
    this.cross = html('span', {class: 'cross', hidden: ''});
    this.said = html('div', {class: 'legend-points soft', role: 'status'});
    const output = this.program.results.find(r => r.kind === 'output');
    const few = this.classes ? 'point_classes' : 'point_values';
    const points = this.classes > 2 ? 'point_kinds' : few;
    this.out = html('div', {class: 'column out'},
      html('span', {class: 'soft'}, output?.name || ''),
      html('div', {class: 'plane'}, this.big, this.cross),
      ...(output ? [] : [html('div', {class: 'legend-points'}, say('no_output'))]),
      html('div', {class: 'legend-points soft'}, say(points)),
      html('div', {class: 'legend-points soft with-keys'}, say('key_points')),
      this.said);
    this.big.setAttribute('aria-description', say('key_points'));
    this.place = [0.5, 0.5];
    this.columns = columns;
    /* only two columns are a plane */
    const can = this.inputs <= 2 && this.layout.columns === this.inputs + 1;
    this.picture.replaceChildren(...(can ? [this.lines, ...columns, this.out] : []));
    this.chartBox = html('div', {});
    this.tableBox = html('div', {});
    this.surfaceBox = html('div', {});
    this.surface = null;
    this.side.replaceChildren(
      html('h2', {}, say('losses')), this.chartBox, this.tableBox,
      html('h2', {class: 'of-rates'}, say('rates')), this.compareRow(),
      html('h2', {class: 'of-surface'}, say('surface')), this.surfaceRow(), this.surfaceBox);
    const half = GRID / 2;
    const height = (k, i) => k ? half - Math.floor(i / GRID) : (i % GRID) - half;
    this.featureMaps.forEach((c, k) =>
      heat(c, Float32Array.from({length: GRID * GRID}, (_, i) => height(k, i)), GRID, half));
  }

  /* ---- points by hand: places in the picture are from 0 to 1, from its upper left ---- */

  clickPoint(e) {
    const box = this.big.getBoundingClientRect();
    this.addPoint(
      [(e.clientX - box.left) / box.width, (e.clientY - box.top) / box.height],
      e.shiftKey
    );
  }

  /* What is at a place: x1 and x2, or x and the height of a curve. */
  at([u, v]) {
    const [x, y] = this.inputs === 1 ? [this.range[0], this.heights] : this.range;
    return [x[0] + u * (x[1] - x[0]), y[1] - v * (y[1] - y[0])];
  }

  addPoint(place, other) {
    const point = this.at(place);
    if (this.inputs === 2) point.push(other ? (this.classes ? 0 : -1) : 1);
    if (this.inputs <= 2) this.keepPoints([...this.clicked, point]);
  }

  keepPoints(points) {
    this.clicked = points;
    const {history} = this;
    this.renew();
    this.history = history;
  }

  /* Arrows move a cross, Enter adds a point at it, Backspace takes the last one away. */
  keyPoint(e) {
    const by = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[e.key];
    const step = e.shiftKey ? 0.1 : 0.025;
    if (by) this.place = this.place.map((p, k) => Math.max(0, Math.min(1, p + step * by[k])));
    else if (e.key === 'Enter' || e.key === ' ') this.addPoint(this.place, e.shiftKey);
    else if (e.key === 'Backspace' || e.key === 'Delete')
      this.keepPoints(this.clicked.slice(0, -1));
    else return;

    e.preventDefault();
    this.cross.hidden = false;
    this.cross.style.left = 100 * this.place[0] + '%';
    this.cross.style.top = 100 * this.place[1] + '%';
    const names = this.inputs === 1 ? ['x', 'y'] : ['x1', 'x2'];
    const where = this.at(this.place).map((x, k) => `${names[k]} = ${number(x, 3)}`);
    this.said.textContent = `${where.join(', ')}; ${say('own_points', this.clicked.length)}`;
  }

  show(frame) {
    this.frame = frame;
    if (frame.running !== this.running) this.setRunning(frame.running);
    if (frame.diverged) this.say(['diverged']);
    else if (this.problem?.[0] === 'diverged') this.say(null);
    const loss = (this.program.results.find(r => r.kind === 'loss') || {}).name;
    this.history.push([frame.steps, frame.train[loss], frame.test[loss]]);
    if (this.history.length > 400)
      this.history = this.history.filter((_, k) => k % 2 === 0 || k > 380);
    if (this.surface && this.pair.every(({name, k}) => frame.weights[name]?.[k] !== undefined))
      this.path.push(this.pair.map(({name, k}) => frame.weights[name][k]));
    if (!this.parent.hidden) this.paintFrame(frame);
  }

  paintFrame(frame) {
    const epoch = frame.epoch < 100 ? number(frame.epoch, 3) : Math.round(frame.epoch);
    const text = [`${say('steps')} ${frame.steps}`, `${say('epochs')} ${epoch}`];
    if (frame.running && frame.speed) text.push(say('per_second', Math.round(frame.speed)));
    this.facts.replaceChildren(...text.map(t => html('span', {}, t)));
    this.facts.dataset.steps = frame.steps;
    this.paintNumbers(frame);
    this.chartBox.replaceChildren(chart(this.history, [say('training'), say('test')]));
    this.paintMaps(frame);
    if (this.surface) this.paintPath();
  }

  paintMaps({maps, out, outWidth, dead, weights}) {
    if (!maps) return;
    this.units.forEach((u, k) => {
      for (let j = 0; j < u.count; j++) {
        const places = this.inputs === 2 ? GRID * GRID : CURVE;
        const values = maps[k].subarray(j * places, (j + 1) * places);
        const canvas = this.canvases[k][j];
        if (this.inputs === 2) heat(canvas, values, GRID);
        else curveOn(canvas, values, this.range[0], [], null);
        canvas.classList.toggle('dead', !!dead?.[k]?.[j]);
        canvas.title = dead?.[k]?.[j] ? say('dead') : `${u.name}[${j}]`;
        const state = dead?.[k]?.[j] ? ', ' + say('dead') : '';
        canvas.setAttribute('aria-label', `${u.name}[${j}]${state}`);
      }
    });
    if (this.inputs === 2) this.paintOutput(out, outWidth);
    if (this.inputs === 1) {
      const {train, test} = this.data;
      this.heights = curveOn(this.big, out || [], this.range[0], [...train, ...test], train.length);
    }
    this.paintWires(weights);
  }

  /* One number for each place: a probability, a value, or the most likely class. */
  paintOutput(out, width) {
    const places = GRID * GRID;
    const one = new Float32Array(places);
    for (let i = 0; out && i < places; i++) {
      if (width === 1) one[i] = this.classes ? 2 * out[i] - 1 : out[i];
      else {
        let best = 0;
        for (let k = 1; k < width; k++) if (out[i * width + k] > out[i * width + best]) best = k;
        one[i] = (2 * best) / (width - 1) - 1; /* as the classes of points */
      }
    }
    heat(this.big, one, GRID, this.classes ? 1 : this.high);
    if (out && this.classes === 2) contourOf(this.big, one, GRID);
    pointsOn(this.big, this.data, this.range, this.classes, this.high);
  }

  paintWires(weights) {
    if (!this.net?.chain || !weights || !this.columns?.length) return;
    const first = this.featureMaps.length ? [this.featureMaps] : [];
    const layers = [...first, ...this.canvases];
    const names = [...this.net.layers.map(l => l.name), this.net.out.name];
    wires(this.lines, this.picture, layers, [this.big], names.map(n => weights[n + '.W']));
  }

  paintNumbers(frame) {
    const row = (name, a, b) => html('tr', {},
      html('th', {scope: 'row'}, name),
      html('td', {class: 'num v'}, a),
      html('td', {class: 'num'}, b));
    const table = html('table', {}, html('tr', {},
      html('th', {}, ''),
      html('th', {class: 'num'}, say('training')),
      html('th', {class: 'num'}, say('test'))));
    for (const name in frame.train) {
      const test = name in frame.test ? number(frame.test[name], 4) : '';
      table.append(row(name, number(frame.train[name], 4), test));
    }
    const list = Object.entries(frame.gradients).filter(([name]) => !/\.b$/.test(name)).slice(0, 8);
    const most = Math.max(1e-12, ...list.map(([, g]) => g));
    for (const [name, g] of list) {
      const width = Math.max(1, Math.round((100 * g) / most));
      table.append(html('tr', {},
        html('th', {scope: 'row'}, `|d/d${name}|`),
        html('td', {class: 'num g'}, number(g, 3)),
        html('td', {}, html('span', {class: 'gradient-bar', style: `width: ${width}%`}))));
    }
    this.tableBox.replaceChildren(table);
    this.tableBox.dataset.train = JSON.stringify(frame.train);
  }

  /* ---- several rates, each from the same start ---- */

  compareRow() {
    const go = html('button', {}, say('compare'));
    go.disabled = !isNumber(this.net?.loss.rate);
    go.onclick = () => this.compare(go);
    this.compareBox = html('div', {});
    const words = html('span', {class: 'soft'}, say('compare_words'));
    return html('div', {}, html('div', {class: 'row'}, go, words), this.compareBox);
  }

  async compare(button) {
    const net = readNet(this.text());
    if (!isNumber(net?.loss.rate)) return;
    const box = this.compareBox;
    const lines = [];
    button.disabled = true;
    for (const factor of [0.1, 0.3, 1, 3, 10]) {
      const rate = String(+(factor * net.loss.rate).toPrecision(3));
      const {program} = await this.compile(changes.rate(net, rate));
      const points = program?.text && (await this.recordOf(program));
      if (!points) {
        box.replaceChildren(html('p', {class: 'soft'}, say('late')));
        break;
      }
      lines.push({name: `lr = ${rate}`, points});
      box.replaceChildren(manyLines(lines));
    }
    button.disabled = false;
    box.dataset.done = lines.map(l => l.name).join(' ');
  }

  /* Losses of 600 steps; null: it takes too long. */
  recordOf(program) {
    return new Promise(done => {
      const end = path => {
        clearTimeout(timer);
        worker.terminate();
        done(path);
      };
      const timer = setTimeout(() => end(null), 2 * PATIENCE);
      const worker = this.workerOf(
        program,
        message => message.kind === 'path' && end(message.path)
      );
      worker.postMessage({kind: 'data', ...this.data});
      worker.postMessage({kind: 'record', count: 600, every: 10});
    });
  }

  /* ---- the loss over two chosen numbers ---- */

  surfaceRow() {
    const namesIn = a => Array.from({length: Math.min(a.count, 24)}, (_, k) => `${a.of}[${k}]`);
    const cells = this.program.arrays.filter(a => a.block === 'params').flatMap(namesIn);
    const pick = k => {
      const select = html('select', {'aria-label': say('param')});
      cells.forEach(c => select.append(html('option', {value: c}, c)));
      select.value = cells[Math.min(k, cells.length - 1)];
      return select;
    };
    const [a, b] = [pick(0), pick(1)];
    const go = html('button', {}, say('draw'));
    const cell = text => {
      const [, name, k] = /^(.*)\[(\d+)\]$/.exec(text);
      return {name, k: +k};
    };
    go.onclick = () => {
      this.pair = [cell(a.value), cell(b.value)];
      this.path = [];
      this.send({kind: 'surface', a: this.pair[0], b: this.pair[1], reach: 4, size: 33});
    };
    return html('div', {class: 'row'}, a, b, go);
  }

  paintSurface(s) {
    const canvas = html('canvas', {
      width: 264, height: 264, class: 'big surface', role: 'img', 'aria-label': say('surface')
    });
    const logs = Float32Array.from(s.values, Math.log);
    const finite = [...logs].filter(Number.isFinite);
    const [low, high] = [Math.min(...finite), Math.max(...finite)];
    const flipped = Float32Array.from(logs, (_, i) => {
      const r = s.size - 1 - Math.floor(i / s.size);
      return (2 * (logs[r * s.size + (i % s.size)] - low)) / (high - low || 1) - 1;
    });
    heat(canvas, flipped, s.size, 1);
    this.surface = {...s, canvas, ground: canvas.getContext('2d').getImageData(0, 0, 264, 264)};
    this.surfaceBox.replaceChildren(canvas, html('p', {class: 'soft'}, say('surface_words')));
    this.path = [[s.x, s.y]];
    this.paintPath();
  }

  paintPath() {
    const {canvas, ground, x, y, reach} = this.surface;
    const c = canvas.getContext('2d');
    c.putImageData(ground, 0, 0);
    const at = ([p, q]) => [
      ((p - x) / reach / 2 + 0.5) * canvas.width,
      (0.5 - (q - y) / reach / 2) * canvas.height
    ];
    c.strokeStyle = c.fillStyle = '#000';
    c.lineWidth = 2;
    c.beginPath();
    this.path.map(at).forEach(([u, v], k) => (k ? c.lineTo(u, v) : c.moveTo(u, v)));
    c.stroke();
    const [u, v] = at(this.path[this.path.length - 1]);
    c.beginPath();
    c.arc(u, v, 4, 0, 7);
    c.fill();
  }
}
