"use strict";
// Titles are told where the pointer or the arrow keys are; a chosen concept is lit. Without this the titles stay tooltips.
(() => {
  const map = document.querySelector(".map");
  const tip = document.querySelector(".tip");
  const keys = [...document.querySelectorAll("button[data-c], a[data-c]")];
  const marks = [...map.querySelectorAll("path[data-c]")].map((path) => {
    const [x, y] = path.getAttribute("d").slice(1).split(/[ m]/).map(Number);
    const title = path.querySelector("title");
    title.remove();
    return { path, x, y, title: title.textContent, concepts: path.dataset.c.split(" "), event: !!path.closest(".events") };
  });
  const steps = marks.some((m) => m.event) ? marks.filter((m) => m.event) : marks;
  let near = null;

  const name = (c) => document.querySelector(`#c${c} .name`)?.textContent ?? "";
  const line = (tag, text) => Object.assign(document.createElement(tag), { textContent: text, dir: "auto" });

  function tell(mark) {
    near?.path.classList.remove("near");
    near = mark;
    tip.hidden = !mark;
    if (!mark) return;
    mark.path.classList.add("near");
    tip.replaceChildren(line("b", mark.title), ...mark.concepts.slice(0, 4).map((c) => line("span", `${c} ${name(c)}`)));
    const scale = map.clientWidth / map.viewBox.baseVal.width;
    const right = mark.x * scale + 14 + tip.offsetWidth > map.clientWidth;
    tip.style.left = `${Math.max(0, right ? mark.x * scale - 14 - tip.offsetWidth : mark.x * scale + 14)}px`;
    tip.style.top = `${Math.max(0, Math.min(mark.y * scale - 12, map.clientHeight - tip.offsetHeight))}px`;
  }

  function nearest(event) {
    const box = map.getBoundingClientRect();
    const scale = map.viewBox.baseVal.width / box.width;
    const x = (event.clientX - box.left) * scale, y = (event.clientY - box.top) * scale;
    const reach = (event.pointerType === "mouse" ? 10 : 22) * scale;
    let best = null, least = reach;
    for (const mark of marks) {
      const away = Math.hypot(mark.x - x, mark.y - y) - (mark.event ? 4 * scale : 0);
      if (away <= least) [best, least] = [mark, away];
    }
    return best;
  }

  function light(concept) {
    map.classList.toggle("asked", concept !== null);
    for (const mark of marks) mark.path.classList.toggle("lit", mark.concepts.includes(concept));
    for (const key of keys) if (key.tagName === "BUTTON") key.setAttribute("aria-pressed", String(key.dataset.c === concept));
  }

  for (const kind of ["pointermove", "pointerdown"]) map.addEventListener(kind, (event) => tell(nearest(event)));
  map.addEventListener("pointerleave", () => tell(null));
  map.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step || !steps.length) return;
    event.preventDefault();
    const at = near ? steps.indexOf(near) : step > 0 ? -1 : steps.length;
    tell(steps[(at + step + steps.length) % steps.length]);
  });
  for (const key of keys) {
    key.addEventListener("click", () => light(key.getAttribute("aria-pressed") === "true" ? null : key.dataset.c));
  }
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    tell(null);
    light(null);
  });
  document.documentElement.dataset.ready = String(marks.length);
})();
