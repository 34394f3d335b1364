// Opens the wizard in the frame, gives the frame the height that it asks for, and shows what the wizard says.
"use strict";

(() => {
  const form = document.getElementById("launch");
  const frame = document.querySelector("iframe[name=wizard]");
  const wizard = new URL(form.dataset.wizard).origin;
  const messages = document.getElementById("messages");

  window.addEventListener("message", (event) => {
    const message = event.data;
    // Anybody can send messages: take those of the wizard's window and origin alone.
    if (event.source !== frame.contentWindow || event.origin !== wizard) return;
    if (message?.source !== "fineops-registration-wizard" || message.version !== 1) return;
    if (message.type === "resize") frame.style.height = `${message.height}px`;
    if (message.type === "step") frame.scrollIntoView({ block: "nearest" });
    const line = document.createElement("li");
    line.dataset.type = message.type;
    line.textContent = JSON.stringify(message);
    messages.append(line);
  });

  form.submit();
})();
