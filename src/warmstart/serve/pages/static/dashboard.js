"use strict";
// Pages work without this file; it makes them pleasanter where htmx swaps a part of one.
(() => {
  document.documentElement.classList.add("scripted");

  const say = (text) => {
    const place = document.getElementById("said");
    if (place && text && place.textContent !== text) place.textContent = text;
  };

  // What had the focus may be gone with the old part: it moves to the heading of the new one.
  document.addEventListener("htmx:afterSettle", (event) => {
    const part = event.detail.target && event.detail.target.id ? document.getElementById(event.detail.target.id) : null;
    if (!part) return;
    say((part.querySelector("[data-said]") || {}).textContent);
    if (document.activeElement === document.body || !document.activeElement) {
      const heading = part.querySelector("[tabindex='-1']");
      if (heading) heading.focus({ preventScroll: true });
    }
  });

  document.addEventListener("submit", (event) => {
    const asked = event.target.dataset.confirm;
    if (asked && !window.confirm(asked)) event.preventDefault();
  });
})();
