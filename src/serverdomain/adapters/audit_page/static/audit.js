// What the page does beyond links and forms: it scrubs, and keeps itself up to date.
"use strict";
(() => {
  const find = (id) => document.getElementById(id);
  const parsed = (html) => new DOMParser().parseFromString(html, "text/html");
  let story = null; // Of a server's page: which one, which row is shown, which is wanted next.

  const begin = () => {
    const box = find("story");
    const slider = find("slider");
    if (!box || !slider) return;
    story = { box, slider, rows: Number(box.dataset.rows), row: Number(slider.value), busy: false, next: null };
    slider.hidden = false;
    slider.setAttribute("aria-valuetext", find("place").textContent);
    slider.addEventListener("input", () => go({ row: slider.value }));
    box.addEventListener("click", (event) => {
      const to = event.target.closest("[data-go], a[data-row], tr[data-row], .life");
      if (!to || event.ctrlKey || event.metaKey || event.shiftKey) return;
      if (to.matches(".life")) {
        const at = to.getBoundingClientRect();
        go({ x: ((100 * (event.clientX - at.left)) / at.width).toFixed(3) });
        return;
      }
      if (to.matches("tr") && (event.target.closest("a") || String(getSelection()))) return;
      event.preventDefault();
      step(to.dataset.go, to.dataset.row);
    });
  };

  const step = (way, row) => {
    const to = { first: 1, back: story.row - 1, on: story.row + 1, last: story.rows }[way] ?? Number(row);
    const near = Math.min(Math.max(to, 1), story.rows);
    if (near !== story.row || row) go({ row: near });
  };

  // One question at a time: while it is answered, the latest wish waits, and older ones are dropped.
  const go = async (wish) => {
    if (wish.row) story.row = Number(wish.row);
    if (story.busy) { story.next = wish; return; }
    story.busy = true;
    const mine = story;
    const first = document.querySelector(".events")?.dataset.first ?? "";
    const asked = new URLSearchParams({ id: mine.box.dataset.id, head: mine.box.dataset.head, from: first, ...wish });
    try {
      const answer = await fetch(`moment?${asked}`);
      if (answer.ok && mine === story) show(parsed(await answer.text()).querySelector("[data-anchor]"), mine.next);
    } catch { /* The server is away: the page stays as it is. */ }
    mine.busy = false;
    if (mine.next && mine === story) { const next = mine.next; mine.next = null; go(next); }
  };

  const show = (part, more) => {
    const { row, x, anchor, says } = part.dataset;
    find("moment").replaceChildren(...part.querySelector(".moment").childNodes);
    const table = part.querySelector(":scope > section");
    if (table) find("events").replaceChildren(...table.childNodes);
    for (const one of document.querySelectorAll(".events tr[data-row]")) {
      if (one.dataset.row === row) one.setAttribute("aria-current", "true");
      else one.removeAttribute("aria-current");
    }
    for (const name of ["x1", "x2"]) find("cursor").setAttribute(name, `${x}%`);
    reveal();
    find("place").textContent = says;
    story.slider.setAttribute("aria-valuetext", says);
    if (more) return;
    story.row = Number(row);
    story.slider.value = row;
    history.replaceState(null, "", `#${anchor}`);
  };

  // A long document scrolls by itself to what changed in it.
  const reveal = () => {
    const text = document.querySelector("#moment .document");
    const mark = text?.querySelector("mark");
    if (mark) text.scrollTop = mark.offsetTop - text.offsetTop - text.clientHeight / 3;
  };

  const named = () => {
    const match = /^#(version|position)=(\d{1,18})$/.exec(location.hash);
    if (story && match) go({ [match[1]]: match[2] });
  };

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, select, textarea, [role=region]");
    if (!story || typing || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    const way = { ArrowLeft: "back", ArrowRight: "on", Home: "first", End: "last" }[event.key];
    if (!way) return;
    event.preventDefault();
    step(way);
  });

  // Live: when the log has grown, what this page shows of it is fetched anew.
  const follow = () => {
    if (!document.querySelector("[data-live]:not([data-still])")) return;
    const news = new EventSource("news");
    const shown = () => Number(document.querySelector("[data-live]").dataset.head);
    let told = 0;
    let waiting = false;
    news.addEventListener("open", () => { find("live").textContent = "live"; });
    news.addEventListener("error", () => { find("live").textContent = ""; });
    news.addEventListener("head", (event) => {
      told = Number(event.data);
      if (told !== shown()) look();
    });
    const look = () => {
      if (waiting) return;
      waiting = true;
      setTimeout(async () => {
        const before = shown();
        try { await renew(); } catch { /* The server is away: the page stays as it is. */ }
        waiting = false;
        // What happened meanwhile is not told again.
        if (shown() !== before && shown() < told) look();
      }, 300);
    };
    addEventListener("pagehide", () => news.close());
  };

  const MOVED = "details, .wide";

  // What finds the same thing again on a page that was made anew.
  const sign = (one) => {
    const name = ["id", "data-go", "href", "aria-label"].find((each) => one.hasAttribute(each));
    return name ? `[${name}="${CSS.escape(one.getAttribute(name))}"]` : null;
  };

  const renew = async () => {
    const old = document.querySelector("[data-live]");
    // Whoever looks at the latest moment goes on looking at the latest.
    const at = story && story.row < story.rows ? `&row=${story.row}` : "";
    const answer = await fetch(story ? `server?id=${story.box.dataset.id}${at}` : location.href);
    const fresh = answer.ok && parsed(await answer.text()).querySelector("[data-live]");
    if (!fresh || document.querySelector("[data-live]") !== old) return;
    const focused = old.contains(document.activeElement) ? sign(document.activeElement) : null;
    const parts = [...old.querySelectorAll(MOVED)].map((one) => [one.open, one.scrollLeft]);
    const top = window.scrollY;
    old.replaceWith(fresh);
    story = null;
    begin();
    // Who reads it stays where they were: what was opened is, what was moved, and what had the focus.
    for (const [place, one] of [...fresh.querySelectorAll(MOVED)].entries()) {
      if (!(place in parts)) break;
      if ("open" in one) one.open = parts[place][0];
      one.scrollLeft = parts[place][1];
    }
    if (focused) fresh.querySelector(focused)?.focus({ preventScroll: true });
    scrollTo({ top });
  };

  begin();
  reveal();
  named();
  addEventListener("hashchange", named);
  follow();
})();
