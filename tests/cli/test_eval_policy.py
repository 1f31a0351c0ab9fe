# SPDX-License-Identifier: Apache-2.0
"""eval and plan with a policy: the options, the tables, what is refused."""
import json
import random
import subprocess

import pytest
from conftest import BUILD, ZOO

N = 200


@pytest.fixture(scope="module")
def made(command, tmp_path_factory):
    """A folder with trace.db (two sources, faces only where there is a dog) and policy.safetensors."""
    folder = tmp_path_factory.mktemp("policy")
    draw = random.Random(3)
    (folder / "model.onnx").write_bytes(b"nothing here loads it")
    (folder / "zoo.yaml").write_text(ZOO)
    lines = []
    for i in range(N):
        dog = draw.random() < 0.4
        face = 1.0 if dog and draw.random() < 0.9 else 0.0
        lines.append({"image": f"{'ade' if i % 2 else 'voc'}_{i}.jpg", "w": 8, "h": 6,
                      "models": {"animals": {"ran": True, "valuable": [[0 if dog else 1, 0.9]]},
                                 "faces": {"ran": True, "scalar": face}}})
    (folder / "outputs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    for words in ([command, "import", "outputs.jsonl", "--zoo", "zoo.yaml", "-o", "trace.db", "-q"],
                  [BUILD / "tests" / "eval" / "make_policy", "trace.db", "policy.safetensors", "40"]):
        subprocess.run(words, check=True, cwd=folder)
    return folder


@pytest.fixture
def asked(fewer, made):
    """The JSON of a verb about the trace and the policy."""

    def run(verb, *words):
        got = fewer(verb, made / "trace.db", "-p", made / "policy.safetensors", *words, "--json")
        assert got.returncode == 0, got.stderr
        return json.loads(got.stdout)

    return run


def test_methods_of_the_policy_compete(asked):
    answer = asked("eval", "--recall", "0.8,0.9,1", "--threads", "2")
    names = list(answer["methods"])
    learned = names[names.index("q_greedy") + 1:names.index("oracle")]
    assert "value_net" in learned and names.count("static") == 1
    assert answer["split_at"] == 40 and answer["train_items"] + answer["test_items"] == N
    for name in learned:
        method = answer["methods"][name]
        assert set(method["recall"]["0.8"]["against_static"]) == {"time_ratio", "low", "high"}
        for at in (*method["recall"].values(), *method["stop"].values()):
            assert at["low"] - 1e-6 <= at["time_ratio"] <= at["high"] + 1e-6
        promise = method["promise"]["0.9"]
        assert promise["recall_low"] <= promise["recall"] <= promise["recall_high"]
        assert promise["recall"] > 0.8 and promise["price"] is not None
        assert set(promise["promised"]) == {"recall", "low", "high", "time_ratio"}
    assert "promise" in answer["methods"]["static"] and "promise" not in answer["methods"]["oracle"]
    assert answer["methods"]["oracle"]["gap_closed"].get("0.8", 1) == 1


def test_one_thread_or_two(fewer, made):
    texts = {fewer("eval", made / "trace.db", "-p", made / "policy.safetensors", "--threads", n, "--json").stdout for n in (1, 2)}
    assert len(texts) == 1


def test_method_of_the_policy_alone(asked):
    assert list(asked("eval", "--method", "value_net,oracle")["methods"]) == ["value_net", "oracle"]


def test_sources_and_priority(asked):
    answer = asked("eval", "--transfer", "--priority", "faces", "--recall", "0.8")
    assert set(answer["sources"]) == {"ade", "voc"}
    assert sum(source["test_items"] for source in answer["sources"].values()) == answer["test_items"]
    assert set(answer["sources"]["ade"]["methods"]["value_net"]) == {"recall", "stop", "promise"}
    positions = [at["position"] for at in answer["methods"]["value_net"]["priority"].values()]
    assert len(positions) == 4 and positions == sorted(positions, reverse=True)


def test_tables(fewer, made):
    got = fewer("eval", made / "trace.db", "-p", made / "policy.safetensors", "--transfer", "--priority", "faces")
    assert got.returncode == 0, got.stderr
    for words in ("to reach recall, % of static", "at mean recall, % of static", "promised recall", "position by priority",
                  "time at mean recall 0.9, %", "models at mean recall"):
        assert words in got.stdout


def test_page(fewer, made, tmp_path):
    got = fewer("eval", made / "trace.db", "-p", made / "policy.safetensors", "--transfer", "-o", "eval.html", "-q")
    assert got.returncode == 0, got.stderr
    page = (tmp_path / "eval.html").read_text()
    for section in ("curves", "methods", "promises", "sources"):
        assert f'id="{section}"' in page
    assert len(page) < 1 << 20


def test_split(fewer, made):
    policy = made / "policy.safetensors"
    got = fewer("eval", made / "trace.db", "-p", policy, "--split", "20", "-q")
    assert got.returncode == 1 and "expected at least 40, which the policy was learned with, found 20" in got.stderr
    got = fewer("eval", made / "trace.db", "-p", policy, "--split", "70", "--json")
    assert json.loads(got.stdout)["test_items"] < 0.45 * N
    for wrong in ("0", "100", "x"):
        assert fewer("eval", made / "trace.db", "--split", wrong).returncode == 2


def test_wrong_policies(fewer, made, tmp_path):
    (tmp_path / "text").write_text("hello")
    for policy, words in (("none", "none"), ("text", "text")):
        for verb in ("eval", "plan"):
            got = fewer(verb, made / "trace.db", "-p", policy)
            assert got.returncode == 1 and words in got.stderr and got.stdout == ""
    got = fewer("eval", made / "trace.db", "-p", made / "policy.safetensors", "--method", "psychic")
    assert got.returncode == 1 and "psychic" in got.stderr and "value_net" in got.stderr
    assert fewer("eval", made / "trace.db", "--method", "value_net").returncode == 2
    got = fewer("eval", made / "trace.db", "--priority", "nobody")
    assert got.returncode == 1 and "nobody" in got.stderr


def test_plan(asked):
    answer = asked("plan", "--recall", "0.8,0.9", "--deadline", "10ms,40ms", "--rate", "50")
    recall, deadline = answer["plan"]["recall"], answer["plan"]["deadline"]
    assert list(recall) == ["0.8", "0.9"] and list(deadline) == ["10", "40"]
    assert deadline["10"]["time_ms"] == 10 and deadline["40"]["recall"] == 1
    for at in (*recall.values(), *deadline.values()):
        assert at["recall_low"] <= at["recall"] <= at["recall_high"]
        assert at["agreement_low"] <= at["agreement"] <= at["agreement_high"]
        assert at["cores"] == pytest.approx(50 * at["time_ms"] / 1000, rel=1e-4)
        assert at["items_per_hour"] == pytest.approx(3.6e6 / at["time_ms"], rel=1e-4)
    assert answer["plan"]["memory"] == {}  # the zoo does not say


def test_plan_in_words(fewer, made):
    got = fewer("plan", made / "trace.db", "-p", made / "policy.safetensors", "--rate", "50")
    assert got.returncode == 0, got.stderr
    for words in ("items that it was not learned from", "to keep up with 50 items a second", "stops by itself at recall",
                  "deadline, one lane", "cores"):
        assert words in got.stdout
    assert fewer("plan", made / "trace.db", "-p", made / "policy.safetensors", "-q").stdout == ""


def test_plan_wrong(fewer, made):
    got = fewer("plan", made / "trace.db")
    assert got.returncode == 2 and "--policy" in got.stderr
    for words in (("--rate", "0"), ("--recall", "2"), ("--deadline", "x"), ("--memory", "0%")):
        assert fewer("plan", made / "trace.db", "-p", made / "policy.safetensors", *words).returncode == 2
    for words, said in ((("--method", "psychic"), "psychic"), (("--recall", "0.01"), "0.01"), (("--memory", "25%"), "not known")):
        got = fewer("plan", made / "trace.db", "-p", made / "policy.safetensors", *words)
        assert got.returncode == 1 and said in got.stderr
