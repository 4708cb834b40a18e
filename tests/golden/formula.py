"""Deterministic weights and inputs, so that a fixture needs no weight file.

Every value follows from a tensor's name and shape alone, so a test can fill a
freshly built network with the very weights that produced a stored output.
Run the network in float64 (``model.double()``): the stored outputs are float64.
"""

import zlib

import numpy as np


def uniform(name: str, count: int) -> np.ndarray:
    """Return ``count`` float64 values in [-1, 1) that depend on ``name`` only.

    Philox's raw 64-bit stream, keyed by the name's CRC-32; the top 53 bits of
    each word give the value, so no library's idea of a distribution matters.
    """
    raw = np.random.Philox(key=zlib.crc32(name.encode())).random_raw(count)
    return (raw >> np.uint64(11)).astype(np.float64) * 2.0**-52 - 1.0


def values(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return the formula's values for one named tensor, float64, of that shape.

    name: full state-dict key, e.g. ``base.encoder_block1.conv_block1.conv1.weight``.
    Running variances lie in [0.75, 1.25]; a single ``weight`` (PReLU) in
    [0.15, 0.35]; 1-D ``weight``, ``scale`` and ``gamma`` in [0.9, 1.1]; other
    1-D tensors in [-0.05, 0.05]; matrices and kernels are uniform with standard
    deviation sqrt(2 / fan_in), and query and key projections three times that,
    so that attention is far from flat.
    """
    count = int(np.prod(shape, dtype=np.int64)) if shape else 1
    wave = uniform(name, count)
    if name.endswith("running_var"):
        out = 1.0 + 0.25 * wave
    elif shape == (1,) and name.endswith("weight"):
        out = 0.25 + 0.1 * wave
    elif len(shape) <= 1 and name.endswith(("weight", "scale", "gamma")):
        out = 1.0 + 0.1 * wave
    elif len(shape) <= 1:
        out = 0.05 * wave
    else:
        fan_in = int(np.prod(shape[1:], dtype=np.int64))
        sharp = any(
            part in name for part in ("qkv", ".q.", ".kv.", "query", "key", "Queries", "Keys")
        )
        out = wave * np.sqrt(3.0) * np.sqrt(2.0 / fan_in) * (3.0 if sharp else 1.0)
    return out.reshape(shape)


def signal(name: str, samples: int, rate: int) -> np.ndarray:
    """Return a test waveform, float64 in about [-1, 1], shape (samples,).

    Three chirps, decaying clicks and a little noise; ``name`` shifts them all.
    """
    t = np.arange(samples, dtype=np.float64) / rate
    shift = zlib.crc32(name.encode()) % 997 / 997.0
    chirps = sum(
        a * np.sin(2 * np.pi * (f * t + 0.5 * k * t * t) + 6.0 * shift * (i + 1))
        for i, (a, f, k) in enumerate(
            [(0.30, 220.0, 90.0), (0.20, 1310.0, -240.0), (0.12, 3470.0, 610.0)]
        )
    )
    clicks = 0.25 * np.exp(-40.0 * np.modf(t * 3.0 + shift)[0]) * np.sin(2 * np.pi * 2500.0 * t)
    return chirps + clicks + 0.02 * uniform(name, samples)
