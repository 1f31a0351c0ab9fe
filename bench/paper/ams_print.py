# SPDX-License-Identifier: Apache-2.0
"""ams_print.py FILE...: the tables of ams_table (lines of JSON), ours beside those that AMS published (TKDD 2022).

Methods that were trained several times are shown as the mean over their seeds, with the lowest and highest where it says so."""
import json
import sys
from collections import defaultdict

ALL_S = 5.16
METHODS = ["random", "rules", "static", "q_greedy", "dqn", "double_dqn", "dueling_dqn", "deep_sarsa", "optimal", "oracle"]
AGENTS = METHODS[4:8]
RECALLS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]


def read(paths):
    rows = []
    for path in paths:
        with open(path) as lines:
            rows += [json.loads(line) for line in lines if line.startswith("{")]
    return rows


def order(method):
    """Methods in the order of METHODS, their variants ("dqn:value") behind them."""
    base = method.split(":")[0]
    return (METHODS.index(base) if base in METHODS else len(METHODS), method)


def pick(rows, **wanted):
    return [row for row in rows if all(row.get(key) == value for key, value in wanted.items())]


def by_method(rows, key):
    """{method: [value of each seed]}, in the order of the table."""
    found = defaultdict(list)
    for row in rows:
        found[row["method"]].append(row[key])
    return {method: found[method] for method in sorted(found, key=order)}


def mean(values):
    return sum(values) / len(values)


def table(title, head, lines):
    rows = [head] + lines
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    print(f"\n{title}\n")
    for number, row in enumerate(rows):
        print("| " + " | ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                                for i, (cell, width) in enumerate(zip(row, widths))) + " |")
        if number == 0:
            print("|" + "|".join("-" * (width + 2) if i == 0 else "-" * (width + 1) + ":" for i, width in enumerate(widths)) + "|")


def percent(value):
    return f"{100 * value:+.1f}%"


def against(value, base):
    return percent(value / base - 1)


def print_recalls(rows, name):
    rows = [row for row in pick(rows, set=name) if "recall" in row]
    if not rows:
        return
    for key, what, digits in (("executions", "models executed", 1), ("time_s", "seconds", 2)):
        columns = {r: by_method(pick(rows, recall=r), key) for r in RECALLS}
        lines = [[method] + [f"{mean(columns[r][method]):.{digits}f}" for r in RECALLS] for method in columns[1]]
        table(f"{name}: {what} until a recall is reached ({rows[0]['items']} items)", ["recall"] + [f"{r:g}" for r in RECALLS], lines)


PUBLISHED_SAVED = {  # executions and time against random at recall 0.8 and 1.0
    "rules": ("-22.6%", "-20.1%", "-2.1%", "-1.4%"),
    "dueling_dqn": ("-44.1 ... -60.6%", "-45.6 ... -59.5%", "-48.4 ... -50.0%", "-48.6 ... -51.2%"),
    "optimal": ("-79.3 ... -84.0%", "", "-65.6 ... -76.5%", "-75.4%"),
}


def print_saved(rows, name):
    rows = [row for row in pick(rows, set=name) if "recall" in row]
    if not rows:
        return
    keys = [(0.8, "executions"), (0.8, "time_s"), (1, "executions"), (1, "time_s")]
    columns = [by_method(pick(rows, recall=r), key) for r, key in keys]
    lines = []
    for method in columns[0]:
        if method == "random":
            continue
        ours = [against(mean(column[method]), mean(column["random"])) for column in columns]
        spread = ""
        if len(columns[3][method]) > 1:
            low, high = (against(f(columns[3][method]), mean(columns[3]["random"])) for f in (min, max))
            spread = f"{low} ... {high}"
        lines.append([method, *ours, spread, *PUBLISHED_SAVED.get(method, [""] * 4)])
    table(f"{name}: against random order, ours and (right) as published",
          ["", "models 0.8", "time 0.8", "models 1.0", "time 1.0", "time 1.0 by seed", "models 0.8", "time 0.8", "models 1.0",
           "time 1.0"], lines)


def print_regime(rows):
    at = {method: by_method(pick(rows, set="corpus", recall=1), "time_s").get(method) for method in ("random", "optimal")}
    if not at["random"]:
        return
    random, optimal = mean(at["random"]), mean(at["optimal"])
    table("The regime: seconds at recall 1.0", ["", "ours", "published"],
          [["everything", f"{ALL_S:.2f}", "5.16"],
           ["random order", f"{random:.2f} ({100 * random / ALL_S:.1f}%)", "4.64 (89.9%)"],
           ["optimal order", f"{optimal:.2f} ({100 * optimal / ALL_S:.1f}%)", "1.14 (22.1%)"]])


def print_budget(rows, name, key, values, head, published, **more):
    rows = [row for row in pick(rows, set=name, **more) if key in row]
    if not rows:
        return
    columns = [by_method(pick(rows, **{key: value}), "reached") for value in values]
    relaxed = [by_method(pick(rows, **{key: value}), "of_relaxed") for value in values]
    base = more.get("base") or columns
    lines = []
    for method in columns[0]:
        cells = [f"{mean(c[method]):.3f}" for c in columns]
        gains = [against(mean(c[method]), mean(b["random"])) for c, b in zip(columns, base)]
        lines.append([method, *cells, *gains, *[f"{mean(r[method]):.2f}" for r in relaxed]])
    lines.append(["published", *[""] * len(values), *published, "mostly > 0.63, > 0.7", *[""] * (len(values) - 1)])
    table(head, ["", *[f"{v:g}" for v in values], *[f"vs random {v:g}" for v in values], *[f"of optimal* {v:g}" for v in values]],
          lines)


def print_memory(rows, name):
    rows = [row for row in pick(rows, set=name) if "memory_gb" in row]
    for row in rows:  # faithful and improved packing are two lines of a method
        if row["rule"] != "in order":
            row["method"] = f"{row['method']}:{row['rule']}"
    print_budget(rows, name, "memory_gb", [8, 12, 16],
                 f"{name}: recall in 0.8 s within shared memory of 8, 12, 16 GB, models side by side",
                 ["+106.9%", "+52.8%", "+19.5%"])


def print_priority(rows):
    rows = [row for row in rows if "theta" in row]
    if not rows:
        return
    published = {1: ("28.9", "51.9%"), 2: ("27.4", "48.2%"), 5: ("4.0", "54.3%"), 10: ("3.0", "53.1%")}
    lines = []
    for theta in sorted({row["theta"] for row in rows}):
        at = pick(rows, theta=theta)
        lines.append([f"{theta:g}", f"{mean([row['position'] for row in at]):.1f}",
                      f"{100 * mean([row['saved'] for row in at]):.1f}%", *published.get(theta, ("", ""))])
    table("A prioritised face detector: its mean place in the order, and time saved at recall 1.0 (right: published)",
          ["theta", "place", "saved", "place", "saved"], lines)


def print_transfer(rows):
    rows = [row for row in rows if "trained_on" in row]
    published = {("stanford40", "stanford40"): ("1.94", ""), ("stanford40", "voc"): ("2.63", ""), ("voc", "stanford40"): ("2.09", ""),
                 ("voc", "voc"): ("2.47", ""), ("random", "stanford40"): ("4.12", ""), ("random", "voc"): ("4.04", "")}
    found = defaultdict(list)
    for row in rows:
        found[row["trained_on"], row["tested_on"]].append(row)
    lines = []
    for (trained, tested), agents in found.items():
        random = mean([row["reached_in_1s"] for row in found["random", tested]])
        lines.append([trained, tested, f"{mean([row['time_s'] for row in agents]):.2f}", published[trained, tested][0],
                      against(mean([row["reached_in_1s"] for row in agents]), random)])
    if lines:
        table("Transfer: an agent trained on one data set and tested on another; seconds to recall 1.0, recall in 1 s against random",
              ["trained on", "tested on", "ours", "published", "recall in 1 s"], lines)


def main():
    rows = read(sys.argv[1:])
    print_regime(rows)
    names = list(dict.fromkeys(row["set"] for row in rows if "method" in row))
    for name in names:
        print_recalls(rows, name)
        print_saved(rows, name)
        print_budget(rows, name, "deadline_s", [0.5, 0.8, 1], f"{name}: recall under a deadline of 0.5, 0.8, 1 s, one model after the other",
                     ["+188.7 ... +309.5%", "", "+190.5 ... +346.8%"])
        print_memory(rows, name)
    print_priority(rows)
    print_transfer(rows)
    for row in rows:
        if "streamed" in row:
            print(f"\n{row['set']}: {row['streamed']} items streamed in {row['took_s']:.0f} s; peak memory {row['peak_mib_after_1000']:.1f} "
                  f"MiB after 1000 items, {row['peak_mib']:.1f} MiB after all")


if __name__ == "__main__":
    main()
