"use strict";
const table = document.querySelector("table.marks");
const body = table.tBodies[0];

function value(row, column) {
  const cell = row.cells[column];
  const text = (column ? cell.firstChild && cell.firstChild.nodeValue : cell.textContent) || "";
  return column ? (text.trim() === "" ? -1 : Number(text)) : text.trim().toLowerCase();
}

[...table.tHead.rows[0].cells].forEach((head, column) => {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...head.childNodes);
  head.append(button);
  button.addEventListener("click", () => {
    const now = head.getAttribute("aria-sort");
    const up = now ? now === "descending" : column === 0;
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const rows = [...body.rows].map((row) => [value(row, column), row]);
    rows.sort(([a], [b]) => (column ? a - b : a.localeCompare(b)) * (up ? 1 : -1));
    body.append(...rows.map(([, row]) => row));
  });
});

const tools = document.querySelector(".tools");
tools.hidden = false;
tools.querySelector("input").addEventListener("input", (event) => {
  const wanted = event.target.value.toLowerCase();
  for (const row of body.rows) {
    row.hidden = !row.cells[0].textContent.toLowerCase().includes(wanted);
  }
});

addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});
