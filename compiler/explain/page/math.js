/* math.js - numbers: what the functions of one element need that JavaScript does not have, and the
 * runtime's random numbers. Lessons compute with them, and the playground trains with them. */

const TWO_OVER_ROOT_PI = 1.1283791670955126;

/* erf near 0 by its series (Abramowitz and Stegun, 7.1.6). */
function erfSeries(x) {
  let term = x;
  let sum = x;
  for (let k = 1; Math.abs(term) > 1e-17 * Math.abs(sum); k++) {
    term *= (2 * x * x) / (2 * k + 1);
    sum += term;
  }
  return TWO_OVER_ROOT_PI * Math.exp(-x * x) * sum;
}

/* erfc of larger x by its continued fraction (7.1.14). */
function erfcFraction(x) {
  let f = 0;
  for (let k = 60; k > 0; k--) f = k / 2 / (x + f);
  return (Math.exp(-x * x) * TWO_OVER_ROOT_PI) / 2 / (x + f);
}

function erfc(x) {
  if (Number.isNaN(x)) return x;
  if (x > 27) return 0;
  if (x >= 2.5) return erfcFraction(x);
  return x > -2.5 ? 1 - erfSeries(x) : 2 - erfcFraction(-x);
}

function erf(x) {
  if (Number.isNaN(x)) return x;
  if (Math.abs(x) < 2.5) return erfSeries(x);
  return x > 0 ? 1 - erfc(x) : erfc(-x) - 1;
}

/* The number whose erf is x: a first guess (Winitzki, 2008), then Halley's method. */
function erfinv(x) {
  const far = Math.abs(x);
  if (!(far < 1)) return far === 1 ? x * Infinity : NaN;
  const low = far < 0.5 ? Math.log1p(-x * x) : Math.log1p(far) + Math.log1p(-far);
  const half = 4.3307467507998 + low / 2;
  const k = 6.802721088435374;
  let y = Math.sqrt((-k * low) / (Math.sqrt(half * half - k * low) + half));
  for (let i = 0; i < 3; i++) {
    const miss = far < 0.5 ? erf(y) - far : 1 - far - erfc(y);
    const step = (miss * Math.exp(y * y)) / TWO_OVER_ROOT_PI;
    y -= step / (1 + y * step);
  }
  return x < 0 ? -y : y;
}

/* B(2k)/(2k)!, for series of the logarithm of gamma. */
const BERNOULLI = [
  8.3333333333333333e-2, -1.3888888888888889e-3, 3.3068783068783069e-5, -8.2671957671957672e-7,
  2.0876756987868099e-8, -5.2841901386874932e-10, 1.3382536530684679e-11, -3.3896802963225829e-13,
  8.5860620562778446e-15, -2.1748686985580619e-16
];

/* log |gamma(x)|: Stirling's series from 15 on, the recurrence below it, the reflection below 0. */
function lgamma(x) {
  if (x <= 0 && x === Math.floor(x)) return Infinity;
  if (x < 0) return Math.log(Math.PI / Math.abs(Math.sin(Math.PI * x))) - lgamma(1 - x);
  if (x === Infinity) return x;
  let product = 1;
  for (; x < 15; x++) product *= x;
  let sum = (x - 0.5) * Math.log(x) - x + Math.log(2 * Math.PI) / 2 - Math.log(product);
  let term = 1 / x;
  BERNOULLI.forEach((b, k) => {
    sum += b * term;
    term *= ((2 * k + 1) * (2 * k + 2)) / (x * x);
  });
  return sum;
}

/* The n-th derivative of cot(pi x), divided by pi^n. */
function cotSlope(n, x) {
  const r = Math.PI * (x - Math.round(x));
  let p = [0, 1];
  for (let i = 0; i < n; i++) {
    const q = p;
    p = [...q, 0].map((_, k) => -(k + 1) * (q[k + 1] || 0) - (k - 1) * (q[k - 1] || 0));
  }
  return p.reduceRight((y, a) => (y * Math.cos(r)) / Math.sin(r) + a, 0);
}

/* The n-th derivative of digamma, as in ngrt_math.h. */
function polygamma(n, x) {
  const sign = n % 2 ? 1 : -1;
  if (!Number.isInteger(n) || n < 0 || n > 20) return NaN;
  if (x === 0) return n % 2 ? Infinity : -1 / x;
  if (x < 0 && x === Math.floor(x)) return n % 2 ? Infinity : NaN;
  if (x < 0) return -sign * polygamma(n, 1 - x) - Math.PI ** (n + 1) * cotSlope(n, x);
  let factorial = 1;
  for (let k = 2; k <= n; k++) factorial *= k;
  let sum = 0;
  for (; x < 15 + n; x++) sum += factorial / x ** (n + 1);
  const power = x ** -n;
  sum += (factorial * power) / x / 2 + (n === 0 ? -Math.log(x) : (factorial / n) * power);
  let term = (factorial * (n + 1) * power) / (x * x);
  BERNOULLI.forEach((b, k) => {
    sum += b * term;
    term *= ((n + 2 * k + 2) * (n + 2 * k + 3)) / (x * x);
  });
  return sign * sum;
}

/* The whole number below a, as an int of 32 bits; 0 for NaN. */
function asInt(a) {
  return Number.isNaN(a) ? 0 : Math.max(-2147483648, Math.min(2147483647, Math.floor(a)));
}

/* C's fmod with the sign of b. */
function remainder(a, b) {
  const r = a % b;
  if (r === 0) return b < 0 ? -0 : 0;
  const differ = (r < 0) !== (b < 0);
  return differ ? r + b : r;
}

/* C's pow: 1 where JavaScript has NaN. */
function power(a, b) {
  const isOne = a === 1 || (a === -1 && Math.abs(b) === Infinity);
  return isOne ? 1 : Math.pow(a, b);
}

/* C's rint: halves go to the even number. */
function roundEven(a) {
  const r = Math.round(a);
  return r - a === 0.5 && r % 2 ? r - 1 : r;
}

/* The runtime's random numbers: SplitMix64 started at a hash of seed and stream. */
const GOLDEN = 0x9e3779b97f4a7c15n;
const bits = x => BigInt.asUintN(64, x);
function mix(x) {
  x = bits((x ^ (x >> 30n)) * 0xbf58476d1ce4e5b9n);
  x = bits((x ^ (x >> 27n)) * 0x94d049bb133111ebn);
  return x ^ (x >> 31n);
}

const unit = (seed, stream, i) =>
  Number(mix(bits(mix(mix(bits(seed + GOLDEN)) ^ stream) + (i + 1n) * GOLDEN)) >> 11n)
  / 9007199254740992;

/* n numbers from low to high. */
function uniform(out, n, seed, stream, low = 0, high = 1) {
  for (let i = 0; i < n; i++)
    out[i] = low + (high - low) * unit(BigInt(seed), BigInt(stream), BigInt(i));
}
