# SPDX-License-Identifier: Apache-2.0
"""Writes aligned records: moments of the six clips of the zoo, sound that is made here, and notes.

    python3 examples/clips/make_clips.py build/clips [--zoo ../shared/zoo]

In the folder are then clips.jsonl (a record a line), sounds/*.wav (two to four seconds each, made by ffmpeg: a voice, a
tone, noise, nothing), expected.json (what a good ear and a good reader would say), and root/, links to where the files of
examples/clips/zoo.yaml lie.
"""
import argparse
import json
import os
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
RATE = 16000

SPEECH = {
    "ask": "Please keep to the left. The next train is late.",
    "warn": "Attention. Somebody has left a bag in the hall.",
    "call": "Hello. Can you hear me? We are on our way now.",
}
SOUNDS = {  # name -> (what ffmpeg makes it from, whether somebody speaks)
    **{name: (f"flite=text='{words.replace(':', '')}':voice=slt", True) for name, words in SPEECH.items()},
    "tone": ("sine=frequency=440:sample_rate=16000:duration=2", False),
    "hum": ("sine=frequency=100:sample_rate=16000:duration=3,tremolo=f=3:d=0.5", False),
    "noise": ("anoisesrc=color=white:seed=7:amplitude=0.2:sample_rate=16000:duration=2", False),
    "nothing": ("anullsrc=channel_layout=mono:sample_rate=16000,atrim=duration=2", False),
}

# clip, seconds, sound (None: nobody recorded any), note (None: nobody wrote any), what the note is about
MOMENTS = [
    ("highway", 2, "noise", "Cars on the highway, no congestion.", ["traffic"]),
    ("highway", 20, "hum", "A van stopped in the right lane, then went on.", ["traffic"]),
    ("highway", 41, None, "Fog in the morning, few vehicles.", ["traffic", "weather"]),
    ("highway", 52, "call", None, None),
    ("pedestrians", 3, "ask", "People walking over the crossing.", ["people"]),
    ("pedestrians", 18.5, "noise", "A child and a woman; sunny.", ["people", "weather"]),
    ("pedestrians", 36, "tone", "Nothing to report.", []),
    ("pedestrians", 60, "warn", "Crowd near the entrance, somebody calls for help.", ["people", "alarm"]),
    ("onebyone", 5, "nothing", "The visitor walks up to the table.", ["people", "goods"]),
    ("onebyone", 33, "call", "Queue of visitors.", ["people"]),
    ("onebyone", 71, "ask", None, None),
    ("onebyone", 120, "tone", "Door test at noon.", []),
    ("carlot", 1, "noise", "Parking is empty.", ["traffic"]),
    ("carlot", 9.6, "hum", "One truck, turning.", ["traffic"]),
    ("carlot", 17, None, "Rain on the lens.", ["weather"]),
    ("carlot", 25, "warn", "Smoke from a car, alarm given.", ["traffic", "alarm"]),
    ("bottles", 2, "nothing", "Two bottles on the table.", ["goods"]),
    ("bottles", 14, "call", "A bottle was taken from the shelf by a man.", ["goods", "people"]),
    ("bottles", 27, "noise", None, None),
    ("bottles", 38, "tone", "The stock is low.", ["goods"]),
    ("bridge", 1.5, "hum", "Dense traffic beside the bridge.", ["traffic"]),
    ("bridge", 10, "noise", "Accident reported on the road, trucks wait.", ["traffic", "alarm"]),
    ("bridge", 19, "ask", "Storm and wind.", ["weather"]),
    ("bridge", 28, None, None, None),
]


def has_speech():
    """Whether this ffmpeg has a voice (libflite)."""
    said = subprocess.run(["ffmpeg", "-hide_banner", "-filters"], capture_output=True, text=True)
    return " flite " in said.stdout


def make_sounds(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, (source, _) in SOUNDS.items():
        subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", source, "-ac", "1", "-ar", str(RATE),
                        "-fflags", "+bitexact", "-flags", "+bitexact", str(folder / f"{name}.wav")], check=True)


def link(path, target):
    path.unlink(missing_ok=True)
    path.symlink_to(target, target_is_directory=True)


def make_root(folder, zoo):
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("models", "labels"):
        link(folder / name, (zoo / name).resolve())
    link(folder / "topics", HERE / "topics")


def make_records(out, zoo):
    records, expected = [], {}
    for clip, at, sound, note, topics in MOMENTS:
        record = {"item": f"{clip}-{at:g}",
                  "image": {"file": os.path.relpath(zoo / "videos" / f"{clip}.mp4", out), "at": at}}
        if sound:
            record["sound"] = f"sounds/{sound}.wav"
        if note:
            record["text"] = note
        records.append(record)
        expected[record["item"]] = {"speech": SOUNDS[sound][1] if sound else None, "topics": topics}
    (out / "clips.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    (out / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--zoo", type=pathlib.Path, default=HERE.parents[2] / "shared" / "zoo")
    args = parser.parse_args()
    make_sounds(args.out / "sounds")
    make_root(args.out / "root", args.zoo)
    make_records(args.out, args.zoo)


if __name__ == "__main__":
    main()
