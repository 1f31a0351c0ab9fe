// SPDX-License-Identifier: Apache-2.0
// What the page carries for its script: one JSON element, written by src/report/. Everything in it is already computed.

export interface Series {
    name: string;
    colour: string; // name of a CSS variable, without "--"
    values: (number | null)[];
    hidden?: boolean; // until its name is clicked
}

export interface Axis {
    name: string;
    unit: string; // behind a number, with its space; "time" = seconds, shown as minutes and seconds
    range?: [number, number];
}

export interface Plot {
    kind: "lines" | "stack";
    label: string;
    group: string; // plots of one group move their readings together; "" = none
    x: Axis & { values: number[] };
    y: Axis;
    series: Series[];
    own?: { x: number; y: number }; // where this run is
}

export interface Label {
    id: number;
    name: string;
    items: number; // cards that have it
}

export interface Page {
    plots: Plot[];
    labels: Label[]; // of the contact sheet, the most frequent first
}

export function readPage(): Page {
    const text = document.getElementById("data")?.textContent;
    return text ? (JSON.parse(text) as Page) : { plots: [], labels: [] };
}
