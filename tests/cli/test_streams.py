# SPDX-License-Identifier: Apache-2.0
"""Recordings, sound, live streams and lists of records through the command. The models are workers of a few lines: how
bright a picture is, how loud a sound, how many words a text has."""
import json
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import wave

import pytest

if not shutil.which("ffmpeg"):
    pytest.skip("no ffmpeg to make recordings with", allow_module_level=True)

WORKER = '''
import array, base64, json, sys
for line in sys.stdin:
    request = json.loads(line)
    if "fewer" in request:
        print(json.dumps({"ready": 1}), flush=True)
        continue
    if "tokens" in request:
        value = sum(token > 0 for token in request["tokens"])
    else:
        numbers = array.array("f", base64.b64decode(request["data"]))
        value = sum(map(abs, numbers)) / len(numbers)
    print(json.dumps({"id": request["id"], "output": [round(value, 2)]}), flush=True)
'''
INPUTS = {"light": "{size: [4, 4], std: 255}", "loud": "{kind: sound, rate: 8000, window: 100ms}",
          "words": "{kind: text, length: 8, vocabulary: english}"}


@pytest.fixture
def zoo(tmp_path):
    """Writes zoo.yaml with these models."""
    def write(*names):
        (tmp_path / "say.py").write_text(WORKER)
        models = "".join(f"  - {{name: {name}, backend: worker, command: [{json.dumps(sys.executable)}, -S, say.py],"
                         f" timeout: 20s, input: {INPUTS[name]}, output: {{kind: scalar}}}}\n" for name in names)
        (tmp_path / "zoo.yaml").write_text("version: 1\nlabels:\n  english: {names: [none, a, dog, barks]}\nmodels:\n"
                                           + models)
    return write


@pytest.fixture
def ffmpeg(tmp_path):
    def run(*args):
        subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, args)], check=True, cwd=tmp_path)
    return run


@pytest.fixture
def clip(ffmpeg):
    """A video without sound, ten pictures a second, each brighter than the one before; still: all of them alike."""
    def make(name, seconds=3, still=False, more=()):
        light = "120" if still else "16+6*mod(N,36)"
        ffmpeg("-f", "lavfi", "-i", f"nullsrc=s=64x48:r=10:d={seconds},geq=lum='{light}':cb=128:cr=128",
               "-c:v", "mpeg4", "-q:v", 2, "-g", 5, *more, name)
    return make


def sound(path, seconds, level=0.5, rate=8000):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        one = int(32767 * level).to_bytes(2, "little", signed=True)
        file.writeframes(one * int(rate * seconds))


def label(fewer, *args, status=0):
    """The object of --json."""
    got = fewer("label", "zoo.yaml", *args, "-o", "run.db", "--json")
    assert got.returncode == status, got.stderr
    return json.loads(got.stdout)


def rows(fewer, store="run.db"):
    return [json.loads(line) for line in fewer("export", store).stdout.splitlines()]


def answers(fewer, store="run.db"):
    """Item, model, outcome and value, in order."""
    return [(row["item"], row["model"], row["status"], row.get("output")) for row in rows(fewer, store)]


def items(fewer, store="run.db"):
    return list(dict.fromkeys(row["item"] for row in rows(fewer, store)))


# ---- recordings ----

def test_pictures_of_a_recording(fewer, zoo, clip):
    zoo("light")
    clip("clip.mp4")
    got = label(fewer, "clip.mp4", "--fps", 2)
    assert items(fewer) == [f"clip.mp4#t={t}" for t in ("0", "0.5", "1", "1.5", "2", "2.5")]
    light = [row["output"][0] for row in rows(fewer)]
    assert light == sorted(light) and light[0] < 0.05 < 0.6 < light[-1]
    stream, = got["streams"]
    assert stream["path"] == "clip.mp4" and stream["ended"] and not stream["live"]
    assert (stream["width"], stream["height"], stream["fps"], stream["duration_s"]) == (64, 48, 10, 3)
    assert [stream[key] for key in ("in", "analysed", "reused", "dropped", "failed", "damaged")] == [6, 6, 0, 0, 0, 0]


@pytest.mark.parametrize("args, times", [
    (["--every", 12], ["0", "1.2", "2.4"]),
    (["--from", "1.2s", "--to", "1.5s"], ["1.2", "1.3", "1.4"]),
    (["--fps", 1, "--from", "1s"], ["1", "2"]),
    (["--limit", 2], ["0", "0.1"]),
])
def test_which_pictures(fewer, zoo, clip, args, times):
    zoo("light")
    clip("clip.mp4")
    label(fewer, "clip.mp4", *args)
    assert items(fewer) == [f"clip.mp4#t={t}" for t in times]


def test_recordings_take_turns_and_a_run_goes_on(fewer, zoo, clip, tmp_path):
    zoo("light")
    for name, seconds in (("a.mp4", 2), ("b.mp4", 1), ("c.mp4", 3)):
        clip(name, seconds)
    args = ["a.mp4", "b.mp4", "c.mp4", "--fps", 2, "--streams", 2]
    label(fewer, *args)
    whole = answers(fewer)
    turns = "a0 b0 a0.5 b0.5 a1 c0 a1.5 c0.5 c1 c1.5 c2 c2.5".split()
    assert [row[0] for row in whole] == [f"{turn[0]}.mp4#t={turn[1:]}" for turn in turns]
    (tmp_path / "run.db").unlink()
    for limit, n_streams in ((1, 1), (3, 2), (8, 3)):
        got = label(fewer, *args, "--limit", limit)
        assert answers(fewer) == whole[:limit]
        assert [stream["path"] for stream in got["streams"]] == args[:n_streams]
    got = label(fewer, *args)
    assert answers(fewer) == whole and got["items_kept"] == 8
    got = label(fewer, *args)
    assert got["items_kept"] == 12 and got["items"] == 12


def test_other_moments_are_another_run(fewer, zoo, clip):
    zoo("light")
    clip("clip.mp4")
    label(fewer, "clip.mp4", "--fps", 1)
    got = fewer("label", "zoo.yaml", "clip.mp4", "--fps", 2, "-o", "run.db")
    assert got.returncode == 1 and "--force" in got.stderr


def test_a_place_in_a_recording(fewer, zoo, clip):
    zoo("light")
    clip("clip.mp4")
    label(fewer, "clip.mp4#t=2.5")
    (item, _, status, value), = answers(fewer)
    assert item == "clip.mp4#t=2.5" and status == "executed" and value[0] > 0.5


def test_a_folder_gives_recordings_when_asked(fewer, zoo, clip, tmp_path):
    zoo("light")
    (tmp_path / "clips").mkdir()
    clip("clips/a.mp4", 1)
    got = fewer("label", "zoo.yaml", "clips", "-o", "run.db")
    assert got.returncode == 1 and "no image in folder clips" in got.stderr
    assert label(fewer, "clips", "--fps", 1)["items"] == 1


def test_unchanged_frames_are_reused(fewer, zoo, clip):
    zoo("light")
    clip("still.mp4", still=True)
    clip("moving.mp4")
    got = label(fewer, "still.mp4", "moving.mp4", "--reuse", "pixel:0.1", "--segment", "2s")
    by = {stream["path"]: stream for stream in got["streams"]}
    assert (by["still.mp4"]["analysed"], by["still.mp4"]["reused"]) == (2, 28)  # one for each segment
    assert by["moving.mp4"]["reused"] < 28
    assert got["counts"]["reused"] == sum(stream["reused"] for stream in got["streams"])


def test_dry_run_counts_moments(fewer, zoo, clip):
    zoo("light")
    clip("clip.mp4")
    got = fewer("label", "zoo.yaml", "clip.mp4", "--fps", 2, "-o", "run.db", "--dry-run", "--json")
    assert got.returncode == 0, got.stderr
    assert json.loads(got.stdout)["items"] == 6 and json.loads(got.stdout)["items_known"]
    got = fewer("label", "zoo.yaml", "udp://127.0.0.1:1", "--dry-run")
    assert got.returncode == 0 and "is not known" in got.stdout


# ---- sound ----

def test_sound_alone(fewer, zoo, tmp_path):
    zoo("loud")
    sound(tmp_path / "talk.wav", 2.5, 0.25)
    label(fewer, "talk.wav")
    assert answers(fewer) == [(f"talk.wav#t={t}", "loud", "executed", [0.25]) for t in (0, 1, 2)]
    label(fewer, "talk.wav", "--clip", "500ms", "--force")
    assert len(items(fewer)) == 5


def test_sound_goes_with_its_picture(fewer, zoo, clip, ffmpeg, tmp_path):
    zoo("light", "loud")
    clip("silent.mp4")
    sound(tmp_path / "talk.wav", 3, 0.5)
    ffmpeg("-i", "silent.mp4", "-i", "talk.wav", "-c:v", "copy", "-c:a", "pcm_s16le", "both.mkv")
    got = label(fewer, "both.mkv", "--fps", 1)
    assert got["counts"]["executed"] == 6
    assert [row[3] for row in answers(fewer) if row[1] == "loud"] == [[0.5]] * 3


def test_a_clip_without_sound(fewer, zoo, clip):
    zoo("light", "loud")
    clip("silent.mp4")
    got = label(fewer, "silent.mp4", "--fps", 1)
    assert got["counts"]["executed"] == 3 and got["counts"]["skipped"] == 3 and got["items_failed"] == 0
    assert {row["reason"] for row in rows(fewer) if row["model"] == "loud"} != {""}


# ---- damage ----

def test_sound_without_header_fails_and_the_rest_goes_on(fewer, zoo, tmp_path):
    zoo("loud")
    sound(tmp_path / "good.wav", 1)
    (tmp_path / "bad.wav").write_bytes(bytes(100 + i * 37 % 31 for i in range(16000)))
    got = fewer("label", "zoo.yaml", "bad.wav", "good.wav", "-o", "run.db", "--json")
    assert got.returncode == 1
    assert "bad.wav" in got.stderr and "good.wav" not in got.stderr
    assert json.loads(got.stdout)["items_failed"] == 1 and json.loads(got.stdout)["items"] == 2


def test_a_damaged_video(fewer, zoo, clip, tmp_path):
    zoo("light")
    clip("good.mp4")
    data = bytearray((tmp_path / "good.mp4").read_bytes())
    start = data.index(b"mdat") + 8
    middle = start + (data.index(b"moov") - start) // 2
    data[middle:middle + 400] = b"\xff" * 400
    (tmp_path / "hurt.mp4").write_bytes(data)
    got = fewer("label", "zoo.yaml", "hurt.mp4", "good.mp4", "-o", "run.db")
    summary = json.loads(fewer("label", "zoo.yaml", "hurt.mp4", "good.mp4", "-o", "run.db", "--json").stdout)
    by = {stream["path"]: stream for stream in summary["streams"]}
    assert by["hurt.mp4"]["damaged"] > 0 and by["hurt.mp4"]["analysed"] > 10
    assert by["good.mp4"]["analysed"] == 30
    assert "hurt.mp4" in got.stderr and " damaged" in got.stderr


def test_a_video_that_is_cut_off(fewer, zoo, clip, tmp_path):
    zoo("light")
    clip("good.mp4", more=("-movflags", "+faststart"))
    data = (tmp_path / "good.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[:len(data) * 6 // 10])
    got = fewer("label", "zoo.yaml", "cut.mp4", "good.mp4", "-o", "run.db", "--fps", 5)
    assert got.returncode == 1 and "cut off" in got.stderr
    by_file = [item.split("#")[0] for item in items(fewer)]
    assert by_file.count("good.mp4") == 15 and 3 < by_file.count("cut.mp4") < 15


# ---- records ----

def test_records(fewer, zoo, clip, tmp_path):
    zoo("light", "loud", "words")
    (tmp_path / "lists").mkdir()
    clip("lists/clip.mp4")
    sound(tmp_path / "lists" / "talk.wav", 4, 0.75)
    (tmp_path / "lists" / "b.txt").write_text("a dog")
    lines = [{"item": "all", "image": {"file": "clip.mp4", "at": 2.5}, "sound": {"file": "talk.wav", "from": 1, "to": 2},
              "text": "a dog barks"},
             {"item": "frame", "image": {"file": "clip.mp4", "frame": 0}, "text": {"file": "b.txt"}},
             {"item": "silent", "video": "clip.mp4", "at": 1, "for": 1},
             {"item": "later", "image": "late.mp4#t=0"}]
    (tmp_path / "lists" / "list.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    got = fewer("label", "zoo.yaml", "lists/list.jsonl", "-o", "run.db", "--json")
    assert got.returncode == 1 and "late.mp4" in got.stderr
    assert json.loads(got.stdout)["items_failed"] == 1
    table = {(item, model): (status, value) for item, model, status, value in answers(fewer)}
    assert table["all", "loud"] == ("executed", [0.75]) and table["all", "words"] == ("executed", [3])
    assert table["all", "light"][1][0] > 0.5 > 0.1 > table["frame", "light"][1][0]
    assert table["frame", "words"] == ("executed", [2]) and table["frame", "loud"][0] == "skipped"
    assert table["silent", "light"][0] == "executed" and table["silent", "loud"][0] == "skipped"
    shutil.copy(tmp_path / "lists" / "clip.mp4", tmp_path / "lists" / "late.mp4")
    got = fewer("retry", "run.db", "--json")
    assert got.returncode == 0, got.stderr
    assert json.loads(got.stdout)["items_failed"] == 0 and len(items(fewer)) == 4
    assert label(fewer, "lists/list.jsonl")["items_kept"] == 4


@pytest.mark.parametrize("line, words", [
    ('{"item": "x", "picture": "a.jpg"}', "list.jsonl, line 2: line: expected 'item', 'image'"),
    ('{"item": "x"}', "line 2: line: expected 'image', 'sound', 'text' or 'video', found none"),
    ('{"item": "x", "sound": {"file": "a.wav", "from": 3, "to": 1}}', "line 2: sound: expected an end after"),
    ('{"item": "ok", "text": "x"}', "line 2: expected a name of its own, found 'ok'"),
    ('{"item"', "line 2: column"),
])
def test_records_that_are_wrong(fewer, zoo, tmp_path, line, words):
    zoo("words")
    (tmp_path / "list.jsonl").write_text('{"item": "ok", "text": "a"}\n' + line + "\n")
    got = fewer("label", "zoo.yaml", "list.jsonl", "-o", "run.db")
    assert got.returncode == 1 and words in got.stderr
    assert not (tmp_path / "run.db").exists()


# ---- live ----

class Camera:
    """A camera on loopback: gives each connection its share of a clip and then what `after` says. Nothing listens any more
    when all connections have been given."""

    def __init__(self, data, shares, after="close"):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"tcp://127.0.0.1:{self.listener.getsockname()[1]}"
        self.data, self.shares, self.after, self.held = data, shares, after, []
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        for begin, end in self.shares:
            connection, _ = self.listener.accept()
            try:
                connection.sendall(self.data[int(len(self.data) * begin):int(len(self.data) * end)])
            except OSError:
                pass
            if self.after == "close":
                connection.close()
            else:
                self.held.append(connection)  # it says nothing more
        self.listener.close()

    def close(self):
        self.thread.join(timeout=20)
        for connection in self.held:
            connection.close()


@pytest.fixture
def camera(clip, tmp_path):
    cameras = []

    def make(shares, after="close"):
        clip("camera.ts", more=("-f", "mpegts"))
        cameras.append(Camera((tmp_path / "camera.ts").read_bytes(), shares, after))
        return cameras[-1]

    yield make
    for one in cameras:
        one.close()


def test_a_live_stream_that_ends_is_connected_to_again(fewer, zoo, camera):
    zoo("light")
    url = camera([(0, 1), (0, 1)]).url
    got = label(fewer, url, "--reconnects", 1, "--live-timeout", "2s", status=1)
    stream, = got["streams"]
    assert stream["live"] and stream["reconnects"] >= 1 and stream["message"]
    assert stream["in"] == stream["analysed"] + stream["reused"] + stream["dropped"] + stream["failed"] > 8
    names = items(fewer)
    assert all(name.startswith(f"{url}#t=clock:20") and name.endswith("Z") for name in names[:-1])


def test_a_live_stream_that_falls_silent(fewer, zoo, camera, clip):
    zoo("light")
    clip("clip.mp4")
    one = camera([(0, 0.6), (0.5, 1)], after="hold")
    got = fewer("label", "zoo.yaml", one.url, "clip.mp4", "--live-timeout", "300ms", "--reconnects", 1, "-o", "run.db",
                "--json")
    assert got.returncode == 1, got.stderr
    by = {stream["path"]: stream for stream in json.loads(got.stdout)["streams"]}
    assert by["clip.mp4"]["analysed"] == 30
    assert by[one.url]["reconnects"] >= 1 and by[one.url]["analysed"] > 0 and one.url in got.stderr


def test_for_ends_a_live_run(fewer, zoo, camera):
    zoo("light")
    url = camera([(0, 1)], after="hold").url
    got = fewer("label", "zoo.yaml", url, "--for", "1.5s", "-o", "run.db")
    assert got.returncode == 0, got.stderr
    assert "ended after 1.50 s (--for)" in got.stderr and "kept in run.db" in got.stderr
    assert items(fewer)


def test_an_interrupted_live_run_is_kept(command, fewer, zoo, camera, tmp_path):
    zoo("light")
    url = camera([(0, 1)], after="hold").url
    with subprocess.Popen([str(command), "label", "zoo.yaml", url, "-o", "run.db", "--progress", "json", "--quiet"],
                          stderr=subprocess.PIPE, text=True, cwd=tmp_path) as run:
        for line in run.stderr:  # one a second, for as long as it is silent
            seen = json.loads(line)
            if seen["items"] > 0:
                break
        run.send_signal(signal.SIGINT)
        rest = run.stderr.read()
    assert run.returncode == 130 and "interrupted after " in rest
    assert seen["expected"] is None and seen["eta_s"] is None
    assert seen["streams"][0]["path"] == url and seen["streams"][0]["age_ms"] > 0
    assert len(items(fewer)) >= seen["items"]


def test_passwords_are_not_kept(fewer, zoo, camera, tmp_path):
    zoo("light")
    url = camera([(0, 1)], after="hold").url
    got = fewer("label", "zoo.yaml", url.replace("//", "//me:hush@"), "--for", "1s", "-o", "run.db", "--progress", "json")
    assert "hush" not in got.stderr
    fewer("report", "run.db", "-o", "report.html")
    with sqlite3.connect(tmp_path / "run.db") as database:
        assert "hush" not in "\n".join(database.iterdump())
    assert "hush" not in (tmp_path / "report.html").read_text()
    assert "hush" not in fewer("status", "run.db").stderr + fewer("status", "run.db").stdout


# ---- progress ----

def test_progress_as_json_lines(fewer, zoo, clip):
    zoo("light")
    clip("clip.mp4")
    got = fewer("label", "zoo.yaml", "clip.mp4", "-o", "run.db", "--progress", "json", "--quiet")
    assert got.returncode == 0 and got.stdout == ""
    lines = [json.loads(line) for line in got.stderr.splitlines()]
    assert [line["ended"] for line in lines] == [False] * (len(lines) - 1) + [True]
    last = lines[-1]
    assert last["items"] == last["expected"] == 30 and last["eta_s"] == 0 and last["rate"] > 0 and last["kept"] == 0
    assert last["counts"]["executed"] == 30 and set(last["time_ms"]) == {"spent", "run_all"}
    assert last["streams"] == [{"path": "clip.mp4", "in": 30, "analysed": 30, "reused": 0, "dropped": 0, "failed": 0,
                                "age_ms": None}]
    got = fewer("label", "zoo.yaml", "clip.mp4", "-o", "run.db", "--progress", "json", "--quiet")
    last = json.loads(got.stderr.splitlines()[-1])
    assert last["items"] == last["kept"] == 30 and last["rate"] == 0


def test_short_runs_say_nothing_in_a_pipe(fewer, zoo, clip):
    zoo("light")
    clip("clip.mp4", 1)
    for mode in ([], ["--progress", "auto"], ["--progress", "plain"], ["--progress", "none"]):
        got = fewer("label", "zoo.yaml", "clip.mp4", "-o", "run.db", "--json", "--force", *mode)
        assert got.returncode == 0 and got.stderr == ""
    got = fewer("label", "zoo.yaml", "clip.mp4", "-o", "run.db", "--force")
    assert got.stderr.startswith("10 items, 1 models, ") and "1 stream: 10 in, 10 analysed\n" in got.stderr
