/* Numbers as texts, elements, and pictures of curves, bars and tables: what page.js draws with. */
"use strict";

const NAMED_RANKS = 8; // with a color and a legend entry of their own
const NS = "http://www.w3.org/2000/svg";
const at = (id) => document.getElementById(id);

/* ---- Numbers and elements ------------------------------------------------------------- */

const known = (value) => value !== null && value !== undefined && value >= 0;
const whole = (value) => (known(value) ? value.toLocaleString("en-US") : "–");
const share = (value, digits = 0) => (known(value) ? `${value.toFixed(digits)} %` : "–");

function large(value) {
  if (!known(value)) return "–";
  for (const [from, unit, letter] of [[1e12, 1e12, "T"], [1e9, 1e9, "G"], [1e6, 1e6, "M"],
    [1e4, 1e3, "k"]]) {
    if (value >= from) return `${Number((value / unit).toPrecision(3))}${letter}`;
  }
  return value.toFixed(0);
}

function duration(t) {
  if (!known(t)) return "–";
  if (t < 600) return `${t.toFixed(t < 10 ? 2 : 1)} s`;
  const parts = [Math.floor(t / 3600), Math.floor(t / 60) % 60, Math.floor(t) % 60];
  return `${parts[0]}:${String(parts[1]).padStart(2, "0")}:${String(parts[2]).padStart(2, "0")} h`;
}

function put(id, text) {
  const element = at(id);
  if (element.textContent !== text) element.textContent = text;
}

/* Rows of a table in place: cells [text, class]. */
function fill(id, rows) {
  const body = at(id).tBodies[0];
  while (body.rows.length > rows.length) body.deleteRow(-1);
  rows.forEach((cells, i) => {
    const row = i < body.rows.length ? body.rows[i] : body.insertRow();
    cells.forEach(([text, kind], j) => {
      const cell = j < row.cells.length ? row.cells[j] : row.insertCell();
      if (cell.className !== (kind || "")) cell.className = kind || "";
      if (cell.textContent !== text) cell.textContent = text;
    });
  });
}

/* ---- Charts ----------------------------------------------------------------------- */

function shape(name, attributes, parent, text) {
  const element = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}

/* Round numbers from low to high, at most `most` steps apart. */
function ticks(low, high, most, smallest) {
  const rough = Math.max((high - low) / most, smallest);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999);
  const out = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; ++i) out.push(i * step + 0);
  return out;
}

/* Conflicts: linear up to 10, else logarithmic with a place for 0. */
function conflictScale(top) {
  if (top <= 10) return { map: (v) => v, low: 0, high: Math.max(1, top),
    ticks: ticks(0, Math.max(1, top), 6, 1) };
  const map = (v) => Math.log10(1 + v);
  const marks = [0];
  for (let p = 1; p <= top; p *= 10) marks.push(...[p, 3 * p].filter((v) => v <= top));
  return { map, low: 0, high: top, ticks: top > 1000 ? marks.filter((v) => !/^3/.test(v)) : marks };
}

function colorScale(low, high) {
  const room = Math.max(1, Math.round(0.06 * (high - low)));
  return { map: (v) => v, low: low - room, high: high + room,
    ticks: ticks(low - room, high + room, 6, 1) };
}

/* From 0 to the top; show: a value as text. */
function plainScale(top, show, most = Infinity) {
  const high = Math.min(most, top > 0 ? 1.08 * top : 1);
  return { map: (v) => v, low: 0, high, ticks: ticks(0, high, 5, high * 1e-6), show };
}

/* An empty picture. left: room for the marks at its side; marks: {place, text} under the axis. */
function frame(svg, left, label, name, marks) {
  const box = svg.getBoundingClientRect();
  const width = Math.max(240, box.width), height = Math.max(60, box.height);
  const edge = { left, right: width - 12, top: 8, bottom: height - 40 };
  svg.replaceChildren();
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("aria-label", label);
  for (const { place, text } of marks(edge)) {
    shape("line", { class: "axis", x1: place, x2: place, y1: edge.bottom, y2: edge.bottom + 4 },
      svg);
    shape("text", { x: place, y: edge.bottom + 17, "text-anchor": "middle" }, svg, text);
  }
  shape("line", { class: "axis", x1: edge.left, x2: edge.right, y1: edge.bottom, y2: edge.bottom },
    svg);
  shape("text", { x: (edge.left + edge.right) / 2, y: height - 6, "text-anchor": "middle" }, svg,
    name);
  return edge;
}

/* An empty picture with a time axis. */
function canvas(svg, left, end, label) {
  const [unit, name] = end > 7200 ? [3600, "hours"] : end > 600 ? [60, "minutes"] : [1, "seconds"];
  const place = (t, edge) => edge.left + (t / end) * (edge.right - edge.left);
  const edge = frame(svg, left, label, `${name} since the start`, (within) =>
    ticks(0, end / unit, (within.right - within.left) / 70, 1e-6).map((t) => (
      { place: place(t * unit, within), text: String(Number(t.toPrecision(6))) })));
  return { edge, x: (t) => place(t, edge) };
}

/* Lines and numbers of a vertical axis; unit: what stands beside it. Returns the place of a
   value. */
function sideAxis(svg, edge, scale, unit, show) {
  const from = scale.map(scale.low), span = scale.map(scale.high) - from;
  const y = (v) => edge.bottom - ((scale.map(v) - from) / span) * (edge.bottom - edge.top);
  for (const v of scale.ticks) {
    const place = y(v);
    shape("line", { class: "grid", x1: edge.left, x2: edge.right, y1: place, y2: place }, svg);
    shape("text", { x: edge.left - 6, y: place + 4, "text-anchor": "end" }, svg, show(v));
  }
  const middle = (edge.top + edge.bottom) / 2;
  shape("text", { x: 11, y: middle, "text-anchor": "middle",
    transform: `rotate(-90 11 ${middle})` }, svg, unit);
  return y;
}

const sideRoom = (scale, show) => 28 + 8 * Math.max(...scale.ticks.map((v) => show(v).length), 2);
const plain = (v) => v.toLocaleString("en-US");

/* Curves {kind, points: [x, y]}: y over seconds; unit: what stands beside the axis; empty: what
   is said where there is no point. */
function draw(svg, curves, scale, end, label, unit, empty = "") {
  const show = scale.show || plain;
  const { edge, x } = canvas(svg, sideRoom(scale, show), end, label);
  const y = sideAxis(svg, edge, scale, unit, show);
  for (const curve of curves) {
    const begins = (i) => i === 0 || i === curve.points.length || curve.points[i][2];
    // A point alone is a short stroke.
    const path = curve.points.map(([t, v], i) => `${begins(i) ? "M" : "L"}${x(t).toFixed(1)} ${
      y(v).toFixed(1)}${begins(i) && begins(i + 1) ? "h3" : ""}`).join("");
    if (path) shape("path", { class: `curve ${curve.kind}`, d: path }, svg);
    // A curve of one place alone could not be seen.
    const [first] = curve.points;
    const dots = curve.dots || (curve.points.every(([t, v]) => t === first[0] && v === first[1])
      ? curve.points.slice(0, 1) : []);
    for (const [t, v] of dots)
      shape("circle", { class: `dot ${curve.kind}`, cx: x(t), cy: y(v), r: 3.5 }, svg);
  }
  if (empty && curves.every((curve) => curve.points.length === 0))
    shape("text", { x: (edge.left + edge.right) / 2, y: (edge.top + edge.bottom) / 2 - 6,
      "text-anchor": "middle", class: "empty" }, svg, empty);
}

/* Bars [value, count] over whole values, several values to a bar where there are many. */
function drawBars(svg, rows, label, name, unit) {
  const low = rows[0][0], high = rows[rows.length - 1][0];
  const step = Math.ceil((high - low + 1) / 40), counts = [];
  for (const [value, count] of rows) {
    const bar = Math.floor((value - low) / step);
    counts[bar] = (counts[bar] || 0) + count;
  }
  const top = Math.max(...counts.filter(known)), scale = plainScale(top, plain);
  scale.ticks = ticks(0, scale.high, 5, 1);
  const left = sideRoom(scale, plain);
  const wide = (edge) => (edge.right - edge.left) / counts.length;
  const edge = frame(svg, left, label, step > 1 ? `${name}, in steps of ${step}` : name, (within) =>
    ticks(low, low + step * counts.length - 1, (within.right - within.left) / 44, 1)
      .filter((v) => (v - low) % step === 0)
      .map((v) => ({ place: within.left + ((v - low) / step + 0.5) * wide(within),
        text: plain(v) })));
  const y = sideAxis(svg, edge, scale, unit, plain);
  counts.forEach((count, i) => {
    if (!count) return;
    const bar = shape("rect", { class: "f0", x: edge.left + (i + 0.06) * wide(edge), y: y(count),
      width: 0.88 * wide(edge), height: edge.bottom - y(count) }, svg);
    const from = low + i * step;
    shape("title", {}, bar, `${step > 1 ? `${plain(from)} to ${plain(from + step - 1)}`
      : plain(from)}: ${plain(count)}`);
  });
}

/* Of many points the means of pieces of them, weighted by time: as they are, the line would be a
   block of color. */
function calm(points) {
  const most = 150;
  if (points.length <= 2 * most) return points;
  const out = [], last = points.length - 1;
  for (let i = 0; i < most; ++i) {
    const from = Math.floor((i * last) / most), to = Math.floor(((i + 1) * last) / most);
    let sum = 0, time = 0;
    for (let j = from; j < to; ++j) {
      const holds = Math.max(points[j + 1][0] - points[j][0], 1e-9);
      sum += points[j][1] * holds;
      time += holds;
    }
    out.push([points[from][0], sum / time]);
  }
  out.push([points[last][0], out[out.length - 1][1]]);
  return out;
}

/* A value holds until the next one. */
function steps(points, end) {
  const out = [];
  points.forEach(([t, v], i) => {
    if (i > 0 && out[out.length - 1][1] !== v) out.push([t, out[out.length - 1][1]]);
    out.push([t, v]);
  });
  if (out.length > 0 && end > out[out.length - 1][0]) out.push([end, out[out.length - 1][1]]);
  return out;
}

/* Of a point that stands for several: the most, then the fewest, so that no peak is lost. A new
   k begins a new line: its conflicts have nothing to do with those before. */
function lowHigh(points) {
  const out = [];
  let tried = -1;
  for (const [t, k, low, high] of points) {
    if (!known(low)) continue;
    const begins = k !== tried;
    if (high > low) out.push([t, high, begins]);
    out.push([t, low, begins && !(high > low)]);
    tried = k;
  }
  return out;
}

function kindOf(rank, ranks) { return ranks > NAMED_RANKS ? "many" : `c${rank % NAMED_RANKS}`; }
