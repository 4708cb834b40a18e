"""A step of bi-modal training on the CPU: all queries in one call, and one call for each.

    python benchmarks/bimodal_training.py [--rounds 3] [--write]

Two mixtures of two source mixtures of three sources each, 2.04 s: 2 captions and 6 phrases are
asked about each, as the paper's setting has it. Loss, gradient and AdamW's step are timed, of
networks in training mode with the same weights and the same batch, by turns after a step to warm
up; the least of the rounds counts. Ratios are of CPU time, which other work on the machine
disturbs less than wall time. One thread.

- `batched`: sepcli's objective. The mixture's spectrogram and what no query reaches, the encoder,
  are computed once for the 8 queries of a mixture, forwards and backwards; of the BimodalUNet also
  the half of each outer decoder level's widest convolution that reads the encoder. The CLAP hears
  all answers in one call.
- `sequential`: as the reference works: the whole network once for every caption and every phrase,
  on the same spectrogram, with undivided convolutions, and one call of the CLAP for each of the
  two groups of phrases. Written here from the formulas (Mahmud et al., 2024, arXiv 2404.01740).

First both must give the same loss, to 1e-5 of it. That is done in evaluation mode: in training,
batch normalisation takes its statistics over the queries of a call, which are all or one.

The reference also reads all texts anew at every step, with a frozen RoBERTa-base, 77 tokens each;
ours are embedded once and kept. That is timed by itself, with random weights, and added to
`sequential` for a second ratio. What is left out makes the reference slower still: it resamples
answers to 48 kHz, and pads them to 10 s.

Every network has a process of its own, with each of two ways to handle memory. With `as it is`
the C library gives large blocks back to the system as soon as they are free, which hits the larger
tensors of `batched` harder. With `kept` it does not (glibc's MALLOC_MMAP_MAX_ and
MALLOC_TRIM_THRESHOLD_). The CLAP is that of model `everyday`; weights are random, those
of linear layers eight times as large as usual, for at first networks hardly listen to queries.
Sounds and the BimodalUNet's words are random.
"""

import argparse
import copy
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sepcli.nets.bimodal_unet import ResBlock, joined
from sepcli.training.config import BandUNetConfig, BimodalUNetConfig, Weak
from sepcli.training.losses.comparison import paper_magnitude
from sepcli.training.mixing.batch import Batch, Role
from sepcli.training.networks import Masker, build_masker
from sepcli.training.objectives import build_objective
from sepcli.training.teacher import Teacher, load_teacher

HERE = Path(__file__).parent
ITEMS, PARTS, SOURCES = 2, 2, 3
SECONDS = 2.04  # 128 frames of the BimodalUNet, to which it would pad fewer
WORDS, WORD = 8, 768  # vectors of a BimodalUNet's query, and their length
NETWORKS = {
    "BandUNet": BandUNetConfig(),
    "BimodalUNet, ngf 16": BimodalUNetConfig(name="bimodal-unet", ngf=16),
}
LOUDER = 8
TOKENS = 77  # of a text, to which the reference pads
KEPT = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 40)}
MEMORY = {"as it is": {}, "kept": KEPT}

Loss = Callable[[Masker], Tensor]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--network", choices=NETWORKS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.network:
        print(json.dumps(measure(given.network, given.rounds)))
        return
    text = json.dumps(compare(given.rounds), indent=1)
    print(text)
    if given.write:
        (HERE / "results/bimodal_training.json").write_text(text + "\n")


def compare(rounds: int) -> dict[str, object]:
    """All figures, by network and memory."""
    python = platform.python_version()
    return {
        "machine": f"{platform.machine()}, one thread, Python {python}, torch {torch.__version__}",
        "queries": ITEMS * PARTS * (1 + SOURCES),
        "seconds_of_audio": ITEMS * SECONDS,
        "rows": [run(name, memory, rounds) for name in NETWORKS for memory in MEMORY],
    }


def run(network: str, memory: str, rounds: int) -> dict[str, object]:
    """Measure in a process of its own."""
    words = [sys.executable, __file__, "--rounds", str(rounds), "--network", network]
    environment = os.environ | MEMORY[memory]
    done = subprocess.run(words, env=environment, stdout=subprocess.PIPE, check=True, text=True)
    row = {"network": network, "memory": memory, **json.loads(done.stdout)}
    print(row, file=sys.stderr)
    return row


def measure(name: str, rounds: int) -> dict[str, object]:
    """Steps per second of both ways, by turns, once they agree."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    clap = load_teacher("model:everyday")
    masker = attentive(build_masker(NETWORKS[name], clap.dimension))
    batch = mixtures(masker, clap, words=isinstance(NETWORKS[name], BimodalUNetConfig))
    objective = build_objective(Weak(setting="paper"), clap)
    ways: dict[str, Loss] = {
        "sequential": lambda network: sequential(network, batch, clap),
        "batched": lambda network: objective(network, batch)["loss"],
    }
    networks = {"sequential": undivided(copy.deepcopy(masker)), "batched": masker}
    difference = disagreement(ways, networks)
    steps = {way: Stepper(networks[way], loss) for way, loss in ways.items()}
    figures = by_turns(steps, rounds)
    texts = reading(rounds)
    ours = figures["batched"]["cpu_seconds_per_step"]
    theirs = figures["sequential"]["cpu_seconds_per_step"] + texts
    return {
        "relative_difference_of_loss": difference,
        **figures,
        "texts_cpu_seconds": round(texts, 3),
        "times_faster_with_texts": round(theirs / ours, 2),
    }


def reading(rounds: int) -> float:
    """The least CPU time in which RoBERTa-base reads the texts of a batch, s."""
    from transformers import RobertaConfig, RobertaModel

    model = RobertaModel(RobertaConfig(vocab_size=50_265, max_position_embeddings=514)).eval()
    tokens = torch.randint(4, 50_000, (ITEMS * PARTS * (1 + SOURCES), TOKENS))
    times = []
    for _ in range(rounds):
        begun = time.process_time()
        with torch.no_grad():
            model(tokens)
        times.append(time.process_time() - begun)
    return min(times)


def attentive(masker: Masker) -> Masker:
    """With larger weights where queries enter, so that their order shows in the loss."""
    with torch.no_grad():
        for layer in masker.modules():
            if isinstance(layer, nn.Linear):
                layer.weight *= LOUDER
    return masker


def disagreement(ways: dict[str, Loss], networks: dict[str, Masker]) -> float:
    """Of the losses, relative; in evaluation mode."""
    with torch.no_grad():
        one, other = (float(loss(networks[way].eval())) for way, loss in ways.items())
    difference = abs(one - other) / abs(one)
    assert difference < 1e-5, f"the losses are {one} and {other}"
    return float(f"{difference:.1e}")


class Stepper:
    """Takes steps of an optimiser and tells how long they take."""

    def __init__(self, masker: Masker, loss: Loss) -> None:
        self.masker, self.loss = masker.train(), loss
        parameters = [p for p in masker.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(parameters, 1e-4)

    def step(self) -> tuple[float, float]:
        """CPU and wall time, s."""
        cpu, wall = time.process_time(), time.perf_counter()
        self.optimizer.zero_grad()
        self.loss(self.masker).backward()
        self.optimizer.step()
        return time.process_time() - cpu, time.perf_counter() - wall


def by_turns(steps: dict[str, Stepper], rounds: int) -> dict[str, Any]:
    """The least times of some rounds."""
    taken: dict[str, list[tuple[float, float]]] = {way: [] for way in steps}
    for number in range(rounds + 1):
        for way, stepper in steps.items():
            times = stepper.step()
            if number:
                taken[way].append(times)
    least = {
        way: [min(column) for column in zip(*rows, strict=True)] for way, rows in taken.items()
    }
    figures: dict[str, Any] = {
        way: {
            "cpu_seconds_per_step": round(cpu, 3),
            "steps_per_cpu_second": float(f"{1 / cpu:.3g}"),
            "steps_per_second": float(f"{1 / wall:.3g}"),
        }
        for way, (cpu, wall) in least.items()
    }
    cpu, wall = (one / other for one, other in zip(*least.values(), strict=True))
    return figures | {"times_faster": round(cpu, 2), "times_faster_wall": round(wall, 2)}


def mixtures(masker: Masker, clap: Teacher, words: bool) -> Batch:
    """Noise through random resonances, and eight texts for each mixture."""
    samples = int(SECONDS * masker.rate)
    noise = torch.randn(ITEMS, PARTS, SOURCES, samples)
    tilt = torch.rand(ITEMS, PARTS, SOURCES, 1) * torch.linspace(0, 8, samples // 2 + 1)
    sources = torch.fft.irfft(torch.fft.rfft(noise) * torch.exp(-tilt), samples)
    parts = 0.1 * F.normalize(sources, dim=-1).sum(dim=2) * samples**0.5
    per_part = 1 + SOURCES
    role = torch.tensor([Role.CAPTION, *[Role.PHRASE] * SOURCES] * PARTS).expand(ITEMS, -1)
    phrases, count = role == Role.PHRASE, ITEMS * PARTS * per_part
    targets = clap.texts([f"sound number {n}" for n in range(count)]).view(*role.shape, -1)
    vectors = torch.randn(*role.shape, WORDS * WORD)
    return Batch(
        mixture=parts.sum(dim=1),
        parts=parts,
        queries=torch.cat([vectors, targets], dim=-1) if words else targets,
        role=role,
        part=torch.arange(PARTS).repeat_interleave(per_part).expand(ITEMS, -1),
        answers=torch.zeros(*role.shape, samples),
        known=~phrases,
        weight=phrases.float(),
        meaning=torch.arange(count).view(role.shape).where(phrases, -1),
        targets=targets,
    )


def sequential(masker: Masker, batch: Batch, clap: Teacher) -> Tensor:
    """0.5 CNT + 5 (CRL + URL), with a call of the network for every text."""
    spec = masker.spectrogram(batch.mixture)
    mixture = paper_magnitude(spec, masker)
    total = torch.zeros(())
    for part in range(PARTS):
        target = paper_magnitude(masker.spectrogram(batch.parts[:, part]), masker)
        first = part * (1 + SOURCES)
        caption, *phrases = (
            masker(spec, batch.queries[:, [query]])[:, 0] for query in range(first, first + 4)
        )
        separation = weighted_l1(caption * mixture, target, mixture)
        consistency = weighted_l1(torch.stack(phrases).sum(dim=0) * mixture, target, target)
        waves = masker.waveform(
            torch.cat([mask * spec for mask in phrases]), batch.mixture.shape[-1]
        )
        heard = clap.audio(waves, masker.rate)
        texts = torch.cat(list(batch.targets[:, first + 1 : first + 4].unbind(dim=1)))
        contrast = F.cross_entropy(clap.scale * heard @ texts.T, torch.arange(len(texts)))
        total = total + 0.5 * contrast + 5 * (consistency + separation)
    return total


def weighted_l1(estimate: Tensor, target: Tensor, weigher: Tensor) -> Tensor:
    """Mean over everything; loud bins of the weigher count more."""
    return (weigher.log1p().clamp(1e-3, 10) * (estimate - target).abs()).mean()


def undivided(masker: Masker) -> Masker:
    """With every residual block of a BimodalUNet joining its input before it convolves."""
    for block in masker.modules():
        if isinstance(block, ResBlock):
            block.forward = joining(block)
    return masker


def joining(block: ResBlock) -> Callable[..., nn.Module]:
    return lambda *parts: ResBlock.forward(block, joined(parts))


if __name__ == "__main__":
    main()
