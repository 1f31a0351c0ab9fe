// SPDX-License-Identifier: Apache-2.0
// The timeline of one item stands on the page already; here it answers to pointing and to the keyboard.
import { makeReadable } from "./slider";
import { element } from "./theme";

export function readLanes(figure: HTMLElement): void {
    const runs = Array.from(figure.querySelectorAll<HTMLElement>(".run"));
    const chart = figure.querySelector<HTMLElement>(".lanes");
    if (!chart || runs.length === 0) return;
    const tip = element("div", "tip");
    tip.hidden = true;
    chart.append(tip);

    const leave = () => {
        tip.hidden = true;
        runs.forEach((run) => run.classList.remove("on"));
    };
    const words = (i: number) => runs[i]?.dataset["words"] ?? "";
    const move = (i: number) => {
        const run = runs[i];
        leave();
        if (!run) return;
        run.classList.add("on");
        tip.textContent = words(i);
        tip.hidden = false;
        const box = run.getBoundingClientRect(), around = chart.getBoundingClientRect();
        const x = Math.max(0, Math.min(box.left - around.left, around.width - tip.offsetWidth));
        tip.style.transform = `translate(${x}px, ${box.bottom - around.top + 4}px)`;
    };
    const tell = makeReadable(chart, chart.getAttribute("aria-label") ?? "", { count: runs.length, move, words, leave });
    runs.forEach((run, i) => {
        run.addEventListener("pointerenter", () => {
            tell(i);
            move(i);
        });
        run.addEventListener("pointerleave", leave);
    });
}
