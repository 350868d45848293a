// What is typed into the search field: words that must all hold.
//   node3 10.0.    anywhere in name, address, id, state or tags
//   status:suspect,dead   tag:role=db   tag:role   name:…   addr:…   id:…
//   "two words"    -status:left (not)

const FIELDS = ["status", "tag", "name", "addr", "id"];

function split(text) {
  return text.match(/(?:[^\s"]|"[^"]*"?)+/g) ?? [];
}

function term(word) {
  const not = word.length > 1 && word.startsWith("-");
  const plain = (not ? word.slice(1) : word).replaceAll('"', "").toLowerCase();
  const colon = plain.indexOf(":");
  const field = colon > 0 && FIELDS.includes(plain.slice(0, colon)) ? plain.slice(0, colon) : "";
  const value = field ? plain.slice(colon + 1) : plain;
  return { not, field, value };
}

function hasTag(member, value) {
  const at = value.indexOf("=");
  const key = at < 0 ? value : value.slice(0, at);
  return member.tags.some(([k, v]) => k.toLowerCase() === key &&
    (at < 0 || v.toLowerCase() === value.slice(at + 1)));
}

function holds(member, { field, value }) {
  switch (field) {
    case "status":
      return value.split(",").some((status) => status !== "" && member.status.startsWith(status));
    case "tag":
      return hasTag(member, value);
    case "name":
    case "addr":
    case "id":
      return member[field].toLowerCase().includes(value);
    default:
      return member.text.includes(value);
  }
}

// A function that tells whether a member is meant.
export function parseQuery(text) {
  // A field that is still being typed excludes nobody.
  const terms = split(text).map(term).filter(({ value }) => value !== "");
  return (member) => terms.every((one) => holds(member, one) !== one.not);
}
