// A run's page while the run goes on: fetches itself every second and puts in what has changed, until the run is over.
// Without this file the page has a link to load it again.
"use strict";
{
  const SECONDS = 1, SLOWEST_SECONDS = 15;
  const live = () => document.querySelector("[data-live]");
  const again = document.getElementById("again");
  if (again) again.hidden = true;

  /** Takes over what differs, part by part, so that a selection or a scrolled log elsewhere stays as it is. */
  function takeOver(fresh) {
    const old = live();
    const parts = (place) => new Map([...place.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));
    const before = parts(old), after = parts(fresh);
    for (const [name, part] of after) {
      const was = before.get(name);
      // Forms carry a token that is another one each time, and a button that may have the focus.
      const same = part.querySelector("form") ? "textContent" : "innerHTML";
      if (!was || was[same] === part[same]) continue;
      const log = was.querySelector("pre");
      const atEnd = log && log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
      was.innerHTML = part.innerHTML;
      const grown = was.querySelector("pre");
      if (grown && atEnd) grown.scrollTop = grown.scrollHeight;
      else if (grown && log) grown.scrollTop = log.scrollTop;
    }
    old.dataset.live = fresh.dataset.live;
  }

  let pause = SECONDS;
  async function look() {
    if (!live() || live().dataset.live !== "on") return;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "error" });
      if (!answer.ok) throw new Error(String(answer.status));
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-live]");
      if (fresh) takeOver(fresh);
      pause = SECONDS;
    } catch {
      pause = Math.min(pause * 2, SLOWEST_SECONDS);
    }
    wait();
  }

  function wait() {
    if (live() && live().dataset.live === "on") setTimeout(() => document.hidden ? wait() : look(), pause * 1000);
  }
  wait();
}
