// What a kiosk needs beside its pages: digits to touch, signs of life, a warning before it forgets a visitor, and no way
// out. It runs on the stage and in the wizard's frame; without it everything but the digits still works.
"use strict";

(() => {
  const stage = document.body.classList.contains("stage");
  const touches = ["pointerdown", "keydown", "wheel"];

  // Digits
  document.addEventListener("click", (event) => {
    const key = event.target.closest("[data-digit]");
    if (!key) return;
    const field = document.getElementById("code");
    field.value = key.dataset.digit ? (field.value + key.dataset.digit).slice(0, 6) : field.value.slice(0, -1);
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });

  // No way out: nothing is opened elsewhere, and no file is dropped into the window.
  const inside = (link) => link.origin === location.origin && !link.hasAttribute("download");
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (link && !inside(link)) event.preventDefault();
  }, true);
  for (const name of ["dragover", "drop", "contextmenu"]) document.addEventListener(name, (event) => event.preventDefault());

  if (!stage) {
    // Whoever has registered has time for the machine; whoever taps the QR code wants the phone.
    document.addEventListener("click", (event) => { if (event.target.closest("a.tap")) parent.postMessage({ side: "phone" }, location.origin); });
    const tell = () => {
      if (document.querySelector("#step[data-step=register] .passport")) parent.postMessage({ side: "machine" }, location.origin);
    };
    document.addEventListener("htmx:after:swap", tell);
    tell();
    return;
  }

  // Signs of life, told to the kiosk at most each few seconds
  const idle = Number(document.body.dataset.idle) * 1000;
  const warning = Number(document.body.dataset.warning) * 1000;
  const TELL = Math.min(5000, idle / 4);
  const box = document.querySelector(".stage > .warning");
  const left = box.querySelector("[data-left]");
  let touched = performance.now();
  let told = touched;
  let before = null;

  const home = () => location.replace("/");

  async function tell(path) {
    told = performance.now();
    try {
      const answer = await fetch(path, { method: "POST" });
      if (!answer.ok) home();
    } catch {
      // The kiosk does not answer: it will be asked again at the next touch.
    }
  }

  function touch() {
    if (!box.hidden) return;
    touched = performance.now();
    if (touched - told > TELL) tell("/touch");
  }

  function stay() {
    box.hidden = true;
    touched = performance.now();
    tell("/touch");
    before?.focus();
  }

  async function look() {
    const still = performance.now() - touched;
    if (still < idle) return;
    if (box.hidden) {
      before = document.activeElement;
      box.hidden = false;
      box.querySelector("button").focus();
    }
    left.textContent = Math.max(0, Math.ceil((idle + warning - still) / 1000));
    if (still >= idle + warning) {
      clearInterval(timer);
      await tell("/end");
      home();
    }
  }

  box.querySelector("button").addEventListener("click", stay);
  box.addEventListener("keydown", (event) => { if (event.key === "Tab") event.preventDefault(); });
  const listen = (page) => touches.forEach((name) => page.addEventListener(name, touch, { capture: true, passive: true }));
  listen(document);
  for (const frame of document.querySelectorAll("iframe")) {
    const attach = () => frame.contentDocument && listen(frame.contentDocument);
    frame.addEventListener("load", attach);
    attach();
  }
  const timer = setInterval(look, 250);

  window.addEventListener("message", ({ origin, data }) => {
    const choice = origin === location.origin && document.querySelector(`[name=side][value="${data.side === "machine" ? "machine" : "phone"}"]`);
    if (choice) choice.checked = true;
  });

  // What time has done is seen in the wizard, too.
  document.addEventListener("htmx:after:request", ({ detail }) => {
    if (detail.ctx.request?.method === "POST") document.querySelector("iframe.wizard").contentWindow.location.reload();
  });
})();
