// The members, asked for each second.
const body = document.querySelector("#members tbody");
const state = document.querySelector("#state");

function cell(text) {
  const td = document.createElement("td");
  td.textContent = text;
  return td;
}

async function refresh() {
  try {
    const answer = await fetch("/membership");
    const { nodes } = await answer.json();
    body.replaceChildren(...nodes.map((node) => {
      const row = document.createElement("tr");
      row.append(cell(node.addr), cell(node.status));
      return row;
    }));
    state.textContent = "";
  } catch {
    state.textContent = "This node does not answer.";
  }
  setTimeout(refresh, 1000);
}

refresh();
