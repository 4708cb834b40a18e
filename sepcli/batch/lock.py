"""Who works in a folder of stems, so that two batches cannot spoil each other's files.

Everyone at work keeps a file of its own locked in a hidden folder; its name says who it is. A
process that dies leaves its file unlocked, whatever killed it. Locks are the system's, flock on
Unix: NFS passes them on between machines, Lustre only if it is mounted with `flock`.
"""

from __future__ import annotations

import errno
import os
import random
import re
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from sepcli.batch.shards import Shard
from sepcli.errors import OutputError

FOLDER = ".sepcli-lock"
TRIES = 4  # of batches that start at the same moment, and step back from each other
TAKES = 50  # of a file that others remove meanwhile
PAUSE = 0.3  # seconds at most between two of them
NAME = re.compile(r"(?P<plan>[0-9a-f]+)(\.(?P<index>\d+)of(?P<count>\d+))?@(?P<owner>.+)\.lock")


@dataclass(frozen=True)
class Identity:
    """Who works in a folder.

    Attributes:
        plan: digest of the plan; of a batch without one, something that no other has.
        shard: the part of it that is done, None for all.
    """

    plan: str
    shard: Shard | None = None

    @property
    def name(self) -> str:
        """What a file's name begins with."""
        part = f".{self.shard.index}of{self.shard.count}" if self.shard else ""
        return self.plan[:16] + part

    def bears(self, other: Identity) -> bool:
        """Whether both can work in one folder: on different shards of one plan."""
        if self.plan[:16] != other.plan[:16] or self.shard is None or other.shard is None:
            return False
        return self.shard.count == other.shard.count and self.shard.index != other.shard.index


def lone_batch() -> Identity:
    """The identity of a batch without a plan: it bears nobody."""
    return Identity(secrets.token_hex(8))


@contextmanager
def batch_lock(output: Path, identity: Identity) -> Iterator[None]:
    """Keeps others out of a folder of stems; only other shards of the same plan may come in.

    Args:
        output: the folder, made if it is not there.
        identity: of this batch.

    Raises:
        OutputError: if somebody is there who cannot be borne, or the folder cannot be written to
            or knows no locks.
    """
    for _ in range(TRIES):
        with announced(output, identity) as own:
            stranger = stranger_in(own.parent, own, identity)
            if stranger is None:
                yield
                return
        time.sleep(random.uniform(0.1, 1) * PAUSE)
    raise OutputError(f"{stranger} is writing to {output}", remedy_for(identity))


def remedy_for(identity: Identity) -> str:
    """What can be done about another batch."""
    wait = "wait until it is done, or choose another -o folder"
    return f"{wait}; a plan is shared out with --shard" if identity.shard is None else wait


@contextmanager
def announced(output: Path, identity: Identity) -> Iterator[Path]:
    """A locked file that says who is here; gone, with its folder if it was the last, at the end."""
    owner = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
    path = output / FOLDER / f"{identity.name}@{owner}.lock"
    lock, made = FileLock(path), not output.exists()
    try:
        take(lock, path)
    except NotImplementedError as error:
        message = f"{output} is on a file system without locks"
        raise OutputError(message, "choose an -o folder on another one") from error
    except OSError as error:
        message = f"cannot write to {output}: {error.strerror}"
        raise OutputError(message, "choose another -o folder") from error
    try:
        yield path
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)
        lock.release()
        with suppress(OSError):  # others are here, or there are stems
            path.parent.rmdir()
            if made:
                output.rmdir()


def take(lock: FileLock, path: Path) -> None:
    """Make a file and lock it; again if somebody took it for a dead one's before it was locked.

    Raises:
        OSError: if no file can be made there.
    """
    for left in reversed(range(TAKES)):
        lock.release()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=-1)
        except FileNotFoundError:  # its folder was just removed by the last who left, or never is
            if not left:
                raise
        if path.exists():
            return
    raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))


def stranger_in(folder: Path, own: Path, identity: Identity) -> str | None:
    """Somebody alive who cannot be borne, in words; files of the dead are removed."""
    for path in sorted(folder.glob("*.lock")):
        found = NAME.fullmatch(path.name)
        if path == own or found is None or swept(path):
            continue
        shard = Shard(int(found["index"]), int(found["count"])) if found["index"] else None
        if not identity.bears(Identity(found["plan"], shard)):
            host, process, _ = found["owner"].rsplit("-", 2)
            what = "another batch" if found["plan"] != identity.plan[:16] else "the same plan"
            return f"{what} (process {process} on {host})"
    return None


def swept(path: Path) -> bool:
    """Remove a file if its process is dead; returns whether it was."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    with suppress(OSError):
        path.unlink(missing_ok=True)
    lock.release()
    return True
