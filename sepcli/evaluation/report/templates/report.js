
"use strict";

/* Tables: a click on a heading sorts by it, a second click the other way round. Numbers go by
   value, words by alphabet, and what is undefined stays last. */

function compare(a, b) {
  const difference = Number(a) - Number(b);
  if (Number.isNaN(Number(a)) || Number.isNaN(Number(b))) {
    return a.localeCompare(b, "en", { numeric: true });
  }
  return Number.isNaN(difference) ? 0 : difference; // infinity less itself
}

function sort(table, index, descending) {
  const body = table.tBodies[0];
  const key = (row) => row.cells[index].dataset.key;
  const rows = [...body.rows];
  rows.sort((a, b) => {
    if (key(a) === "" || key(b) === "") return (key(a) === "") - (key(b) === "");
    return descending ? compare(key(b), key(a)) : compare(key(a), key(b));
  });
  body.append(...rows);
}

for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, index) => {
    head.querySelector("button").addEventListener("click", () => {
      const descending = head.getAttribute("aria-sort") === "ascending";
      for (const other of heads) other.setAttribute("aria-sort", "none");
      head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      sort(table, index, descending);
    });
  });
}

/* Players: of the sounds of one row only one plays, and another goes on where it was. */

function follow(figure, audio) {
  const image = figure.querySelector("image");
  const line = figure.querySelector(".playhead");
  const left = Number(image.getAttribute("x"));
  const width = Number(image.getAttribute("width"));
  const move = () => {
    const x = left + (width * audio.currentTime) / (audio.duration || 1);
    line.setAttribute("x1", x);
    line.setAttribute("x2", x);
    if (!audio.paused) requestAnimationFrame(move);
  };
  audio.addEventListener("play", move);
  audio.addEventListener("seeked", move);
  figure.querySelector("svg").addEventListener("click", (event) => {
    const box = image.getBoundingClientRect();
    const part = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    if (Number.isFinite(audio.duration)) audio.currentTime = part * audio.duration;
  });
}

for (const clips of document.querySelectorAll(".clips")) {
  const figures = [...clips.querySelectorAll(".clip")];
  const players = figures.map((figure) => figure.querySelector("audio"));
  players.forEach((audio, index) => {
    follow(figures[index], audio);
    audio.addEventListener("play", () => {
      figures.forEach((figure, at) => figure.classList.toggle("playing", at === index));
      for (const other of players) {
        if (other === audio || other.paused) continue;
        audio.currentTime = other.currentTime;
        other.pause();
      }
    });
  });
}

/* Any two figures: dots move to where the chosen figures put them. */

function element(name, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function explore(figure) {
  const variables = JSON.parse(figure.querySelector("script").textContent);
  const [across, up] = figure.querySelectorAll("select");
  const area = figure.querySelector(".area");
  const [left, top, width, height] = ["x", "y", "width", "height"].map((key) =>
    Number(area.getAttribute(key)));
  const bottom = top + height;
  const dots = [...figure.querySelectorAll("circle")];

  function draw() {
    const x = variables[across.value];
    const y = variables[up.value];
    dots.forEach((dot, index) => {
      const places = [x.places[index], y.places[index]];
      dot.setAttribute("visibility", places.includes(null) ? "hidden" : "visible");
      dot.setAttribute("cx", left + width * places[0]);
      dot.setAttribute("cy", bottom - height * places[1]);
    });
    figure.querySelector(".axis.x").replaceChildren(...x.ticks.map(([at, text]) =>
      element("text", { x: left + width * at, y: bottom + 17 }, text)));
    figure.querySelector(".axis.y").replaceChildren(...y.ticks.flatMap(([at, text]) => [
      element("line", { x1: left, x2: left + width, y1: bottom - height * at, y2: bottom - height * at }),
      element("text", { x: left - 7, y: bottom - height * at + 4 }, text),
    ]));
    figure.querySelector(".label.x").textContent = x.name;
    figure.querySelector(".label.y").textContent = y.name;
  }

  across.addEventListener("change", draw);
  up.addEventListener("change", draw);
  draw();
}

const explorer = document.querySelector("#explorer");
if (explorer) explore(explorer);
