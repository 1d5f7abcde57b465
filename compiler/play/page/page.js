/* page.js - what all parts of the page use. */
export const $ = id => document.getElementById(id);

export function html(tag, attr = {}, ...children) {
  const e = document.createElement(tag);
  for (const k in attr) if (attr[k] !== null && attr[k] !== undefined) e.setAttribute(k, attr[k]);
  e.append(...children);
  return e;
}

/* As C's %.9g: what `ngc run` prints. "inf", "-inf" and "nan" are texts already. */
export function number(x, digits = 9) {
  if (typeof x === 'string') return x;
  if (!Number.isFinite(x)) return Number.isNaN(x) ? 'nan' : x < 0 ? '-inf' : 'inf';
  const [mantissa, exponent] = x.toExponential(digits - 1).split('e');
  if (x !== 0 && (exponent < -4 || exponent >= digits))
    return +mantissa + 'e' + exponent[0] + exponent.slice(1).padStart(2, '0');
  return String(+x.toPrecision(digits));
}

/* A function that is called when `wait` milliseconds have passed without another call. */
export function pause(wait, f) {
  let timer = 0;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => f(...args), wait);
  };
}

/* What a control is called: its own name, else that of its label. */
const nameOf = e =>
  e.getAttribute('aria-label') ||
  e.closest('label')?.querySelector('span')?.textContent ||
  e.closest('label')?.textContent ||
  e.textContent;

/* Paints a part of the page anew; the focus stays on the control that has it. */
export function repaint(parent, paint) {
  const was = document.activeElement;
  const name = parent.contains(was) ? nameOf(was) : null;
  paint();
  if (name !== null && !parent.contains(document.activeElement))
    [...parent.querySelectorAll('button, select, input')].find(e => nameOf(e) === name)?.focus();
}
