// SPDX-License-Identifier: Apache-2.0
// Colours come from the style sheet, so that light and dark are decided in one place; numbers are written alike everywhere.

export function colour(name: string): string {
    return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

export function onThemeChange(redraw: () => void): void {
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
}

// 0:07, 1:30, 2:05:00; tenths where the whole span is short.
function clock(seconds: number): string {
    const whole = Math.floor(seconds);
    const pad = (n: number) => String(n).padStart(2, "0");
    const tenths = Math.round((seconds - whole) * 10);
    const tail = tenths > 0 && tenths < 10 && seconds < 600 ? `.${tenths}` : "";
    const minutes = Math.floor(whole / 60);
    const front = minutes < 60 ? `${minutes}` : `${Math.floor(minutes / 60)}:${pad(minutes % 60)}`;
    return `${front}:${pad(whole % 60)}${tail}`;
}

export function show(value: number, unit: string): string {
    if (unit === "time") return clock(value);
    return `${Number(value.toPrecision(3)).toLocaleString("en-US")}${unit}`;
}

export function element<K extends keyof HTMLElementTagNameMap>(
    tag: K, className: string, text = "",
): HTMLElementTagNameMap[K] {
    const made = document.createElement(tag);
    made.className = className;
    made.textContent = text;
    return made;
}
