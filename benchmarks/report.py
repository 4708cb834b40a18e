"""Writes benchmarks/README.md from the results.

python benchmarks/report.py
"""

import json
from pathlib import Path

HERE = Path(__file__).parent

HEAD = """# Benchmarks

This page is written by `python benchmarks/report.py` from `results/`. Each script says in its head
what it measures and how.

| script | measures | run |
|---|---|---|
| `quality.py` | separation of seeded mixtures | `python benchmarks/quality.py DATA --write` |
| `speed.py` | time and memory of whole commands | `python benchmarks/speed.py --write` |
| `bss_eval.py` | BSS Eval against museval and mir_eval | `python benchmarks/bss_eval.py --write` |
| `coverage.py` | intervals and tests of known rows | `python benchmarks/coverage.py --write` |
| `make_manifests.py` | nothing: it wrote `manifests/`, before any training | |

"""


def main() -> None:
    quality = json.loads((HERE / "results/quality.json").read_text())
    speed = json.loads((HERE / "results/speed.json").read_text())
    coverage = json.loads((HERE / "results/coverage.json").read_text())
    bss_eval = json.loads((HERE / "results/bss_eval.json").read_text())
    text = HEAD + quality_section(quality) + speed_section(speed) + coverage_section(coverage)
    text += bss_eval_section(bss_eval)
    (HERE / "README.md").write_text(text, encoding="utf-8")


def quality_section(figures: dict) -> str:
    esc, disjoint = figures["esc10_fold4"], figures["package_disjoint"]
    rows = [
        ("mixtures / targets", *(f"{f['mixtures']} / {f['targets']}" for f in (esc, disjoint))),
        ("SDRi, mean [95 %]", interval(esc["sdri"]), interval(disjoint["sdri"])),
        ("SDRi, median", esc["sdri"]["median"], disjoint["sdri"]["median"]),
        ("SDRi, mean of classes", esc["sdri_macro"], disjoint["sdri_macro"]),
        ("SI-SDRi, mean [95 %]", interval(esc["si_sdri"]), interval(disjoint["si_sdri"])),
        ("SI-SDRi, median", esc["si_sdri"]["median"], disjoint["si_sdri"]["median"]),
        ("SDRi, three paraphrases", esc["sdri_paraphrases"], "-"),
        ("SI-SDRi, three paraphrases", esc["si_sdri_paraphrases"], "-"),
        ("presence AUC", esc["presence_auc"], disjoint["presence_auc"]),
        ("called present: present / absent queries", called(esc), called(disjoint)),
        ("absent query's stem, dB of mixture", esc["absent_level_db"], disjoint["absent_level_db"]),
    ]
    return (
        "## Quality\n\nModel `{model}`, fingerprint `{fingerprint:.12}`. "
        '"0 dB" mixtures of two clips, 44.1 kHz, 5 s, dB; {zero:.0%} of fold 4\'s clips are '
        "nearest to their own class's query (zero-shot accuracy of the CLAP).\n\n".format(
            zero=figures["zero_shot_esc10_fold4"], **figures
        )
        + table(("", "ESC-10, fold 4", "packages never trained on"), rows)
        + "\nBy class of ESC-10:\n\n"
        + table(
            ("class", "SDRi", "SI-SDRi"),
            [(k, v, esc["si_sdri_by_class"][k]) for k, v in esc["sdri_by_class"].items()],
        )
        + "\n"
    )


def speed_section(figures: dict) -> str:
    ten, long = figures["ten_minutes"], figures["long"]
    rows = [
        ("`sepcli --help`", f"{figures['help_seconds']} s"),
        ("a new text query, after load", f"{figures['new_query_milliseconds']} ms"),
        ("cold start to the stem of a 10 s clip", f"{figures['cold_start_10_s_clip_seconds']} s"),
        ("10 min", f"{ten['seconds']} s, {ten['times_real_time']}x real time"),
        ("10 min, peak memory", f"{ten['peak_rss_mb']} MB"),
        ("10 min, 2 queries against 1", f"{figures['ten_minutes_2_queries_against_1']} times"),
        ("10 min, 4 queries against 1", f"{figures['ten_minutes_4_queries_against_1']} times"),
        (f"{long['hours']:g} h", f"{long['seconds']} s, {long['times_real_time']}x real time"),
        (f"{long['hours']:g} h, peak memory", f"{long['peak_rss_mb']} MB"),
        ("the same against 10 min", f"{figures['long_memory_against_ten_minutes']} times"),
    ]
    return (
        f"## Speed\n\nDefault model, 44.1 kHz stereo, 16 bit, one query; {figures['machine']}.\n\n"
        + table(("", ""), rows)
    )


def coverage_section(figures: dict) -> str:
    rows = [
        (name, count, *(f"{f['coverage']:.1%} ({f['width']:.2f})" for f in ways.values()))
        for name, counts in figures["mean"].items()
        for count, ways in counts.items()
    ]
    ways = tuple(next(iter(figures["mean"].values()))["20"])
    tests = [
        (count, name, test["ks_distance"], test["ks_p"], f"{test['below_0.05']:.1%}")
        for count, both in figures["equal_systems"].items()
        for name, test in both.items()
    ]
    medians = ", ".join(f"{share:.1%} ({count})" for count, share in figures["median"].items())
    return (
        "\n## Intervals and tests\n\nShare of 95 % intervals that hold the true mean, and in "
        "brackets their median width relative to Student's; sepcli uses the studentised one. "
        f"{figures['trials']} trials, {figures['resamplings']} resamplings.\n\n"
        + table(("rows", "clusters", *ways), rows)
        + f"\nIntervals that hold the median of log-normal rows (clusters): {medians}.\n\n"
        "p-values of equal systems, 3 stems a track: distance to uniform ones (Kolmogorov and "
        "Smirnov), its p, and how many are below 0.05.\n\n"
        + table(("tracks", "test", "distance", "p", "below 0.05"), tests)
    )


def bss_eval_section(figures: dict) -> str:
    """Both originals beside ours, at every length and number of sources."""
    cases = {(row["tool"], row["seconds"], row["sources"]): row for row in figures["rows"]}
    pairs = {"museval": ("bss_eval_v4", "csdr"), "mir_eval": ("bss_eval_v3",)}
    rows = [
        bss_eval_row(cases, original, tool, *at)
        for (original, *at) in cases
        if original in pairs
        for tool in pairs[original]
    ]
    differences = [
        (case, *(columns.get(name, "-") for name in ("sdr", "isr", "sir", "sar")))
        for case, columns in figures["largest_difference_db"].items()
    ]
    return (
        f"\n## BSS Eval\n\nCPU time of one call, and peak memory of the process with its inputs; "
        f"{figures['machine']}. museval, v4 and csdr: stereo at 44.1 kHz; mir_eval and v3: mono at "
        "16 kHz, with the best permutation.\n\n"
        + table(("sources, s", "", "CPU s", "peak MB", "of them inputs", "times faster"), rows)
        + "\nLargest difference of a figure, dB:\n\n"
        + table(("against", "SDR", "ISR", "SIR", "SAR"), differences)
        + "\n![How CPU time grows with length and sources](../docs/images/bss_eval_growth.svg)\n"
    )


def bss_eval_row(cases: dict, original: str, tool: str, seconds: int, sources: int) -> tuple:
    theirs, ours = cases[original, seconds, sources], cases[tool, seconds, sources]
    return (
        f"{sources}, {seconds} s",
        f"{tool} / {original}",
        f"{ours['cpu_seconds']:.3g} / {theirs['cpu_seconds']:.3g}",
        f"{ours['peak_rss_mb']:.0f} / {theirs['peak_rss_mb']:.0f}",
        f"{ours['inputs_mb']:.0f}",
        f"{theirs['cpu_seconds'] / ours['cpu_seconds']:.1f}",
    )


def interval(figures: dict) -> str:
    return f"{figures['mean']} [{figures['low']}, {figures['high']}]"


def called(figures: dict) -> str:
    rates = figures["presence_at_threshold"]
    return f"{rates['present']:.0%} / {rates['absent']:.0%} at {rates['threshold']}"


def table(head: tuple, rows: list[tuple]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join("| " + " | ".join(str(cell) for cell in line) + " |\n" for line in lines)


if __name__ == "__main__":
    main()
