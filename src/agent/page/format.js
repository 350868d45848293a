// Figures and times as people read them.

const numbers = new Intl.NumberFormat("en");

export function count(value) {
  return numbers.format(value);
}

export function plural(value, one, many = `${one}s`) {
  return `${count(value)} ${value === 1 ? one : many}`;
}

// Three significant digits at most, and no more than a figure deserves.
export function short(value) {
  if (value >= 1e6) {
    return `${(value / 1e6).toPrecision(3)} M`;
  }
  if (value >= 1e4) {
    return `${(value / 1e3).toPrecision(3)} k`;
  }
  if (value >= 100 || Number.isInteger(value)) {
    return count(Math.round(value));
  }
  return String(Number(value.toPrecision(value < 1 ? 1 : 2)));
}

export function bytes(value) {
  const units = ["B", "KiB", "MiB", "GiB"];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${short(value)} ${units[unit]}`;
}

// Of a number of seconds.
export function seconds(value) {
  if (value < 1e-3) {
    return `${short(value * 1e6)} µs`;
  }
  if (value < 1) {
    return `${short(value * 1e3)} ms`;
  }
  return `${short(value)} s`;
}

export function ago(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) {
    return `${s} s`;
  }
  if (s < 3600) {
    return `${Math.floor(s / 60)} min`;
  }
  if (s < 172800) {
    return `${Math.floor(s / 3600)} h`;
  }
  return `${Math.floor(s / 86400)} d`;
}

function two(value) {
  return String(value).padStart(2, "0");
}

export function clock(ms) {
  const t = new Date(ms);
  return `${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}`;
}

export function dateTime(ms) {
  const t = new Date(ms);
  return `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())} ${clock(ms)}`;
}

// To compare names by, as people sort them: node2 before node10. A collator does the same, but takes
// twenty times as long.
export function sortKey(text) {
  return text.toLowerCase().replace(/\d+/g, (digits) => digits.padStart(20, "0"));
}
