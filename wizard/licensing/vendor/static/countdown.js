// Counts down what the page says without it, and tells the time of the reader's own time zone.
"use strict";

function local(time) {
  const at = new Date(time.dateTime);
  time.textContent = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

function countDown(box) {
  const left = box.querySelector(".left");
  const bar = box.querySelector("progress");
  const end = Date.now() + Number(box.dataset.left) * 1000;

  function show() {
    const seconds = Math.max(0, Math.ceil((end - Date.now()) / 1000));
    bar.value = Math.min(seconds, bar.max);
    left.textContent = seconds
      ? left.dataset.running.replace("{m}", Math.floor(seconds / 60)).replace("{s}", seconds % 60)
      : left.dataset.over;
    if (!seconds) clearInterval(timer);
  }

  const timer = setInterval(show, 1000);
  show();
}

document.querySelectorAll(".time time").forEach(local);
document.querySelectorAll("[data-left]").forEach(countDown);
