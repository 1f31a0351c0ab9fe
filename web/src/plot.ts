// SPDX-License-Identifier: Apache-2.0
// One plot by uPlot: lines with points, or stacked columns, with a tip at the pointer or at the keyboard's reading.
import uPlot from "uplot";

import type { Plot } from "./data";
import { makeReadable } from "./slider";
import { colour, element, onThemeChange, show } from "./theme";

const FONT = "12px system-ui, sans-serif";
const DASHES: number[][] = [[], [7, 4], [2, 3], [10, 3, 2, 3], [5, 2], [1, 2]];
const HEIGHT = { lines: 250, stack: 130 };
const POINTS_SHOWN = 40;

interface Drawn {
    u: uPlot;
    plot: Plot;
    xs: number[];
    values: (number | null)[][]; // as they are told: not stacked
    names: string[];
    colours: string[];
    shown: boolean[];
}

function withOwn(plot: Plot): { xs: number[]; values: (number | null)[][] } {
    const values = plot.series.map((s) => s.values);
    if (!plot.own) return { xs: plot.x.values, values };
    const tables: uPlot.AlignedData[] = [[plot.x.values, ...values], [[plot.own.x], [plot.own.y]]];
    const [xs, ...joined] = uPlot.join(tables);
    return { xs: Array.from(xs), values: joined.map((line) => Array.from(line, (v) => v ?? null)) };
}

// What is drawn first must reach highest: the last series lies behind all others.
function stacked(values: (number | null)[][], shown: boolean[]): (number | null)[][] {
    const sum = (values[0] ?? []).map(() => 0);
    const heights = values.map((line, i) =>
        line.map((v, k) => (shown[i] ? (sum[k] = (sum[k] ?? 0) + (v ?? 0)) : null)));
    return heights.reverse();
}

function axes(plot: Plot): uPlot.Axis[] {
    const common = {
        stroke: () => colour("soft"),
        font: FONT,
        ticks: { show: false },
        grid: { stroke: () => colour("line"), width: 1 },
    };
    const lines = plot.kind === "lines", named = lines && plot.x.unit !== "time";
    return [
        {
            ...common, label: named ? plot.x.name : "", labelSize: named ? 22 : 0, size: 28, gap: 6,
            labelFont: FONT, grid: { show: false }, space: 60,
            values: (_, splits) => splits.map((v) => show(v, plot.x.unit)),
        },
        {
            ...common, size: 50, gap: 6, space: lines ? 34 : 26,
            values: (_, splits) => splits.map((v) => show(v, plot.y.unit)),
        },
    ];
}

function series(plot: Plot): uPlot.Series[] {
    if (plot.kind === "stack") {
        const bars = uPlot.paths.bars;
        return [...plot.series].reverse().map((s) => ({
            label: s.name, fill: () => colour(s.colour), width: 0, points: { show: false },
            ...(bars ? { paths: bars({ size: [1, Infinity], gap: 0 }) } : {}),
        }));
    }
    const points = plot.x.values.length <= POINTS_SHOWN;
    const lines: uPlot.Series[] = plot.series.map((s, i) => ({
        label: s.name, show: !s.hidden, stroke: () => colour(s.colour), width: 2, dash: DASHES[i % DASHES.length] ?? [], spanGaps: true,
        points: { show: points, size: 6, fill: () => colour(s.colour), stroke: () => colour(s.colour) },
    }));
    if (plot.own) lines.push({ label: "this run", stroke: () => colour("ink"), width: 0, points: { show: false } });
    return lines;
}

// A diamond with its words, which no line hides.
function markOwn(u: uPlot, own: { x: number; y: number }): void {
    const { ctx } = u;
    const x = u.valToPos(own.x, "x", true), y = u.valToPos(own.y, "y", true), r = 7 * uPlot.pxRatio;
    ctx.save();
    ctx.beginPath();
    ctx.moveTo(x, y - r);
    ctx.lineTo(x + r, y);
    ctx.lineTo(x, y + r);
    ctx.lineTo(x - r, y);
    ctx.closePath();
    ctx.fillStyle = colour("accent");
    ctx.strokeStyle = colour("card");
    ctx.lineWidth = 2 * uPlot.pxRatio;
    ctx.fill();
    ctx.stroke();
    ctx.font = `600 ${12 * uPlot.pxRatio}px system-ui, sans-serif`;
    const left = x > u.bbox.left + u.bbox.width * 0.7;
    ctx.textAlign = left ? "right" : "left";
    ctx.lineWidth = 4 * uPlot.pxRatio;
    const words = "this run", at = left ? x - 1.6 * r : x + 1.6 * r;
    ctx.strokeText(words, at, y + r * 0.6);
    ctx.fillStyle = colour("ink");
    ctx.fillText(words, at, y + r * 0.6);
    ctx.restore();
}

function place(drawn: Drawn, i: number): string {
    return show(drawn.xs[i] ?? 0, drawn.plot.x.unit);
}

function words(drawn: Drawn, i: number): string {
    const said = drawn.names.flatMap((name, s) => {
        const value = drawn.values[s]?.[i];
        return value === null || value === undefined ? [] : [`${name} ${show(value, drawn.plot.y.unit)}`];
    });
    return `${drawn.plot.x.name} ${place(drawn, i)}: ${said.join(", ") || "nothing"}`;
}

function fillTip(tip: HTMLElement, drawn: Drawn, i: number): void {
    tip.replaceChildren(element("b", "", `${drawn.plot.x.name} ${place(drawn, i)}`));
    drawn.names.forEach((name, s) => {
        const value = drawn.values[s]?.[i];
        if (value === null || value === undefined) return;
        const row = element("span", "tip-row");
        const swatch = element("i", "swatch");
        swatch.style.background = `var(--${drawn.colours[s] ?? "ink"})`;
        row.append(swatch, element("span", "", name), element("b", "", show(value, drawn.plot.y.unit)));
        tip.append(row);
    });
}

function showTip(tip: HTMLElement, drawn: Drawn, i: number | null | undefined): void {
    const left = drawn.u.cursor.left ?? -1;
    tip.hidden = i === null || i === undefined || left < 0;
    if (tip.hidden || i === null || i === undefined) return;
    fillTip(tip, drawn, i);
    const over = drawn.u.over;
    const room = over.clientWidth - left;
    const x = over.offsetLeft + (room > tip.offsetWidth + 16 ? left + 12 : Math.max(-40, left - tip.offsetWidth - 12));
    tip.style.transform = `translate(${x}px, ${over.offsetTop + 4}px)`;
}

function legend(drawn: Drawn, onToggle: (s: number, shown: boolean) => void): HTMLElement {
    const list = element("ul", "legend");
    drawn.names.forEach((name, s) => {
        const button = element("button", "key");
        button.type = "button";
        button.setAttribute("aria-pressed", String(drawn.shown[s] ?? true));
        const swatch = element("i", "swatch");
        swatch.style.background = `var(--${drawn.colours[s] ?? "ink"})`;
        button.append(swatch, name);
        button.addEventListener("click", () => {
            const shown = button.getAttribute("aria-pressed") !== "true";
            button.setAttribute("aria-pressed", String(shown));
            onToggle(s, shown);
        });
        const item = element("li", "");
        item.append(button);
        list.append(item);
    });
    return list;
}

function options(plot: Plot, width: number, hooks: uPlot.Hooks.Arrays): uPlot.Options {
    const { x, y } = plot;
    return {
        width, height: HEIGHT[plot.kind], padding: [10, 12, 0, 0], legend: { show: false },
        cursor: {
            y: false, drag: { x: false, y: false },
            points: { show: plot.kind === "lines", size: 9 },
            ...(plot.group ? { sync: { key: plot.group, setSeries: false } } : {}),
        },
        scales: {
            x: { time: false, range: x.range ?? ((_u, min, max) => [min - 0.04 * (max - min), max + 0.04 * (max - min)]) },
            y: y.range ? { range: y.range } : { range: (_u, _min, max) => [0, max > 0 ? max * 1.08 : 1] },
        },
        series: [{}, ...series(plot)],
        axes: axes(plot),
        hooks,
    };
}

export function drawPlot(figure: HTMLElement, plot: Plot): void {
    const target = figure.querySelector<HTMLElement>(".draw");
    if (!target || plot.x.values.length === 0) return;
    const { xs, values } = withOwn(plot);
    const shown = values.map((_, i) => !plot.series[i]?.hidden);
    const data = (): uPlot.AlignedData => [xs, ...(plot.kind === "stack" ? stacked(values, shown) : values)];
    const tip = element("div", "tip");
    tip.hidden = true;
    const own = plot.own;
    const hooks: uPlot.Hooks.Arrays = {
        setCursor: [(u) => {
            showTip(tip, drawn, u.cursor.idx);
            if (u.cursor.idx !== null && u.cursor.idx !== undefined && (u.cursor.left ?? -1) >= 0) tell(u.cursor.idx);
        }],
        ...(own ? { draw: [(u: uPlot) => markOwn(u, own)] } : {}),
    };
    if (plot.y.name) target.append(element("p", "y-name", plot.y.name));
    const canvas = element("div", "canvas");
    target.append(canvas);
    const names = [...plot.series.map((s) => s.name), ...(own ? ["this run"] : [])];
    const colours = [...plot.series.map((s) => s.colour), ...(own ? ["accent"] : [])];
    let tell: (i: number) => void = () => undefined;
    const u = new uPlot(options(plot, canvas.clientWidth || 300, hooks), data(), canvas);
    const drawn: Drawn = { u, plot, xs, values, names, colours, shown };
    u.root.append(tip);
    tell = makeReadable(canvas, plot.label, {
        count: xs.length,
        move: (i) => u.setCursor({ left: u.valToPos(xs[i] ?? 0, "x"), top: u.over.clientHeight / 2 }),
        words: (i) => words(drawn, i),
        leave: () => u.setCursor({ left: -10, top: -10 }),
    });
    target.append(legend(drawn, (s, on) => {
        shown[s] = on;
        if (plot.kind === "stack") u.setData(data());
        else u.setSeries(s + 1, { show: on });
    }));
    new ResizeObserver(() => u.setSize({ width: canvas.clientWidth, height: HEIGHT[plot.kind] })).observe(canvas);
    onThemeChange(() => u.redraw(false));
}
