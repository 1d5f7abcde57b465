/* matrix.js - what functions of the runtime compute of whole tensors: factors of matrices, order, convolutions. Each is called with
 * what it makes, {shape, attr}, the place for it, and its operands, {shape, v}. Lessons and the playground's training use them. */
const matrixOps = {
  conv(n, y, [x, k]) {
    y.fill(0);
    eachProduct(n.attr, x.shape, k.shape, n.shape, (i, j, o) => {
      y[o] += x.v[i] * k.v[j];
    });
  },
  convk(n, y, [x, z]) {
    y.fill(0);
    eachProduct(n.attr, x.shape, n.shape, z.shape, (i, j, o) => {
      y[j] += x.v[i] * z.v[o];
    });
  },
  /* factors of the transpose by columns, as the runtime keeps them: lu[c (n + 1) + i], with the
   * exchanges after each column */
  lu(n, y, [a]) {
    const d = n.shape[n.shape.length - 2];
    const at = (c, i) => c * (d + 1) + i;
    for (let t = 0; t * d * d < a.v.length; t++) {
      const u = y.subarray(t * d * (d + 1));
      const x = a.v.subarray(t * d * d);
      for (let c = 0; c < d; c++) for (let i = 0; i < d; i++) u[at(c, i)] = x[c * d + i];
      for (let k = 0; k < d; k++) {
        let p = k;
        for (let i = k + 1; i < d; i++) if (Math.abs(u[at(k, i)]) > Math.abs(u[at(k, p)])) p = i;
        u[at(k, d)] = p;
        for (let c = 0; c < d && p !== k; c++)
          [u[at(c, k)], u[at(c, p)]] = [u[at(c, p)], u[at(c, k)]];
        for (let i = k + 1; i < d; i++) if (u[at(k, k)] !== 0) u[at(k, i)] /= u[at(k, k)];
        for (let c = k + 1; c < d; c++)
          for (let i = k + 1; i < d; i++) u[at(c, i)] -= u[at(k, i)] * u[at(c, k)];
      }
    }
  },
  solve(n, y, [matrix, factors, right]) {
    const d = matrix.shape[matrix.shape.length - 1];
    const k = n.shape[n.shape.length - 1];
    y.set(right.v);
    for (let t = 0; t * d * k < y.length; t++) {
      const lu = factors.v.subarray(t * d * (d + 1));
      const x = y.subarray(t * d * k, (t + 1) * d * k);
      const at = (row, col) => lu[col * (d + 1) + row];
      const singular = [...Array(d).keys()].some(i => at(i, i) === 0);
      if (singular) {
        x.fill(NaN);
        continue;
      }
      const swap = (i, r) => {
        for (let j = 0; j < k && i !== r; j++)
          [x[i * k + j], x[r * k + j]] = [x[r * k + j], x[i * k + j]];
      };
      const less = (i, f, r) => {
        for (let j = 0; j < k; j++) x[i * k + j] -= f * x[r * k + j];
      };
      const over = (i, f) => {
        for (let j = 0; j < k; j++) x[i * k + j] /= f;
      };
      if (n.attr.ta) {
        for (let i = 0; i < d; i++) swap(i, at(d, i));
        for (let i = 0; i < d; i++) for (let r = i + 1; r < d; r++) less(r, at(r, i), i);
        for (let i = d - 1; i >= 0; i--) {
          over(i, at(i, i));
          for (let r = 0; r < i; r++) less(r, at(r, i), i);
        }
      } else {
        for (let i = 0; i < d; i++) {
          for (let r = 0; r < i; r++) less(i, at(r, i), r);
          over(i, at(i, i));
        }
        for (let i = d - 1; i >= 0; i--) for (let r = i + 1; r < d; r++) less(i, at(r, i), r);
        for (let i = d - 1; i >= 0; i--) swap(i, at(d, i));
      }
    }
  },
  cholesky(n, y, [a]) {
    const d = a.shape[a.shape.length - 1];
    y.fill(0);
    for (let t = 0; t < y.length; t += d * d)
      for (let i = 0; i < d; i++)
        for (let j = 0; j <= i; j++) {
          let sum = a.v[t + i * d + j];
          for (let k = 0; k < j; k++) sum -= y[t + i * d + k] * y[t + j * d + k];
          y[t + i * d + j] = i === j ? Math.sqrt(sum) : sum / y[t + j * d + j];
        }
  },
  det: (n, y, a) => diagonal(y, a, (all, x) => all * x, 1),
  logdet: (n, y, a) => diagonal(y, a, addLog, 0),
  /* the places of the largest, of the next, ... in each row */
  order(n, y, [a]) {
    const d = a.shape[a.shape.length - 1];
    const k = n.shape[n.shape.length - 1];
    for (let r = 0; r * k < y.length; r++) {
      const x = a.v.slice(r * d, (r + 1) * d);
      const key = i => (Number.isNaN(x[i]) ? 1 : 0);
      const places = Array.from(x, (_, i) => i);
      places.sort((i, j) => key(j) - key(i) || x[j] - x[i] || i - j);
      for (let i = 0; i < k; i++) y[r * k + i] = places[i];
    }
  },
  /* P A Q = L D U in one matrix, then the exchanged rows and columns (see ngrt_linear_real.h) */
  lup(n, y, [a]) {
    const d = a.shape[a.shape.length - 1];
    for (let t = 0; t * d * d < a.v.length; t++) {
      const f = y.subarray(t * d * (d + 2), (t + 1) * d * (d + 2));
      f.set(a.v.subarray(t * d * d, (t + 1) * d * d));
      for (let k = 0; k < d; k++) {
        let most = -1;
        let row = k;
        let column = k;
        for (let i = k; i < d; i++)
          for (let j = k; j < d; j++) {
            const x = Math.abs(f[i * d + j]);
            if (x > most || x !== x) {
              most = x;
              row = i;
              column = j;
            }
          }
        f[d * d + k] = row;
        f[d * d + d + k] = column;
        exchange(d, f, k, row, column);
        const pivot = f[k * (d + 1)];
        if (pivot === 0) continue;
        for (let j = k + 1; j < d; j++) f[k * d + j] /= pivot;
        for (let i = k + 1; i < d; i++) {
          const l = f[i * d + k];
          for (let j = k + 1; j < d; j++) f[i * d + j] -= l * f[k * d + j];
          f[i * d + k] = l / pivot;
        }
      }
    }
  },
  cof(n, y, [matrix, factors]) {
    const d = matrix.shape[matrix.shape.length - 1];
    y.fill(0);
    for (let t = 0; t * d * d < y.length; t++) {
      const f = factors.v.subarray(t * d * (d + 2));
      const x = y.subarray(t * d * d, (t + 1) * d * d);
      for (let i = 0; i < d; i++) x[i * (d + 1)] = pivots(d, f, [i]);
      cofactorsBack(d, f, x);
    }
  },
  cof2(n, y, [matrix, factors, w]) {
    const d = matrix.shape[matrix.shape.length - 1];
    for (let t = 0; t * d * d < y.length; t++) {
      const f = factors.v.subarray(t * d * (d + 2));
      const x = y.subarray(t * d * d, (t + 1) * d * d);
      const v = new Float64Array(d * d);
      v.set(w.v.subarray(t * d * d, (t + 1) * d * d));
      for (let i = 0; i < d; i++) exchange(d, v, i, f[d * d + i], f[d * d + d + i]);
      for (let i = 0; i < d; i++)
        for (let k = 0; k < i; k++)
          for (let j = 0; j < d; j++) v[i * d + j] -= f[i * d + k] * v[k * d + j];
      for (let i = 0; i < d; i++)
        for (let j = 0; j < d; j++)
          for (let k = 0; k < j; k++) v[i * d + j] -= v[i * d + k] * f[k * d + j];
      x.fill(0);
      for (let i = 0; i < d; i++)
        for (let j = 0; j < d; j++)
          if (i !== j) {
            x[i * d + j] = -pivots(d, f, [i, j]) * v[j * d + i];
            x[i * (d + 1)] += pivots(d, f, [i, j]) * v[j * (d + 1)];
          }
      cofactorsBack(d, f, x);
    }
  }
};

/* Calls f for each product of a convolution, with the places of its element of X [c, h, w, b], of
 * K [o, c/groups, kh, kw] and of Y [o, i, j, b]. */
function eachProduct(
  {stride, dilation, groups},
  [, h, w, batch],
  [out, channels, kh, kw],
  [, rows, columns],
  f
) {
  for (let o = 0, k = 0; o < out; o++) {
    const first = Math.floor((o * groups) / out) * channels;
    for (let c = first; c < first + channels; c++)
      for (let u = 0; u < kh; u++)
        for (let v = 0; v < kw; v++, k++)
          for (let i = 0; i < rows; i++)
            for (let j = 0; j < columns; j++) {
              const x =
                ((c * h + i * stride[0] + u * dilation[0]) * w + j * stride[1] + v * dilation[1])
                * batch;
              const y = ((o * rows + i) * columns + j) * batch;
              for (let b = 0; b < batch; b++) f(x + b, k, y + b);
            }
  }
}

/* Exchanges rows k and row, then columns k and column, of a d x d matrix. */
function exchange(d, x, k, row, column) {
  for (let j = 0; j < d; j++) [x[k * d + j], x[row * d + j]] = [x[row * d + j], x[k * d + j]];
  for (let i = 0; i < d; i++) [x[i * d + k], x[i * d + column]] = [x[i * d + column], x[i * d + k]];
}

/* The product of all pivots of `lup` except some. */
function pivots(d, f, but) {
  let all = 1;
  for (let k = 0; k < d; k++) if (!but.includes(k)) all *= f[k * (d + 1)];
  return all;
}

/* From the cofactors of L^-1 P A Q U^-1 to those of A. */
function cofactorsBack(d, f, x) {
  let sign = 1;
  for (let i = d - 1; i >= 0; i--)
    for (let k = i + 1; k < d; k++)
      for (let j = 0; j < d; j++) x[i * d + j] -= f[k * d + i] * x[k * d + j];
  for (let i = 0; i < d; i++)
    for (let j = d - 1; j >= 0; j--)
      for (let k = j + 1; k < d; k++) x[i * d + j] -= f[j * d + k] * x[i * d + k];
  for (let k = d - 1; k >= 0; k--) {
    const row = f[d * d + k];
    const column = f[d * d + d + k];
    exchange(d, x, k, row, column);
    if ((row !== k) !== (column !== k)) sign = -sign;
  }
  for (let i = 0; i < d * d; i++) x[i] *= sign;
}

/* A logarithm added to a sum; -Infinity stays, as the logarithm of 0. */
function addLog(sum, x) {
  if (sum === -Infinity) return sum;
  return x < 0 ? NaN : sum + Math.log(x);
}

/* The product of the diagonal, or the sum of its logarithms. Exchanges and negative factors give
 * the sign. */
function diagonal(y, [matrix, factors], fold, start) {
  const d = matrix.shape[matrix.shape.length - 1];
  const lu = factors.v;
  for (let t = 0; t < y.length; t++) {
    let sign = 1;
    let all = start;
    for (let i = 0; i < d; i++) {
      const row = (t * d + i) * (d + 1);
      const x = lu[row + i];
      if ((lu[row + d] !== i) !== (x < 0)) sign = -sign;
      all = fold(all, Math.abs(x));
    }
    y[t] = fold(all, sign);
  }
}
