"use strict";
(() => {
  const run = JSON.parse(document.getElementById("data").textContent);
  const by = (id) => document.getElementById(id);
  const bad = new Set(["failed", "error", "unfinished"]);
  const tests = run.tests.map((test, index) => ({ ...test, index, took: test.ended - test.began, isBad: bad.has(test.outcome) }));
  const nextest = run.programs.length === 1 && run.programs[0].runner === "nextest";

  // ---- words ----

  const number = (value) => value.toLocaleString("en-US");
  const plural = (count, what) => `${number(count)} ${what}${count === 1 ? "" : "s"}`;
  const time = (seconds) => {
    const ms = seconds * 1e3;
    if (ms >= 9999.5) return `${seconds.toFixed(1)} s`;
    if (ms >= 999.5) return `${seconds.toFixed(2)} s`;
    if (ms >= 9.95) return `${ms.toFixed(0)} ms`;
    if (ms >= 0.995) return `${ms.toFixed(1)} ms`;
    return ms < 0.005 ? "< 0.01 ms" : `${ms.toFixed(2)} ms`;
  };
  const percent = (part) => (part >= 0.0995 ? `${(part * 100).toFixed(0)} %` : `${(part * 100).toFixed(1)} %`);
  /** An element with attributes and children; text stays text. */
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) {
      if (key === "class") element.className = value;
      else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
      else element.setAttribute(key, value);
    }
    element.append(...children);
    return element;
  };
  const uses = {
    body: "Body", setup: "Set-up", teardown: "Teardown", wait: "Wait", failed: "Failed",
  };

  // ---- head and facts ----

  const when = new Date(run.began * 1000);
  const runner = nextest ? "cargo nextest run" : `cargo test, ${plural(run.programs.length, "program")}`;
  by("about").textContent = `${runner} · ${when.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" })}`;

  const counts = {};
  for (const test of tests) counts[test.outcome] = (counts[test.outcome] || 0) + 1;
  const busy = run.shares.filter((share) => ["body", "setup", "teardown"].includes(share.what))
    .reduce((sum, share) => sum + share.seconds, 0) / (run.took || 1);
  const slowest = tests.reduce((a, b) => (b.took > a.took ? b : a));
  const outcomes = ["passed", "failed", "error", "unfinished", "skipped", "xfailed", "xpassed"].filter((name) => counts[name]);
  const fact = (name, value, ...more) => make("div", { class: "fact" }, make("span", {}, name), make("strong", {}, value), ...more);
  const outcomeLine = make("span", {});
  outcomes.forEach((name, at) => {
    const style = bad.has(name) ? "bad" : name === "passed" ? "good" : "";
    outcomeLine.append(at ? ", " : "", make("b", { class: style }, `${number(counts[name])} ${name}`));
  });
  for (const b of outcomeLine.querySelectorAll("b")) b.style.fontWeight = "600";
  by("facts").append(
    fact("Took", time(run.took), make("span", {}, "first test's begin to last test's end")),
    fact("Tests", number(tests.length), outcomeLine),
    fact("Lanes", number(run.lanes), make("span", {}, "tests at the same time, at most")),
    fact("Busy on average", `${busy.toFixed(1)} of ${number(run.lanes)}`, make("span", {}, `${percent(busy / run.lanes)} of what the lanes could do`)),
    fact("Slowest test", time(slowest.took), make("span", { class: "name", title: slowest.name }, slowest.name)),
  );

  // ---- shares ----

  const lost = run.shares.filter((share) => !["body", "setup", "teardown"].includes(share.what));
  const lostPart = lost.reduce((sum, share) => sum + share.part, 0);
  const most = lost.reduce((a, b) => (b.part > (a ? a.part : 0) ? b : a), null);
  by("shares-about").textContent = most
    ? `${percent(lostPart)} of it was lost, most of that here: ${most.label}.`
    : "None of it was lost.";
  by("bar").setAttribute("aria-label", run.shares.map((share) => `${share.label}: ${percent(share.part)}`).join("; "));
  for (const share of run.shares) {
    const piece = make("div", { class: share.what, title: `${share.label}: ${percent(share.part)}` });
    piece.style.flex = `${share.part} 0 0`;
    by("bar").append(piece);
    const causes = make("table", {}, make("tbody", {}, ...share.causes.map((cause) =>
      make("tr", {}, make("td", { class: "name", title: cause.name }, cause.name), make("td", {}, time(cause.seconds))))));
    const more = make("div", { class: "more" });
    if (share.causes.length) more.append(causes);
    if (share.cure) more.append(make("p", {}, `What helps: ${share.cure.replaceAll("`", "")}.`));
    if (!more.childNodes.length) more.append(make("p", {}, "Nothing more is known."));
    by("shares").append(make("li", {}, make("details", {},
      make("summary", {}, make("span", { class: `dot ${share.what}` }), make("span", {}, share.label),
        make("span", { class: "part" }, percent(share.part)), make("span", { class: "seconds" }, time(share.seconds))),
      more)));
  }
  for (const [name, label] of Object.entries(uses)) {
    if (name !== "failed" || tests.some((test) => test.isBad)) {
      by("legend").append(make("li", {}, make("span", { class: `dot ${name}` }), label));
    }
  }

  // ---- theme ----

  const dark = matchMedia("(prefers-color-scheme: dark)");
  let choice = "auto";
  try { choice = localStorage.getItem("green-light-theme") || "auto"; } catch { /* a file may have no storage */ }
  let colours = {};
  const applyTheme = () => {
    const theme = choice === "auto" ? (dark.matches ? "dark" : "light") : choice;
    document.documentElement.dataset.theme = theme;
    by("theme").textContent = theme === "dark" ? "☀ Light" : "☾ Dark";
    by("theme").title = theme === "dark" ? "Use light colours" : "Use dark colours";
    const style = getComputedStyle(document.documentElement);
    colours = {};
    for (const name of ["back", "panel", "text", "faint", "line", "hover", "focus", "lane", "tail"]) {
      colours[name] = style.getPropertyValue(`--${name}`).trim();
    }
    for (const name of ["body", "setup", "teardown", "wait", "bad", "skip"]) {
      colours[name] = style.getPropertyValue(`--${name}`).trim();
      colours[`on-${name}`] = style.getPropertyValue(`--on-${name}`).trim();
    }
    hatch = null;
    invalidate();
  };
  by("theme").addEventListener("click", () => {
    choice = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    try { localStorage.setItem("green-light-theme", choice); } catch { /* as above */ }
    applyTheme();
  });
  dark.addEventListener("change", applyTheme);

  // ---- state ----

  const canvas = by("lanes");
  const overview = by("overview");
  const GUTTER = 34;
  const AXIS = 24;
  const STRIP = run.programs.length > 1 ? 20 : 0;
  const laneHeight = Math.max(15, Math.min(34, Math.floor(560 / run.lanes)));
  const height = AXIS + STRIP + run.lanes * laneHeight + 6;
  const SHORTEST = Math.max(2e-6, run.took / 1e6);
  let view = { from: 0, to: run.took || 1e-6 };
  let chosen = null;
  let hovered = null;
  let wanted = "";
  let badOnly = false;
  let matches = tests;
  let matching = null;
  let hatch = null;
  let width = 0;
  let pending = false;

  const invalidate = () => {
    if (pending) return;
    pending = true;
    requestAnimationFrame(() => { pending = false; draw(); });
  };
  const xOf = (moment) => GUTTER + ((moment - view.from) / (view.to - view.from)) * (width - GUTTER);
  const momentOf = (x) => view.from + ((x - GUTTER) / (width - GUTTER)) * (view.to - view.from);
  const setView = (from, to) => {
    let span = Math.min(Math.max(to - from, SHORTEST), run.took || 1e-6);
    const middle = (from + to) / 2;
    if (Math.abs(span - (to - from)) > 1e-12) { from = middle - span / 2; to = middle + span / 2; }
    if (from < 0) { to -= from; from = 0; }
    if (to > run.took) { from = Math.max(0, from - (to - run.took)); to = run.took; }
    view = { from, to: Math.max(to, from + 1e-9) };
    invalidate();
  };
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let glide = 0;
  const glideTo = (from, to) => {
    cancelAnimationFrame(glide);
    if (still.matches) return setView(from, to);
    const start = { ...view };
    const began = performance.now();
    const step = (now) => {
      const part = Math.min(1, (now - began) / 180);
      const eased = 1 - (1 - part) ** 3;
      setView(start.from + (from - start.from) * eased, start.to + (to - start.to) * eased);
      if (part < 1) glide = requestAnimationFrame(step);
    };
    glide = requestAnimationFrame(step);
  };
  const zoom = (factor, at = (view.from + view.to) / 2, glides = false) => {
    const from = at - (at - view.from) * factor;
    const to = at + (view.to - at) * factor;
    (glides ? glideTo : setView)(from, to);
  };
  const pan = (part) => {
    const by = (view.to - view.from) * part;
    setView(view.from + by, view.to + by);
  };

  // ---- drawing ----

  const sized = (element, cssHeight) => {
    const ratio = devicePixelRatio || 1;
    const cssWidth = element.clientWidth;
    if (element.width !== Math.round(cssWidth * ratio) || element.height !== Math.round(cssHeight * ratio)) {
      element.width = Math.round(cssWidth * ratio);
      element.height = Math.round(cssHeight * ratio);
      element.style.height = `${cssHeight}px`;
    }
    const context = element.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, cssWidth, cssHeight);
    return context;
  };
  const font = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif";
  const waitPattern = (context) => {
    if (hatch) return hatch;
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const ink = tile.getContext("2d");
    ink.fillStyle = colours.wait;
    ink.fillRect(0, 0, 8, 8);
    ink.strokeStyle = colours.panel;
    ink.globalAlpha = 0.45;
    ink.lineWidth = 2;
    for (const shift of [-8, 0, 8]) {
      ink.beginPath();
      ink.moveTo(shift - 1, 9);
      ink.lineTo(shift + 9, -1);
      ink.stroke();
    }
    hatch = context.createPattern(tile, "repeat");
    return hatch;
  };
  /** The pieces of a test, in the order of time: what, from, to. */
  const piecesOf = (test) => {
    if (test.pieces) return test.pieces;
    const [call, back] = test.called || [test.ended, test.ended];
    const body = test.isBad ? "bad" : test.outcome === "skipped" ? "skip" : "body";
    const pieces = [["setup", test.began, call], [body, call, back], ["teardown", back, test.ended]]
      .filter(([, from, to]) => to > from);
    if (!test.called && test.isBad) pieces[0] = ["bad", test.began, test.ended];
    for (const step of test.steps) if (step.kind === "wait") pieces.push(["wait", step.began, step.ended]);
    test.pieces = pieces;
    return pieces;
  };
  const shortName = (name) => name.slice(name.lastIndexOf("::") + (name.includes("::") ? 2 : 0));
  const cut = (context, text, room) => {
    if (room < 14) return "";
    const whole = context.measureText(text).width;
    if (whole <= room) return text;
    const letters = Math.floor((room / whole) * text.length) - 1;
    return letters < 2 ? "" : `${text.slice(0, letters)}…`;
  };
  const niceStep = (rough) => {
    const power = 10 ** Math.floor(Math.log10(rough));
    for (const factor of [1, 2, 5, 10]) if (factor * power >= rough) return factor * power;
    return 10 * power;
  };
  const tick = (moment, step) => {
    const digits = Math.max(0, -Math.floor(Math.log10(step * 1.0001)));
    if (moment === 0) return "0";
    if (view.to >= 1) return `${moment.toFixed(Math.min(6, digits))} s`;
    return `${(moment * 1e3).toFixed(Math.min(3, Math.max(0, digits - 3)))} ms`;
  };

  const draw = () => {
    width = canvas.clientWidth;
    const context = sized(canvas, height);
    const top = AXIS + STRIP;
    // Lanes.
    for (let lane = 0; lane < run.lanes; lane += 1) {
      context.fillStyle = colours.lane;
      context.fillRect(GUTTER, top + lane * laneHeight + 1, width - GUTTER, laneHeight - 2);
    }
    context.font = `11px ${font}`;
    context.textBaseline = "middle";
    context.textAlign = "right";
    context.fillStyle = colours.faint;
    for (let lane = 0; lane < run.lanes; lane += 1) {
      context.fillText(`${lane + 1}`, GUTTER - 9, top + (lane + 0.5) * laneHeight);
    }
    // The axis.
    const step = niceStep((view.to - view.from) / Math.max(2, (width - GUTTER) / 110));
    context.textAlign = "left";
    context.strokeStyle = colours.line;
    context.lineWidth = 1;
    for (let at = Math.ceil(view.from / step) * step; at <= view.to; at += step) {
      const x = Math.round(xOf(at)) + 0.5;
      context.beginPath();
      context.moveTo(x, 4);
      context.lineTo(x, height);
      context.stroke();
      const label = tick(at, step);
      if (x + context.measureText(label).width + 5 < width) context.fillText(label, x + 5, AXIS / 2);
    }
    // Programs.
    if (STRIP) {
      run.programs.forEach((program, at) => {
        const from = Math.max(GUTTER, xOf(program.began));
        const to = Math.min(width, xOf(program.ended));
        if (to < GUTTER || from > width) return;
        context.fillStyle = at % 2 ? colours.hover : colours.line;
        context.beginPath();
        context.roundRect(from, AXIS, Math.max(1, to - from - 1), STRIP - 4, 3);
        context.fill();
        context.fillStyle = colours.text;
        const text = cut(context, program.name, to - from - 12);
        if (text) context.fillText(text, from + 6, AXIS + (STRIP - 4) / 2 + 0.5);
      });
    }
    // Tests.
    context.save();
    context.beginPath();
    context.rect(GUTTER, top, width - GUTTER, height - top);
    context.clip();
    let drawn = 0;
    for (const test of tests) {
      if (test.ended < view.from || test.began > view.to) continue;
      drawn += 1;
      drawTest(context, test, top);
    }
    for (const test of [hovered, chosen]) {
      if (!test) continue;
      const [x, y, w, h] = boxOf(test, top);
      context.strokeStyle = test === chosen ? colours.text : colours.faint;
      context.lineWidth = test === chosen ? 2 : 1.5;
      context.beginPath();
      context.roundRect(x - 1.5, y - 1.5, w + 3, h + 3, 5);
      context.stroke();
    }
    context.restore();
    drawOverview();
    canvas.dataset.from = view.from;
    canvas.dataset.to = view.to;
    canvas.dataset.drawn = drawn;
    canvas.setAttribute("aria-label",
      `Timeline of ${plural(tests.length, "test")} on ${plural(run.lanes, "lane")}; the list below has the same tests.`);
  };
  const boxOf = (test, top) => {
    const x = Math.max(xOf(test.began), GUTTER - 8);
    const end = Math.min(xOf(test.ended), width + 8);
    const gap = end - x > 5 ? 1 : 0;
    return [x, top + test.lane * laneHeight + 3, Math.max(end - x - gap, 0.8), laneHeight - 6];
  };
  const drawTest = (context, test, top) => {
    const [x, y, w, h] = boxOf(test, top);
    context.globalAlpha = !matching || matching.has(test.index) ? 1 : 0.13;
    const round = w > 5;
    if (round) {
      context.save();
      context.beginPath();
      context.roundRect(x, y, w, h, Math.min(4, w / 3));
      context.clip();
    }
    for (const [what, begin, finish] of piecesOf(test)) {
      const from = Math.max(x, xOf(begin));
      const to = Math.min(x + w, xOf(finish));
      if (to <= from) continue;
      context.fillStyle = what === "wait" ? waitPattern(context) : colours[what];
      context.fillRect(from, y, to - from, h);
    }
    // What has failed stays visible however small it is.
    if (test.isBad && w < 3) {
      context.fillStyle = colours.bad;
      context.fillRect(x, y, Math.max(w, 1.6), h);
    }
    if (w > 40 && h > 10) labels(context, test, x, y, w, h);
    if (round) context.restore();
    context.globalAlpha = 1;
  };
  const labels = (context, test, x, y, w, h) => {
    context.font = `11px ${font}`;
    context.textBaseline = "middle";
    context.textAlign = "left";
    // The names of fixtures, where there is room; the name of the test in its largest other piece.
    for (const step of test.steps) {
      if (step.kind === "teardown" && step.began < (test.called ? test.called[1] : 0)) continue;
      const from = Math.max(xOf(step.began), GUTTER, x);
      const to = Math.min(xOf(step.ended), x + w);
      if (to - from < 34) continue;
      const what = step.kind === "wait" ? "wait" : step.kind;
      context.fillStyle = step.kind === "wait" ? colours["on-wait"] : colours[`on-${what}`];
      if (step.kind !== "wait") {
        context.globalAlpha *= 0.35;
        context.fillRect(from, y, 1, h);
        context.globalAlpha = !matching || matching.has(test.index) ? 1 : 0.13;
      }
      const text = cut(context, step.kind === "wait" ? `waits: ${step.name}` : step.name, to - from - 10);
      if (text) context.fillText(text, from + 6, y + h / 2 + 0.5);
    }
    const [call, back] = test.called || [test.began, test.ended];
    const from = Math.max(xOf(call), GUTTER, x);
    const to = Math.min(xOf(back), x + w);
    const what = test.isBad ? "bad" : test.outcome === "skipped" ? "skip" : "body";
    context.fillStyle = colours[`on-${what}`];
    context.font = `600 11px ${font}`;
    const room = to - from - 10;
    const name = context.measureText(test.name).width <= room ? test.name : shortName(test.name);
    const text = cut(context, name, room);
    if (text) context.fillText(text, from + 6, y + h / 2 + 0.5);
  };

  // How many lanes are busy at each place of the overview.
  const loadOf = (buckets) => {
    const load = {};
    for (const what of ["body", "setup", "teardown", "wait"]) load[what] = new Float64Array(buckets);
    const add = (into, from, to) => {
      const first = (from / run.took) * buckets;
      const last = (to / run.took) * buckets;
      for (let at = Math.floor(first); at < Math.min(buckets, Math.ceil(last)); at += 1) {
        into[at] += Math.min(last, at + 1) - Math.max(first, at);
      }
    };
    for (const test of tests) {
      for (const [what, from, to] of piecesOf(test)) {
        add(load[what] || load.body, from, to);
      }
    }
    return load;
  };
  let load = null;
  const drawOverview = () => {
    const tall = 44;
    const context = sized(overview, tall);
    const room = overview.clientWidth - GUTTER;
    const buckets = Math.max(50, Math.floor(room / 5));
    if (!load || load.buckets !== buckets) load = { buckets, ...loadOf(buckets) };
    context.fillStyle = colours.lane;
    context.fillRect(GUTTER, 0, room, tall);
    const unit = (tall - 4) / run.lanes;
    const wide = room / buckets;
    for (let at = 0; at < buckets; at += 1) {
      const x = GUTTER + at * wide;
      // A wait is a part of the set-up, as a rule.
      const setup = Math.max(0, load.setup[at] - load.wait[at]);
      let y = tall;
      for (const [colour, amount] of [[colours.body, load.body[at]], [colours.setup, setup],
        [colours.wait, Math.min(load.wait[at], load.setup[at] - setup)], [colours.teardown, load.teardown[at]]]) {
        context.fillStyle = colour;
        context.fillRect(x, y - amount * unit, wide + 0.3, amount * unit);
        y -= amount * unit;
      }
    }
    context.fillStyle = colours.bad;
    for (const test of tests) {
      if (test.isBad) context.fillRect(GUTTER + (test.began / run.took) * room, 0, Math.max(1.5, (test.took / run.took) * room), 4);
    }
    if (matching && matching.size < tests.length) {
      context.fillStyle = colours.text;
      for (const test of matches) context.fillRect(GUTTER + (test.began / run.took) * room, tall - 3, 2, 3);
    }
    const from = GUTTER + (view.from / run.took) * room;
    const to = GUTTER + (view.to / run.took) * room;
    context.fillStyle = colours.panel;
    context.globalAlpha = 0.66;
    context.fillRect(GUTTER, 0, from - GUTTER, tall);
    context.fillRect(to, 0, GUTTER + room - to, tall);
    context.globalAlpha = 1;
    if (view.from > 0 || view.to < run.took) {
      context.strokeStyle = colours.text;
      context.lineWidth = 1.5;
      context.strokeRect(from + 0.75, 0.75, Math.max(2, to - from - 1.5), tall - 1.5);
    }
    context.font = `11px ${font}`;
    context.fillStyle = colours.faint;
    context.textAlign = "right";
    context.textBaseline = "middle";
    context.fillText("all", GUTTER - 9, tall / 2);
  };

  // ---- pointing ----

  const hit = (event) => {
    const box = canvas.getBoundingClientRect();
    const x = event.clientX - box.left;
    const lane = Math.floor((event.clientY - box.top - AXIS - STRIP) / laneHeight);
    if (lane < 0 || lane >= run.lanes || x < GUTTER) return null;
    const moment = momentOf(x);
    const near = ((view.to - view.from) / (width - GUTTER)) * 2;
    let best = null;
    for (const test of tests) {
      if (test.lane !== lane) continue;
      const away = Math.max(test.began - moment, moment - test.ended, 0);
      if (away <= near && (!best || away < best.away)) best = { test, away };
    }
    return best && best.test;
  };
  const tip = by("tip");
  const showTip = (event, test) => {
    tip.hidden = !test;
    if (!test) return;
    const moment = momentOf(event.clientX - canvas.getBoundingClientRect().left);
    const step = test.steps.find((step) => step.began <= moment && moment <= step.ended);
    const phase = step ? (step.kind === "wait" ? `waits for ${step.name}` : `${step.kind === "setup" ? "set-up" : "teardown"} of ${step.name}`)
      + `: ${time(step.ended - step.began)}` : test.called && moment >= test.called[0] && moment <= test.called[1] ? `body: ${time(test.body)}` : "";
    tip.replaceChildren(make("span", { class: "name" }, test.name),
      make("small", {}, [`${test.outcome} in ${time(test.took)}`, phase].filter(Boolean).join(" · ")));
    const box = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(8, Math.min(event.clientX + 14, innerWidth - box.width - 8))}px`;
    tip.style.top = `${event.clientY + 18 + box.height > innerHeight ? event.clientY - box.height - 12 : event.clientY + 18}px`;
  };
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const unit = event.deltaMode === 1 ? 16 : 1;
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey) {
      pan(((event.deltaX || event.deltaY) * unit) / (width - GUTTER));
    } else {
      const at = momentOf(event.clientX - canvas.getBoundingClientRect().left);
      zoom(1.0025 ** Math.max(-300, Math.min(300, event.deltaY * unit)), Math.max(view.from, at));
    }
  }, { passive: false });
  let drag = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    drag = { x: event.clientX, from: view.from, to: view.to, moved: false };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (drag) {
      const by = event.clientX - drag.x;
      if (Math.abs(by) > 3) drag.moved = true;
      if (!drag.moved) return;
      canvas.classList.add("drags");
      const shift = (by / (width - GUTTER)) * (drag.to - drag.from);
      tip.hidden = true;
      return setView(drag.from - shift, drag.to - shift);
    }
    const test = hit(event);
    canvas.classList.toggle("over", Boolean(test));
    if (test !== hovered) { hovered = test; invalidate(); }
    showTip(event, test);
  });
  canvas.addEventListener("pointerup", (event) => {
    const clicked = drag && !drag.moved;
    drag = null;
    canvas.classList.remove("drags");
    if (clicked) choose(hit(event), { scroll: true });
  });
  canvas.addEventListener("pointercancel", () => { drag = null; });
  canvas.addEventListener("pointerleave", () => {
    tip.hidden = true;
    if (hovered) { hovered = null; invalidate(); }
  });
  canvas.addEventListener("dblclick", (event) => { const test = hit(event); if (test) zoomTo(test); });

  let scrub = false;
  const scrubTo = (event) => {
    const box = overview.getBoundingClientRect();
    const at = ((event.clientX - box.left - GUTTER) / (box.width - GUTTER)) * run.took;
    const half = (view.to - view.from) / 2;
    setView(at - half, at + half);
  };
  overview.addEventListener("pointerdown", (event) => { scrub = true; overview.setPointerCapture(event.pointerId); scrubTo(event); });
  overview.addEventListener("pointermove", (event) => { if (scrub) scrubTo(event); });
  overview.addEventListener("pointerup", () => { scrub = false; });

  const zoomTo = (test) => {
    const margin = test.took * 0.25 + SHORTEST;
    glideTo(test.began - margin, test.ended + margin);
  };
  by("in").addEventListener("click", () => zoom(0.5, undefined, true));
  by("out").addEventListener("click", () => zoom(2, undefined, true));
  by("all").addEventListener("click", () => glideTo(0, run.took));

  // ---- search ----

  const sorts = {
    name: { label: "Test", of: (test) => test.name, up: true },
    took: { label: "Total", of: (test) => test.took },
    setup: { label: "Set-up", of: (test) => test.setup },
    waited: { label: "Wait", of: (test) => test.waited },
    body: { label: "Body", of: (test) => test.body },
    teardown: { label: "Teardown", of: (test) => test.teardown },
    began: { label: "Began", of: (test) => test.began, up: true },
  };
  let sort = { key: "took", up: false };
  const refresh = () => {
    const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
    const isWanted = (test) => (!badOnly || test.isBad)
      && words.every((word) => test.name.toLowerCase().includes(word) || run.programs[test.program].name.toLowerCase().includes(word));
    matches = tests.filter(isWanted);
    matching = words.length || badOnly ? new Set(matches.map((test) => test.index)) : null;
    const { of } = sorts[sort.key];
    matches.sort((a, b) => {
      const [x, y] = [of(a), of(b)];
      const order = x < y ? -1 : x > y ? 1 : a.index - b.index;
      return sort.up ? order : -order;
    });
    by("found").textContent = matching ? `${number(matches.length)} of ${number(tests.length)}` : "";
    by("scroll").scrollTop = 0;
    listRows();
    invalidate();
  };
  const nextFound = (by) => {
    if (!matches.length) return;
    const at = matches.indexOf(chosen);
    const next = matches[(at + by + matches.length) % matches.length];
    choose(next, { scroll: true, reveal: true });
  };
  by("search").addEventListener("input", (event) => { wanted = event.target.value; refresh(); });
  by("search").addEventListener("keydown", (event) => {
    if (event.key === "Enter") nextFound(event.shiftKey ? -1 : 1);
    if (event.key === "Escape") { wanted = event.target.value = ""; refresh(); canvas.focus(); }
  });
  by("bad").addEventListener("change", (event) => { badOnly = event.target.checked; refresh(); });

  // ---- the list ----

  const ROW = 31;
  for (const [key, { label }] of Object.entries(sorts)) {
    by("columns").append(make("th", { scope: "col", "data-key": key },
      make("button", {
        type: "button",
        onclick: () => {
          sort = { key, up: sort.key === key ? !sort.up : Boolean(sorts[key].up) };
          by("list-title").textContent = sort.key === "took" && !sort.up ? "Slowest first" : `By ${label.toLowerCase()}`;
          refresh();
        },
      }, label)));
  }
  const longest = slowest.took || 1;
  const cell = (seconds) => make("td", { class: seconds ? "" : "zero" }, seconds ? time(seconds) : "–");
  const rowOf = (test) => {
    const meter = make("span", { class: "meter" });
    meter.style.width = `${Math.max(2, (test.took / longest) * 60)}px`;
    const row = make("tr", { class: `row${test.isBad ? " is-bad" : ""}${test === chosen ? " chosen" : ""}`, "data-test": test.index },
      make("td", { class: "name", title: test.name }, test.isBad ? "✗ " : "", test.name),
      make("td", {}, meter, time(test.took)),
      cell(test.setup), cell(test.waited), cell(test.body), cell(test.teardown), make("td", {}, test.began ? time(test.began) : "0 ms"));
    row.addEventListener("click", () => choose(test, { reveal: true }));
    row.addEventListener("dblclick", () => zoomTo(test));
    return row;
  };
  // Rows out of sight are two tall ones, so that thousands cost no more than what is seen.
  const listRows = () => {
    for (const head of by("columns").children) {
      if (head.dataset.key === sort.key) head.setAttribute("aria-sort", sort.up ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    }
    const scroll = by("scroll");
    if (!matches.length) {
      const none = make("tr", { class: "empty" }, make("td", { colspan: 7 }, badOnly && !wanted ? "No test has failed." : "No test has such a name."));
      return by("rows").replaceChildren(none);
    }
    const first = Math.max(0, Math.floor(scroll.scrollTop / ROW) - 10);
    const last = Math.min(matches.length, first + Math.ceil(scroll.clientHeight / ROW) + 20);
    const filler = (rows) => {
      const row = make("tr", { "aria-hidden": "true" }, make("td", { colspan: 7 }));
      row.firstChild.style.cssText = `height:${rows * ROW}px;padding:0;border:0`;
      return row;
    };
    by("rows").replaceChildren(...(first ? [filler(first)] : []), ...matches.slice(first, last).map(rowOf),
      ...(last < matches.length ? [filler(matches.length - last)] : []));
    by("list").setAttribute("aria-rowcount", matches.length);
  };
  by("scroll").addEventListener("scroll", listRows, { passive: true });

  // ---- one test ----

  const details = by("details");
  const showDetails = () => {
    if (!chosen) {
      details.replaceChildren(make("h2", { id: "details-title" }, "No test is chosen"),
        make("p", { class: "where" }, "Click one in the timeline or in the list to see its fixtures, its waits and why it failed."));
      return;
    }
    const test = chosen;
    const program = run.programs[test.program];
    const style = test.isBad ? "bad" : test.outcome === "passed" ? "good" : "";
    const parts = make("div", { class: "parts", role: "img", "aria-label": "Its phases" });
    const phases = make("tbody", {});
    for (const [what, label, seconds] of [["setup", "Set-up", test.setup], ["wait", "Wait", test.waited],
      [test.isBad ? "failed" : "body", "Body", test.body], ["teardown", "Teardown", test.teardown]]) {
      if (!seconds) continue;
      const piece = make("div", { class: what });
      piece.style.flex = `${(seconds / test.took) * 100} 0 0`;
      parts.append(piece);
      phases.append(make("tr", {}, make("td", {}, make("span", { class: `dot ${what}` })), make("td", { class: "what" }, label), make("td", {}, time(seconds))));
    }
    const steps = make("tbody", {});
    for (const step of test.steps) {
      const words = { setup: "set-up of ", teardown: "teardown of ", wait: "waits for " }[step.kind];
      const scope = step.scope && step.scope !== "test" ? ` (${step.scope})` : "";
      steps.append(make("tr", {}, make("td", {}, make("span", { class: `dot ${step.failed ? "failed" : step.kind}` })),
        make("td", { class: "what" }, words, make("code", {}, step.name), scope, step.failed ? make("b", { class: "bad" }, " failed") : ""),
        make("td", {}, time(step.ended - step.began))));
    }
    const where = `${program.name === "nextest" ? "" : `${program.name} · `}process ${test.process} · lane ${test.lane + 1} · began at ${time(test.began)}`;
    details.replaceChildren(make("h2", { id: "details-title" }, test.name), make("p", { class: "where" }, where),
      make("p", {}, make("span", { class: `outcome ${style}` }, test.outcome), ` in ${time(test.took)} `), parts,
      make("table", {}, phases), make("p", { style: "margin-top:10px" }, make("button", { type: "button", id: "zoom-to", onclick: () => zoomTo(test) }, "Zoom to it")));
    if (test.steps.length) details.append(make("h3", {}, "Fixtures and waits, in their order"), make("table", {}, steps));
    if (test.errors.length) {
      details.append(make("h3", {}, test.outcome === "skipped" ? "Why it was skipped" : "What went wrong"), ...test.errors.map((error) => make("pre", {}, error)));
    }
    details.scrollTop = 0;
  };
  /** Chooses a test; `scroll` shows it in the list, `reveal` in the timeline. */
  const choose = (test, { scroll = false, reveal = false } = {}) => {
    chosen = test;
    showDetails();
    if (test && scroll) {
      const at = matches.indexOf(test);
      const box = by("scroll");
      if (at >= 0 && (at * ROW < box.scrollTop || (at + 2) * ROW > box.scrollTop + box.clientHeight)) {
        box.scrollTop = Math.max(0, at * ROW - box.clientHeight / 3);
      }
    }
    if (test && reveal && (test.began < view.from || test.ended > view.to || xOf(test.ended) - xOf(test.began) < 24)) {
      const half = Math.max((view.to - view.from) / 2, test.took);
      const tight = Math.min(half, Math.max(test.took * 5, SHORTEST));
      glideTo((test.began + test.ended) / 2 - tight, (test.began + test.ended) / 2 + tight);
    }
    listRows();
    invalidate();
  };

  // ---- keys ----

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input[type=search]")) return;
    const keys = {
      "+": () => zoom(0.5, undefined, true), "=": () => zoom(0.5, undefined, true), "-": () => zoom(2, undefined, true),
      0: () => glideTo(0, run.took), "/": () => by("search").focus(),
      j: () => nextFound(1), k: () => nextFound(-1), z: () => chosen && zoomTo(chosen),
      ArrowLeft: () => pan(-0.15), ArrowRight: () => pan(0.15),
      Escape: () => choose(null),
    };
    const act = keys[event.key] || keys[event.key.toLowerCase()];
    if (!act || (event.key.startsWith("Arrow") && event.target !== canvas && event.target !== document.body)) return;
    event.preventDefault();
    act();
  });

  new ResizeObserver(invalidate).observe(canvas);
  applyTheme();
  showDetails();
  refresh();
  // There is always something to look at: what failed first, or else what is slowest.
  choose(tests.find((test) => test.isBad) || slowest, { scroll: true });
})();
