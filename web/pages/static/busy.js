// Says that a form is being worked on, and keeps it from being sent twice: an
// edition takes seconds to print.
(() => {
  "use strict";
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.hasAttribute("data-busy") || event.defaultPrevented) return;
    setTimeout(() => {
      for (const button of form.querySelectorAll("button")) {
        button.disabled = true;
        button.dataset.said = button.textContent;
        button.textContent = "正在办理…";
      }
    });
  });
  // A page that comes back from the browser's memory is usable again.
  window.addEventListener("pageshow", () => {
    for (const button of document.querySelectorAll("button[data-said]")) {
      button.disabled = false;
      button.textContent = button.dataset.said;
      delete button.dataset.said;
    }
  });
})();
