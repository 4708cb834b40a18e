"""Makes golden.npz: what the authors' package says of a small scene.

    python tests/data/mapss/make.py

needs `pip install mapss-measures==1.1.2` in an environment of its own, since its pins conflict
with sepcli's. The scene is computed, not recorded. The package computes in float32, and what it
says of a frame moves in the third digit if a library rounds otherwise; so it is asked twice:
as it is, and with float64 put in the place of float32, which is what sepcli must agree with.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import mapss
import numpy as np
from mapss import audio, metrics, models

RATE = 16_000
HERE = Path(__file__).parent


def scene() -> tuple[np.ndarray, np.ndarray]:
    """Three references and their estimates, (3, samples): pauses, leakage, noise, a low-pass."""
    samples = 8_500  # not a whole number of frames, nor of periods of any vibrato
    rng = np.random.default_rng(5)
    time = np.arange(samples) / RATE
    voice = sum(np.sin(2 * np.pi * 140 * k * time + k) / k for k in range(1, 20))
    # Not a product with False: that leaves negative zeros, whose phase is another one.
    hiss = np.where(np.sin(2 * np.pi * 3 * time) > -0.6, rng.standard_normal(samples), 0.0)
    bell = np.exp(-4 * time) * np.sin(2 * np.pi * 1760 * time) + 0.01 * rng.standard_normal(samples)
    voice[2_000:4_000] = 0
    references = np.stack([0.1 * voice, 0.05 * hiss, 0.3 * bell])
    leak = 0.2 * references.sum(axis=0)
    smooth = np.convolve(references[1], np.ones(4) / 4, "same")
    noise = 0.02 * rng.standard_normal(samples)
    estimates = np.stack([references[0] + leak, smooth, 0.5 * references[2] + noise])
    return references.astype(np.float32), estimates.astype(np.float32)


def double_precision() -> None:
    """Let the package compute in float64."""
    audio.np = SimpleNamespace(**{**vars(np), "float32": np.float64})
    torch = metrics.torch
    patched = SimpleNamespace(**{**vars(torch), "float32": torch.float64})
    metrics.torch = models.torch = patched


def ask(references: np.ndarray, estimates: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """PS and PM, (sources, frames), and the summary's two means, (sources, 2)."""
    result = mapss.evaluate(references, estimates, model="raw", add_ci=False, max_gpus=0)
    ps, pm = (table.drop(columns="timestamp_ms").to_numpy().T for table in (result.ps, result.pm))
    return ps, pm, result.summary[["ps", "pm"]].to_numpy()


def main() -> None:
    """Ask twice, write once."""
    references, estimates = scene()
    single = ask(references, estimates)
    double_precision()
    double = ask(references, estimates)
    np.savez_compressed(
        HERE / "golden.npz",
        references=references,
        estimates=estimates,
        **dict(zip(("ps", "pm", "summary"), double, strict=True)),
        **dict(zip(("ps_single", "pm_single", "summary_single"), single, strict=True)),
    )


if __name__ == "__main__":
    main()
