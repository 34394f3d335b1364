// The page works without this. With it, times run, addresses can be copied, and the page follows what happens elsewhere.
"use strict";

const { status: STATUS, passing: PASSING } = document.currentScript.dataset;
const SECOND = 1000;
const BETWEEN_LOOKS = 5 * SECOND;

const again = () => location.replace(location.pathname);

/** The same words as the server's filter: 4:12, or 23:59:59. */
function clock(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / SECOND));
  const two = (number) => String(number).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  return hours ? `${hours}:${two(minutes % 60)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** Count down from what the server said, by a clock that nobody sets. At the end, look what it says now. */
function count(box) {
  const end = performance.now() + Number(box.dataset.left);
  const figure = box.querySelector(".figure");
  const bar = box.querySelector("progress");
  const until = new Date(Date.now() + Number(box.dataset.left));
  const isToday = until.toDateString() === new Date().toDateString();
  const form = { weekday: isToday ? undefined : "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  box.querySelector("time").textContent = `(${until.toLocaleTimeString(document.documentElement.lang, form)})`;
  const timer = setInterval(() => {
    const left = end - performance.now();
    figure.textContent = clock(left);
    bar.value = Math.max(0, left);
    if (left < 0) {
      clearInterval(timer);
      again();
    }
  }, SECOND / 4);
}

/** What this page would have to be drawn anew for. */
function shown(status) {
  const slots = status.slots.map((slot) => [slot.project, slot.node, slot.state, slot.last_request_ms === null]);
  return JSON.stringify([status.state, status.challenge && status.challenge.id, status.locked_ms === null, status.clock.jump_ms, slots]);
}

async function follow() {
  let seen = PASSING === undefined ? null : "trouble"; // which has passed as soon as there is an answer
  const look = async () => {
    const answer = await fetch(STATUS).catch(() => null);
    if (answer === null || !answer.ok) return; // it is restarting, perhaps: the next look will tell
    const now = shown(await answer.json());
    if (seen !== null && now !== seen) again();
    seen = now;
  };
  await look();
  setInterval(look, BETWEEN_LOOKS);
  document.addEventListener("visibilitychange", () => document.hidden || look());
}

function copying(button) {
  const label = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = button.dataset.done;
    setTimeout(() => { button.textContent = label; }, 2 * SECOND);
  });
}

document.querySelectorAll(".countdown").forEach(count);
if (navigator.clipboard) document.querySelectorAll("[data-copy]").forEach(copying);
follow();
