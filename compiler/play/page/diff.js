/* diff.js - the lines that two texts have in common, and those that only one of them has (Myers,
 * 1986). */

/* [[' ' | '-' | '+', line], ...] */
export function difference(a, b) {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (
    end < Math.min(a.length, b.length) - start &&
    a[a.length - 1 - end] === b[b.length - 1 - end]
  )
    end++;
  const same = list => list.map(line => [' ', line]);
  return [
    ...same(a.slice(0, start)),
    ...middle(a.slice(start, a.length - end), b.slice(start, b.length - end)),
    ...same(a.slice(a.length - end))
  ];
}

const MOST = 1500; /* differences; beyond that all lines differ */

function middle(a, b) {
  const trace = [];
  const reach = new Map([[1, 0]]);
  for (let d = 0; d <= Math.min(MOST, a.length + b.length); d++) {
    trace.push(new Map(reach));
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (reach.get(k - 1) ?? -1) < (reach.get(k + 1) ?? -1));
      let x = down ? reach.get(k + 1) : reach.get(k - 1) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      reach.set(k, x);
      if (x >= a.length && x - k >= b.length) return walkBack(a, b, trace);
    }
  }
  return [...a.map(line => ['-', line]), ...b.map(line => ['+', line])];
}

function walkBack(a, b, trace) {
  const out = [];
  let x = a.length;
  let y = b.length;
  for (let d = trace.length - 1; d >= 0; d--) {
    const reach = trace[d];
    const k = x - y;
    const down = k === -d || (k !== d && (reach.get(k - 1) ?? -1) < (reach.get(k + 1) ?? -1));
    const before = down ? k + 1 : k - 1;
    const fromX = d ? reach.get(before) : 0;
    const fromY = d ? fromX - before : 0;
    while (x > fromX && y > fromY) out.push([' ', a[--x], y--]);
    if (!d) break;
    if (down) out.push(['+', b[--y]]);
    else out.push(['-', a[--x]]);
  }
  return out.reverse();
}
