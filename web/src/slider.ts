// SPDX-License-Identifier: Apache-2.0
// A drawing that can be read with the keyboard: to assistive technology it is a slider whose value is what stands at the mark.

export interface Reading {
    count: number;
    move: (i: number) => void; // put the mark at reading i
    words: (i: number) => string; // what stands there
    leave: () => void;
}

export function makeReadable(target: HTMLElement, label: string, reading: Reading): (i: number) => void {
    let at = -1;
    target.tabIndex = 0;
    target.setAttribute("role", "slider");
    target.setAttribute("aria-label", label);
    target.setAttribute("aria-valuemin", "1");
    target.setAttribute("aria-valuemax", String(reading.count));

    const tell = (i: number) => {
        at = i;
        target.setAttribute("aria-valuenow", String(i + 1));
        target.setAttribute("aria-valuetext", reading.words(i));
    };
    const go = (i: number) => {
        tell(Math.max(0, Math.min(reading.count - 1, i)));
        reading.move(at);
    };
    tell(0);
    target.addEventListener("keydown", (event) => {
        const page = Math.max(1, Math.round(reading.count / 10));
        const steps: Record<string, () => void> = {
            ArrowRight: () => go(at + 1),
            ArrowUp: () => go(at + 1),
            ArrowLeft: () => go(at - 1),
            ArrowDown: () => go(at - 1),
            PageUp: () => go(at + page),
            PageDown: () => go(at - page),
            Home: () => go(0),
            End: () => go(reading.count - 1),
            Escape: () => reading.leave(),
        };
        const step = event.ctrlKey || event.altKey || event.metaKey ? undefined : steps[event.key];
        if (!step) return;
        event.preventDefault();
        step();
    });
    target.addEventListener("focus", () => {
        if (target.matches(":focus-visible")) go(at);
    });
    target.addEventListener("blur", reading.leave);
    return tell;
}
