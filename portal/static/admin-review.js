// Keeps the total of a review up to date while points are chosen. The page works without it: saving shows the total.
const form = document.querySelector("form [data-total]")?.closest("form");
form?.addEventListener("change", () => {
  let sum = 0, weights = 0, scored = 0;
  for (const line of form.querySelectorAll("[data-weight]")) {
    const chosen = line.querySelector("input:checked");
    if (!chosen) continue;
    sum += chosen.value * line.dataset.weight;
    weights += Number(line.dataset.weight);
    scored += 1;
  }
  const number = new Intl.NumberFormat(document.documentElement.lang, { minimumFractionDigits: 1, maximumFractionDigits: 3 });
  form.querySelector("[data-total]").textContent = weights ? number.format(sum / weights) : "–";
  form.querySelector("[data-scored]").textContent = scored;
});
