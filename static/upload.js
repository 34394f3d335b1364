// Sends the image as the whole body of the request, with its progress. Without this file the form sends it as usual.
"use strict";

(() => {
  const units = [[1e9, "GB"], [1e6, "MB"], [1e3, "kB"]];

  function size(bytes) {
    const [factor, unit] = units.find(([factor]) => bytes >= factor) ?? [1, "B"];
    const amount = bytes / factor;
    return `${amount >= 10 ? Math.round(amount) : amount.toFixed(1)} ${unit}`;
  }

  function time(seconds) {
    const words = document.body.dataset;
    const whole = Math.ceil(seconds);
    return whole < 60
      ? words.seconds.replace("{s}", whole)
      : words.minutes.replace("{m}", Math.floor(whole / 60)).replace("{s}", whole % 60);
  }

  function showProgress(form, started, event) {
    const line = form.querySelector("[data-sent]");
    form.querySelector(".sending progress").value = event.loaded / event.total;
    const speed = event.loaded / Math.max(0.001, (performance.now() - started) / 1000);
    const values = {
      done: size(event.loaded), total: size(event.total), speed: size(speed),
      left: time((event.total - event.loaded) / Math.max(1, speed)),
    };
    line.textContent = event.loaded < event.total
      ? line.dataset.sent.replace(/\{(\w+)\}/g, (_, name) => values[name])
      : line.dataset.checking;
  }

  // Stands in for fetch, which tells no progress. htmx swaps what it answers, as ever.
  function send(form, file) {
    const request = new XMLHttpRequest();
    const started = performance.now();
    const address = new URL(form.action);
    address.searchParams.set("version", form.elements.version.value);
    form.querySelector("[data-stop]").onclick = () => request.abort();
    form.classList.add("busy");
    form.querySelector(".sending").hidden = false;
    form.querySelector(".sending progress").value = 0;
    document.getElementById("problem")?.remove();
    return new Promise((resolve, reject) => {
      const end = (settle) => () => {
        form.classList.remove("busy");
        settle();
      };
      request.upload.onprogress = (event) => showProgress(form, started, event);
      request.onload = end(() => resolve(new Response(request.responseText, {
        status: request.status,
        headers: request.getAllResponseHeaders().trim().split(/[\r\n]+/).map((line) => {
          const colon = line.indexOf(":");
          return [line.slice(0, colon), line.slice(colon + 1).trim()];
        }),
      })));
      request.onerror = end(() => reject(new Error("network")));
      request.onabort = end(() => {
        form.querySelector(".sending").hidden = true;
        form.querySelector("button:not([type])").focus();
        document.getElementById("announcement").textContent = form.querySelector("[data-stop]").dataset.stopped;
        reject(new DOMException("", "AbortError"));
      });
      request.open("POST", address);
      request.setRequestHeader("HX-Request", "true");
      request.setRequestHeader("X-CSRFToken", form.elements.csrf_token.value);
      request.setRequestHeader("X-Filename", encodeURIComponent(file.name));
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.send(file);
    });
  }

  document.addEventListener("htmx:before:request", (event) => {
    const form = event.target.closest?.("form[data-upload]");
    const file = form?.elements.file.files[0];
    if (!file) return;
    const { ctx } = event.detail;
    clearTimeout(ctx.requestTimeout); // an upload takes as long as it takes
    ctx.fetch = () => send(form, file);
  });

  function picked(input) {
    const file = input.files[0];
    if (file) input.form.querySelector("[data-picked]").textContent = `${file.name} · ${size(file.size)}`;
  }

  document.addEventListener("change", (event) => {
    if (event.target.matches("form[data-upload] input[type=file]")) picked(event.target);
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
