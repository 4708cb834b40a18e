"""AudioSep's network on the CPU: the reference's way of working, and ours.

    python benchmarks/audiosep.py [--seconds 60] [--write]

Every way of working has a process of its own, two threads, and the weights and the mono recording
at 32 kHz that tests/golden/formula.py makes from names: times do not depend on weights, and what
would be heard is not the question here. Wall and CPU time are those of the separation alone,
after one second to warm up; ratios are of CPU time, which other work on the machine disturbs less.
Memory is the process's peak resident set, of which Python, torch, weights, recording and the
warming up take the part told beside.

- `reference`: windows of 5 s every 3 s, of which 1 s at each edge is not used; all but the first
  and the last are computed twice, as the end of what comes before and then for themselves.
  Spectrograms by convolution with Fourier kernels; activations in torch's usual order in memory;
  batch normalisation, FiLM and rectifier one after the other. FiLM is worked out once. Written
  here from a description of the original (MIT licence, arXiv 2308.05037).
- `same_windows`: sepcli's network on the same windows, each once.
- `own_windows`: windows and cross-fades as `sepcli separate` has them: 10.23 s, so that no frame
  is padded, starting at multiples of the 32 frames that the network pools into one.
- `off_grid`: the same, but 0.16 s longer in their fades, so that they start half a group off.
- `one_pass`: the whole recording as one window, which the others are compared with.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sepcli.audio.windows import Joiner, Layout, cut
from sepcli.nets.resunet30 import EPSILON, FAINTEST, SLOPE, Norm, ResUNet30, film_key

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))

from golden import formula  # noqa: E402

RATE = 32_000  # Hz
THREADS = 2
LEVEL = 0.01  # of the recording, so that no rectifier and no mask saturates
EDGE, CENTRE = 1, 3  # seconds of the reference's windows
OWN_WINDOWS = 10.23, 1.0, 0.23  # length, context and fade in seconds
OFF_GRID = 10.23, 1.0, 0.39

Way = Callable[[ResUNet30, Tensor, Tensor], Tensor]  # (samples,), (1, 512) -> (samples,)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--way", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.way:
        name, path = given.way
        print(json.dumps(measure(name, given.seconds, Path(path))))
        return
    text = json.dumps(compare(given.seconds), indent=1)
    print(text)
    if given.write:
        (HERE / "results/audiosep.json").write_text(text + "\n")


def compare(seconds: int) -> dict[str, object]:
    """All figures, by way of working."""
    python = platform.python_version()
    rows: dict[str, dict[str, object]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in WAYS:
            rows[name] = run(name, seconds, Path(folder))
        stems = {name: np.load(Path(folder) / f"{name}.npy") for name in WAYS}
    reference = rows["reference"]
    for name, row in rows.items():
        row["times_faster"] = round(reference["cpu_seconds"] / row["cpu_seconds"], 2)
        if name != "one_pass":
            row["agreement_with_one_pass_db"] = agreement(stems[name], stems["one_pass"])
    difference = np.abs(stems["same_windows"] - stems["reference"]).max()
    return {
        "machine": f"{platform.machine()}, {THREADS} threads, Python {python}, "
        f"torch {torch.__version__}",
        "seconds_of_audio": seconds,
        "ways": rows,
        "largest_difference_on_same_windows": float(f"{difference:.1e}"),
        "peak_of_reference": float(f"{np.abs(stems['reference']).max():.3g}"),
    }


def run(name: str, seconds: int, folder: Path) -> dict[str, object]:
    """Measure in a process of its own; its stem stays in the folder."""
    words = [sys.executable, __file__, "--seconds", str(seconds)]
    words += ["--way", name, str(folder / f"{name}.npy")]
    done = subprocess.run(words, env=os.environ, stdout=subprocess.PIPE, check=True, text=True)
    row: dict[str, object] = json.loads(done.stdout)
    print(name, row, file=sys.stderr)
    return row


def agreement(stem: np.ndarray, wanted: np.ndarray) -> float:
    """10 log10 of the energy of what is wanted to that of the difference, dB."""
    ratio = np.sum(np.square(wanted)) / np.sum(np.square(stem - wanted))
    return round(10 * float(np.log10(ratio)), 1)


def measure(name: str, seconds: int, path: Path) -> dict[str, float]:
    """Times and memory of one way of working."""
    torch.set_num_threads(THREADS)
    network, query = ready(), torch.from_numpy(formula.values("condition", (1, 512)))
    query = F.normalize(query.float(), dim=-1)
    wave = torch.from_numpy(LEVEL * formula.signal("mixture", seconds * RATE, RATE)).float()
    separate = WAYS[name]
    with torch.inference_mode():
        separate(network, wave[:RATE], query)
        before, start, cpu = peak_mb(), time.perf_counter(), time.process_time()
        stem = separate(network, wave, query)
        took, cpu = time.perf_counter() - start, time.process_time() - cpu
    np.save(path, stem.double().numpy())
    return {
        "seconds": round(took, 2),
        "cpu_seconds": round(cpu, 2),
        "times_real_time": round(seconds / took, 2),
        "peak_rss_mb": peak_mb(),
        "of_it_before_mb": before,
    }


def peak_mb() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6, 1)


def ready() -> ResUNet30:
    """The network with the formula's weights."""
    network = ResUNet30()
    for key, x in network.state_dict().items():
        x.copy_(torch.from_numpy(formula.values(key, x.shape)))
    return network.eval().requires_grad_(False)


def same_windows(network: ResUNet30, wave: Tensor, query: Tensor) -> Tensor:
    """The reference's windows, each once."""
    window, hop, edge = (2 * EDGE + CENTRE) * RATE, CENTRE * RATE, EDGE * RATE
    stem = torch.empty_like(wave)
    for at in range(0, max(1, len(wave) - window + hop), hop):
        part = network(wave[None, None, at : at + window], query, RATE)[0].flatten()
        unused = edge if at else 0
        stem[at + unused : at + len(part)] = part[unused:]
    return stem


def windowed(lengths: tuple[float, float, float], on_grid: bool) -> Way:
    """Windows of these lengths in seconds, cross-faded."""

    def separate(network: ResUNet30, wave: Tensor, query: Tensor) -> Tensor:
        layout = Layout.of(RATE, *lengths, network.grid(RATE) if on_grid else 1)
        joiner, parts = Joiner(layout), []
        for window in cut([wave[:, None].numpy()], layout):
            heard = torch.from_numpy(window.wave.T.copy())[None]
            stems = network(heard, query, RATE)[0][0].transpose(1, 2)  # (1, samples, 1)
            parts.append(joiner.add(window, stems.numpy()))
        return torch.from_numpy(np.concatenate(parts, axis=1)).flatten()

    return separate


def one_pass(network: ResUNet30, wave: Tensor, query: Tensor) -> Tensor:
    """The whole recording at once."""
    return network(wave[None, None], query, RATE)[0].flatten()


class Reference(nn.Module):
    """The network as the reference runs it, with the weights of ours."""

    def __init__(self, network: ResUNet30) -> None:
        super().__init__()
        self.network, self.hop, self.n_fft = network, network.hop, network.n_fft
        network.base.to(memory_format=torch.contiguous_format)
        network.base.widen = network.base.pre_conv
        for _, norm in network.shifted_norms():
            norm.forward = reference_norm.__get__(norm)
        window = torch.hann_window(self.n_fft, dtype=torch.float64)
        bins = torch.arange(self.n_fft, dtype=torch.float64)
        turns = torch.outer(bins, bins).remainder(self.n_fft) * (2 * torch.pi / self.n_fft)
        half = self.n_fft // 2 + 1
        self.analysis = [(f(turns) * window)[:half, None].float() for f in (torch.cos, torch.sin)]
        scaled = window / self.n_fft
        kernels = [f(turns).T * scaled[:, None] for f in (torch.cos, torch.sin)]
        self.synthesis = [kernel[:, :, None].float() for kernel in kernels]
        self.power = window.square().float()

    def shifts(self, query: Tensor) -> dict[nn.Module, Tensor]:
        """FiLM's offsets alone."""
        film = self.network.film
        pairs = self.network.shifted_norms()
        return {norm: film[film_key(name)](query)[:, :, None, None] for name, norm in pairs}

    def forward(self, wave: Tensor, shifts: dict[nn.Module, Tensor]) -> Tensor:
        """(samples,) -> (samples,)"""
        padded = F.pad(wave[None, None], (self.n_fft // 2, self.n_fft // 2), mode="reflect")
        real = F.conv1d(padded, self.analysis[0], stride=self.hop)
        imaginary = -F.conv1d(padded, self.analysis[1], stride=self.hop)
        magnitude = (real.square() + imaginary.square()).clamp(min=FAINTEST**2).sqrt()
        mask = self.network.base(magnitude, shifts)
        spec = torch.complex(real / magnitude, imaginary / magnitude) * mask * magnitude
        return self.synthesise(spec, len(wave))

    def synthesise(self, spec: Tensor, samples: int) -> Tensor:
        """(1, bins, frames), complex -> (samples,): both halves of the spectrum, by convolution."""
        whole = torch.cat([spec, spec[:, 1:-1].flip(1).conj()], dim=1)
        real, imaginary = whole.real.contiguous(), whole.imag.contiguous()
        frames = F.conv1d(real, self.synthesis[0]) - F.conv1d(imaginary, self.synthesis[1])
        power = self.power[None, :, None].expand_as(frames)
        wave, envelope = (self.overlap_added(x) for x in (frames, power))
        start = self.n_fft // 2
        return (wave / envelope.clamp(min=1e-11))[start : start + samples]

    def overlap_added(self, frames: Tensor) -> Tensor:
        length = self.n_fft + self.hop * (frames.shape[-1] - 1)
        return F.fold(frames, (1, length), (1, self.n_fft), stride=(1, self.hop)).flatten()


def reference_norm(norm: Norm, x: Tensor, shifts: dict[nn.Module, Tensor]) -> Tensor:
    """Batch normalisation, offset and rectifier one after the other."""
    statistics = norm.running_mean, norm.running_var
    y = F.batch_norm(x, *statistics, norm.weight, norm.bias, eps=EPSILON)
    return F.leaky_relu_(y + shifts[norm], SLOPE)


def reference(network: ResUNet30, wave: Tensor, query: Tensor) -> Tensor:
    """Chunks as the reference has them: every hop computes a window, and then the rest after it."""
    peer = Reference(network)
    shifts = peer.shifts(query)
    window, hop, edge = (2 * EDGE + CENTRE) * RATE, CENTRE * RATE, EDGE * RATE
    stem, at = torch.zeros_like(wave), 0
    while at + window < len(wave):
        part = peer(wave[at : at + window], shifts)
        unused = edge if at else 0
        stem[at + unused : at + window - edge] = part[unused : window - edge]
        at += hop
        part = peer(wave[at : at + window], shifts)
        stem[at + edge : at + len(part)] = part[edge:]
    return stem


WAYS: dict[str, Way] = {
    "reference": reference,
    "same_windows": same_windows,
    "own_windows": windowed(OWN_WINDOWS, on_grid=True),
    "off_grid": windowed(OFF_GRID, on_grid=False),
    "one_pass": one_pass,
}


if __name__ == "__main__":
    main()
