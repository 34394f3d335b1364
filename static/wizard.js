// What the pages cannot do by themselves: the time of day here, countdowns, copying, and where the focus goes after a
// swap. Without this file everything still works.
"use strict";

(() => {
  const two = (number) => String(number).padStart(2, "0");

  // Times of day arrive in UTC; they are shown in the zone of the reader.
  function localise(root) {
    for (const time of root.querySelectorAll("time[data-clock]")) {
      const at = new Date(time.dateTime);
      const parts = {
        yyyy: at.getFullYear(), MM: two(at.getMonth() + 1), M: at.getMonth() + 1, dd: two(at.getDate()), d: at.getDate(),
        HH: two(at.getHours()), mm: two(at.getMinutes()), ss: two(at.getSeconds()),
      };
      const form = time.dataset.clock.replace("yyyy-MM-dd", document.body.dataset.date);
      time.textContent = form.replace(/yyyy|MM?|dd?|HH|mm|ss/g, (part) => parts[part]);
    }
  }

  function spoken(ms) {
    const seconds = Math.max(0, Math.ceil(ms / 1000));
    const words = document.body.dataset;
    const [pattern, values] =
      seconds < 60 ? [words.seconds, { s: seconds }]
        : seconds < 3600 ? [words.minutes, { m: Math.floor(seconds / 60), s: seconds % 60 }]
          : [words.hours, { h: Math.floor(seconds / 3600), m: Math.floor((seconds % 3600) / 60) }];
    return pattern.replace(/\{(\w)\}/g, (_, name) => values[name]);
  }

  // The server says how many milliseconds are left, so that nobody compares two clocks. When it is over, the page asks
  // what follows, again and again until an answer takes the countdown's place.
  const BETWEEN_ASKS = 2000;
  const deadlines = new WeakMap();

  function deadline(element) {
    const known = deadlines.get(element);
    if (known && known.left === element.dataset.leftMs) return known;
    const fresh = { left: element.dataset.leftMs, at: performance.now() + Number(element.dataset.leftMs), asks: 0 };
    deadlines.set(element, fresh);
    return fresh;
  }

  function tick() {
    for (const element of document.querySelectorAll("[data-left-ms]")) {
      const until = deadline(element);
      const left = until.at - performance.now();
      if (element.tagName === "PROGRESS") element.value = Math.max(0, left / 1000);
      else element.textContent = spoken(left);
      if (left < -50 && performance.now() >= until.asks && element.matches("[hx-trigger=over]")) {
        until.asks = performance.now() + BETWEEN_ASKS;
        element.dispatchEvent(new Event("over"));
      }
    }
  }

  async function copy(button) {
    const source = document.getElementById(button.dataset.copy);
    const text = (source.value ?? source.textContent).trim();
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Plain http has no clipboard API: select the text, and ask the browser the old way.
      window.getSelection().selectAllChildren(source);
      document.execCommand("copy");
    }
    const label = button.textContent;
    button.textContent = button.dataset.copied;
    announce(button.dataset.copied);
    setTimeout(() => { button.textContent = label; }, 1500);
  }

  function announce(text) {
    document.getElementById("announcement").textContent = text;
  }

  // After a swap the focus follows what happened: to the problem, or to the heading of a step that is new.
  let shown = document.getElementById("step")?.dataset.step;

  function settle() {
    const step = document.getElementById("step");
    localise(document);
    tick();
    if (!step) return;
    const problem = step.querySelector("#problem");
    const invalid = step.querySelector("[aria-invalid]");
    const lost = document.activeElement === document.body;
    if (lost && problem) (invalid ?? problem).focus();
    else if (step.dataset.step !== shown || lost) step.querySelector("h1")?.focus({ preventScroll: step.dataset.step === shown });
    shown = step.dataset.step;
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
  });
  // A wizard that does not answer is said, until it answers again. What a press gets is shown in place of the step;
  // what a page that asks by itself gets from a wizard in trouble is no answer.
  const silence = (silent) => { document.getElementById("silence").hidden = !silent; };
  const isInVain = ({ sourceElement, response }) => response.status >= 500 && sourceElement.matches("[hx-trigger^=every], [hx-trigger=over]");
  document.addEventListener("htmx:error", () => silence(true));
  document.addEventListener("htmx:after:request", (event) => silence(isInVain(event.detail.ctx)));
  document.addEventListener("htmx:after:swap", settle);
  localise(document);
  tick();
  setInterval(tick, 250);
})();
