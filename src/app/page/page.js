/* The live page: asks once for what is settled and for the curves so far, then follows the
   messages of api/events. Texts of the run file become text nodes, never HTML. */
"use strict";

const NAMED_RANKS = 8; // with a color and a legend entry of their own
const SHOWN_SOLUTIONS = 200;
const MOST_RECORDS = 5000;
const MOST_LANES = 32;
// Methods, by the color and the hatch that they also have in a report.
const METHODS = ["head", "tabucol", "partialcol", "weighted", "pool", "tempering"];
const HATCHES = ["", "M0 6L6 0", "M3 2V4", "M0 0L6 6", "M0 0L6 6M0 6L6 0", "M0 3H6", "M3 0V6M0 3H6",
  "M3 0V6"];
const NS = "http://www.w3.org/2000/svg";
const at = (id) => document.getElementById(id);

let run = null; // what api/run told, kept up to date
let solutions = [];
let series = new Map(); // rank -> points [t, k, fewest conflicts, most conflicts]
let longest = 1024;
let events = null;
let later = 0; // timer of the next attempt
let askedSolutions = -1;
let book = newBook();

/* Records as the views of the work need them: the newest ones, as a run may have millions. */
function newBook() {
  return { rows: new Map(), gpus: new Map(), next: { metrics: 0, gpu: 0 }, cut: false,
    asking: false };
}

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

/* An empty picture with a time axis. left: room for the marks at its side. */
function canvas(svg, left, end, label) {
  const box = svg.getBoundingClientRect();
  const width = Math.max(240, box.width), height = Math.max(60, box.height);
  const edge = { left, right: width - 12, top: 8, bottom: height - 40 };
  const [unit, name] = end > 7200 ? [3600, "hours"] : end > 600 ? [60, "minutes"] : [1, "seconds"];
  const x = (t) => edge.left + (t / end) * (edge.right - edge.left);
  svg.replaceChildren();
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("aria-label", label);
  for (const t of ticks(0, end / unit, (edge.right - edge.left) / 70, 1e-3)) {
    shape("line", { class: "axis", x1: x(t * unit), x2: x(t * unit), y1: edge.bottom,
      y2: edge.bottom + 4 }, svg);
    shape("text", { x: x(t * unit), y: edge.bottom + 17, "text-anchor": "middle" }, svg,
      String(Number(t.toPrecision(6))));
  }
  shape("line", { class: "axis", x1: edge.left, x2: edge.right, y1: edge.bottom, y2: edge.bottom },
    svg);
  shape("text", { x: (edge.left + edge.right) / 2, y: height - 6, "text-anchor": "middle" }, svg,
    `${name} since the start`);
  return { edge, x };
}

/* Curves {kind, points: [x, y]}: y over seconds; unit: what stands beside the axis. */
function draw(svg, curves, scale, end, label, unit) {
  const show = scale.show || ((v) => v.toLocaleString("en-US"));
  const left = 28 + 8 * Math.max(...scale.ticks.map((v) => show(v).length), 2);
  const { edge, x } = canvas(svg, left, end, label);
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
  for (const curve of curves) {
    const begins = (i) => i === 0 || i === curve.points.length || curve.points[i][2];
    // A point alone is a short stroke.
    const path = curve.points.map(([t, v], i) => `${begins(i) ? "M" : "L"}${x(t).toFixed(1)} ${
      y(v).toFixed(1)}${begins(i) && begins(i + 1) ? "h3" : ""}`).join("");
    if (path) shape("path", { class: `curve ${curve.kind}`, d: path }, svg);
  }
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

function drawLegend(numbers) {
  const entries = numbers.length > NAMED_RANKS
    ? [["many", `${numbers.length} ranks, one line each`]]
    : numbers.map((rank, i) => [kindOf(i, numbers.length), `rank ${rank}`]);
  entries.unshift(["best", "best coloring found"]);
  const key = JSON.stringify(entries), legend = at("legend");
  if (legend.dataset.key === key) return;
  legend.dataset.key = key;
  legend.replaceChildren(...entries.map(([kind, text]) => {
    const item = document.createElement("li");
    const svg = shape("svg", { viewBox: "0 0 34 10", "aria-hidden": "true" }, item);
    shape("path", { class: `curve ${kind}`, d: "M0 5H34" }, svg);
    item.append(text);
    return item;
  }));
}

function drawCharts() {
  const numbers = [...series.keys()].sort((a, b) => a - b);
  const end = Math.max(run.time || 0, 1e-3);
  let low = Infinity, high = -Infinity, top = 0;
  const colors = [], conflicts = [];
  const see = (v) => { low = Math.min(low, v); high = Math.max(high, v); };
  numbers.forEach((rank, i) => {
    const points = series.get(rank), kind = kindOf(i, numbers.length);
    const tried = points.filter((p) => p[1] > 0).map(([t, k]) => [t, k]);
    tried.forEach(([, k]) => see(k));
    colors.push({ kind, points: steps(tried, 0) });
    const curve = lowHigh(points);
    for (const [, v] of curve) top = Math.max(top, v);
    conflicts.push({ kind, points: curve });
  });
  const best = solutions.map((s) => [s.t, s.colors]);
  best.forEach(([, v]) => see(v));
  colors.unshift({ kind: "best", points: steps(best, end) });
  if (low > high) [low, high] = [0, 1];
  draw(at("colors-chart"), colors, colorScale(low, high), end,
    `Colors over time; best ${whole(run.best_colors)}`, "colors");
  draw(at("conflicts-chart"), conflicts, conflictScale(top), end,
    "Conflicts of each rank over time", "conflicts");
  drawLegend(numbers);
  drawWork(numbers, end);
}

/* ---- Work ------------------------------------------------------------------------- */

/* A chart of one value of each rank's records; without any it is hidden. */
function drawRanks(id, numbers, rowsOf, value, end, label, unit, show, most) {
  const svg = at(id);
  let top = 0, any = false;
  const curves = numbers.map((rank, i) => {
    const points = (rowsOf.get(rank) || []).map((row) => [row.t, value(row)])
      .filter(([, v]) => known(v) && Number.isFinite(v));
    for (const [, v] of points) [top, any] = [Math.max(top, v), true];
    return { kind: kindOf(i, numbers.length), points: steps(points, 0) };
  });
  svg.parentNode.hidden = !any;
  if (any) draw(svg, curves, plainScale(top, show, most), end, label, unit);
}

function lookOf(names) {
  let free = METHODS.length;
  const taken = new Set();
  return new Map(names.map((name) => {
    let place = METHODS.indexOf(name.split(" ").pop());
    if (place < 0 || taken.has(place)) place = free++;
    taken.add(place);
    return [name, place % HATCHES.length];
  }));
}

function hatched(svg, place, attributes) {
  shape("rect", { ...attributes, class: `f${place}` }, svg);
  if (HATCHES[place]) shape("rect", { ...attributes, fill: `url(#${svg.id || "key"}-${place})` }, svg);
}

function hatches(svg, places) {
  const defs = shape("defs", {}, svg);
  for (const place of places) {
    const pattern = shape("pattern", { id: `${svg.id || "key"}-${place}`, width: 6, height: 6,
      patternUnits: "userSpaceOnUse" }, defs);
    if (HATCHES[place]) shape("path", { class: "hatch", d: HATCHES[place] }, pattern);
  }
}

/* One line for each rank and stream: what its records tell of the time before them. Returns
   whether some found no room. */
function drawLanes(end) {
  const lanes = new Map(), totals = new Map();
  let left = false;
  for (const rank of [...book.rows.keys()].sort((a, b) => a - b)) {
    for (const row of [...book.rows.get(rank)].sort((a, b) => a.stream - b.stream)) {
      const key = row.stream < 0 ? `rank ${rank}` : `rank ${rank}, stream ${row.stream}`;
      if (!lanes.has(key) && lanes.size < MOST_LANES) lanes.set(key, []);
      if (lanes.has(key)) lanes.get(key).push(row);
      else left = true;
      totals.set(row.activity, (totals.get(row.activity) || 0) + row.seconds);
    }
  }
  const svg = at("work-chart");
  svg.parentNode.hidden = lanes.size === 0;
  if (lanes.size === 0) return false;
  const names = [...totals.keys()].sort((a, b) => totals.get(b) - totals.get(a));
  const look = lookOf(names);
  svg.style.height = `${52 + 26 * lanes.size}px`;
  const longestName = Math.max(...[...lanes.keys()].map((key) => key.length));
  const { edge, x } = canvas(svg, 14 + 6.8 * longestName, end, "What ran when");
  hatches(svg, look.values());
  [...lanes].forEach(([key, rows], i) => {
    const y = edge.top + 26 * i;
    shape("text", { x: edge.left - 6, y: y + 16, "text-anchor": "end" }, svg, key);
    const bins = []; // one for two pixels
    for (const row of rows) {
      const to = Math.floor((x(row.t) - edge.left) / 2);
      const from = Math.floor((x(Math.max(0, row.t - row.seconds)) - edge.left) / 2);
      for (let bin = from; bin < Math.max(to, from + 1); ++bin) bins[bin] = row.activity;
    }
    for (let from = 0, to; from < bins.length; from = to) {
      for (to = from + 1; to < bins.length && bins[to] === bins[from]; ++to);
      if (bins[from] !== undefined) hatched(svg, look.get(bins[from]), { x: edge.left + 2 * from, y,
        width: 2 * (to - from), height: 20 });
    }
  });
  const legend = at("work-legend");
  if (legend.dataset.key === names.join("|")) return left;
  legend.dataset.key = names.join("|");
  legend.replaceChildren(...names.map((name) => {
    const item = document.createElement("li");
    const key = shape("svg", { viewBox: "0 0 34 10", "aria-hidden": "true" }, item);
    hatches(key, [look.get(name)]);
    hatched(key, look.get(name), { x: 0, y: 0, width: 34, height: 10 });
    item.append(name);
    return item;
  }));
  return left;
}

function drawWork(numbers, end) {
  const percent = (v) => `${Number(v.toPrecision(3))} %`;
  at("work").hidden = book.rows.size === 0;
  drawRanks("speed-chart", numbers, book.rows, (row) => row.speed, end,
    "Iterations a second of each rank", "iterations/s", large);
  const left = drawLanes(end);
  const short = (v) => String(Number(v.toPrecision(3)));
  drawRanks("temperature-chart", numbers, book.rows, (row) => row.temperature, end,
    "Coldest temperature of each rank", "conflicts", short);
  drawRanks("swap-chart", numbers, book.rows, (row) => row.swap, end,
    "Share of exchanges made by each rank", "made", percent, 100);
  drawRanks("gpu-chart", numbers, book.gpus, (row) => row.busy, end,
    "Share of time with kernels running, of each rank", "of the time", percent, 100);
  drawRanks("power-chart", numbers, book.gpus, (row) => row.power, end,
    "Power of the GPU of each rank", "W", short);
  drawRanks("heat-chart", numbers, book.gpus, (row) => row.heat, end,
    "Temperature of the GPU of each rank", "°C", short);
  put("work-note", `${book.cut ? `Of the newest ${whole(MOST_RECORDS)} records. ` : ""}${
    left ? `What ran when: the first ${MOST_LANES} lines.` : ""}`);
}

/* A number of the `key=value` pairs of a record; null without. */
function parameter(record, key) {
  const pair = record.parameters.split(" ").find((p) => p.startsWith(`${key}=`));
  return pair === undefined ? null : pair.slice(key.length + 1);
}

function keep(table, rank, row) {
  if (!table.has(rank)) table.set(rank, []);
  const rows = table.get(rank), most = Math.max(64, Math.ceil(MOST_RECORDS / table.size));
  rows.push(row);
  if (rows.length <= 1.2 * most) return;
  rows.splice(0, rows.length - most);
  book.cut = true;
}

function addMetric(record) {
  if (!known(record.t)) return;
  const rows = book.rows.get(record.rank) || [], before = rows[rows.length - 1];
  const swap = parameter(record, "swap");
  const row = { t: record.t, stream: record.stream, iterations: record.iterations,
    activity: `${record.phase} ${parameter(record, "method") || ""}`.trim(),
    seconds: (record.duration_ms || 0) / 1000, temperature: record.temperature,
    swap: swap === null ? null : 100 * Number(swap), speed: before ? before.speed : null };
  // A speed holds from a record on; spans much shorter than the interval are joined.
  row.begin = before ? before.begin : row;
  const span = row.t - row.begin.t;
  if (span >= 0.5 * (Number(run.config["telemetry.interval"]) || 0.04)) {
    const speed = (row.iterations - row.begin.iterations) / span;
    for (let i = rows.length - 1; i >= 0 && rows[i].t >= row.begin.t; --i) rows[i].speed = speed;
    row.speed = speed;
    row.begin = row;
  }
  keep(book.rows, record.rank, row);
}

function addGpu(record) {
  if (!known(record.t)) return;
  keep(book.gpus, record.rank, { t: record.t, power: record.power_w, heat: record.temperature_c,
    busy: record.idle === null ? null : 100 * (1 - record.idle) });
}

async function askForTable(mine, name, add) {
  if (run[name] - mine.next[name] > MOST_RECORDS) {
    mine.next[name] = run[name] - MOST_RECORDS;
    mine.cut = true;
  }
  for (let more = mine.next[name] < run[name]; more;) {
    const answer = await ask(`${name}?from=${mine.next[name]}`);
    if (mine !== book) return; // another run came meanwhile
    answer[name].forEach(add);
    mine.next[name] = answer.next;
    more = answer.more;
  }
}

async function askForRecords() {
  const mine = book;
  if (mine.asking) return;
  mine.asking = true;
  try {
    await askForTable(mine, "metrics", addMetric);
    await askForTable(mine, "gpu", addGpu);
  } finally {
    mine.asking = false;
  }
}

/* ---- The page ----------------------------------------------------------------------- */

function showHead() {
  const result = run.result;
  put("run", `${run.run}, started ${run.created.replace("T", " ").replace(/\.\d+Z$|Z$/, " UTC")}`);
  put("graph", run.graph.name || "prism");
  put("about", `${whole(run.graph.n)} vertices, ${whole(run.graph.m)} edges${
    run.seed !== null ? `, seed ${run.seed}` : ""}`);
  put("best", whole(run.best_colors));
  put("found", duration(run.best_t));
  put("time", duration(run.time));
  const tried = run.ranks.map((r) => r.colors).filter((k) => k > 0);
  const k = tried.length > 0 ? Math.min(...tried) : -1;
  const counts = run.ranks.filter((r) => r.colors === k).map((r) => r.conflicts).filter(known);
  put("k", whole(k));
  put("k-label", result === null ? "colors now tried" : "colors tried last");
  put("conflicts", counts.length > 0 ? whole(Math.min(...counts)) : "–");
  put("speed", large(result !== null ? result.iterations / Math.max(result.time, 1e-9)
    : run.ranks.reduce((sum, r) => sum + (r.iterations_per_second || 0), 0)));
  put("result", result === null ? "" : `Ended by ${result.exit_reason} with ${whole(result.colors)
  } colors${result.optimal === 1 ? ", proved optimal" : ""}. Lower bound ${
    whole(result.lower_bound)}. ${whole(result.iterations)} iterations.`);
  const state = at("state");
  put("state", run.state);
  state.className = run.state;
  at("trouble").hidden = run.trouble === "";
  put("trouble", run.trouble === "" ? "" : `Nothing new can be read: ${run.trouble}`);
  document.title = `${whole(run.best_colors)} colors, ${run.graph.name}, ${run.state}`;
}

function showRanks() {
  const gpu = run.ranks.some((r) => r.gpu_utilization !== null || r.gpu_idle !== null);
  at("ranks").classList.toggle("no-gpu", !gpu);
  fill("ranks", run.ranks.map((r) => [
    [String(r.rank), "n"], [r.device || r.mode, "device"], [r.phase], [whole(r.colors), "n"],
    [whole(r.conflicts), "n"], [large(r.iterations_per_second), "n"],
    [share(r.gpu_utilization), "n gpu"], [whole(r.best_colors), "n wide"],
    [large(r.iterations), "n wide"],
    [share(r.gpu_idle === null ? null : 100 * r.gpu_idle, 1), "n gpu wide"],
    [known(r.gpu_power_w) ? `${r.gpu_power_w.toFixed(0)} W` : "–", "n gpu wide"],
    [r.migrants_offered > 0 ? `${whole(r.migrants_accepted)} of ${whole(r.migrants_offered)}` : "–",
      "n wide"]]));
}

function showTables() {
  const all = run.phases.reduce((sum, p) => sum + p.rank_seconds, 0);
  fill("phases", run.phases.map((p) => [[p.phase], [duration(p.rank_seconds), "n"],
    [share(all > 0 ? (100 * p.rank_seconds) / all : null, 1), "n"],
    [large(p.rank_seconds > 0 ? p.iterations / p.rank_seconds : null), "n"]]));
  fill("events", [...run.events].sort((a, b) => b.t - a.t).map((e) => [[duration(e.t), "n"],
    [String(e.rank), "n"], [`${e.event.replaceAll("_", " ")}${
      known(e.colors) ? `, ${whole(e.colors)} colors` : ""}${e.notes ? `: ${e.notes}` : ""}`]]));
  put("solutions-note", solutions.length > SHOWN_SOLUTIONS
    ? `The newest ${SHOWN_SOLUTIONS} of ${whole(solutions.length)}.`
    : solutions.length === 0 ? "None yet." : "");
  fill("solutions", solutions.slice(-SHOWN_SOLUTIONS).reverse().map((s) => [
    [whole(s.colors), "n"], [duration(s.t), "n"], [String(s.rank), "n"], [whole(s.iterations), "n"]]));
}

function showSettled() {
  fill("config", Object.entries(run.config).map(([name, value]) => [[name], [value]]));
  fill("build", Object.entries(run.build).map(([name, value]) => [[name], [value]]));
}

function show() {
  showHead();
  showRanks();
  showTables();
  drawCharts();
}

/* ---- News ----------------------------------------------------------------------- */

function addPoint([rank, t, k, , low, high]) {
  if (!series.has(rank)) series.set(rank, []);
  const points = series.get(rank);
  points.push([t, k, low, high]);
  if (points.length < 2 * longest) return;
  const half = [];
  for (let i = 0; i < points.length; i += 2) {
    const [a, b] = [points[i], points[i + 1] || points[i]];
    const lows = [a[2], b[2]].filter(known);
    half.push([b[0], b[1], lows.length > 0 ? Math.min(...lows) : -1, Math.max(a[3], b[3])]);
  }
  series.set(rank, half);
}

async function ask(name) {
  const answer = await fetch(`api/${name}`);
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  return answer.json();
}

async function askForSolutions() {
  if (askedSolutions === run.solutions) return;
  askedSolutions = run.solutions;
  solutions = (await ask("solutions")).solutions;
}

function lost() {
  put("state", "no connection");
  at("state").className = "lost";
}

function again() {
  if (events !== null) events.close();
  events = null;
  clearTimeout(later);
  later = setTimeout(load, 3000);
}

async function take(message) {
  const { points, ...state } = JSON.parse(message.data);
  Object.assign(run, state);
  points.forEach(addPoint);
  try {
    await askForSolutions();
    await askForRecords();
  } catch (error) {
    askedSolutions = -1; // asked again with the next message
  }
  show();
}

function follow(place) {
  events = new EventSource(`api/events?from=${place}`);
  events.addEventListener("look", take);
  events.addEventListener("reset", () => {
    events.close();
    load();
  });
  events.addEventListener("open", () => { if (run !== null) showHead(); });
  events.addEventListener("error", () => {
    lost();
    if (events.readyState === EventSource.CLOSED) again(); // else the browser tries by itself
  });
}

async function load() {
  try {
    run = await ask("run");
    const curves = await ask("convergence");
    askedSolutions = -1;
    await askForSolutions();
    book = newBook();
    await askForRecords();
    series = new Map();
    longest = curves.longest;
    curves.points.forEach(addPoint);
    showSettled();
    show();
    follow(curves.place);
  } catch (error) {
    lost();
    again();
  }
}

let drawn = 0;
addEventListener("resize", () => {
  cancelAnimationFrame(drawn);
  drawn = requestAnimationFrame(() => { if (run !== null) drawCharts(); });
});
load();
