/* The live page: asks once for what is settled and for the curves so far, then follows the
   messages of api/events. Texts of the run file become text nodes, never HTML. charts.js draws. */
"use strict";

const SHOWN_SOLUTIONS = 200;
const MOST_RECORDS = 5000;
const MOST_LANES = 32;
const MOST_CELLS = 40; // ranks of the table of migrations
const NAMED_CELLS = 8; // with numbers in them
const MOST_SPANS = 64; // of a GPU to which kernels of a long generation may belong
const MOST_DOTS = 200;
// Methods, by the color and the hatch that they also have in a report.
const METHODS = ["head", "tabucol", "partialcol", "weighted", "pool", "tempering", "extraction"];
const HATCHES = ["", "M0 6L6 0", "M3 2V4", "M0 0L6 6", "M0 0L6 6M0 6L6 0", "M0 3H6", "M3 0V6M0 3H6",
  "M3 0V6"];

let run = null; // what api/run told, kept up to date
let solutions = [];
let classes = null; // [vertices, classes] of the best coloring
let routes = { told: -1, rows: [] }; // migrations by sender and receiver
let series = new Map(); // rank -> points [t, k, fewest conflicts, most conflicts]
let longest = 1024;
let events = null;
let later = 0; // timer of the next attempt
let askedSolutions = -1;
let book = newBook();

/* Records as the views of the work need them: the newest ones, as a run may have millions. */
function newBook() {
  return { rows: new Map(), gpus: new Map(), spans: new Map(), next: { metrics: 0, gpu: 0 }, cut: false,
    asking: false };
}

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

/* What is said where a chart has no point. */
function nothingYet() {
  if (run.result === null) return run.state === "live" ? "No records yet" : "No records";
  return run.result.optimal === 1 || run.result.target_met === 1
    ? "Solved before the first record of a search" : "Ended before the first record of a search";
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
  colors.unshift({ kind: "best", points: steps(best, end),
    dots: best.length <= MOST_DOTS ? best : null });
  if (low > high) [low, high] = [0, 1];
  draw(at("colors-chart"), colors, colorScale(low, high), end,
    `Colors over time; best ${whole(run.best_colors)}`, "colors", nothingYet());
  draw(at("conflicts-chart"), conflicts, conflictScale(top), end,
    "Conflicts of each rank over time", "conflicts", nothingYet());
  drawLegend(numbers);
  drawWork(numbers, end);
  drawClasses();
}

/* ---- Work ------------------------------------------------------------------------- */

/* A chart of one value of each rank's records; without any it is hidden. */
function drawRanks(id, numbers, rowsOf, value, end, label, unit, show, most) {
  const svg = at(id);
  let top = 0, any = false;
  const curves = numbers.map((rank, i) => {
    const points = calm((rowsOf.get(rank) || []).map((row) => [row.t, value(row)])
      .filter(([, v]) => known(v) && Number.isFinite(v)));
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

/* How many colorings went from rank to rank: a table, the darker, the more were taken in. */
function drawMigrations() {
  const svg = at("migration-chart");
  const ends = routes.rows.flatMap((r) => [r.from_rank, r.to_rank]).filter((rank) => rank >= 0);
  const all = [...new Set([...ends, ...run.ranks.map((r) => r.rank)])].sort((a, b) => a - b);
  svg.parentNode.hidden = routes.rows.length === 0 || all.length < 2;
  if (svg.parentNode.hidden) return;
  const to = all.slice(0, MOST_CELLS);
  const from = routes.rows.some((r) => r.from_rank < 0) ? [...to, -1] : to;
  const named = to.length <= NAMED_CELLS;
  const box = svg.parentNode.getBoundingClientRect(), left = 62, top = 40;
  const wide = Math.min((Math.max(240, box.width) - left - 12) / to.length, 76);
  const high = named ? 38 : Math.min(wide, 22), end = top + high * from.length;
  const width = Math.max(240, box.width);
  svg.style.height = `${end + 6}px`;
  svg.setAttribute("viewBox", `0 0 ${width} ${end + 6}`);
  svg.setAttribute("aria-label", "Colorings taken in of those offered, by sender and receiver");
  svg.replaceChildren();
  const across = left + (wide * to.length) / 2, down = top + (high * from.length) / 2;
  shape("text", { x: across, y: 12, "text-anchor": "middle" }, svg, "to rank");
  shape("text", { x: 11, y: down, "text-anchor": "middle", transform: `rotate(-90 11 ${down})` },
    svg, "from rank");
  const most = Math.max(...routes.rows.map((r) => r.accepted), 1);
  const every = Math.ceil(to.length / ((wide * to.length) / 26));
  to.forEach((rank, i) => {
    if (i % every === 0)
      shape("text", { x: left + wide * (i + 0.5), y: top - 8, "text-anchor": "middle" }, svg,
        String(rank));
  });
  from.forEach((rank, i) => {
    if (i % Math.ceil(16 / high) === 0 || rank < 0)
      shape("text", { x: left - 7, y: top + high * (i + 0.5) + 4, "text-anchor": "end" }, svg,
        rank < 0 ? "pools" : String(rank));
  });
  shape("rect", { class: "border", x: left, y: top, width: wide * to.length,
    height: high * from.length }, svg);
  for (const route of routes.rows) {
    const [row, column] = [from.indexOf(route.from_rank), to.indexOf(route.to_rank)];
    if (row < 0 || column < 0) continue;
    const x = left + wide * column, y = top + high * row;
    const cell = shape("rect", { class: "cell", x: x + 0.5, y: y + 0.5, width: wide - 1,
      height: high - 1, "fill-opacity": 0.08 + 0.5 * Math.sqrt(route.accepted / most) }, svg);
    shape("title", {}, cell, `${route.from_rank < 0 ? "pools" : `rank ${route.from_rank}`} to rank ${
      route.to_rank}: ${whole(route.accepted)} of ${whole(route.offered)}`);
    if (!named) continue;
    shape("text", { class: "count", x: x + wide / 2, y: y + 16, "text-anchor": "middle" }, svg,
      large(route.accepted));
    shape("text", { class: "offered", x: x + wide / 2, y: y + 31, "text-anchor": "middle" }, svg,
      `of ${large(route.offered)}`);
  }
  put("migration-note", `${named ? "Colorings taken in, of those offered" : "The darker, the more " +
    `colorings were taken in: at most ${whole(most)}`}${routes.rows.some((r) =>
    r.from_rank === r.to_rank) ? "; on the diagonal: between islands of a rank" : ""}${
    from.length > to.length ? "; pools: meetings of the pools of all ranks" : ""}.${
    all.length > to.length ? ` The first ${MOST_CELLS} ranks.` : ""}`);
}

/* Of the best coloring, how many classes are how large. */
function drawClasses() {
  const svg = at("class-chart"), any = classes !== null && classes.length > 0;
  svg.parentNode.hidden = !any;
  if (!any) return;
  const count = classes.reduce((sum, [, many]) => sum + many, 0);
  const [low, high] = [classes[0][0], classes[classes.length - 1][0]];
  drawBars(svg, classes, "Sizes of the color classes", "vertices in a class", "classes");
  put("class-note", `${whole(count)} classes of ${low === high ? whole(low)
    : `${whole(low)} to ${whole(high)}`} vertices.`);
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
  drawMigrations();
  drawRanks("gpu-chart", numbers, book.gpus, busyOf, end,
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

const leastSpan = () => 0.5 * (Number(run.config["telemetry.interval"]) || 0.04);

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
  if (span >= leastSpan()) {
    const speed = (row.iterations - row.begin.iterations) / span;
    for (let i = rows.length - 1; i >= 0 && rows[i].t >= row.begin.t; --i) rows[i].speed = speed;
    row.speed = speed;
    row.begin = row;
  }
  keep(book.rows, record.rank, row);
}

/* Kernels are counted when a generation ends, so that those of a span may have begun before it:
   what is more than the span belongs to the spans before. */
function closeSpan(rank, span, t) {
  if (!book.spans.has(rank)) book.spans.set(rank, []);
  const spans = book.spans.get(rank);
  span.to = t;
  spans.push(span);
  if (spans.length > MOST_SPANS) spans.shift();
  for (let i = spans.length - 1; i >= 0; --i) {
    const more = spans[i].kernel - (spans[i].to - spans[i].from);
    if (more <= 0) break;
    spans[i].kernel -= more;
    if (i > 0) spans[i - 1].kernel += more;
  }
}

function addGpu(record) {
  if (!known(record.t)) return;
  const rows = book.gpus.get(record.rank) || [], before = rows[rows.length - 1];
  let span = before ? before.span : { from: record.t, to: null, kernel: 0 };
  const kernel = known(record.kernel_us) ? record.kernel_us / 1e6
    : before && known(record.idle) ? (1 - record.idle) * (record.t - before.t) : null;
  if (before && kernel !== null) {
    span.kernel += kernel;
    if (record.t - span.from >= leastSpan()) {
      closeSpan(record.rank, span, record.t);
      span = { from: record.t, to: null, kernel: 0, before: span };
      delete span.before.before; // one is enough
    }
  }
  keep(book.gpus, record.rank, { t: record.t, power: record.power_w, heat: record.temperature_c,
    span });
}

/* From a record on; the last one repeats the span before it. */
function busyOf(row) {
  const span = row.span.to !== null ? row.span : row.span.before;
  return span ? (100 * span.kernel) / (span.to - span.from) : null;
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
  put("k-label", run.state === "live" ? "colors now tried" : "colors tried last");
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
  for (const [id, any] of [["rank-part", run.ranks.length], ["phase-part", run.phases.length],
    ["event-part", run.events.length]]) at(id).hidden = any === 0;
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
  const answer = await ask("solutions");
  solutions = answer.solutions;
  classes = answer.class_sizes;
}

async function askForRoutes() {
  if (routes.told === run.migrations) return;
  const told = run.migrations;
  routes = { told, rows: told > 0 ? (await ask("migrations")).migrations : [] };
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
    await askForRoutes();
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
    askedSolutions = routes.told = -1;
    await askForSolutions();
    await askForRoutes();
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
