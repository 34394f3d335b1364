// Says before the session ends that it will, and offers to go on. Each answer of the wizard tells how long it goes on:
// another tab may have been used meanwhile, so it is asked once more before anybody is alarmed.
"use strict";

(() => {
  const box = document.getElementById("ending");
  const HEADER = "Session-Left";
  const SETTLED = 1000; // milliseconds after the end, so that both clocks agree that it is over
  const before = Number(box.dataset.before);
  let ends; // when, by this page's clock: without another click, and in any case
  let timer;
  let ticking;

  function learn(left) {
    const [idle, over] = left.split(/[ ,]+/).map((ms) => performance.now() + Number(ms));
    ends = { idle, over };
    clearTimeout(timer);
    if (Math.min(idle, over) - performance.now() > before) show(null);
    timer = setTimeout(ask, Math.max(0, Math.min(idle, over) - before - performance.now()));
  }

  async function ask() {
    clearTimeout(timer);
    const answer = await fetch(box.dataset.ask).catch(() => null);
    if (!answer || answer.status >= 500) {
      timer = setTimeout(ask, before / 4); // the wizard does not answer, which is said elsewhere
      return;
    }
    const left = answer.headers.get(HEADER);
    if (!left) return leave();
    learn(left);
    const until = Math.min(ends.idle, ends.over);
    if (until - performance.now() > before) return;
    show(ends.idle < ends.over ? "idle" : "over");
    clearTimeout(timer);
    timer = setTimeout(ask, until - performance.now() + SETTLED);
  }

  // Back to where one was, by way of signing in; unless a file is on its way, which goes on by itself. For that reason
  // the page goes there, and not whatever it asks in the background.
  function leave() {
    if (document.querySelector("form.busy")) return show("ended");
    const next = encodeURIComponent(location.pathname + location.search);
    location.assign(`${box.dataset.door}?next=${next}`);
  }

  function show(when) {
    clearInterval(ticking);
    box.hidden = !when;
    for (const part of box.querySelectorAll("[data-when]")) part.hidden = !part.dataset.when.split(" ").includes(when);
    if (when === "idle" || when === "over") {
      count(when);
      ticking = setInterval(count, 1000, when);
    }
  }

  function count(when) {
    const seconds = Math.max(0, Math.ceil((ends[when] - performance.now()) / 1000));
    const words = document.body.dataset;
    const pattern = seconds < 60 ? words.seconds : words.minutes;
    const values = { m: Math.floor(seconds / 60), s: seconds % 60 };
    const text = pattern.replace(/\{(\w)\}/g, (_, name) => values[name]);
    box.querySelector(`[data-when=${when}] .countdown`).textContent = text;
  }

  box.querySelector("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = event.target;
    const sent = { method: "POST", body: new URLSearchParams(new FormData(form)) };
    const answer = await fetch(form.action, sent).catch(() => null);
    const left = answer?.headers.get(HEADER);
    if (left) learn(left);
    else if (answer) leave();
  });
  document.addEventListener("htmx:after:request", (event) => {
    const left = event.detail.ctx.response?.headers?.get(HEADER);
    if (left) learn(left);
  });
  learn(box.dataset.left);
})();
