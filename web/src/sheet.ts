// SPDX-License-Identifier: Apache-2.0
// The contact sheet: only the items that have a label, its boxes in front.
import type { Label } from "./data";
import { element } from "./theme";

const BUTTONS = 10;

interface Sheet {
    cards: HTMLElement[];
    count: HTMLElement;
    buttons: HTMLButtonElement[];
    more: HTMLSelectElement | null;
}

function has(card: HTMLElement, id: string): boolean {
    return id === "" || (card.dataset["labels"] ?? "").split(" ").includes(id);
}

function filter(sheet: Sheet, id: string): void {
    let n = 0;
    for (const card of sheet.cards) {
        card.hidden = !has(card, id);
        if (!card.hidden) n++;
        for (const box of card.querySelectorAll<HTMLElement>("[data-label]")) {
            box.classList.toggle("off", id !== "" && box.dataset["label"] !== id);
            box.classList.toggle("on", id !== "" && box.dataset["label"] === id);
        }
    }
    for (const button of sheet.buttons) button.setAttribute("aria-pressed", String(button.dataset["id"] === id));
    if (sheet.more && sheet.more.value !== id) sheet.more.value = "";
    sheet.count.textContent = id === "" ? "" : `${n} of ${sheet.cards.length} items`;
}

function button(sheet: Sheet, id: string, name: string, items: number): HTMLButtonElement {
    const made = element("button", "chip");
    made.type = "button";
    made.dataset["id"] = id;
    made.append(name, element("b", "", String(items)));
    made.addEventListener("click", () => filter(sheet, id));
    sheet.buttons.push(made);
    return made;
}

function choices(sheet: Sheet, labels: Label[]): HTMLSelectElement {
    const select = element("select", "chip");
    select.setAttribute("aria-label", "More labels");
    select.append(new Option(`${labels.length} more labels`, ""));
    for (const label of labels) select.append(new Option(`${label.name} (${label.items})`, String(label.id)));
    select.addEventListener("change", () => filter(sheet, select.value));
    return select;
}

export function addFilter(section: HTMLElement, labels: Label[]): void {
    const bar = section.querySelector<HTMLElement>(".filter");
    if (!bar || labels.length === 0) return;
    const cards = Array.from(section.querySelectorAll<HTMLElement>(".card"));
    const sheet: Sheet = { cards, count: element("output", "shown"), buttons: [], more: null };
    bar.setAttribute("role", "group");
    bar.setAttribute("aria-label", "Show the items that have a label");
    bar.append(button(sheet, "", "all", cards.length));
    for (const label of labels.slice(0, BUTTONS)) bar.append(button(sheet, String(label.id), label.name, label.items));
    if (labels.length > BUTTONS) {
        sheet.more = choices(sheet, labels.slice(BUTTONS));
        bar.append(sheet.more);
    }
    bar.append(sheet.count);
    filter(sheet, "");
}
