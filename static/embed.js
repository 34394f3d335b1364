// Inside another application's frame: keeps the bearer fresh while the page is used, and tells the page around the frame
// what happens, that page alone. The messages are documented in docs/embedding.md.
"use strict";

(() => {
  const SOURCE = "fineops-registration-wizard";
  const VERSION = 1;
  const RENEWED = "Wizard-Bearer";
  const HEADERS = "hx-headers:inherited";
  const LOOKS = 5000; // milliseconds between two looks at the time left
  const WARNED = 120_000; // milliseconds before the end
  const { body } = document;
  const { parent: origin } = body.dataset;
  const life = Number(body.dataset.life);
  const said = {}; // the last message of each type
  let until = performance.now() + life;
  let isUsed = false;
  let isOver = !life;

  function tell(type, detail = {}) {
    const text = JSON.stringify(detail);
    if (!origin || window.parent === window || said[type] === text) return;
    said[type] = text;
    window.parent.postMessage({ source: SOURCE, version: VERSION, type, ...detail }, origin);
  }

  // What happened, as the step on the page has it

  function report() {
    if (document.querySelector("[data-ended]")) return end();
    const step = document.getElementById("step")?.dataset;
    if (!step?.registration) return undefined;
    const { registration, project } = step;
    tell("step", {
      registration, project, step: step.step, position: Number(step.position), count: Number(step.count),
    });
    if (step.registered) tell("registered", { registration, project, at: step.registered });
    if (!step.failed) delete said.failed;
    else tell("failed", { registration, project, step: step.step, happened: step.failed, why: step.why, todo: step.todo });
    return undefined;
  }

  function measure() {
    const { width, height } = body.getBoundingClientRect();
    if (width) tell("resize", { height: Math.ceil(height) }); // a frame that is hidden has none
  }

  new ResizeObserver(measure).observe(body);

  // The bearer

  const headers = () => JSON.parse(body.getAttribute(HEADERS) ?? "{}");

  function take(answer) {
    const fresh = answer.headers.get(RENEWED);
    if (!fresh || isOver) return;
    body.setAttribute(HEADERS, JSON.stringify({ ...headers(), Authorization: `Bearer ${fresh}` }));
    [until, isUsed] = [performance.now() + life, false];
    document.getElementById("ending").hidden = true;
  }

  async function renew() {
    isUsed = false;
    const answer = await fetch("/embed/renew", { method: "POST", headers: headers() }).catch(() => null);
    if (answer?.status === 401) end();
    else if (answer) take(answer);
  }

  // An upload and a deployment are work, too, although nobody moves a finger.
  const isBusy = () => document.querySelector("form.busy, .phases .running") !== null;

  function look() {
    if (isOver) return;
    const left = until - performance.now();
    if (left <= 0) end();
    else if (left < life / 2 && (isUsed || isBusy())) renew();
    else warn(left);
  }

  function warn(left) {
    const note = document.getElementById("ending");
    if (!note || left > WARNED) return;
    const count = note.querySelector("[data-ending]");
    count.dataset.leftMs = Math.round(left); // wizard.js counts it down
    note.hidden = false;
  }

  function end() {
    if (!isOver) {
      isOver = true;
      body.removeAttribute(HEADERS);
      const words = document.getElementById("ended");
      if (words && !document.querySelector("[data-ended]")) {
        document.getElementById("content").replaceChildren(narrow(words.content.cloneNode(true)));
      }
      const note = document.getElementById("ending");
      if (note) note.hidden = true;
      document.querySelector("[data-ended]")?.focus();
    }
    tell("ended");
  }

  function narrow(words) {
    const main = document.createElement("main");
    main.className = "narrow";
    main.append(words);
    return main;
  }

  for (const name of ["pointerdown", "keydown", "wheel", "touchstart"]) {
    document.addEventListener(name, () => { isUsed = true; }, { passive: true });
  }
  document.addEventListener("visibilitychange", look);
  document.addEventListener("click", (event) => {
    if (event.target.matches("[data-stay]")) renew();
  });
  document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
    if (ctx.response?.headers) take(ctx.response);
  });
  document.addEventListener("htmx:after:swap", report);
  // The history is that of the page around the frame. Over https the frame's address follows, so that it can be loaded
  // again; without a cookie none could.
  document.addEventListener("htmx:before:history:update", (event) => {
    event.detail.history.type = "replace";
    if (body.classList.contains("plain")) event.preventDefault();
  });
  if (life) setInterval(look, LOOKS);
  body.classList.add("ready");
  report();
})();
