/* plot.js - small diagrams: lines over two axes. */

/* The smallest round distance of which `most` cover the span. */
const nice = (span, most) => {
  const p = 10 ** Math.floor(Math.log10(span / most));
  return [1, 2, 5, 10].map(k => k * p).find(s => span / s <= most);
};

function ticks(lo, hi, log) {
  if (log) {
    const every = Math.max(1, Math.ceil((hi - lo) / 6));
    return Array.from(
      {length: Math.floor(hi) - Math.ceil(lo) + 1},
      (_, k) => Math.ceil(lo) + k
    ).filter(k => k % every === 0);
  }
  const step = nice(hi - lo, 5);
  return Array.from(
    {length: Math.floor(hi / step) - Math.ceil(lo / step) + 1},
    (_, k) => (Math.ceil(lo / step) + k) * step
  );
}

/* Cuts a line where a point is not finite. */
function finitePieces({cls, points}) {
  const pieces = [{cls, points: []}];
  for (const p of points) {
    if (Number.isFinite(p[0]) && Number.isFinite(p[1])) pieces[pieces.length - 1].points.push(p);
    else pieces.push({cls, points: []});
  }
  return pieces.filter(l => l.points.length);
}

/* lines: [{points: [[x, y], ...], cls, name}]; dots: [{x, y, cls}]. With log, points are powers of
 * ten. */
function plot({lines, dots = [], x, y, log = false, label, range, least = 0}) {
  const W = 380;
  const H = 220;
  const left = 52;
  const right = 10;
  const top = 10;
  const bottom = 34;
  dots = dots.filter(d => Number.isFinite(d.x) && Number.isFinite(d.y));
  const pieces = lines.flatMap(finitePieces);
  const all = pieces.flatMap(l => l.points).concat(dots.map(d => [d.x, d.y]));
  if (!all.length) return html('p', {class: 'soft'}, T('nothing finite to draw'));

  /* the range of both axes */
  let [x0, x1, y0, y1] = [0, 1].flatMap(a => [
    Math.min(...all.map(p => p[a])),
    Math.max(...all.map(p => p[a]))
  ]);
  if (range) [y0, y1] = range;
  x1 = Math.max(x1, x0 + least);
  if (x1 === x0) {
    x0 -= 0.5;
    x1 += 0.5;
  }
  if (y1 - y0 < 1e-12 * Math.max(1, Math.abs(y0))) {
    y0 -= 0.5;
    y1 += 0.5;
  }
  const pad = range ? 0 : (y1 - y0) * 0.06;
  y0 -= pad;
  y1 += pad;

  const px = v => left + ((v - x0) / (x1 - x0)) * (W - left - right);
  const py = v => top + ((y1 - v) / (y1 - y0)) * (H - top - bottom);
  const name = (t, l) => (l ? '1e' + t : String(+t.toPrecision(6)));

  /* the grid, its numbers, and what the axes are */
  const s = svg('svg', {viewBox: `0 0 ${W} ${H}`, class: 'plot', role: 'img', 'aria-label': label});
  for (const t of ticks(x0, x1, log))
    s.append(
      svg('path', {class: 'grid', d: `M${px(t)} ${top}V${H - bottom}`}),
      svg('text', {x: px(t), y: H - bottom + 14, 'text-anchor': 'middle'}, name(t, log))
    );
  for (const t of ticks(y0, y1, log))
    s.append(
      svg('path', {class: 'grid', d: `M${left} ${py(t)}H${W - right}`}),
      svg('text', {x: left - 5, y: py(t) + 4, 'text-anchor': 'end'}, name(t, log))
    );
  s.append(
    svg('text', {x: (left + W - right) / 2, y: H - 4, 'text-anchor': 'middle', class: 'soft'}, x),
    svg(
      'text',
      {
        x: 12,
        y: (top + H - bottom) / 2,
        'text-anchor': 'middle',
        class: 'soft',
        transform: `rotate(-90 12 ${(top + H - bottom) / 2})`
      },
      y
    )
  );

  const clip = v => Math.max(top - 400, Math.min(H + 400, v));
  const inside = svg('svg', {
    x: left,
    y: top,
    width: W - left - right,
    height: H - top - bottom,
    viewBox: `${left} ${top} ${W - left - right} ${H - top - bottom}`
  });
  pieces.forEach(({cls, points}) =>
    inside.append(
      svg('polyline', {
        class: 'line ' + cls,
        points: points.map(p => `${px(p[0]).toFixed(1)},${clip(py(p[1])).toFixed(1)}`).join(' ')
      })
    )
  );
  s.append(inside);
  dots.forEach(d =>
    s.append(svg('circle', {class: 'dot ' + d.cls, cx: px(d.x), cy: clip(py(d.y)), r: d.r || 4}))
  );
  return s;
}

const legend = (...parts) =>
  html('p', {class: 'legend'}, ...parts.map(([cls, text]) => html('span', {class: cls}, text)));
