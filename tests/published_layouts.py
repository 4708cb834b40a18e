"""Checkpoints in the layouts in which they are published, with weights by formula."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from golden.formula import values
from torch import Tensor

from sepcli.registry.convert.converter import Shapes

State = dict[str, Tensor]
GOLDEN = Path(__file__).parent / "golden"
SMALL = {"ngf": 8, "num_downs": 5, "num_res_layers": 2, "channels": 4}  # of a BiModal U-Net
MIXED = {"epoch": 3, "best_sdr": np.float64(7.5), "history": {"sdr": [np.float32(1.0)]}}


def golden_shapes(name: str) -> Shapes:
    """Keys and shapes that a reference network has."""
    text = (GOLDEN / f"{name}_keys.json").read_text()
    return {key: tuple(shape) for key, shape in json.loads(text).items()}


def formula_state(shapes: Shapes) -> State:
    """Float32 weights by formula."""
    return {k: torch.from_numpy(values(k, s).astype(np.float32)) for k, s in shapes.items()}


def prefixed(state: State, prefix: str) -> State:
    return {prefix + key: value for key, value in state.items()}


def kernels(prefix: str) -> State:
    """What torchlibrosa's STFT leaves in a checkpoint, smaller."""
    names = ("stft.conv_real.weight", "stft.conv_imag.weight", "istft.ola_window")
    return {prefix + name: torch.ones(3) for name in (*names, "istft.conv_real.weight")}


def lightning(state: State) -> dict[str, object]:
    """What Lightning writes around a state."""
    moments = {0: {"exp_avg": torch.ones(5), "step": torch.tensor(9.0)}}
    return {
        "epoch": 2,
        "global_step": 4_000_000,
        "pytorch-lightning_version": "1.9.0",
        "state_dict": state,
        "loops": {"fit_loop": {"state_dict": {}}},
        "callbacks": {},
        "optimizer_states": [{"state": moments, "param_groups": [{"lr": 1e-3}]}],
        "lr_schedulers": [],
    }


def audiosep_state(network: State, clap: State) -> State:
    """The state of AudioSep's LightningModule."""
    counts = {"base.bn0.num_batches_tracked": torch.tensor(7)}
    return {
        **prefixed({**network, **counts, **kernels("base.")}, "ss_model."),
        **prefixed(clap, "query_encoder.model."),
    }


def bimodal_content(network: State, clap: State) -> dict[str, object]:
    """A .pth.tar of BiModalAudioSeparation."""
    counts = {"net_sound.bn0.num_batches_tracked": torch.tensor(7)}
    state = {**network, **counts, **kernels(""), **prefixed(clap, "net_clap.model.model.")}
    optimizer = {"state": {0: {"exp_avg": torch.ones(5)}}, "param_groups": []}
    return {**MIXED, "state_dict": prefixed(state, "module."), "optimizer": optimizer}


def laion_content(clap: State) -> dict[str, object]:
    """A .pt of LAION-CLAP."""
    buffers = {
        "text_branch.embeddings.position_ids": torch.arange(4)[None],
        "audio_branch.bn0.num_batches_tracked": torch.tensor(7),
        "audio_branch.logmel_extractor.melW": torch.ones(3),
        "audio_branch.layers.0.blocks.0.attn.relative_position_index": torch.arange(4),
        "audio_branch.layers.0.blocks.1.attn_mask": torch.zeros(2, 2),
        **kernels("audio_branch.spectrogram_extractor."),
    }
    state = prefixed({**clap, **buffers}, "module.")
    return {"epoch": 15, "name": "music", "state_dict": state, "best": np.float64(89.98)}
