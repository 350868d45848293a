// The order of members by a text of theirs. Comparing thousands of texts takes too long for each
// frame, and they change rarely: the place of each member among all is kept.
import { sortKey } from "./format.js";

const kept = new Map();

function sorted(cluster, text) {
  const entries = [...cluster.members.values()].map((member) =>
    ({ id: member.id, key: sortKey(text(member)) }));
  entries.sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)));
  const places = new Map();
  let place = 0;
  entries.forEach(({ id, key }, index) => {
    // Equal texts share a place, so that the next criterion decides.
    place = index > 0 && entries[index - 1].key === key ? place : index;
    places.set(id, place);
  });
  return places;
}

// The place of each id by `text`, a function of a member; `name` tells the texts apart.
export function placesBy(name, text, cluster) {
  let entry = kept.get(name);
  if (entry?.version !== cluster.textVersion || entry.places.size !== cluster.total) {
    entry = { version: cluster.textVersion, places: sorted(cluster, text) };
    kept.set(name, entry);
  }
  return entry.places;
}

export function placesByName(cluster) {
  return placesBy("name", (member) => member.label, cluster);
}
