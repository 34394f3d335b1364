// The upload page: looks at the file that is chosen, sends it so that it arrives whatever happens, and says what is
// going on. Nothing is kept in the browser: the server knows what has arrived. Without this file the form sends it.
"use strict";

(() => {
  const ASSUMED_SPEED = 2.5e6; // bytes a second, in a slow office network; until a better one was measured
  const WINDOW = 6000; // milliseconds of which the speed is the average
  const QUARTER = 25; // percent between two announcements
  const units = [[1e9, "GB"], [1e6, "MB"], [1e3, "kB"]];
  let speedHere = 0;
  let largest; // bytes that a file may have
  let current = null;
  const chosen = new WeakMap(); // what is known of the file of a form, and what will be

  function size(bytes) {
    const [factor, unit] = units.find(([factor]) => bytes >= factor) ?? [1, "B"];
    const amount = bytes / factor;
    return `${amount >= 10 ? Math.round(amount) : amount.toFixed(1)} ${unit}`;
  }

  const filled = (pattern, values) => pattern.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

  function time(seconds) {
    const words = document.body.dataset;
    const whole = Math.ceil(seconds);
    if (whole < 60) return filled(words.seconds, { s: whole });
    if (whole < 3600) return filled(words.minutes, { m: Math.floor(whole / 60), s: whole % 60 });
    return filled(words.hours, { h: Math.floor(whole / 3600), m: Math.floor((whole % 3600) / 60) });
  }

  const percent = (part, whole) => Math.floor((100 * part) / whole);
  const announce = (text) => { document.getElementById("announcement").textContent = text; };

  // The words are in the page, in the language of its reader.
  const wordsOf = (form) => form.querySelector("template[data-words]").content;
  const words = (form, name, values = {}) =>
    filled(wordsOf(form).querySelector(`[data-word="${name}"]`).textContent.trim(), values);

  function setText(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  function showProblem(form, name, values = {}) {
    document.getElementById("problem")?.remove();
    if (!name) return;
    const box = wordsOf(form).querySelector(`[data-problem="${name}"]`).cloneNode(true);
    box.id = "problem";
    for (const part of box.querySelectorAll("[data-fill]")) part.textContent = filled(part.textContent, values);
    form.querySelector(".drop").after(box);
  }

  // Choosing

  const unfinished = (mark) => document.querySelector(`.unfinished[data-mark="${CSS.escape(mark)}"]`);

  function showSeen(form, file, seen) {
    const list = form.querySelector("[data-seen]");
    list.hidden = Boolean(seen.wrong && seen.isCertain);
    if (list.hidden) return "send";
    const known = unfinished(seen.mark ?? "");
    const offset = known ? Number(known.dataset.offset) : 0;
    const speed = speedHere || ASSUMED_SPEED;
    list.querySelector("[data-kind]").textContent = words(form, `kind-${seen.kind}`);
    list.querySelector("[data-image]").textContent = seen.name || words(form, "unseen");
    list.querySelector("[data-time]").textContent = words(form, speedHere ? "takes-measured" : "takes-assumed", {
      time: time((file.size - offset) / speed), speed: size(speed),
    });
    const here = known ? words(form, "here", { percent: percent(offset, file.size) }) : "";
    list.querySelector("[data-here]").textContent = here;
    return known ? "resume" : "send";
  }

  // The server says how large a file may be.
  async function largestAt(address) {
    const answer = await fetch(address, { method: "OPTIONS", headers: (await modules())[1].credentials() }).catch(() => null);
    return Number(answer?.headers.get("Tus-Max-Size")) || Infinity;
  }

  async function lookAt(file, form) {
    const [{ look }] = await modules();
    largest ??= await largestAt(form.dataset.uploads);
    return look(file, { largest, repository: form.dataset.repository });
  }

  async function picked(input) {
    const { form, files: [file] } = input;
    for (const name of ["aria-invalid", "aria-describedby"]) input.removeAttribute(name);
    showProblem(form, null);
    form.querySelector("[data-seen]").hidden = true;
    if (!file) return chosen.delete(form);
    form.querySelector("[data-picked]").textContent = `${file.name} · ${size(file.size)}`;
    const looking = lookAt(file, form);
    chosen.set(form, { file, looking });
    const seen = await looking;
    if (chosen.get(form)?.file !== file) return undefined;
    const button = form.querySelector("[data-go]");
    const label = showSeen(form, file, seen);
    button.textContent = words(form, seen.wrong ? "anyway" : label);
    button.hidden = Boolean(seen.wrong && seen.isCertain);
    if (!seen.wrong) return announce([file.name, size(file.size), seen.name].filter(Boolean).join(", "));
    showProblem(form, seen.wrong, { size: size(file.size), limit: size(largest), name: seen.name });
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", "problem");
    return announce(document.querySelector("#problem strong").textContent);
  }

  // Sending

  class Show {
    constructor(form, file) {
      Object.assign(this, { form, file, panel: form.querySelector(".sending") });
      Object.assign(this, { samples: [], quarter: 0, isLost: false, begun: false });
      this.part("name").textContent = file.name;
      this.polls = setInterval(() => this.look(), 1000);
    }

    part(name) {
      return this.panel.querySelector(`[data-${name}]`);
    }

    doing(name, values) {
      setText(this.part("doing"), words(this.form, name, values));
    }

    open() {
      showProblem(this.form, null);
      this.form.classList.add("busy");
      this.panel.hidden = false;
      this.doing("starting");
      this.label(false);
      this.part("pause").focus();
    }

    close() {
      clearInterval(this.polls);
      this.form.classList.remove("busy", "whole");
      this.panel.hidden = true;
    }

    label(isPaused) {
      const button = this.part("pause");
      setText(button, words(this.form, isPaused ? "go-on" : "pause"));
    }

    going(offset) {
      this.samples = [];
      this.arrived(offset, true);
      const at = { percent: percent(offset, this.file.size) };
      const name = this.begun || offset ? "going-on" : "sending";
      if (offset < this.file.size) {
        this.doing(name, at);
        announce(words(this.form, name, at));
      }
      this.quarter = Math.floor(at.percent / QUARTER);
      Object.assign(this, { begun: true, isLost: false });
    }

    arrived(offset, isFresh = false) {
      const now = performance.now();
      if (!isFresh && offset < this.file.size && now - (this.samples.at(-1)?.at ?? 0) < 200) return;
      this.samples.push({ at: now, offset });
      while (now - this.samples[0].at > WINDOW) this.samples.shift();
      const [first] = this.samples;
      if (now - first.at > 500) speedHere = (1000 * (offset - first.offset)) / (now - first.at);
      const share = percent(offset, this.file.size);
      this.panel.querySelector("progress").value = share;
      const [done, total] = [size(offset), size(this.file.size)];
      setText(this.part("sent"), words(this.form, "sent", { done, total, percent: share }));
      const isKnown = speedHere > 0 && now - first.at > 500;
      const pace = () => ({ speed: size(speedHere), left: time((this.file.size - offset) / speedHere) });
      setText(this.part("pace"), isKnown ? words(this.form, "pace", pace()) : "");
      if (!isFresh) this.tellQuarter(share);
    }

    tellQuarter(share) {
      const quarter = Math.floor(share / QUARTER);
      if (quarter <= this.quarter || share >= 100) return;
      this.quarter = quarter;
      announce(words(this.form, "quarter", { percent: quarter * QUARTER }));
    }

    waiting({ reason, seconds }) {
      setText(this.part("pace"), "");
      this.doing(`lost-${reason}`, { s: seconds });
      if (!this.isLost) announce(words(this.form, "lost"));
      this.isLost = true;
    }

    paused() {
      setText(this.part("pace"), "");
      this.doing("paused");
      announce(words(this.form, "paused"));
    }

    whole() {
      this.form.classList.add("whole");
      setText(this.part("pace"), "");
      this.doing("checking");
      announce(words(this.form, "checking"));
    }

    // What has been seen in the file so far. It takes the place of what stood there only when it says more.
    async look() {
      const { id } = current?.sending ?? {};
      if (!id || this.isLost || this.isLooking || current.sending.isPaused) return;
      this.isLooking = true;
      try {
        const answer = await fetch(`${this.form.dataset.uploads}${id}/passport`, { headers: (await modules())[1].credentials(), redirect: "error" });
        if (answer.status !== 200) return;
        const text = await answer.text();
        if (text !== this.seen) this.part("passport").innerHTML = text;
        this.seen = text;
      } catch { /* what is lost is said by the sending itself */ } finally {
        this.isLooking = false;
      }
    }
  }

  async function begin(form) {
    const { file, looking } = chosen.get(form);
    const [{ Sending }] = (await modules()).slice(1);
    const seen = await looking;
    if (current || !form.isConnected) return;
    if (seen.wrong && seen.isCertain) {
      document.getElementById("problem")?.focus();
      return;
    }
    const known = unfinished(seen.mark);
    if (known) known.hidden = true;
    const show = new Show(form, file);
    const sending = new Sending({
      file, address: form.dataset.uploads, token: form.elements.csrf_token.value, mark: seen.mark,
      id: known?.dataset.upload ?? "", tell: (what, detail) => show[what](detail),
    });
    current = { form, show, sending };
    show.open();
    await follow(current, sending.run());
  }

  const ends = {
    received: ({ form, show, sending }) => hand(form, show, sending),
    refused: ({ form, show, sending }) => hand(form, show, sending), // whoever hands it in is told why
    declined: (job, text) => giveUp(job, "declined", saidIn(text)),
    "signed-out": (job) => giveUp(job, "signed-out"),
    unreadable: (job) => giveUp(job, "unreadable"),
    stopped: () => {},
    left: ({ show }) => { show.close(); current = null; },
  };

  async function follow(job, run) {
    const { outcome, detail } = await run;
    ends[outcome](job, detail);
  }

  // The file is there: the step is submitted with it, as any form is.
  function hand(form, show, sending) {
    show.whole();
    const arrived = document.querySelector("form.arrived");
    arrived.elements.upload.value = sending.id;
    arrived.requestSubmit();
  }

  // What happened, and beneath it why, and what to do.
  function saidIn(text) {
    const [happened, ...said] = text.trim().split("\n");
    return { happened, said: said.join(" ").slice(0, 400) };
  }

  function giveUp({ form, show }, name, values) {
    show.close();
    current = null;
    showProblem(form, name, values);
    document.getElementById("problem").focus();
    announce(document.querySelector("#problem strong").textContent);
  }

  async function stop({ form, show, sending }) {
    const isKnown = await sending.stop();
    document.querySelector(`.unfinished[data-upload="${sending.id}"]`)?.remove();
    show.close();
    current = null;
    showProblem(form, isKnown ? "stopped" : "unheard");
    announce(document.querySelector("#problem strong").textContent);
    form.querySelector("[data-go]").textContent = words(form, "send");
    form.querySelector("[data-here]").textContent = "";
    form.querySelector("[data-go]").focus();
  }

  // Events

  // What looks at files, and what sends them: a page on which nobody comes near a file does without.
  let loading;

  function modules() {
    loading ??= Promise.all([import("./upload-file.js"), import("./upload-send.js")]).catch((error) => {
      loading = undefined; // the next one who asks tries again
      throw error;
    });
    return loading;
  }

  // By the time that a file is chosen they are there.
  for (const name of ["pointerover", "focusin", "dragover"]) {
    document.addEventListener(name, (event) => {
      if (event.target.closest?.("form[data-upload]")) modules().catch(() => {});
    });
  }

  // htmx never hears of a form whose file goes another way.
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-upload]");
    if (!form || !chosen.has(form)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    begin(form);
  }, true);

  document.addEventListener("click", (event) => {
    if (!current) return;
    const { show, sending } = current;
    if (event.target.matches("[data-stop]")) stop(current);
    if (!event.target.matches("[data-pause]")) return;
    const pauses = !sending.isPaused;
    if (pauses) sending.pause();
    else sending.goOn();
    show.label(pauses);
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches("form[data-upload] input[type=file]")) picked(event.target);
  });

  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
    // a large image is checked as long as it takes
    if (ctx.sourceElement.matches("form.arrived")) clearTimeout(ctx.requestTimeout);
  });

  // Nobody answered: ask what is there, and hand it in again.
  document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
    if (current && ctx?.sourceElement?.matches("form.arrived")) {
      current.show.form.classList.remove("whole");
      follow(current, current.sending.again());
    }
  });

  // What takes the place of the step takes its upload with it; nothing of it is lost.
  document.addEventListener("htmx:after:swap", () => {
    if (!current || current.form.isConnected) return;
    clearInterval(current.show.polls);
    current.sending.leave();
    current = null;
  });

  for (const [name, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
    document.addEventListener(name, (event) => {
      const area = event.target.closest?.(".drop");
      if (!area) return;
      event.preventDefault();
      area.classList.toggle("over", over);
      if (name === "drop" && event.dataTransfer.files.length) {
        const input = area.querySelector("input[type=file]");
        input.files = event.dataTransfer.files;
        picked(input);
      }
    });
  }
})();
