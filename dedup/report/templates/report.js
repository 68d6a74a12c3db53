// Shows only the groups and links in which all words of the filter occur. The page is whole without it.
"use strict";
(() => {
  const box = document.getElementById("filter");
  const input = box.querySelector("input");
  const told = box.querySelector("output");
  const items = [...document.querySelectorAll("[data-item]")].map((element) => {
    const named = element.querySelectorAll("[data-find]");
    return { element, text: fold([...named].map((part) => part.textContent).join(" ")) };
  });

  function fold(text) {
    return text.normalize("NFKD").replace(/[\p{M}\u0640]/gu, "").toLowerCase()
      .replace(/[\u0622\u0623\u0625\u0671]/g, "\u0627").replace(/\u0649/g, "\u064a").replace(/\u0629/g, "\u0647");
  }

  function apply() {
    const words = fold(input.value).split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const { element, text } of items) {
      element.hidden = !words.every((word) => text.includes(word));
      shown += element.hidden ? 0 : 1;
    }
    told.textContent = words.length ? `${shown} of ${items.length} shown` : "";
  }

  input.addEventListener("input", apply);
  box.querySelector("[data-open]").addEventListener("click", () => {
    const closed = [...document.querySelectorAll("[data-item]:not([hidden]) details.match")];
    const open = closed.some((details) => !details.open);
    for (const details of closed) details.open = open;
  });
  box.hidden = false;
  apply();
})();
