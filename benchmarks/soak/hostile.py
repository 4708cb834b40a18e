"""Text and files made to do harm: nothing leaves the output folder, runs, or is fetched."""

import json
import pickle
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from benchmarks import linear
from benchmarks.soak.field import COMMAND, field
from benchmarks.soak.harness import QUERY, Outcome, sepcli
from benchmarks.soak.listener import Listener
from benchmarks.soak.mutants.posers import Harm
from benchmarks.soak.row import Observed

CODES = (0, 1, 2, 3)
LONGEST_LINE = 5000  # characters; a path has 4096 at most
LIMIT = 60.0  # seconds
BALLOON = 300e6  # bytes more than a plain command takes
LAUGHS = 9  # levels of a YAML bomb: 10^9 words

QUERIES = {
    "up": "../../escaped",
    "up, coded": "..%2f..%2fescaped",
    "absolute": "/tmp/escaped",
    "backslashes": "..\\..\\escaped",
    "a drive": "C:\\escaped",
    "newlines": "dog\nbarking\r\n\r\nerror: not true",
    "long": "dog " * 2500,
    "as long as may be": "d" * 1000,
    "emoji": "🐕‍🦺 barking 🔊",
    "right to left": "\u202egnikrab god\u202c",
    "control codes": "dog\x1b[2J\x1b]0;owned\x07\x08barking",
    "zero width": "\u200b\u200d\ufeff",
    "combining": "d" + "\u0301" * 500,
    "reserved": "CON",
    "reserved with extension": "aux.wav",
    "dots": "...",
    "blanks": " \t ",
    "an option": "--output=/tmp/escaped",
    "a template": "{input}{0.__class__.__mro__}",
    "markup": "[bold red]dog[/] <script>alert(1)</script>",
    "a command": "$(touch escaped); `touch escaped`; | touch escaped",
    "half a character": "dog \udce9",
    "wide": "ｄｏｇ／．．／ｄｏｇ",
    "scripts": "ℂ𝕆ℕ",
}
TEMPLATES = {
    "up": "../{input}.{ext}",
    "absolute": "/tmp/{input}.{ext}",
    "attributes": "{input.__class__}.{ext}",
    "index": "{input[0]}.{ext}",
    "width": "{input:>1000000000}.{ext}",
    "conversion": "{input!r}.{ext}",
    "empty": "",
    "dot": ".",
    "line": "a\nb/{input}.{ext}",
    "hidden journal": ".sepcli-journal/{input}.{ext}",
    "nul": "a\0b.{ext}",
}


@dataclass(frozen=True)
class Attempt:
    """A command that somebody hopes to do harm with.

    Attributes:
        kind: of attempt.
        name: of this one.
        words: of the command, after `sepcli`.
    """

    kind: str
    name: str
    words: tuple[object, ...]


def provoke(folder: Path, _quick: bool) -> Observed:
    """Try everything; then look at what is outside the folder of the stems."""
    seen = Observed()
    seen.never("outside", "executed", "fetched", "tracebacks", "hangs", "wrong codes")
    seen.never("unclear lines", "balloons")
    place = field(folder / "a/b/place", (0.5,))
    mark = folder / "executed"
    with Listener() as listener:
        usual = sepcli(*COMMAND, folder=place).peak
        cases = [*texts(), *files(place, listener.address, str(mark))]
        before = everything(folder, place / "stems")
        for attempt in cases:
            outcome = sepcli(*attempt.words, folder=place, limit=LIMIT)
            judge(attempt, outcome, usual, seen)
            for path in sorted(everything(folder, place / "stems") - before):
                seen.happened("outside", f"{attempt.name}: {path}")
                before.add(path)
    seen.counts["fetched"] = listener.visits
    seen.counts["executed"] = int(mark.exists())
    return seen


def judge(attempt: Attempt, outcome: Outcome, usual: int, seen: Observed) -> None:
    """Count what is not as it must be."""
    seen.tried(attempt.kind)
    told = f"{attempt.name}: {outcome.code}, {outcome.err[-400:]!r}"
    seen.expect(not outcome.hung, "hangs", attempt.name)
    seen.expect("Traceback" not in outcome.err, "tracebacks", told)
    seen.expect(outcome.hung or outcome.code in CODES, "wrong codes", told)
    shown = outcome.err.replace("\n", "")
    seen.expect(outcome.clear and shown.isprintable(), "unclear lines", told)
    longest = max(map(len, outcome.err.splitlines()), default=0)
    seen.expect(longest < LONGEST_LINE, "unclear lines", f"{told}: {longest} characters")
    seen.expect(outcome.peak < usual + BALLOON, "balloons", f"{told}: {outcome.peak / 1e6:.0f} MB")


def everything(folder: Path, leave_out: Path) -> set[str]:
    """All files of a folder, but logs and what is in one of them."""
    return {
        str(path)
        for path in folder.rglob("*")
        if leave_out not in (path, *path.parents) and not path.name.startswith((".out", ".err"))
    }


def texts() -> Iterator[Attempt]:
    """Queries, negatives and templates."""
    plain = ("separate", "inputs", "--model", "model", "--output", "stems", "--overwrite")
    for name, query in QUERIES.items():
        yield Attempt("queries", name, (*plain, f"--query={query}"))
    for name, template in TEMPLATES.items():
        yield Attempt("names", name, (*plain, "--query", QUERY, f"--name={template}"))
    yield Attempt("queries", "a nul", (*plain, "--query=a\0b"))


def files(place: Path, address: str, mark: str) -> Iterator[Attempt]:
    """Files of every kind that the command reads."""
    plain = ("separate", "inputs", "--output", "stems", "--overwrite", "--query", QUERY)
    for number, path in enumerate(registries(place, address)):
        yield Attempt("registries", path.name, (*plain, "--registry", path))
        yield Attempt("configs", path.name, ("train", path, "--out", "stems/run"))
        yield Attempt(
            "model folders", path.name, (*plain, "--model", as_model(place, path, number))
        )
    for path in manifests(place, address):
        words = ("separate", path, "--model", "model", "--output", "stems", "--overwrite")
        yield Attempt("manifests", path.name, (*words, "--query", QUERY))
    for path in plans(place):
        yield Attempt("plans", path.name, ("separate", "--plan", path))
    for path in weights(place, mark):
        yield Attempt("embeddings", path.name, (*plain, "--model", "model", "--like", path))
        yield Attempt("checkpoints", path.name, ("models", "convert", path, "-o", "stems/made"))
        model = linear.write_model(place / f"model-of-{path.name}")
        (model / "none.safetensors").write_bytes(path.read_bytes())
        text = (model / "model.yaml").read_text().replace(linear.ARCHITECTURE, "band-unet")
        (model / "model.yaml").write_text(text)
        yield Attempt("weights", path.name, (*plain, "--model", model))
    for url in (f"{address}/a.wav", f"concat:{address}/a|b", "/dev/zero", "/dev/stdin", "pipe:0"):
        yield Attempt("addresses", url, (*plain[:1], url, *plain[2:], "--model", "model"))
    queries = written(place / "queries.txt", b"\xff\xfe\0d\0o\0g")
    yield Attempt("query files", "UTF-16", (*plain[:-2], "--model=model", "--query-file", queries))
    endless = ("--model=model", "--query-file", "/dev/zero")
    yield Attempt("query files", "endless", (*plain[:-2], *endless))


def registries(place: Path, address: str) -> Iterator[Path]:
    """YAML that is too much, or more than data."""
    laughs = ["a0: &a0 [" + ", ".join(["lol"] * 10) + "]"]
    laughs += [f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 10) + "]" for n in range(1, LAUGHS)]
    texts = {
        "bomb.yaml": "\n".join(laughs),
        "python.yaml": "version: !!python/object/apply:os.system ['touch executed']",
        "deep.yaml": "a: " + "[" * 20_000,
        "deep-flow.yaml": "{a: " * 5_000,
        "itself.yaml": "a: &a [*a]",
        "merged.yaml": "a: &a {b: 1}\n" + "\n".join(f"c{n}: {{<<: *a}}" for n in range(5000)),
        "long-key.yaml": "? " + "k" * 500_000 + "\n: 1",
        "number.yaml": "version: " + "9" * 400_000,
        "sexagesimal.yaml": "version: " + "1:" * 50_000 + "1",
        "tags.yaml": "%TAG ! tag:yaml.org,2002:python/\n---\nversion: !name:os.system x",
        "nul.yaml": "version: \0 1",
        "list.yaml": "- 1\n- 2",
        "fetching.yaml": yaml.safe_dump(
            {"version": 1, "models": {"m": {**linear.ENTRY, "files": {
                "separator": {"source": f"{address}/weights.safetensors"},
                "clap": {"source": "../../../../etc/hostname"},
                "tokenizer": {"source": "/etc/hostname"},
            }}}}
        ),
    }  # fmt: skip
    for name, text in texts.items():
        yield written(place / name, text.encode())
    yield written(place / "huge.yaml", b"a: 1\n" * 1_000_000)
    yield written(place / "pickle.yaml", pickle.dumps({"version": 1}))


def as_model(place: Path, text: Path, number: int) -> Path:
    """A model folder with a text for its entry."""
    model = place / f"model-{number}"
    model.mkdir()
    written(model / "model.yaml", text.read_bytes())
    return model


def manifests(place: Path, address: str) -> Iterator[Path]:
    """Lists of recordings that are no such things."""
    row = {"path": "inputs/0.wav", "query": QUERY}
    rows = {
        "huge-line.jsonl": json.dumps({**row, "query": "d" * 20_000_000}),
        "deep.jsonl": '{"path": ' + "[" * 100_000,
        "up.jsonl": json.dumps({"path": "../../../../../../etc/hostname"}),
        "address.jsonl": json.dumps({"path": f"{address}/a.wav"}),
        "nan.jsonl": '{"path": "inputs/0.wav", "start": NaN, "end": Infinity}',
        "negative.jsonl": json.dumps({**row, "start": -5, "end": -1}),
        "number.jsonl": '{"path": "inputs/0.wav", "start": ' + "9" * 10_000 + "}",
        "types.jsonl": '{"path": ["inputs/0.wav"], "query": {"a": 1}}',
        "query.jsonl": json.dumps({**row, "query": "../../escaped"}),
        "nul.jsonl": '{"path": "inputs/0.wav\\u0000"}',
        "surrogate.jsonl": '{"path": "inputs/\\udce9.wav"}',
        "wide.csv": "path," * 100_000 + "\nx",
        "long-field.csv": "path,query\ninputs/0.wav," + "d" * 1_000_000,
        "quotes.csv": 'path,query\n"inputs/0.wav,a\n' + "x\n" * 1000,
        "nul.csv": "path,query\ninputs/0.wav\0,dog",
        "formula.csv": "path,query\ninputs/0.wav,=cmd|' /C calc'!A0",
    }
    for name, text in rows.items():
        yield written(place / name, text.encode("utf-8", "surrogatepass"))
    yield written(place / "binary.csv", bytes(range(256)) * 100)
    with (place / "sparse.jsonl").open("wb") as file:
        file.truncate(50 << 30)  # 50 GB that take no space
    yield place / "sparse.jsonl"


def plans(place: Path) -> Iterator[Path]:
    """Plans that nobody planned."""
    texts = {
        "no-plan.jsonl": b'{"path": "inputs/0.wav"}\n',
        "deep-plan.jsonl": b'{"schema": ' + b"[" * 100_000 + b"\n",
        "pickle.jsonl": pickle.dumps({"schema": "sepcli-plan-1"}),
        "empty.jsonl": b"",
        "pickle.parquet": pickle.dumps({"schema": "sepcli-plan-1"}),
        "magic.parquet": b"PAR1" + b"\xff" * 100 + struct.pack("<I", 0x7FFF_FFFF) + b"PAR1",
    }
    for name, content in texts.items():
        yield written(place / name, content)


def weights(place: Path, mark: str) -> Iterator[Path]:
    """Weights that are programs, bombs, or claim more than there is."""
    harm = pickle.dumps(Harm(mark))
    tensor = {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]}
    deep = b'{"a":' * 10_000
    contents = {
        "pickle.safetensors": harm,
        "absurd.safetensors": struct.pack("<Q", 1 << 62) + b"{}",
        "2-gigabytes.safetensors": struct.pack("<Q", 2 << 30) + b"{" + b" " * 1000,
        "terabytes.safetensors": header(json.dumps({"embedding": tensor}).encode()),
        "deep.safetensors": header(deep),
        "minus.safetensors": header(
            b'{"embedding":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}'
        ),
        "empty.safetensors": b"",
    }
    for name, content in contents.items():
        yield written(place / name, content)
    bomb = place / "bomb.safetensors"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(500_000_000))
    yield bomb
    program = place / "program.safetensors"
    with zipfile.ZipFile(program, "w") as archive:
        archive.writestr("archive/data.pkl", harm)
        archive.writestr("../../escaped", b"out")
    yield program


def header(text: bytes) -> bytes:
    """A safetensors file of a header."""
    return struct.pack("<Q", len(text)) + text + bytes(16)


def written(path: Path, content: bytes) -> Path:
    """A file with a content."""
    path.write_bytes(content)
    return path
