"""Writes benchmarks/README.md from the results.

python benchmarks/report.py
"""

import json
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent

HEAD = """# Benchmarks

This page is written by `python benchmarks/report.py` from `results/`. Each script says in its head
what it measures and how.

| script | measures | run |
|---|---|---|
| `quality.py` | `sepcli eval` on our own sets | `python benchmarks/quality.py DATA --write` |
| `kinds.py` | speech, and a guitar in its band | `python benchmarks/kinds.py DATA --write` |
| `speed.py` | time and memory of whole commands | `python benchmarks/speed.py --write` |
| `front_end.py` | all but the network | `python -m benchmarks.front_end --write` |
| `queries.py` | several queries in one pass | `python -m benchmarks.queries --write` |
| `overlap.py` | what overlapping windows buy | `python benchmarks/overlap.py DATA --write` |
| `bss_eval.py` | BSS Eval against museval and mir_eval | `python benchmarks/bss_eval.py --write` |
| `audiosep.py` | AudioSep's network, its way and ours | `python benchmarks/audiosep.py --write` |
| `bimodal_training.py` | bi-modal steps | `python benchmarks/bimodal_training.py --write` |
| `captions.py` | captions to source phrases | `python benchmarks/captions.py --write` |
| `mining.py` | single events in long recordings | `python benchmarks/mining.py DATA --write` |
| `detect.py` | `sepcli detect` on known mixtures | `python benchmarks/detect.py DATA --write` |
| `tiger.py` | TIGER-DnR, its authors' way and ours | `python benchmarks/tiger.py --write` |
| `speakers.py` | speakers in order | `python benchmarks/speakers.py DATA --model RUN --write` |
| `coverage.py` | intervals and tests of known rows | `python benchmarks/coverage.py --write` |
| `scale.py` | plans: short files, workers, memory | `python -m benchmarks.scale short --write` |
| `fleet.py` | bookkeeping of 1,000 workers | `python benchmarks/fleet.py --write` |
| `compiled.py` | `--compile` with the default model | `python benchmarks/compiled.py --write` |
| `cost.py` | nothing: it computes [costs](../docs/scale.md) | `python benchmarks/cost.py` |
| `soak/` | [faults](../docs/reliability.md), provoked | `make soak` |
| `metric_traps.py` | figures of docs/metrics.md | `python benchmarks/metric_traps.py` |
| `make_manifests.py` | nothing: it wrote `sepcli/evaluation/manifests/`, before any training | |

"""


def main() -> None:
    sections = (
        ("quality", quality_section),
        ("kinds", kinds_section),
        ("speed", speed_section),
        ("front_end", front_end_section),
        ("queries", queries_section),
        ("overlap", overlap_section),
        ("coverage", coverage_section),
        ("bss_eval", bss_eval_section),
        ("audiosep", audiosep_section),
        ("bimodal_training", bimodal_section),
        ("captions", captions_section),
        ("mining", mining_section),
        ("detect", detect_section),
        ("tiger", tiger_section),
        ("speakers", speakers_section),
        ("scale", scale_section),
        ("fleet", fleet_section),
        ("compiled", compiled_section),
    )
    results = ((HERE / f"results/{name}.json", section) for name, section in sections)
    text = HEAD + "".join(
        section(json.loads(path.read_text())) for path, section in results if path.is_file()
    )
    (HERE / "README.md").write_text(text, encoding="utf-8")


def quality_section(figures: dict) -> str:
    runs = figures["runs"]
    heads = {
        "fold4": "ESC-10, fold 4, in words",
        "fold4_like": "the same, by an example",
        "disjoint": "packages never trained on",
    }
    main_rows = [(label, *(picked(pick, runs[run]) for run in heads)) for label, pick in PICKS]
    many = runs["fold4_many"]["groups"]["sources"]
    classes = runs["fold4"]["stems"]
    return (
        f"## Quality\n\nModel `{figures['model']}`, fingerprint `{figures['fingerprint'][:12]}`. "
        '"0 dB" mixtures, 44.1 kHz, 5 s, dB, by `sepcli eval` with the protocols `sepcli/queries` '
        f"and `sepcli/like`; {figures['zero_shot']:.1%} of fold 4's clips are nearest to their own "
        "class's query (zero-shot accuracy of the CLAP).\n\n"
        + table(("", *heads.values()), main_rows)
        + "\nBy number of sources (fold 4, `demo-many`):\n\n"
        + table(
            ("sources", "SDRi", "SI-SDRi"),
            [(k, interval(v["sdri"]), interval(v["si_sdri"])) for k, v in many.items()],
        )
        + "\nBy class of ESC-10:\n\n"
        + table(
            ("class", "SDRi", "SI-SDRi"),
            [
                (k, interval(v), interval(classes["si_sdri"][k]))
                for k, v in classes["sdri"].items()
                if k != "all"
            ],
        )
        + "\n"
    )


PICKS = (
    ("mixtures", lambda run: run["items"]),
    ("SDRi, mean [95 %]", lambda run: interval(run["stems"]["sdri"]["all"])),
    ("SDRi, median", lambda run: f"{run['stems']['sdri']['all']['median']:.2f}"),
    ("SI-SDRi, mean [95 %]", lambda run: interval(run["stems"]["si_sdri"]["all"])),
    ("SI-SDRi, median", lambda run: f"{run['stems']['si_sdri']['all']['median']:.2f}"),
    ("SDRi lost by paraphrase", lambda run: interval(run["query"]["paraphrase_loss"]["sdri"])),
    (
        "SI-SDRi lost by paraphrase",
        lambda run: interval(run["query"]["paraphrase_loss"]["si_sdri"]),
    ),
    ("presence AUC", lambda run: interval(run["query"]["presence_auc"], 3)),
    ("called present: heard / unlike", lambda run: called(run["query"]["called_present"])),
    ("answer to an unlike query, dB of mixture", lambda run: interval(run["query"]["absent_db"])),
)


def picked(pick: Callable[[dict], object], run: dict) -> object:
    """A figure, or a dash where the run's protocol does not ask for it."""
    try:
        return pick(run)
    except KeyError:
        return "-"


def kinds_section(figures: dict) -> str:
    """Improvements of what was asked for."""
    names = {
        "speech_in_music": "speech in music",
        "speech_in_noise": "speech in rain or waves",
        "guitar_in_band": "a guitar in its band",
    }
    rows = [
        (name, row["mixtures"], row["recordings"], *(spread(row[k]) for k in ("sdri", "si_sdri")))
        for key, name in names.items()
        for row in (figures["sets"][key],)
    ]
    return (
        f"## What is asked for most\n\nModel `{figures['model']}`, fingerprint "
        f"`{figures['fingerprint'][:12]}`; intervals over recordings, where there are enough.\n\n"
        + table(("asked for", "mixtures", "recordings", "SDRi, dB", "SI-SDRi, dB"), rows)
        + "\n"
    )


def detect_section(figures: dict) -> str:
    """Right and listed names."""
    names = {
        "audioset": "AudioSet's 527, the default",
        "audioset, cosine alone": "the same, without the separator's judgement, at 0.40",
        "own": "the plain names of our training labels, as a user's list",
    }
    rows = [
        (name, row["listed"], *(f"{row[k]:.2f}" for k in ("precision", "recall", "f1", "map")))
        for key, name in names.items()
        for row in (figures[key],)
    ]
    return (
        f"## What is in it?\n\n{figures['recordings']} recordings of 10 s, each of two clips in a "
        "little noise, from validation clips that chose nothing; model `everyday`, threshold "
        f"{figures['threshold']}. Precision is over listed sounds, recall over clips, mAP over "
        "names.\n\n" + table(("names", "listed", "precision", "recall", "F1", "mAP"), rows) + "\n"
    )


def tiger_section(figures: dict) -> str:
    """Two ways, on the same weights."""
    rows = [
        ("its authors', layer by layer", figures["authors_windows"], figures["authors_s"], "1.00"),
        (
            "`sepcli separate`",
            figures["engine_windows"],
            figures["engine_s"],
            f"{figures['times_as_fast']:.2f}",
        ),
    ]
    return (
        f"## TIGER-DnR\n\n{figures['seconds_of_audio']:g} s of mono sound, {figures['blocks']} "
        f"blocks, {figures['threads']} threads, weights drawn at random. Without the padding "
        "at the ends, as in a long film, it would be "
        f"{figures['times_as_fast_in_a_long_film']:.2f} times as fast; on one window the network "
        f"is {figures['network_times_as_fast']:.2f} times as fast, with outputs that differ by "
        f"{figures['network_difference_db']} dB. The outputs of the two ways differ by "
        f"{figures['difference_db']} dB: such weights hear other things in other contexts.\n\n"
        + table(("way", "windows", "s", "times as fast"), rows)
        + "\n"
    )


def speakers_section(figures: dict) -> str:
    """A tiny TIGER on people whom it never heard."""
    rows = [
        (
            name,
            row["mixtures"],
            row["seconds"],
            interval(row["si_sdri"]),
            *(f"{row[k]:.0%}" for k in ("kept", "whole", "by_chance")),
        )
        for name, row in figures["sets"].items()
    ]
    heads = ("packages", "mixtures", "s", "SI-SDRi, dB", "kept", "whole", "without stitching")
    return (
        f"## Speakers\n\nA man and a woman at equal level, by the model of "
        f"`examples/train_speakers.yaml` ({figures['model']}, fingerprint "
        f"`{figures['fingerprint'][:12]}`; "
        "[how it was trained](../docs/published-models.md#tiger)). "
        "`kept`: pieces of 2 s whose outputs are in the order of the whole; `whole`: "
        "mixtures in which all are; then `kept` without `stitching.py`.\n\n"
        + table(heads, rows)
        + "\n"
    )


def spread(figures: dict) -> str:
    """A mean, with its interval if it has one."""
    return f"{figures['mean']:.2f}" if figures["low"] is None else interval(figures)


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


def front_end_section(figures: dict) -> str:
    """Stages against the limit."""
    names = {
        "decode_wav": "decode WAV",
        "decode_flac": "decode FLAC, and compare its checksum",
        "hash": "hash of the recording",
        "cut": "cut into windows",
        "stft": "STFT and magnitude",
        "istft": "mask and inverse STFT",
        "join": "cross-fade, rest, levels",
        "encode_wav": "encode WAV",
        "encode_flac": "encode FLAC",
        "resample": "to 32 kHz and back",
    }
    wholes = {
        "whole": "all, file to file",
        "whole_resampled": "all, at 32 kHz between",
    }
    rows = [(name, figures["stages"][key], "") for key, name in names.items()]
    rows += [
        (f"{name}, {kind.upper()}", took, f"{took / figures['limit']:.2f}")
        for key, name in wholes.items()
        for kind, took in figures[key].items()
    ]
    return (
        "\n## All but the network\n\nCPU milliseconds of one core for a second of 44.1 kHz stereo, "
        f"16 bit, one stem; {figures['seconds']} s of it. Files are WAV or FLAC, both in and out. "
        f"The limit is {figures['limit']:g} ms.\n\n" + table(("", "ms", "of the limit"), rows)
    )


def queries_section(figures: dict) -> str:
    """Cost against the number of queries."""
    rows = [
        (
            one["queries"],
            *(row[key] for row in (one, all_of_it) for key in ("milliseconds", "against_one")),
            all_of_it["against_as_many_passes"],
        )
        for one, all_of_it in zip(figures["network"], figures["whole"], strict=True)
    ]
    heads = ("queries", "network, ms", "times", "command, ms", "times", "against as many passes")
    return (
        f"\n## Queries in one pass\n\nModel `{figures['model']}`, CPU milliseconds of one core for "
        f"a second of 44.1 kHz stereo; {figures['seconds']} s of it.\n\n" + table(heads, rows)
    )


def overlap_section(figures: dict) -> str:
    """Quality and cost of layouts, on the grid and off it."""
    pairs = zip(figures["rows"][::2], figures["rows"][1::2], strict=True)
    rows = [
        (
            *(f"{on[key]:g}" for key in ("window", "context", "fade")),
            f"{on['cost']:.2f}",
            *(f"{row['sdri']:.2f}" for row in (on, off)),
            *(f"{row['agreement']:.1f}" for row in (on, off)),
        )
        for on, off in pairs
    ]
    heads = ("window, s", "context", "fade", "cost")
    figures_of = ("SDRi, dB", "off the grid", "agreement, dB", "off the grid")
    return (
        f"\n## Overlap\n\nModel `{figures['model']}`, {figures['minutes']} minutes of two sounds, "
        "validation clips. Cost is seconds heard for a second of recording, on the grid; agreement "
        "is with the stem of the whole minute heard at once, whose SDRi is "
        f"{figures['whole_sdri']:.2f} dB.\n\n" + table((*heads, *figures_of), rows)
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


def audiosep_section(figures: dict) -> str:
    """Every way of working in a row."""
    heads = {
        "reference": "reference: 5 s every 3 s, most of them twice",
        "same_windows": "sepcli, the same windows",
        "own_windows": "sepcli, its own windows",
        "off_grid": "sepcli, its own windows off the grid",
        "one_pass": "sepcli, one pass",
    }
    rows = [
        (
            label,
            *(row[key] for key in ("cpu_seconds", "times_faster", "peak_rss_mb")),
            row.get("agreement_with_one_pass_db", "-"),
        )
        for label, row in ((label, figures["ways"][way]) for way, label in heads.items())
    ]
    difference = figures["largest_difference_on_same_windows"]
    return (
        f"\n## AudioSep's network\n\n{figures['seconds_of_audio']} s, mono, 32 kHz, one query; "
        f"{figures['machine']}. Weights by formula, so these are times, not quality. On the same "
        f"windows samples differ by {difference} at most; the peak is "
        f"{figures['peak_of_reference']}.\n\n"
        + table(
            ("", "CPU s", "times faster", "peak MB", "agreement with one pass, dB"),
            rows,
        )
    )


def bimodal_section(figures: dict) -> str:
    """Both ways beside each other, for every network."""
    rows = [
        (
            row["network"],
            row["memory"],
            row["sequential"]["steps_per_cpu_second"],
            row["batched"]["steps_per_cpu_second"],
            row["times_faster"],
            row["times_faster_with_texts"],
            row["relative_difference_of_loss"],
        )
        for row in figures["rows"]
    ]
    return (
        f"\n## Bi-modal training\n\nThe paper's objective on {figures['seconds_of_audio']} s of "
        f"audio a step, {figures['queries']} queries; {figures['machine']}. Sequential is the "
        "reference's way, a call of the network for every query; batched is one call for all. "
        "Memory is given back to the system as soon as it is free, or kept.\n\n"
        + table(
            (
                "network",
                "memory",
                "steps per CPU s, sequential",
                "batched",
                "times faster",
                "and with the texts read anew",
                "losses differ by",
            ),
            rows,
        )
    )


def captions_section(figures: dict) -> str:
    """Our parser and the reference's rule, on both halves of the captions."""
    halves = {"first": "the half that rules were written by", "second": "the other half"}
    ways = {
        "sepcli": "sepcli",
        "reference": "the reference's rule",
        "reference_less_places": "the same, places forgiven",
    }
    rows = [
        (halves[half], way, f"{row['right']:.0%}", f"{row['name_no_sound']:.1%}")
        for half in halves
        for name, way in ways.items()
        for row in (figures[half][name],)
    ]
    return (
        f"\n## Captions\n\n{figures['first']['captions']} and {figures['second']['captions']} "
        "captions written for this project with the phrases that a person wants "
        "(`tests/data/captions.jsonl`).\n\n"
        + table(("captions", "parser", "exactly right", "phrases that name no sound"), rows)
    )


def mining_section(figures: dict) -> str:
    """What each rule keeps, and how much of it is right."""
    names = {
        "energy": "energy alone",
        "clap": "CLAP alone",
        "both": "both",
        "mine": "`sepcli data mine`: both, and the separator",
    }
    rows = [
        (name, row["segments"], *(f"{row[k]:.0%}" for k in ("alike", "precision", "recall")))
        for key, name in names.items()
        for row in (figures["rules"][key],)
    ]
    heads = ("rule", "segments", "one event, of the label's kind", "of the label", "of all time")
    return (
        f"\n## Mining\n\nSingle events found in {figures['minutes']:g} minutes of recordings made "
        f"of {figures['clips']} validation clips of {figures['labels']} labels.\n\n"
        + table(heads, rows)
        + "\n"
    )


def scale_section(figures: dict) -> str:
    """Plans, as far as their parts were measured."""
    parts = {
        "short": ("short recordings, a network that costs nothing", short_rows),
        "shipped": ("short recordings, the default model", short_rows),
        "workers": ("two workers", worker_rows),
        "memory": ("peak memory", memory_rows),
    }
    text = "\n## Plans of many recordings\n\nWhat is measured, and how: the head of `scale.py`.\n"
    for name, (title, rows) in parts.items():
        if name in figures:
            of = figures[name]
            text += f"\n{title[0].upper()}{title[1:]}; {of['machine']}.\n\n"
            text += table(("", ""), rows(of))
    return text


def short_rows(figures: dict) -> list[tuple]:
    """Of recordings of a second."""
    count = f"{figures['recordings']:,} recordings of 1 s"
    busy = f"{figures['device_busy']:.0%}; the limit: {figures['limit']}"
    return [
        (f"{count}: `sepcli plan`", f"{figures['plan_seconds']} s"),
        ("`sepcli separate --plan`", f"{figures['separate_seconds']} s"),
        ("files a second, both together", figures["files_per_second"]),
        ("the device was busy", busy),
        ("start-up", f"{figures['start_up_share']:.1%} of the time"),
        ("peak memory", f"{figures['peak_rss_mb']} MB"),
        ("a command for each", f"{figures['one_call_seconds']} s"),
        ("start-up of such a command", f"{figures['one_call_start_up_share']:.1%} of the time"),
        ("one by one, extrapolated", f"{figures['one_by_one_hours_extrapolated']} h"),
        ("a plan against that", f"{figures['times_faster_than_one_by_one']} times faster"),
    ]


def worker_rows(figures: dict) -> list[tuple]:
    """Of one worker and two."""
    return [
        (f"{figures['minutes_of_audio']} min of audio: one worker", f"{figures['one_seconds']} s"),
        ("the same on one core", f"{figures['one_on_one_core_seconds']} s"),
        ("two workers", f"{figures['two_seconds']} s"),
        ("two against one", f"{figures['two_against_one']} times"),
        ("two against one on one core", f"{figures['two_against_one_on_one_core']} times"),
    ]


def memory_rows(figures: dict) -> list[tuple]:
    """By length."""
    names = {"linear": "a network that costs nothing, 16 kHz mono", "shipped": "default model"}
    rows = [
        (f"{names[name]}, {length}", f"{peak} MB")
        for name in names
        for length, peak in figures[name]["peak_rss_mb"].items()
    ]
    ratios = [
        (f"{names[name]}, longest against 10 min", f"{figures[name]['longest_against_10_min']}")
        for name in names
    ]
    together = figures["together"]
    both = f"default model, {together['recordings']} of 10 min in one plan"
    return [*rows, *ratios, (both, f"{together['peak_rss_mb']} MB")]


def fleet_section(figures: dict) -> str:
    """What bookkeeping costs beside the work."""
    parts, took = figures["shares"], figures["cpu_seconds"]
    each = figures["rows"] / figures["workers"]
    rows = [
        ("each worker opens the plan", took["open"], parts["open"]),
        ("and deals all rows by itself, as with --shard", took["deal"], parts["deal"]),
        ("and merges the journals of a batch that is all but done", took["merge"], parts["merge"]),
        (
            "claims its rows: reads them, looks up what was done",
            round(figures["rows_cpu_seconds"] / figures["workers"], 2),
            parts["rows"],
        ),
        (
            "and waits until their lines are on the disk",
            round(each * figures["line_on_disk_milliseconds"] / 1000, 2),
            parts["journal"],
        ),
        ("all of it", "", parts["all"]),
    ]
    return (
        "\n## A million rows, a thousand workers\n\n"
        f"{figures['workers']:,} simulated workers, {figures['rows']:,} rows, "
        f"{figures['hours_of_audio']:,} h of audio at {figures['times_real_time']}x real time, "
        f"{figures['work_seconds_of_a_worker']:,} s of work for every worker; "
        f"{figures['machine']}. The real plan, shards, journals and books; no audio.\n\n"
        + table(
            ("", "s of a worker", "of its work"),
            [(what, took, f"{part:.2%}") for what, took, part in rows],
        )
        + f"\nThe one who deals out chunks to all of them is busy {parts['supervisor_busy']:.1%} "
        f"of the time; the last worker ends after {figures['longest_against_even_share']} times "
        f"an even share. A line reaches the disk in {figures['line_on_disk_milliseconds']} ms. "
        f"Peak memory {figures['peak_rss_mb']:,} MB, for all that is simulated.\n"
    )


def compiled_section(figures: dict) -> str:
    """What translating the network gains."""
    rows = [
        ("a window of 10 s, stereo", f"{figures['plain_seconds']} s"),
        ("the same with `--compile`", f"{figures['compiled_seconds']} s"),
        ("that is", f"{figures['times_faster']} times faster"),
        ("the first window, nothing in torch's cache", f"{figures['first_seconds']} s"),
        ("the first window, found in the cache", f"{figures['again_seconds']} s"),
        ("won back, if found there, after", f"{figures['pays_after_minutes']} min of audio"),
    ]
    return (
        f"\n## --compile\n\nThe default model, without reading and writing; "
        f"{figures['machine']}.\n\n" + table(("", ""), rows) + "\n"
    )


def interval(figures: dict, digits: int = 2) -> str:
    point, low, high = (f"{figures[key]:.{digits}f}" for key in ("mean", "low", "high"))
    return f"{point} [{low}, {high}]"


def called(rates: dict) -> str:
    return f"{rates['heard']:.0%} / {rates['unlike']:.0%} at {rates['threshold']}"


def table(head: tuple, rows: list[tuple]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join("| " + " | ".join(str(cell) for cell in line) + " |\n" for line in lines)


if __name__ == "__main__":
    main()
