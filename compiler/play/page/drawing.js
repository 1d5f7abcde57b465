/* drawing.js - heat maps, points, curves, and the lines of weights. Colours are blue for
 * positive values and class 1, orange for negative ones and class 0; classes differ in shape
 * too. */

const dark = () => matchMedia('(prefers-color-scheme: dark)').matches;

/* "#1f77d0" of the style sheet as three numbers */
function colourNamed(name) {
  const hex = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return [1, 3, 5].map(k => parseInt(hex.slice(k, k + 2), 16));
}
const PLUS = colourNamed('--plus');
const MINUS = colourNamed('--minus');

function colourOf(x, base) {
  const t = Math.max(-1, Math.min(1, x));
  const to = t > 0 ? PLUS : MINUS;
  const part = Math.abs(t) ** 0.8 * 0.85;
  return base.map((b, k) => b + (to[k] - b) * part);
}

/* Values of a square grid, row by row from the top; `most` has the full colour. */
export function heat(canvas, values, size, most = 0) {
  if (!most) for (const x of values) most = Math.max(most, Math.abs(x));
  const base = dark() ? [0x1b, 0x1d, 0x21] : [0xfa, 0xfa, 0xfa];
  const image = new ImageData(size, size);
  for (let i = 0; i < size * size; i++) {
    const [r, g, b] = Number.isFinite(values[i])
      ? colourOf(values[i] / (most || 1), base)
      : [128, 128, 128];
    image.data.set([r, g, b, 255], 4 * i);
  }
  const small = document.createElement('canvas');
  small.width = small.height = size;
  small.getContext('2d').putImageData(image, 0, 0);
  const c = canvas.getContext('2d');
  c.imageSmoothingEnabled = true;
  c.drawImage(small, 0, 0, canvas.width, canvas.height);
}

/* Where values change their sign: the boundary of the classes. */
export function contourOf(canvas, values, size) {
  const c = canvas.getContext('2d');
  const step = canvas.width / size;
  c.strokeStyle = dark() ? '#fff' : '#000';
  c.lineWidth = 1.5;
  c.beginPath();
  const at = (a, b) => a / (a - b);
  for (let r = 0; r < size - 1; r++)
    for (let k = 0; k < size - 1; k++) {
      const v = [
        [0, 0],
        [0, 1],
        [1, 1],
        [1, 0]
      ].map(([i, j]) => [
        (k + j + 0.5) * step,
        (r + i + 0.5) * step,
        values[(r + i) * size + k + j]
      ]);
      const cuts = [];
      for (let e = 0; e < 4; e++) {
        const [p, q] = [v[e], v[(e + 1) % 4]];
        if (p[2] > 0 === q[2] > 0) continue;
        const s = at(p[2], q[2]);
        cuts.push([p[0] + s * (q[0] - p[0]), p[1] + s * (q[1] - p[1])]);
      }
      for (let e = 0; e + 1 < cuts.length; e += 2) {
        c.moveTo(...cuts[e]);
        c.lineTo(...cuts[e + 1]);
      }
    }
  c.stroke();
}

function polygon(c, x, y, size, corners) {
  for (let k = 0; k < corners; k++) {
    const a = (2 * Math.PI * k) / corners;
    c.lineTo(x + size * Math.sin(a), y - size * Math.cos(a));
  }
  c.closePath();
}

/* Points to learn from are filled, those to test on are smaller and outlined. */
export function pointsOn(canvas, {train, test}, [x, y], classes, high) {
  const c = canvas.getContext('2d');
  const draw = (p, seen) => {
    const u = ((p[0] - x[0]) / (x[1] - x[0])) * canvas.width;
    const v = ((y[1] - p[1]) / (y[1] - y[0])) * canvas.height;
    const t = classes ? (2 * p[2]) / high - 1 : p[2] / high;
    const [r, g, b] = colourOf(t, [0xd8, 0xd8, 0xd8]).map(
      v => 0.62 * v
    ); /* darker than what is below */
    const size = seen ? 4 : 3;
    c.beginPath();
    if (classes && t === 1) c.rect(u - size + 0.5, v - size + 0.5, 2 * size - 1, 2 * size - 1);
    else if (classes && t > -1)
      polygon(c, u, v, size + 1, p[2] + 2); /* a triangle, a square on its corner, .. */
    else c.arc(u, v, size, 0, 7);
    c.fillStyle = `rgb(${r} ${g} ${b})`;
    c.strokeStyle = seen ? '#fff' : '#0009';
    c.lineWidth = 1.2;
    c.fill();
    c.stroke();
  };
  test.slice(0, 600).forEach(p => draw(p, false));
  train.slice(0, 600).forEach(p => draw(p, true));
}

/* A curve over [low, high], with points [x, t]; the first `seen` are those to learn from.
 * Returns the heights of the picture's lower and upper edge. */
export function curveOn(canvas, values, [low, high], points, seen) {
  const c = canvas.getContext('2d');
  const all = [...values, ...points.map(p => p[1])].filter(Number.isFinite);
  let [bottom, top] = [Math.min(...all), Math.max(...all)];
  if (!(top > bottom)) [bottom, top] = [bottom - 1, bottom + 1];
  const margin = (top - bottom) * 0.08;
  const px = x => ((x - low) / (high - low)) * canvas.width;
  const py = y => canvas.height * (1 - (y - bottom + margin) / (top - bottom + 2 * margin));
  c.fillStyle = dark() ? '#1b1d21' : '#fafafa';
  c.fillRect(0, 0, canvas.width, canvas.height);
  points.forEach(([x, t], k) => {
    c.beginPath();
    c.arc(px(x), py(t), k < seen ? 3.5 : 2.5, 0, 7);
    c.fillStyle = k < seen ? (dark() ? '#f0a050' : '#c05a00') : '#8888';
    c.fill();
  });
  c.beginPath();
  values.forEach((y, k) => {
    const at = [px(low + ((high - low) * (k + 0.5)) / values.length), py(y)];
    if (k) c.lineTo(...at);
    else c.moveTo(...at);
  });
  c.strokeStyle = dark() ? '#7eb4ff' : '#1f5fbf';
  c.lineWidth = canvas.width > 100 ? 2.5 : 1.5;
  c.stroke();
  return [bottom - margin, top + margin];
}

const space = 'http://www.w3.org/2000/svg';
const svg = (tag, attr, text) => {
  const e = document.createElementNS(space, tag);
  for (const k in attr) e.setAttribute(k, attr[k]);
  if (text !== undefined) e.textContent = text;
  return e;
};

/* Lines between layers of elements: as thick as the weight is large, dashed if it is negative. */
export function wires(picture, around, layers, last, weights) {
  const box = around.getBoundingClientRect();
  const shift = [around.scrollLeft, around.scrollTop];
  const place = e => {
    const r = e.getBoundingClientRect();
    return {
      left: r.left - box.left + shift[0],
      right: r.right - box.left + shift[0],
      y: (r.top + r.bottom) / 2 - box.top + shift[1]
    };
  };
  picture.setAttribute('width', around.scrollWidth);
  picture.setAttribute('height', around.scrollHeight);
  const all = [...layers, last];
  const parts = [];
  weights.forEach((w, k) => {
    const [from, to] = [all[k], all[k + 1]];
    if (!w || !from || !to || w.length !== from.length * to.length) return;
    const most = w.reduce((t, x) => Math.max(t, Math.abs(x)), 1e-9);
    const [a, b] = [from.map(place), to.map(place)];
    for (let o = 0; o < b.length; o++)
      for (let i = 0; i < a.length; i++) {
        const x = w[o * a.length + i];
        if (b[o].left < a[i].right) continue; /* on a narrow page it is below */
        const half = (b[o].left - a[i].right) / 2;
        parts.push(svg('path', {
          d: `M${a[i].right} ${a[i].y}C${a[i].right + half} ${a[i].y} ${b[o].left - half} ${b[o].y} ${b[o].left} ${b[o].y}`,
          class: 'weight' + (x < 0 ? ' minus' : ''),
          'stroke-width': (0.4 + (4.6 * Math.abs(x)) / most).toFixed(2)
        }));
      }
  });
  picture.replaceChildren(...parts);
}

/* Losses over the steps, a line for each rate, with its name at its end: [{name, points}, ...]. */
export function manyLines(lines) {
  const [W, H, left, right] = [340, 170, 54, 74];
  const root = svg('svg', {viewBox: `0 0 ${W} ${H}`, class: 'plot', role: 'img'});
  const good = y => Number.isFinite(y) && y > 0;
  const last = l => l.points[l.points.length - 1];
  const text = y => (Number.isFinite(y) ? String(+y.toPrecision(3)) : 'inf');
  root.setAttribute('aria-label', lines.map(l => `${l.name}: ${text(last(l)[1])}`).join(', '));
  const first = lines[0].points[0][1];
  const cap = 30 * (good(first) ? first : 1); /* what climbs out is cut */
  const all = lines.flatMap(l => l.points.map(p => p[1])).filter(y => good(y) && y <= cap);
  const [low, high] = [Math.log10(Math.min(...all)), Math.log10(Math.max(...all)) + 0.02];
  const py = y => 8 + ((high - Math.log10(Math.min(y, cap))) / (high - low || 1)) * (H - 28);
  const px = s => left + ((W - left - right) * s) / (last(lines[0])[0] || 1);
  for (const t of [low, (low + high) / 2, high])
    root.append(
      svg('path', {class: 'grid', d: `M${left} ${py(10 ** t)}H${W - right}`}),
      svg(
        'text',
        {x: left - 4, y: py(10 ** t) + 4, 'text-anchor': 'end'},
        text(+(10 ** t).toPrecision(2))
      )
    );
  root.append(
    svg('text', {x: W - right, y: H - 4, 'text-anchor': 'end'}, String(last(lines[0])[0])),
    svg('text', {x: left, y: H - 4}, '0')
  );
  const places = lines.map(l => (good(last(l)[1]) ? py(last(l)[1]) : 8));
  const order = places.map((y, k) => [y, k]).sort((a, b) => a[0] - b[0]);
  let free = 8;
  for (const [y, k] of order) {
    free = Math.max(y, free + 13);
    const points = lines[k].points.filter(p => good(p[1]));
    const dash = ['1 4', '3 3', '', '8 3', '12 3 2 3'][k];
    if (points.length)
      root.append(
        svg('path', {
          class: 'line rate' + k,
          'stroke-dasharray': dash,
          d: 'M' + points.map(p => `${px(p[0]).toFixed(1)} ${py(p[1]).toFixed(1)}`).join('L')
        })
      );
    root.append(svg('text', {x: W - right + 4, y: free + 3}, lines[k].name.replace('lr = ', '')));
  }
  return root;
}

/* Two lines over the steps: [[step, a, b], ...]. The axis of losses is logarithmic. */
export function chart(history, names) {
  const [W, H, left, bottom] = [340, 150, 54, 20];
  const root = svg('svg', {viewBox: `0 0 ${W} ${H}`, class: 'plot', role: 'img'});
  const values = history.flatMap(h => h.slice(1)).filter(x => Number.isFinite(x) && x > 0);
  const last = history[history.length - 1] || [0];
  const text = x => (Number.isFinite(x) ? String(+x.toPrecision(3)) : '-');
  root.setAttribute('aria-label', `${names[0]} ${text(last[1])}, ${names[1]} ${text(last[2])}`);
  if (!values.length) return root;
  let [low, high] = [Math.log10(Math.min(...values)), Math.log10(Math.max(...values))];
  if (high - low < 0.3) [low, high] = [(low + high) / 2 - 0.15, (low + high) / 2 + 0.15];
  const steps = Math.max(1, last[0]);
  const px = s => left + ((W - left - 8) * s) / steps;
  const py = x => 8 + ((high - Math.log10(x)) / (high - low)) * (H - bottom - 8);
  for (const t of [low, (low + high) / 2, high])
    root.append(
      svg('path', {class: 'grid', d: `M${left} ${py(10 ** t)}H${W - 8}`}),
      svg(
        'text',
        {x: left - 4, y: py(10 ** t) + 4, 'text-anchor': 'end'},
        text(+(10 ** t).toPrecision(2))
      )
    );
  root.append(
    svg('text', {x: W - 8, y: H - 5, 'text-anchor': 'end'}, String(last[0])),
    svg('text', {x: left, y: H - 5}, '0')
  );
  [
    ['line v', 1],
    ['line fore dashed', 2]
  ].forEach(([cls, k]) => {
    const points = history.filter(h => h[k] > 0 && Number.isFinite(h[k]));
    if (points.length)
      root.append(
        svg('path', {
          class: cls,
          d: 'M' + points.map(h => `${px(h[0]).toFixed(1)} ${py(h[k]).toFixed(1)}`).join('L')
        })
      );
    if (points.length)
      root.append(
        svg(
          'text',
          {
            x: W - 10,
            y: k === 1 ? 18 : 32,
            'text-anchor': 'end',
            class: k === 1 ? 'v halo' : 'soft halo'
          },
          `${names[k - 1]} ${text(last[k])}`
        )
      );
  });
  return root;
}
