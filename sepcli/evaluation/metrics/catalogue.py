"""The closed list of metrics that `sepcli eval` knows."""

from __future__ import annotations

from sepcli.errors import UsageError
from sepcli.evaluation.metrics import Metric
from sepcli.sections import suggestion

METRICS: dict[str, Metric] = {
    "sdr": Metric(
        "sdr",
        "Energy of the source over energy of the error (SNR, uSDR)",
        {"sdr": "dB", "sdri": "dB"},
    ),
    "si_sdr": Metric(
        "si_sdr",
        "SDR after the best scaling of the source; SI-SNR also removes means",
        {"si_sdr": "dB", "si_sdri": "dB", "si_snr": "dB"},
    ),
    "sa_sdr": Metric(
        "sa_sdr", "SDR with energies summed over the stems", {"sa_sdr": "dB", "sa_sdri": "dB"}
    ),
    "csdr": Metric("csdr", "Median over seconds of their SDR, as in SiSEC 2018", {"csdr": "dB"}),
    "bss_v3": Metric(
        "bss_eval_v3",
        "BSS Eval of sources, forgiving a filter of 512 taps",
        {"sdr_v3": "dB", "sir_v3": "dB", "sar_v3": "dB"},
    ),
    "bss_images_v3": Metric(
        "bss_eval_v3",
        "BSS Eval of images, over the whole item",
        {"sdr_images_v3": "dB", "isr_v3": "dB", "sir_images_v3": "dB", "sar_images_v3": "dB"},
        function="evaluate_images",
    ),
    "bss_v4": Metric(
        "bss_eval_v4",
        "BSS Eval as museval: one filter for the item, figures by second",
        {"sdr_v4": "dB", "isr_v4": "dB", "sir_v4": "dB", "sar_v4": "dB"},
    ),
    "log_wmse": Metric(
        "log_wmse", "Weighted error relative to the mixture; defined for silence", {"log_wmse": ""}
    ),
    "loudness": Metric(
        "loudness",
        "How much louder the estimate is than the source (BS.1770-4)",
        {"loudness_error": "LU"},
        higher_is_better=None,
    ),
    "l1_freq": Metric(
        "l1_freq", "Difference of magnitude spectra (MVSEP), 0 to 100", {"l1_freq": ""}
    ),
    "bleedless": Metric(
        "bleedless",
        "What an estimate has too much of, and what it lacks (MVSEP), 0 to 100",
        {"bleedless": "", "fullness": ""},
    ),
    "aura_stft": Metric(
        "aura_stft", "Spectral convergence and log distance (MVSEP), 0 to 100", {"aura_stft": ""}
    ),
    "stoi": Metric(
        "stoi", "Intelligibility of speech, plain and extended", {"stoi": "", "estoi": ""}
    ),
    "pesq": Metric(
        "pesq",
        "Quality of telephone speech, wide- and narrowband (ITU-T P.862)",
        {"pesq_wb": "MOS", "pesq_nb": "MOS"},
        extra="speech",
    ),
    "visqol": Metric(
        "visqol",
        "Quality of audio from similarity of spectrograms",
        {"visqol": "MOS"},
        extra="speech",
    ),
    "mapss": Metric(
        "mapss",
        "Separation and match of perceptual embeddings, by frame",
        {"mapss_ps": "", "mapss_pm": ""},
        extra="mapss",
    ),
    "clap_score": Metric(
        "clap_score",
        "Similarity of CLAP embeddings to the query and to the source",
        {"clap_score": "", "clap_score_i": "", "clap_score_a": ""},
    ),
}

SYNONYMS = {"snr": "sdr", "usdr": "sdr", "nsdr": "sdr", "estoi": "stoi", "fullness": "bleedless"}
"""Other names of a metric: what papers call it, and its second column."""


def canonical(name: str) -> str:
    """A metric's name in the list, given it or a synonym.

    Raises:
        UsageError: if there is none.
    """
    known = [*METRICS, *SYNONYMS]
    if name not in known:
        raise UsageError(
            f"no metric {name}{suggestion(name, known)}", "`sepcli eval metrics` lists them"
        )
    return SYNONYMS.get(name, name)


def find(name: str) -> Metric:
    """A metric by its name or a synonym.

    Raises:
        UsageError: if there is none.
    """
    return METRICS[canonical(name)]


def columns() -> dict[str, str]:
    """Every column -> the name of the metric that computes it."""
    return {column: name for name, metric in METRICS.items() for column in metric.columns}
