"""What processes that train together have to say to each other.

torchrun starts one process per device and tells each its rank. Every process holds the whole
module and works on its own part of a batch; gradients are averaged over processes
(DistributedDataParallel). With a loss that is a mean over items, w processes with batches of b
then do what one does with a batch of w b, if two things are seen to:

- What compares items with each other (a contrast) must see those of all processes: `gathered`.
- BatchNorm normalises by the statistics of its own process's b items, not of all w b. Its
  gradients are therefore not those of the large batch, and its running statistics are those of
  rank 0, which the others receive before every step. Norms over each item (GroupNorm,
  LayerNorm, InstanceNorm) have no such difference; the BandUNet and the BimodalUNet have
  BatchNorm, whose results then depend on the number of processes as they depend on the batch size.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed

from sepcli.errors import SepcliError, UsageError
from sepcli.separation.runner import choose_device

LONGEST_WAIT = timedelta(hours=2)  # of the others, while rank 0 validates

T = TypeVar("T")

_by_itself = False  # whether this process acts as if there were no others, see `alone`


def rank() -> int:
    """This process's number, from 0."""
    return distributed.get_rank() if _together() else 0


def world_size() -> int:
    """How many processes train together."""
    return distributed.get_world_size() if _together() else 1


def local_device(wanted: str) -> torch.device:
    """The device of this process; of several GPUs in a machine, each process has its own.

    Raises:
        UsageError: if there is no such device, or there are more processes than GPUs.
    """
    device = choose_device(wanted)
    if device.type != "cuda":
        return device
    local, there = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if local >= there:
        message = f"process {local + 1} of this machine finds only {there} GPUs"
        raise UsageError(message, f"use torchrun --nproc-per-node {there}")
    torch.cuda.set_device(local)
    return torch.device("cuda", local)


@contextmanager
def joined(device: torch.device) -> Iterator[None]:
    """Meet the other processes, if torchrun started this one; gloo on CPUs, NCCL on GPUs."""
    if not {"RANK", "WORLD_SIZE"} <= os.environ.keys():
        yield
        return
    backend = "nccl" if device.type == "cuda" else "gloo"
    distributed.init_process_group(backend, timeout=LONGEST_WAIT)
    try:
        yield
    finally:
        distributed.destroy_process_group()


@contextmanager
def alone() -> Iterator[None]:
    """Inside, this process does not wait for others: it does something that they do not do."""
    global _by_itself
    _by_itself = True
    try:
        yield
    finally:
        _by_itself = False


def from_first(make: Callable[[], T]) -> T:
    """What rank 0 makes, in all processes; the others wait for it.

    Raises:
        SepcliError: in rank 0, if it cannot be made.
        SystemExit: in the others, with the same exit code; what is to be said, rank 0 says.
    """
    if world_size() == 1:
        return make()
    if rank() > 0:
        received: T = _received()
        return received
    try:
        with alone():
            made = make()
    except SepcliError as error:
        distributed.broadcast_object_list([None, error.exit_code])
        raise
    distributed.broadcast_object_list([made, 0])
    return made


def _received() -> Any:
    box: list[Any] = [None, 0]
    distributed.broadcast_object_list(box)
    made, exit_code = box
    if exit_code:
        raise SystemExit(exit_code)
    return made


def agreed(value: int, device: torch.device) -> int:
    """The highest value of all processes: what one of them has seen counts for all."""
    if world_size() == 1:
        return value
    shared = torch.tensor(value, device=device)
    distributed.all_reduce(shared, distributed.ReduceOp.MAX)
    return int(shared)


def mean(values: Tensor) -> Tensor:
    """The mean of a tensor over processes; of the same shape in each, without gradients."""
    if world_size() == 1:
        return values
    shared = values.detach().clone()
    distributed.all_reduce(shared)
    return shared / world_size()


def gathered(mine: Tensor) -> Tensor:
    """The rows of all processes, in the order of ranks.

    A gradient goes back to the process whose row it is, summed over the processes that used the
    row. Averaged over processes afterwards, as DistributedDataParallel does, it is that of the
    processes' mean loss.

    Args:
        mine: (rows, ...), of the same shape in every process.

    Returns:
        (world_size * rows, ...); `mine` itself if there is one process.
    """
    if world_size() == 1:
        return mine
    rows: Tensor = _Gather.apply(mine)  # type: ignore[no-untyped-call]
    return rows


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(_context: Any, mine: Tensor) -> Tensor:
        rows = [torch.empty_like(mine) for _ in range(world_size())]
        distributed.all_gather(rows, mine.contiguous())
        return torch.cat(rows)

    @staticmethod
    def backward(_context: Any, *gradients: Tensor) -> Tensor:
        summed = gradients[0].clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(summed)
        return summed.chunk(world_size())[rank()]


def _together() -> bool:
    return distributed.is_available() and distributed.is_initialized() and not _by_itself
