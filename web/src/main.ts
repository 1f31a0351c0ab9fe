// SPDX-License-Identifier: Apache-2.0
// The page stands without this script: tables, pictures, timelines. This draws its plots and lets one point, filter and read.
import "./page.css";

import { readPage } from "./data";
import { readLanes } from "./lanes";
import { drawPlot } from "./plot";
import { addFilter } from "./sheet";

const page = readPage();
for (const figure of document.querySelectorAll<HTMLElement>("figure[data-plot]")) {
    const plot = page.plots[Number(figure.dataset["plot"])];
    if (plot) drawPlot(figure, plot);
}
for (const figure of document.querySelectorAll<HTMLElement>("figure.item-lanes")) readLanes(figure);
const items = document.getElementById("items");
if (items) addFilter(items, page.labels);
