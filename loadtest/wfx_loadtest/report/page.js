"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const root = document.documentElement;
  const full = [0, data.span + data.step * 0.02];
  const view = { from: full[0], to: full[1], log: data.log, dots: true, lines: true };
  const margin = { left: 64, right: 14, top: 12, bottom: 30 };
  const tip = byId("tip");

  let good = 0, bad = 0;
  const series = data.series.map((one) => ({
    ...one, shown: true, token: one.failed ? `--e${bad++ % 6}` : `--s${good++ % 6}`,
  }));
  const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const visible = () => series.filter((one) => one.shown);

  // Numbers as people write them.
  const trimmed = (value, digits) => String(Number(value.toPrecision(digits)));
  // Latencies that stand beside each other have one unit, which suits the middle one.
  function inOneUnit(latencies) {
    const middle = [...latencies].sort((a, b) => a - b)[latencies.length >> 1] || 0;
    const [size, unit] = middle >= 1000 ? [1000, "s"] : middle >= 1 ? [1, "ms"] : [0.001, "µs"];
    return latencies.map((ms) => ms ? `${trimmed(ms / size, 4)} ${unit}` : "0");
  }
  const axis = (place, ticks) => { const labels = inOneUnit(ticks); return ticks.map((ms, number) => [place(ms), labels[number]]); };
  const seconds = (s) => {
    if (data.span < 120) return `${trimmed(s, 5)} s`;
    const whole = Math.floor(s), minutes = Math.floor(whole / 60);
    return `${minutes}:${String(whole % 60).padStart(2, "0")}`;
  };
  const share = (inverse) => `${Number((100 * (1 - 1 / inverse)).toFixed(5))}%`;

  function linearTicks(from, to, wanted) {
    const raw = (to - from) / wanted || 1, power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= raw);
    const ticks = [];
    for (let tick = Math.ceil(from / step) * step; tick <= to + step * 1e-6; tick += step) ticks.push(Number(tick.toPrecision(10)));
    return ticks;
  }
  function logTicks(from, to) {
    const ticks = [], wide = Math.log10(to / from) > 3;
    for (let power = Math.floor(Math.log10(from)); power <= Math.ceil(Math.log10(to)); power++)
      for (const n of wide ? [1] : [1, 2, 5]) if (n * 10 ** power >= from && n * 10 ** power <= to) ticks.push(n * 10 ** power);
    return ticks;
  }

  // A canvas with axes; what is drawn on it is told by the caller.
  function prepare(canvas) {
    const ratio = window.devicePixelRatio || 1, box = canvas.getBoundingClientRect();
    canvas.width = Math.round(box.width * ratio);
    canvas.height = Math.round(box.height * ratio);
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    pen.font = '12px system-ui, "Segoe UI", "Liberation Sans", "DejaVu Sans", sans-serif';
    const plot = { left: margin.left, top: margin.top, right: box.width - margin.right, bottom: box.height - margin.bottom };
    return { pen, plot };
  }
  function axes(pen, plot, across, upright) {
    pen.lineWidth = 1;
    pen.fillStyle = colour("--soft");
    pen.strokeStyle = colour("--grid");
    pen.textAlign = "right"; pen.textBaseline = "middle";
    for (const [at, label] of upright) {
      pen.beginPath(); pen.moveTo(plot.left, at); pen.lineTo(plot.right, at); pen.stroke();
      pen.fillText(label, plot.left - 9, at);
    }
    pen.textAlign = "center"; pen.textBaseline = "top";
    let free = 0;  // labels that would touch the one before are left out
    for (const [at, label] of across) {
      pen.beginPath(); pen.moveTo(at, plot.top); pen.lineTo(at, plot.bottom); pen.stroke();
      const half = pen.measureText(label).width / 2, middle = Math.min(at, plot.right + margin.right - half);
      if (middle - half < free) continue;
      pen.fillText(label, middle, plot.bottom + 9);
      free = middle + half + 8;
    }
  }
  function clip(pen, plot, draw) {
    pen.save();
    pen.beginPath(); pen.rect(plot.left, plot.top - 4, plot.right - plot.left, plot.bottom - plot.top + 5); pen.clip();
    draw();
    pen.restore();
  }
  function sayNothing(pen, plot) {
    pen.fillStyle = colour("--soft");
    pen.textAlign = "center"; pen.textBaseline = "middle";
    pen.fillText("no requests", (plot.left + plot.right) / 2, (plot.top + plot.bottom) / 2);
  }
  const across = (plot) => ({
    place: (s) => plot.left + (s - view.from) / (view.to - view.from) * (plot.right - plot.left),
    time: (x) => view.from + (x - plot.left) / (plot.right - plot.left) * (view.to - view.from),
  });
  const timeTicks = (x) => linearTicks(view.from, view.to, Math.min(9, Math.max(2, (x.place(view.to) - x.place(view.from)) / 50))).map((s) => [x.place(s), seconds(s)]);
  // Where the duration was over and only unfinished jobs went on.
  function endOfDuration(pen, plot, x) {
    if (data.span < data.planned * 1.01) return;
    const at = x.place(data.planned);
    if (at < plot.left || at > plot.right) return;
    pen.strokeStyle = pen.fillStyle = colour("--soft");
    pen.setLineDash([4, 4]);
    pen.beginPath(); pen.moveTo(at, plot.top); pen.lineTo(at, plot.bottom); pen.stroke();
    pen.setLineDash([]);
    pen.textAlign = "right"; pen.textBaseline = "bottom";
    pen.fillText("end of duration", at - 5, plot.bottom - 4);
  }

  const drawn = {};  // per canvas: how to find what lies under the pointer

  function drawLatency() {
    const { pen, plot } = prepare(byId("latency")), x = across(plot), shown = visible();
    let low = Infinity, high = 0;
    for (const one of shown) for (const [s, ms] of one.points) if (s >= view.from && s <= view.to) {
      low = Math.min(low, ms); high = Math.max(high, ms);
    }
    if (!high) [low, high] = [0.1, 1];
    const bottom = view.log ? Math.max(low * 0.8, 1e-3) : 0, top = high * (view.log ? 1.25 : 1.06);
    const part = view.log ? (ms) => Math.log(Math.max(ms, bottom) / bottom) / Math.log(top / bottom) : (ms) => ms / top;
    const place = (ms) => plot.bottom - part(ms) * (plot.bottom - plot.top);
    const ticks = view.log ? logTicks(bottom, top) : linearTicks(0, top, 6);
    axes(pen, plot, timeTicks(x), axis(place, ticks));
    if (!data.series.length) return sayNothing(pen, plot);
    clip(pen, plot, () => {
      if (view.dots) for (const one of shown) dots(pen, one, x, place);
      if (view.lines) for (const one of shown) if (!one.failed) p99(pen, one, x, place);
    });
    endOfDuration(pen, plot, x);
    drawn.latency = { plot, x, place };
  }
  function dots(pen, one, x, place) {
    pen.fillStyle = pen.strokeStyle = colour(one.token);
    const inside = one.points.filter(([s]) => s >= view.from && s <= view.to);
    pen.globalAlpha = one.failed ? 0.95 : Math.min(0.8, 0.3 + 250 / inside.length);
    pen.lineWidth = 1.6;
    for (const [s, ms] of inside) {
      const at = x.place(s), height = place(ms);
      pen.beginPath();
      if (one.failed) {
        pen.moveTo(at - 3.5, height - 3.5); pen.lineTo(at + 3.5, height + 3.5);
        pen.moveTo(at - 3.5, height + 3.5); pen.lineTo(at + 3.5, height - 3.5);
        pen.stroke();
      } else {
        pen.arc(at, height, 2, 0, 7); pen.fill();
      }
    }
    pen.globalAlpha = 1;
  }
  // Steps, since each figure is that of a whole stretch; where there were no requests, there is no line.
  function p99(pen, one, x, place) {
    pen.beginPath();
    let end = -Infinity;
    for (const stretch of one.stretches) {
      const height = place(stretch.p99);
      if (Math.abs(stretch.start - end) < data.step / 2) pen.lineTo(x.place(stretch.start), height); else pen.moveTo(x.place(stretch.start), height);
      pen.lineTo(x.place(Math.min(stretch.start + data.step, full[1])), height);
      end = stretch.start + data.step;
    }
    pen.lineJoin = "round";
    pen.strokeStyle = colour("--card"); pen.lineWidth = 5; pen.globalAlpha = 0.8; pen.stroke();
    pen.strokeStyle = colour(one.token); pen.lineWidth = 2; pen.globalAlpha = 1; pen.stroke();
  }

  function drawRate() {
    const { pen, plot } = prepare(byId("rate")), x = across(plot), sums = new Map();
    let top = 0;
    const shown = visible().filter((one) => !one.deliveries);
    const layers = shown.map((one) => one.stretches.map((stretch) => {
      const floor = sums.get(stretch.start) || 0;
      const width = Math.min(data.step, Math.max(data.span - stretch.start, data.step * 0.05));
      const roof = floor + stretch.count / width;
      sums.set(stretch.start, roof);
      if (stretch.start + data.step > view.from && stretch.start < view.to) top = Math.max(top, roof);
      return { start: stretch.start, width, floor, roof };
    }));
    top = (top || 1) * 1.08;
    const place = (rate) => plot.bottom - rate / top * (plot.bottom - plot.top);
    axes(pen, plot, timeTicks(x), linearTicks(0, top, 3).map((rate) => [place(rate), rate ? `${trimmed(rate, 6)}/s` : "0"]));
    if (!data.series.length) return sayNothing(pen, plot);
    clip(pen, plot, () => shown.forEach((one, index) => {
      pen.fillStyle = colour(one.token);
      pen.globalAlpha = one.failed ? 0.95 : 0.75;
      for (const bar of layers[index]) {
        const left = x.place(bar.start), width = x.place(bar.start + bar.width) - left;
        pen.fillRect(left, place(bar.roof), Math.max(width - (width > 5 ? 1 : 0), 0.5), place(bar.floor) - place(bar.roof));
      }
      pen.globalAlpha = 1;
    }));
    drawn.rate = { plot, x };
  }

  function drawPercentiles() {
    const { pen, plot } = prepare(byId("percentiles")), rows = data.percentiles;
    if (!rows.length) return sayNothing(pen, plot);
    const last = Math.max(rows.at(-1)[0], 10), top = Math.max(...rows.map((row) => row[1])) * 1.06 || 1;
    const place = (ms) => plot.bottom - ms / top * (plot.bottom - plot.top);
    const at = (inverse) => plot.left + Math.log(inverse) / Math.log(last) * (plot.right - plot.left);
    const marks = [1, 2, 10, 100, 1e3, 1e4, 1e5].filter((inverse) => inverse <= last);
    axes(pen, plot, marks.map((inverse) => [at(inverse), share(inverse)]), axis(place, linearTicks(0, top, 5)));
    pen.beginPath();
    for (const [inverse, ms] of rows) pen.lineTo(at(inverse), place(ms));
    pen.strokeStyle = colour("--accent"); pen.lineWidth = 2.2; pen.lineJoin = "round"; pen.stroke();
    pen.lineTo(at(rows.at(-1)[0]), plot.bottom); pen.lineTo(at(1), plot.bottom);
    pen.globalAlpha = 0.1; pen.fillStyle = colour("--accent"); pen.fill(); pen.globalAlpha = 1;
    drawn.percentiles = { plot, at, place };
  }

  let waiting = 0;
  function drawAll() {
    byId("reset").hidden = view.from === full[0] && view.to === full[1];
    drawLatency(); drawRate(); drawPercentiles();
  }
  function draw() {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(drawAll);
  }

  // Zoom.
  function show(from, to) {
    const width = Math.min(Math.max(to - from, data.span / 2000), full[1] - full[0]);
    view.from = Math.min(Math.max(from, full[0]), full[1] - width);
    view.to = view.from + width;
    tip.hidden = true;
    draw();
  }
  const reset = () => show(full[0], full[1]);
  const scaled = (factor, around) => show(around - (around - view.from) * factor, around + (view.to - around) * factor);

  for (const id of ["latency", "rate"]) {
    const canvas = byId(id);
    let begun = null;
    const inside = (event) => {
      const box = canvas.getBoundingClientRect(), { plot } = drawn[id];
      return Math.min(Math.max(event.clientX - box.left, plot.left), plot.right);
    };
    canvas.addEventListener("pointerdown", (event) => { begun = inside(event); canvas.setPointerCapture(event.pointerId); });
    canvas.addEventListener("pointermove", (event) => {
      if (begun === null) return hover(id, event);
      draw();
      tip.hidden = true;
      const to = inside(event), from = begun;
      requestAnimationFrame(() => {
        const pen = canvas.getContext("2d"), { plot } = drawn[id];
        pen.fillStyle = colour("--accent"); pen.globalAlpha = 0.16;
        pen.fillRect(Math.min(from, to), plot.top, Math.abs(to - from), plot.bottom - plot.top);
        pen.globalAlpha = 1;
      });
    });
    canvas.addEventListener("pointerup", (event) => {
      const { x } = drawn[id], [from, to] = [begun, inside(event)].sort((a, b) => a - b);
      begun = null;
      if (to - from > 6) show(x.time(from), x.time(to)); else draw();
    });
    canvas.addEventListener("pointercancel", () => { begun = null; draw(); });
    canvas.addEventListener("dblclick", reset);
    canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      scaled(event.deltaY > 0 ? 1.25 : 0.8, drawn[id].x.time(inside(event)));
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => {
      const width = view.to - view.from, middle = (view.from + view.to) / 2;
      const act = {
        "+": () => scaled(0.7, middle), "=": () => scaled(0.7, middle), "-": () => scaled(1.4, middle), "0": reset, Escape: reset,
        ArrowLeft: () => show(view.from - width / 8, view.to - width / 8), ArrowRight: () => show(view.from + width / 8, view.to + width / 8),
      }[event.key];
      if (act) { event.preventDefault(); act(); }
    });
  }

  // What lies under the pointer.
  function say(event, text) {
    tip.textContent = text;
    tip.hidden = false;
    const { width, height } = tip.getBoundingClientRect();
    tip.style.left = `${Math.min(event.clientX + 14, innerWidth - width - 8)}px`;
    // Above the pointer, but never above the chart, where the buttons are.
    const above = event.clientY - height - 10, top = event.target.getBoundingClientRect().top;
    tip.style.top = `${above >= Math.max(top, 8) ? above : event.clientY + 18}px`;
  }
  function hover(id, event) {
    const box = byId(id).getBoundingClientRect(), pointer = [event.clientX - box.left, event.clientY - box.top];
    const text = { latency: nearRequest, rate: nearStretch, percentiles: nearPercentile }[id](pointer, id);
    if (text) say(event, text); else tip.hidden = true;
  }
  function nearRequest([left, top]) {
    const { x, place } = drawn.latency;
    let best = null, least = 18 ** 2;
    for (const one of visible()) for (const [s, ms] of one.points) {
      const distance = (x.place(s) - left) ** 2 + (place(ms) - top) ** 2;
      if (distance < least) [best, least] = [[one, s, ms], distance];
    }
    return best && `${best[0].name}\n${inOneUnit([best[2]])[0]} at ${seconds(best[1])}` || nearStretch([left]);
  }
  const enough = 100;  // of fewer, the p99 is the slowest
  function toldOf(one, stretch) {
    const what = one.deliveries ? "deliveries" : "requests", percentile = stretch.count >= enough;
    const [median, worst, p99] = inOneUnit([stretch.p50, stretch.worst, ...(percentile ? [stretch.p99] : [])]);
    return `${one.name}: ${stretch.count} ${what}, median ${median}, ${percentile ? `p99 ${p99}, ` : ""}slowest ${worst}`;
  }
  function nearStretch([left], id) {
    const time = drawn.latency.x.time(left), lines = [];
    for (const one of visible()) {
      const stretch = one.stretches.find((each) => time >= each.start && time < each.start + data.step);
      if (stretch && !(id === "rate" && one.deliveries)) lines.push(toldOf(one, stretch));
    }
    return lines.length ? `${seconds(Math.floor(time / data.step) * data.step)}\n${lines.join("\n")}` : "";
  }
  function nearPercentile([left]) {
    if (!drawn.percentiles) return "";
    const { at } = drawn.percentiles;
    const near = data.percentiles.reduce((a, b) => Math.abs(at(b[0]) - left) < Math.abs(at(a[0]) - left) ? b : a);
    return `${share(near[0])} of the requests\ntook at most ${inOneUnit([near[1]])[0]}`;
  }
  byId("percentiles").addEventListener("pointermove", (event) => hover("percentiles", event));
  for (const id of ["latency", "rate", "percentiles"]) byId(id).addEventListener("pointerleave", () => { tip.hidden = true; });

  // Switches.
  function toggle(button, change) {
    button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(on));
      change(on);
      draw();
    });
  }
  for (const one of series) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = one.name;
    button.className = one.failed ? "failed" : "";
    button.style.setProperty("--colour", `var(${one.token})`);
    button.setAttribute("aria-pressed", "true");
    toggle(button, (on) => { one.shown = on; });
    byId("legend").append(button);
  }
  byId("scale").setAttribute("aria-pressed", String(view.log));
  toggle(byId("scale"), (on) => { view.log = on; });
  toggle(byId("dots"), (on) => { view.dots = on; });
  toggle(byId("lines"), (on) => { view.lines = on; });
  byId("reset").addEventListener("click", reset);

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const wear = (theme) => { root.dataset.theme = theme; draw(); };
  byId("theme").addEventListener("click", () => wear(root.dataset.theme === "dark" ? "light" : "dark"));
  dark.addEventListener("change", () => wear(dark.matches ? "dark" : "light"));
  // Paper is white; what is printed must be drawn before this returns.
  let worn = "";
  addEventListener("beforeprint", () => { worn = root.dataset.theme; root.dataset.theme = "light"; drawAll(); });
  addEventListener("afterprint", () => wear(worn));
  new ResizeObserver(draw).observe(byId("latency"));
  wear(dark.matches ? "dark" : "light");
})();
