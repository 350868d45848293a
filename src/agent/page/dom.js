// Elements. Text that comes from members only ever becomes a text node: there is no other way to
// put any in here, and the page's policy forbids the others.

const SVG = "http://www.w3.org/2000/svg";

export function byId(id) {
  return document.getElementById(id);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) {
      node.setAttribute(name, value === true ? "" : String(value));
    }
  }
  for (const child of children) {
    if (child !== undefined && child !== null && child !== false) {
      node.append(child); // a string becomes a text node
    }
  }
  return node;
}

export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

// The sign of a state: its shape tells as much as its colour.
export function glyph(name) {
  const node = svg("svg", { viewBox: "0 0 16 16", "aria-hidden": "true", focusable: "false" });
  setGlyph(node, name);
  return node;
}

export function setGlyph(node, name) {
  if (node.dataset.name !== name) {
    node.dataset.name = name;
    node.setAttribute("class", `glyph is-${name}`);
    node.replaceChildren(byId(`g-${name}`).firstChild.cloneNode()); // <use> takes twice as long
  }
}

export function setText(node, text) {
  if (node.textContent !== text) {
    node.textContent = text;
  }
}

export function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== value) {
    node.setAttribute(name, value);
  }
}

export function isCalm() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
