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
| `make_manifests.py` | nothing: it wrote `manifests/`, before any training | |

"""


def main() -> None:
    quality = json.loads((HERE / "results/quality.json").read_text())
    speed = json.loads((HERE / "results/speed.json").read_text())
    text = HEAD + quality_section(quality) + speed_section(speed)
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
