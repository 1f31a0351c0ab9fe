# SPDX-License-Identifier: Apache-2.0
"""import, eval, export and report, without any model being loaded."""
import csv
import io
import json
import subprocess

import pytest


METHODS = ["run_all", "random", "static", "q_greedy", "oracle", "density_greedy", "bound"]


@pytest.fixture
def trace(fewer, zoo, outputs, tmp_path):
    got = fewer("import", outputs, "--zoo", zoo, "-o", "trace.db", "--json")
    assert got.returncode == 0, got.stderr
    assert json.loads(got.stdout) == {"items": 10, "items_failed": 0, "models": 2, "outputs": 20, "unknown": 0}
    assert got.stderr == ""
    return tmp_path / "trace.db"


def test_import_says_what_it_did(fewer, zoo, outputs):
    got = fewer("import", outputs, "--zoo", zoo, "-o", "trace.db")
    assert got.returncode == 0 and got.stdout == ""
    assert got.stderr == "10 items, 2 models, 20 outputs, kept in trace.db\n"
    assert fewer("import", outputs, "--zoo", zoo, "-o", "quiet.db", "--quiet").stderr == ""


def test_import_replaces_only_when_told(fewer, zoo, outputs, trace):
    before = trace.read_bytes()
    got = fewer("import", outputs, "--zoo", zoo, "-o", "trace.db")
    assert got.returncode == 1
    assert "trace.db" in got.stderr and "--force" in got.stderr
    assert trace.read_bytes() == before
    assert fewer("import", outputs, "--zoo", zoo, "-o", "trace.db", "--force").returncode == 0


def test_import_of_a_bad_line_leaves_nothing(fewer, zoo, outputs, tmp_path):
    outputs.write_text(outputs.read_text() + "{\"image\": \n")
    got = fewer("import", outputs, "--zoo", zoo, "-o", "trace.db")
    assert got.returncode == 1 and got.stdout == ""
    assert "outputs.jsonl" in got.stderr and "11" in got.stderr
    assert not list(tmp_path.glob("trace.db*"))


def test_import_from_stdin(fewer, zoo, outputs):
    got = fewer("import", "-", "--zoo", zoo, "-o", "trace.db", "--json", stdin=outputs.read_text())
    assert got.returncode == 0, got.stderr
    assert json.loads(got.stdout)["items"] == 10


def test_eval_json(fewer, trace):
    got = fewer("eval", trace, "--json", "--recall", "0.5,1", "--deadline", "10ms,0.04s")
    assert got.returncode == 0 and got.stderr == ""
    eval_ = json.loads(got.stdout)
    assert eval_["models"] == 2 and eval_["items"] == 10
    assert list(eval_["methods"]) == METHODS
    assert eval_["run_all"]["time_ms"] == 40
    bound = eval_["methods"].pop("bound")
    assert bound["deadline"]["40"]["recall"] == 1
    for method in eval_["methods"].values():
        assert list(method["recall"]) == list(method["stop"]) == ["0.5", "1"]
        assert list(method["deadline"]) == ["10", "40"]
        assert {"time_ratio", "models", "recall", "agreement"} <= set(method["recall"]["1"])
        assert method["deadline"]["40"]["recall"] == 1
    # i5, i6, i9 are train items; of the other seven (i0-i4, i7, i8) all but i7 have something to find.
    assert (eval_["train_items"], eval_["test_items"]) == (3, 7)
    # In 10 ms animals fits, faces does not. Nothing to find on i7; i8 needs animals alone; i0, i2, i4 both; i1, i3 faces.
    expected = (1 + 1 + 3 * 0.9 / 1.9) / 7
    assert eval_["methods"]["run_all"]["deadline"]["10"]["recall"] == pytest.approx(expected, abs=1e-5)
    # Oracle, recall 1: animals and faces on three, faces on two, animals on one, nothing on one.
    assert eval_["methods"]["oracle"]["recall"]["1"]["models"] == pytest.approx(9 / 7, abs=1e-5)
    assert eval_["methods"]["oracle"]["recall"]["1"]["time_ratio"] == pytest.approx(190 / 280, abs=1e-5)


def test_eval_takes_the_methods_that_there_are(fewer, trace):
    for method in METHODS:
        got = fewer("eval", trace, "--json", "--method", method)
        assert got.returncode == 0 and list(json.loads(got.stdout)["methods"]) == [method], got.stderr
    assert ", ".join(METHODS[:2] + ["rules"] + METHODS[2:]) in " ".join(fewer("eval", "--help").stdout.split())


def test_eval_rules(fewer, trace, tmp_path):
    rules = tmp_path / "rules.yaml"
    rules.write_text("version: 1\nrules:\n  - {when: {model: animals}, models: [faces], times: 2}\n")
    got = fewer("eval", trace, "--json", "--rules", rules)
    assert list(json.loads(got.stdout)["methods"]) == METHODS[:2] + ["rules"] + METHODS[2:], got.stderr
    assert "\nrules " in fewer("eval", trace, "--rules", rules, "--method", "rules,random").stdout
    got = fewer("eval", trace, "--method", "rules")
    assert got.returncode == 1 and "method rules: expected a file of rules" in got.stderr
    rules.write_text("version: 1\nrules:\n  - {when: {model: animal}, models: [faces], times: 2}\n")
    got = fewer("eval", trace, "--rules", rules)
    assert got.returncode == 1 and 'rules.yaml:3:20: rules[0].when.model: expected the name of a model, perhaps "animals"' in got.stderr


def with_memory(zoo):
    text = zoo.read_text()
    zoo.write_text(text.replace("time_ms: 10", "time_ms: 10, memory: 30MiB").replace("30}", "30, memory: 10MiB}"))


def test_eval_memory(fewer, zoo, outputs):
    with_memory(zoo)
    assert fewer("import", outputs, "--zoo", zoo, "-o", "memory.db").returncode == 0
    line = ["eval", "memory.db", "--deadline", "10ms,30ms", "--memory", "75%,40MiB", "--method", "run_all,static"]
    got = fewer(*line, "--json")
    assert got.returncode == 0 and got.stderr == ""
    for method in json.loads(got.stdout)["methods"].values():
        assert list(method["memory"]) == ["30", "40"]
        assert list(method["memory"]["40"]["deadline"]) == ["10", "30"]
        assert method["memory"]["40"]["deadline"]["30"]["recall"] == 1  # side by side
        assert method["memory"]["30"]["deadline"]["30"]["recall"] < 1  # one after the other is too late
    page = fewer(*line).stdout
    assert "recall with 30 MiB  10 ms  30 ms\n" in page and "recall with 40 MiB  10 ms  30 ms\n" in page


def test_eval_share_of_memory_that_is_not_known(fewer, trace):
    got = fewer("eval", trace, "--memory", "1MiB,25%")
    assert (got.returncode, got.stdout) == (1, "")
    assert got.stderr.startswith("fewer: --memory: ") and "trace.db: the memory of its models is not known" in got.stderr
    assert "found none of animals" in fewer("eval", trace, "--memory", "1MiB").stderr
    assert fewer("eval", "none.db", "--memory", "25%").stderr.startswith("fewer: none.db: ")


def test_eval_is_deterministic(fewer, trace):
    first, again, other = (fewer("eval", trace, "--json", "--seed", s).stdout for s in (3, 3, 4))
    assert first == again
    assert json.loads(first)["seed"] == 3 and json.loads(other)["seed"] == 4


def test_eval_tables(fewer, trace):
    got = fewer("eval", trace)
    assert got.returncode == 0
    assert "7 test items, 3 to learn from; 2 models take 40.0 ms an item" in got.stdout
    for words in ("time to reach recall, %", "models to reach recall", "recall by deadline", "oracle", "40 ms"):
        assert words in got.stdout
    only = fewer("eval", trace, "--method", "static")
    assert "static" in only.stdout and "oracle" not in only.stdout


def test_eval_page(fewer, trace, tmp_path):
    got = fewer("eval", trace, "-o", "eval.html", "--quiet")
    assert (got.returncode, got.stdout, got.stderr) == (0, "", "")
    page = (tmp_path / "eval.html").read_text()
    assert page.startswith("<!DOCTYPE html>") and page.endswith("</html>\n")
    assert 'data-plot="0"' in page and "oracle" in page
    got = fewer("eval", trace, "-o", "eval.html")
    assert got.returncode == 1 and "--force" in got.stderr
    assert fewer("eval", trace, "-o", "eval.html", "--force").returncode == 0


def test_report_beside_a_trace(fewer, trace, tmp_path):
    got = fewer("report", trace, "--trace", trace, "-o", "page.html")
    assert (got.returncode, got.stdout, got.stderr) == (0, "", "")
    page = (tmp_path / "page.html").read_text()
    assert "10 of 10 items and 2 of 2 models" in page and "Beside the baselines" in page and "q_greedy" in page
    bare = fewer("report", trace, "--trace", trace, "--no-curves").stdout
    assert "10 of 10 items" in bare and "Beside the baselines" not in bare
    got = fewer("report", trace, "--trace", "none.db")
    assert got.returncode == 1 and got.stderr.startswith("fewer: none.db: ") and got.stderr.count("\n") == 1


def test_report_with_an_evaluation(fewer, trace, tmp_path):
    (tmp_path / "eval.json").write_text(fewer("eval", trace, "--method", "static", "--json").stdout)
    page = fewer("report", trace, "--eval", "eval.json").stdout
    assert "Beside the baselines" in page and "q_greedy" not in page
    (tmp_path / "bad.json").write_text('{"methods": ')
    for name, words in (("none.json", "none.json: "), ("bad.json", "bad.json: line 1, column ")):
        got = fewer("report", trace, "--eval", name)
        assert got.returncode == 1 and words in got.stderr and got.stdout == ""
    (tmp_path / "other.json").write_text("{}")
    assert 'expected "methods"' in fewer("report", trace, "--eval", "other.json").stderr


def test_report_when_the_trace_cannot_be_replayed(fewer, zoo, trace, tmp_path):
    """A trace of nothing but gaps still measures what it has."""
    line = {"image": "i0.jpg", "w": 8, "h": 6, "models": {"animals": {"ran": True, "valuable": [[0, 0.9]]}}}
    (tmp_path / "gaps.jsonl").write_text(json.dumps(line) + "\n")
    assert fewer("import", "gaps.jsonl", "--zoo", zoo, "-o", "gaps.db").returncode == 0
    got = fewer("report", trace, "--trace", "gaps.db", "-o", "page.html")
    assert got.returncode == 0 and got.stderr.startswith("fewer: no curves: gaps.db")
    page = (tmp_path / "page.html").read_text()
    assert "1 of 10 items and 2 of 2 models" in page and "Beside the baselines" not in page


def test_export_jsonl(fewer, trace):
    got = fewer("export", trace)
    assert got.returncode == 0 and got.stderr == ""
    rows = [json.loads(line) for line in got.stdout.splitlines()]
    assert len(rows) == 20
    assert rows[0]["item"] == "i0.jpg" and rows[0]["model"] == "animals" and rows[0]["status"] == "executed"
    assert rows[0]["time_ms"] == 10 and rows[0]["kind"] == "labels"
    assert rows[0]["output"] == pytest.approx([0.9, 0, 0])
    assert fewer("export", trace, "--format", "jsonl").stdout == got.stdout


def test_export_csv_and_coco(fewer, trace, tmp_path):
    rows = list(csv.DictReader(io.StringIO(fewer("export", trace, "--format=csv").stdout)))
    assert len(rows) == 20 and rows[1]["model"] == "faces"
    got = fewer("export", trace, "--format", "coco", "-o", "coco.json")
    assert got.returncode == 0 and got.stdout == ""
    assert len(json.loads((tmp_path / "coco.json").read_text())["images"]) == 10
    assert fewer("export", trace, "-o", "coco.json").returncode == 1


def test_report(fewer, trace, tmp_path):
    got = fewer("report", trace, "-o", "report.html")
    assert (got.returncode, got.stdout, got.stderr) == (0, "", "")
    page = (tmp_path / "report.html").read_text()
    for words in ("<b>10</b><span>items</span>", "i0.jpg", "animals", "dog"):
        assert words in page
    assert fewer("report", trace).stdout == page
    assert fewer("report", trace, "-o", "report.html").returncode == 1


@pytest.mark.parametrize("verb", ["eval", "export", "report"])
def test_files_that_are_no_traces(fewer, tmp_path, verb):
    (tmp_path / "text.db").write_text("no trace at all")
    for name in ("text.db", "none.db"):
        got = fewer(verb, name, *([] if verb == "eval" else ["-o", "out"]))
        assert got.returncode == 1 and got.stdout == ""
        assert name in got.stderr
    assert not list(tmp_path.glob("out*"))


def test_output_into_a_missing_folder(fewer, trace, zoo, outputs):
    got = fewer("report", trace, "-o", "no/such/report.html")
    assert got.returncode == 1 and "no/such/report.html" in got.stderr
    got = fewer("import", outputs, "--zoo", zoo, "-o", "no/such/trace.db")
    assert got.returncode == 1 and "no/such/trace.db" in got.stderr


def test_full_disk(command, trace):
    with open("/dev/full", "wb") as full:
        for args in (["help"], ["eval", trace], ["eval", trace, "--json"], ["export", trace], ["report", trace]):
            got = subprocess.run([command, *args], stdout=full, stderr=subprocess.PIPE, text=True)
            assert got.returncode == 1, args
            assert "writ" in got.stderr, args
