// Follows the news: when the watermark moves, the part of the page that shows
// the ledger of today is fetched anew. Without this script the page shows the
// same after a reload.
(() => {
  "use strict";
  const board = document.querySelector("[data-live]");
  if (!board || !("EventSource" in window)) return;
  let shown = BigInt(board.dataset.known);
  let wanted = shown;
  let busy = false;

  async function refresh() {
    if (busy || wanted <= shown) return;
    busy = true;
    const asked = wanted;
    try {
      const answer = await fetch(board.dataset.live + "?seq=" + asked, { headers: { Accept: "text/html" } });
      if (answer.ok && !answer.redirected) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const open = [...board.querySelectorAll("details")].map((d) => d.open);
        board.replaceChildren(...page.body.childNodes);
        board.querySelectorAll("details").forEach((d, i) => { if (i < open.length) d.open = open[i]; });
        board.dataset.known = String(asked);
      }
    } finally {
      shown = asked;
      busy = false;
      refresh();
    }
  }

  const news = new EventSource("/live");
  news.addEventListener("watermark", (event) => {
    wanted = BigInt(event.data);
    refresh();
  });
})();
