# SPDX-License-Identifier: Apache-2.0
"""dqn_train_vs_torch and q_decision_vs_torch: our agent beside PyTorch's, one thread each, block by block in turn.

    dqn_vs_torch.py BUILD train|decide

Both sides learn from the same 100,000 transitions with the same net, loss, target network and Adam; that they do the same is
checked first (the nets after 30 updates on the same batches). PyTorch's side is the fastest of: eager, scripted, and eager
with the first layer as a sum of rows (embedding_bag), each with Adam's loop over tensors and its foreach form."""
import json
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

BLOCKS, LABELS, HIDDEN, ACTIONS, BATCH, GAMMA, SYNC = 15, 1104, 256, 31, 32, 0.9, 500
TYPES = {"F32": torch.float32, "I32": torch.int32, "U8": torch.uint8}


def read(path):
    data = bytearray(path.read_bytes())
    (n,) = struct.unpack("<Q", data[:8])
    tensors = {}
    for name, about in json.loads(data[8:8 + n]).items():
        begin, end = about["data_offsets"]
        part = torch.frombuffer(data, dtype=torch.uint8, offset=8 + n + begin, count=end - begin)
        tensors[name] = part.clone().view(TYPES[about["dtype"]]).reshape(about["shape"])
    return tensors


class Dense(nn.Module):
    """The net as anybody writes it; states are rows of bits."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(LABELS, HIDDEN), nn.Linear(HIDDEN, ACTIONS)

    def forward(self, x):
        return self.second(F.relu(self.first(x)))


class Sparse(nn.Module):
    """The first layer as a sum of the rows whose bits are set; states are lists of them."""

    def __init__(self):
        super().__init__()
        self.rows, self.bias = nn.Parameter(torch.zeros(LABELS, HIDDEN)), nn.Parameter(torch.zeros(HIDDEN))
        self.second = nn.Linear(HIDDEN, ACTIONS)

    def forward(self, index, offsets):
        return self.second(F.relu(F.embedding_bag(index, self.rows, offsets, mode="sum") + self.bias))


class Agent:
    def __init__(self, world, kind, foreach):
        self.world, self.kind = world, kind
        self.nets = [Sparse() if kind == "sparse" else Dense() for _ in range(2)]
        for net in self.nets:
            self.fill(net)
        if kind == "scripted":
            self.nets = [torch.jit.script(net) for net in self.nets]
        self.optimiser = torch.optim.Adam(self.nets[0].parameters(), lr=1e-3, foreach=foreach)
        self.updates = 0
        self.first = torch.cat([torch.zeros(1, dtype=torch.int64), world["after"].long().cumsum(0)])
        self.index = world["inputs"].long()
        self.action, self.reward = world["action"].long(), world["reward"]
        self.live = 1 - world["ended"].float()
        self.closed = world["open"].reshape(-1, ACTIONS) == 0
        if kind != "sparse":
            self.make_states()

    def fill(self, net):
        w = self.world
        with torch.no_grad():
            if self.kind == "sparse":
                net.rows.copy_(w["net.0.weight"]), net.bias.copy_(w["net.0.bias"])
            else:
                net.first.weight.copy_(w["net.0.weight"].T), net.first.bias.copy_(w["net.0.bias"])
            net.second.weight.copy_(w["net.1.weight"].T), net.second.bias.copy_(w["net.1.bias"])

    def make_states(self):
        n = len(self.action)
        place = torch.arange(len(self.index)) - self.first[:-1].repeat_interleave(self.world["after"].long())
        row = torch.arange(n).repeat_interleave(self.world["after"].long())
        self.states = [torch.zeros(n, LABELS, dtype=torch.uint8) for _ in range(2)]
        known = place < self.world["before"].long()[row]
        self.states[0][row[known], self.index[known]] = 1
        self.states[1][row, self.index] = 1

    def q(self, net, picked, after):
        if self.kind != "sparse":
            return net(self.states[after].index_select(0, picked).float())
        begin = self.first[picked]
        length = (self.world["after"] if after else self.world["before"])[picked].long()
        offsets = torch.cat([torch.zeros(1, dtype=torch.int64), length.cumsum(0)[:-1]])
        at = torch.arange(int(length.sum())) + (begin - offsets).repeat_interleave(length)
        return net(self.index[at], offsets)

    def update(self, picked):
        with torch.no_grad():
            best = self.q(self.nets[1], picked, 1).masked_fill(self.closed[picked], -1e30).amax(1)
            y = self.reward[picked] + GAMMA * self.live[picked] * best
        got = self.q(self.nets[0], picked, 0).gather(1, self.action[picked].unsqueeze(1)).squeeze(1)
        loss = F.smooth_l1_loss(got, y)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        self.updates += 1
        if self.updates % SYNC == 0:
            self.nets[1].load_state_dict(self.nets[0].state_dict())

    def time(self, n):
        start = time.perf_counter()
        for _ in range(n):
            self.update(torch.randint(0, len(self.action), (BATCH,)))
        return (time.perf_counter() - start) * 1e9 / n


class Ours:
    def __init__(self, build, folder):
        self.process = subprocess.Popen([f"{build}/bench/agent_loop", folder], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return [float(word) for word in self.process.stdout.readline().split()]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def line(name, ours, theirs, peer, unit, **more):
    ours, theirs, ratio = (statistics.median(v) for v in (ours, theirs, [t / o for o, t in zip(ours, theirs)]))
    print(json.dumps({"name": name, "ours": round(ours, 4), "theirs": round(theirs, 4), "peer": peer, "unit": unit,
                      "ratio": round(ratio, 3), **more}))


def check(ours, folder, world, kinds):
    """Both sides are the same learner: their nets after 30 updates on the same batches."""
    ours.ask("check 30")
    after = read(Path(folder) / "after.safetensors")
    for kind in kinds:
        agent = Agent(world, kind, False)
        for i in range(30):
            agent.update(torch.arange(i * BATCH, (i + 1) * BATCH))
        net = agent.nets[0]
        rows = net.rows if kind == "sparse" else net.first.weight.T
        worst = max((rows - after["net.0.weight"]).abs().max().item(), (net.second.weight.T - after["net.1.weight"]).abs().max().item())
        moved = (rows - world["net.0.weight"]).abs().max().item()
        assert worst < 1e-4 < 1e-2 < moved, f"{kind}: the nets differ by {worst} after moving {moved}"


def bench_train(ours, folder, world):
    kinds = ("eager", "scripted", "sparse")
    check(ours, folder, world, kinds)
    agents = [Agent(world, kind, foreach) for kind in kinds for foreach in (False, True)]
    for agent in agents:
        agent.time(20)  # warm, and compiled
    ours.ask("train 2000")
    peer = min(agents, key=lambda agent: agent.time(40))
    mine, theirs = [], []
    for _ in range(BLOCKS):
        mine += ours.ask("train 500")
        theirs.append(peer.time(40))
    line("dqn_train_vs_torch", [t / 1000 for t in mine], [t / 1000 for t in theirs], f"PyTorch {torch.__version__} ({peer.kind})",
         "us per update of 32")


def bench_decide(ours, world):
    agent = Agent({**world, "inputs": world["inputs"][:0], "after": world["after"] * 0, "before": world["before"] * 0}, "eager", False)
    net = agent.nets[0].eval()
    x = (torch.rand(1, LABELS) < 0.03).float()
    with torch.no_grad():
        forms = [net, torch.jit.script(net), torch.jit.freeze(torch.jit.script(net)),
                 torch.jit.optimize_for_inference(torch.jit.script(net))]

    def time_net(form, n):
        with torch.inference_mode():
            start = time.perf_counter()
            for _ in range(n):
                form(x)
            return (time.perf_counter() - start) * 1e9 / n

    for form in forms:
        time_net(form, 300)
    ours.ask("decide 20000")
    peer = min(forms, key=lambda form: time_net(form, 2000))
    mine, theirs, calib = [], [], []
    for _ in range(BLOCKS):
        took, fixed = ours.ask("decide 30000")
        mine.append(took / 1000), calib.append(fixed)
        theirs.append(time_net(peer, 2000) / 1000)
    line("q_decision_vs_torch", mine, theirs, f"PyTorch {torch.__version__}, network alone", "us")
    line("q_decision", mine, [5.0] * len(mine), "bound", "us", calib_ns=round(statistics.median(calib), 1))


def main():
    build, what = sys.argv[1:3]
    torch.set_num_threads(1)
    torch.manual_seed(1)
    with tempfile.TemporaryDirectory() as folder:
        ours = Ours(build, folder)
        world = read(Path(folder) / "world.safetensors")
        if what == "train":
            bench_train(ours, folder, world)
        else:
            bench_decide(ours, world)
        ours.close()


main()
