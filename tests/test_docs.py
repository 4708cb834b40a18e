"""Docs that say what the program does."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_the_commands_page_is_generated_from_the_help() -> None:
    spec = importlib.util.spec_from_file_location("make_commands", ROOT / "docs/make_commands.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "docs/commands.md").read_text() == module.page(), "run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_options_in_docs_exist(page: Path) -> None:
    known = set(re.findall(r"--[a-z][a-z-]+", (ROOT / "docs/commands.md").read_text()))
    lines = [line for line in page.read_text().splitlines() if "sepcli " in line]
    used = {option for line in lines for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", line)}
    assert used <= known


def test_shell_examples_are_valid() -> None:
    scripts = list((ROOT / "examples").glob("*.sh"))
    assert scripts
    for script in scripts:
        subprocess.run(["bash", "-n", str(script)], check=True)


def test_nothing_private_is_committed() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    files = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    if not files:
        pytest.skip("not a git checkout")
    private = re.compile(rb"/work/|/home/[a-z]|/root/|BEGIN [A-Z]+ PRIVATE KEY")
    texts = [f for f in files if f.is_file() and f.suffix not in (".ogg", ".flac", ".safetensors")]
    assert not [f.name for f in texts if f != Path(__file__) and private.search(f.read_bytes())]
    assert not [f.name for f in files if f.is_file() and f.stat().st_size > 50e6]
