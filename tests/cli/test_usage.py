# SPDX-License-Identifier: Apache-2.0
"""Help, mistakes on the command line (exit 2), mistakes in a manifest."""
import pytest

VERBS = ["check", "record", "import", "label", "status", "retry", "eval", "export", "report"]


def test_alone_prints_the_verbs(fewer):
    got = fewer()
    assert got.returncode == 0 and got.stderr == ""
    for verb in VERBS:
        assert f"  {verb} " in got.stdout
    assert fewer("help").stdout == fewer("--help").stdout == got.stdout


def test_version(fewer):
    got = fewer("--version")
    assert got.returncode == 0
    assert got.stdout.startswith("fewer 0.") and got.stdout.count("\n") == 1


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_verb(fewer, verb):
    got = fewer(verb, "--help")
    assert got.returncode == 0 and got.stderr == ""
    assert got.stdout.startswith(f"fewer {verb}: ")
    assert f"Usage: fewer {verb} " in got.stdout
    assert max(map(len, got.stdout.splitlines())) <= 110
    assert fewer("help", verb).stdout == fewer(verb, "-h").stdout == got.stdout


@pytest.mark.parametrize("args, words", [
    (["lable"], "unknown verb 'lable'; did you mean 'label'?"),
    (["rec"], "did you mean 'record'?"),
    (["xyzzy"], "unknown verb 'xyzzy'\n"),
    (["--jsno"], "unknown option '--jsno'"),
    (["help", "imprt"], "did you mean 'import'?"),
    (["label", "--dedline", "1s", "z", "d"], "unknown option --dedline; did you mean --deadline?"),
    (["label", "-x", "z", "d"], "unknown option -x"),
    (["check"], "expected ZOO, found 0 arguments"),
    (["check", "a", "b"], "expected ZOO, found 2 arguments"),
    (["label", "zoo.yaml"], "expected ZOO DATA..., found 1 argument\n"),
    (["label", "z", "d"], "expected -o FILE"),
    (["record", "z", "d"], "expected -o FILE"),
    (["import", "o", "-o", "t.db"], "expected --zoo ZOO and -o FILE"),
    (["label", "z", "d", "-o"], "--output: expected FILE, found the end of the line"),
    (["label", "z", "d", "-o", ""], "--output: expected FILE, found ''"),
    (["check", "z", "--json=yes"], "--json takes no value, found 'yes'"),
    (["export", "r", "--format", "cs"], "--format: expected jsonl|csv|coco|coco-results|label-studio|label-studio-config|fiftyone|"
     "fiftyone-classes|fiftyone-temporal|yolo|yolo-conf, found 'cs'"),
    (["export", "r", "--format", ""], "--format: expected FORM, found ''"),
    (["export", "r", "--format", "yolo"], "--format yolo needs -o FOLDER"),
    (["eval", "t", "--method", "static,magic"], "found 'magic'"),
    (["eval", "t", "--recall", "0.5,1.5"], "found '1.5'"),
    (["eval", "t", "--recall", "0.5,"], "found ''"),
    (["eval", "t", "--deadline", "60ms,60"], "found '60'"),
    (["eval", "t", "--memory", "300MiB,101%"], "--memory: expected sizes such as 300MiB or shares such as 25%, found '101%'"),
    (["eval", "t", "--memory", ""], "--memory: expected LIST, found ''"),
    (["eval", "t", "--memory", ",".join(["1MB"] * 65)], "--memory: expected at most 64 values"),
    (["statsu", "r"], "did you mean 'status'?"),
    (["rety", "r"], "did you mean 'retry'?"),
    (["status"], "expected FILE, found 0 arguments"),
    (["retry", "a", "b"], "expected FILE, found 2 arguments"),
    (["retry", "r", "--force"], "unknown option --force"),
    (["label", "--memroy", "1GiB", "z", "d"], "did you mean --memory?"),
    (["label", "--dryrun", "z", "d"], "did you mean --dry-run?"),
    (["record", "--all-variants", "z", "d"], "unknown option --all-variants"),
    (["label", "z", "d", "--lanes", "0"], "--lanes: expected a whole number from 1 to 64, found '0'"),
    (["label", "z", "d", "-o", "r", "--fps", "0"], "--fps: expected a number above 0, at most 1000, found '0'"),
    (["label", "z", "d", "-o", "r", "--fps", "1001"], "found '1001'"),
    (["label", "z", "d", "-o", "r", "--fps", "1e2"], "found '1e2'"),
    (["label", "z", "d", "-o", "r", "--every", "0"], "--every: expected a whole number of at least 1, found '0'"),
    (["label", "z", "d", "-o", "r", "--streams", "65"], "--streams: expected a whole number from 1 to 64, found '65'"),
    (["label", "z", "d", "-o", "r", "--from", "3"], "--from: expected a time such as 200us, 60ms or 1.5s, found '3'"),
    (["label", "z", "d", "-o", "r", "--reuse", "area"], "--reuse: expected pixel, area, edge or corner and a number"),
    (["label", "z", "d", "-o", "r", "--reuse", "area:0"], "found 'area:0'"),
    (["label", "z", "d", "-o", "r", "--reuse", "area:1.5"], "found 'area:1.5'"),
    (["label", "z", "d", "-o", "r", "--reuse", "colour:0.1"], "found 'colour:0.1'"),
    (["label", "z", "d", "-o", "r", "--progress", "often"], "--progress: expected auto|plain|json|none, found 'often'"),
    (["record", "z", "d", "-o", "r", "--reuse", "area:0.1"], "unknown option --reuse"),
    (["retry", "r", "--fps", "2"], "unknown option --fps"),
    (["label", "z", "d", "--in-flight", "65"], "--in-flight: expected a whole number from 1 to 64, found '65'"),
])
def test_wrong_usage(fewer, args, words):
    got = fewer(*args)
    assert got.returncode == 2
    assert got.stdout == ""
    assert words in got.stderr


@pytest.mark.parametrize("text", ["60", "ms", "-1ms", "0ms", "1.5", "1,5s", "1e3ms", "60 ms", "60msec", " 60ms", "25h",
                                  "1.ms", ".5s", "1..5s", "nan", "infs", "90000s"])
def test_wrong_durations(fewer, text):
    got = fewer("label", "z", "d", "-o", "x", f"--deadline={text}")
    assert got.returncode == 2
    assert f"--deadline: expected a time such as 200us, 60ms or 1.5s, found '{text}'" in got.stderr


@pytest.mark.parametrize("text", ["0", "-1", "+1", "1x", "", " 1", "0x10", "1.0", "18446744073709551616"])
def test_wrong_limits(fewer, text):
    got = fewer("label", "z", "d", "-o", "x", f"--limit={text}")
    assert got.returncode == 2
    assert f"--limit: expected a whole number of at least 1, found '{text}'" in got.stderr


def test_numbers_have_a_range(fewer):
    got = fewer("check", "z", "--runs", "1001")
    assert got.returncode == 2
    assert "--runs: expected a whole number from 1 to 1000, found '1001'" in got.stderr


@pytest.mark.parametrize("text", ["60ms", "1.5s", "200us", "86400s", "0.001ms"])
def test_right_durations_get_as_far_as_the_zoo(fewer, text):
    got = fewer("label", "none.yaml", "d", "-o", "x", "--deadline", text)
    assert got.returncode == 1
    assert "none.yaml" in got.stderr


SIZES = "a size such as 300MiB, 2GiB or 500MB"
WRONG_SIZES = ["300MB?", "-1", "0", "0MiB", "MiB", "", "1.5", "300 MiB", "300mib", "300M", "1e9", "+5", "0x10", "nan",
               "0.0001kB", "1.MiB", "1125899906842625", "1025TiB", "99999999999999999999GiB", "1" * 60]


@pytest.mark.parametrize("text", WRONG_SIZES + ["101%", "0%", "-5%", "%", "25 %", "25%%", "100.1%"])
def test_wrong_memory(fewer, text):
    got = fewer("label", "z", "d", "-o", "x", f"--memory={text}")
    assert got.returncode == 2
    assert f"--memory: expected {SIZES}, or a share such as 25%, found '{text}'" in got.stderr


@pytest.mark.parametrize("text", WRONG_SIZES + ["25%"])
def test_wrong_storage(fewer, text):
    got = fewer("label", "z", "d", "-o", "x", f"--storage={text}")
    assert got.returncode == 2
    assert f"--storage: expected {SIZES}, found '{text}'" in got.stderr


@pytest.mark.parametrize("text", ["1", "300MiB", "2GiB", "500MB", "1.5GiB", "12kB", "12KB", "4096B", "1024TiB", "1TB"])
def test_right_sizes_get_as_far_as_the_zoo(fewer, text):
    for option in ("--memory", "--storage"):
        got = fewer("label", "none.yaml", "d", "-o", "x", option, text)
        assert got.returncode == 1 and "none.yaml" in got.stderr
    assert fewer("label", "none.yaml", "d", "-o", "x", "--memory", "0.5%").returncode == 1


def test_options_anywhere_and_double_dash(fewer):
    got = fewer("check", "--quiet", "--", "--none.yaml")
    assert got.returncode == 1
    assert "--none.yaml" in got.stderr


def test_every_mistake_of_a_manifest(fewer, zoo):
    text = zoo.read_text()
    zoo.write_text(text.replace("kind: scalar", "kind: skalar").replace("time_ms: 10", "time_ms: -10"))
    got = fewer("check", "zoo.yaml")
    assert got.returncode == 1 and got.stdout == ""
    lines = got.stderr.splitlines()
    assert lines[0].startswith("zoo.yaml:10:") and "expected" in lines[0] and "found" in lines[0]
    assert lines[1].startswith("zoo.yaml:14:") and "skalar" in lines[1]
    assert lines[2] == "fewer: zoo.yaml: 2 mistakes"
    assert len(lines) == 3


def test_wrong_policy_is_wrong_usage(fewer, zoo):
    got = fewer("label", zoo, ".", "-o", "run.db", "--policy", "clever")
    assert got.returncode == 2
    assert "--policy" in got.stderr and "clever" in got.stderr


def test_no_items(fewer, zoo, tmp_path):
    got = fewer("label", zoo, "nowhere", "-o", "run.db")
    assert got.returncode == 1 and "nowhere" in got.stderr
    (tmp_path / "empty").mkdir()
    got = fewer("label", zoo, "empty", "-o", "run.db")
    assert got.returncode == 1 and "empty" in got.stderr
    assert not (tmp_path / "run.db").exists()


@pytest.mark.parametrize("args, words", [
    (["--fps", "2", "--every", "3"], "expected fps or every, found both"),
    (["--clip", "61s"], "clip: expected at most 60 s, found 61 s"),
    (["--from", "5s", "--to", "5s"], "expected an end after the beginning, found 5 s and 5 s"),
])
def test_items_that_make_no_sense(fewer, zoo, args, words):
    got = fewer("label", zoo, "d", "-o", "r", *args)
    assert got.returncode == 2 and words in got.stderr and got.stdout == ""
