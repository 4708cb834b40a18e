"""LAION-CLAP's own checkpoints (.pt), without fusion, with HTSAT-base or HTSAT-tiny.

The audio tower is HTSAT (Chen et al., arXiv 2202.00874), a Swin transformer of four stages whose
width doubles from each to the next; the text tower is RoBERTa-base (Liu et al., arXiv 1907.11692).
AudioSep's and BiModal's checkpoints may carry one of these whole, under another root.
"""

from __future__ import annotations

from collections.abc import Iterator

from sepcli.errors import ModelError
from sepcli.registry.convert.converter import Converter, Shapes
from sepcli.registry.convert.expected import dimension

DEPTHS = {96: (2, 2, 6, 2), 128: (2, 2, 12, 2)}  # width of HTSAT-tiny and -base -> blocks of stages
HEADS = (4, 8, 16, 32)  # of attention in the stages
WINDOW_OFFSETS = 15 * 15  # of two positions in a window of 8 x 8
PATCH = 4  # bins and frames
MEL_BINS = 64
CLASSES = 527  # of AudioSet, which HTSAT was trained on
TEXT, TEXT_LAYERS = 768, 12
WORDS, POSITIONS = 50_265, 514
JOINT = 512  # dimension of the space that both towers share

Named = Iterator[tuple[str, tuple[int, ...]]]


def expected(shapes: Shapes) -> Shapes:
    """LAION's keys for the HTSAT whose width the checkpoint has.

    Raises:
        ModelError: if it is neither HTSAT-base nor HTSAT-tiny.
    """
    width = dimension(shapes, "audio_branch.patch_embed.proj.weight")
    if width not in DEPTHS:
        message = f"its audio tower is {width} wide, neither HTSAT-base (128) nor HTSAT-tiny (96)"
        raise ModelError(message, "give a checkpoint of LAION-CLAP without fusion")
    return {
        "logit_scale_a": (),
        "logit_scale_t": (),
        **{f"audio_branch.{key}": shape for key, shape in _htsat(width)},
        **{f"text_branch.{key}": shape for key, shape in _roberta()},
        **dict(_heads("audio", 8 * width)),
        **dict(_heads("text", TEXT)),
    }


def _htsat(width: int) -> Named:
    yield from _norm("bn0", MEL_BINS)
    yield from (("bn0.running_mean", (MEL_BINS,)), ("bn0.running_var", (MEL_BINS,)))
    yield "patch_embed.proj.weight", (width, 1, PATCH, PATCH)
    yield "patch_embed.proj.bias", (width,)
    yield from _norm("patch_embed.norm", width)
    for stage, blocks in enumerate(DEPTHS[width]):
        wide = width << stage
        for block in range(blocks):
            yield from _swin_block(f"layers.{stage}.blocks.{block}", wide, HEADS[stage])
        if stage < len(HEADS) - 1:
            yield f"layers.{stage}.downsample.reduction.weight", (2 * wide, 4 * wide)
            yield from _norm(f"layers.{stage}.downsample.norm", 4 * wide)
    yield from _norm("norm", wide)
    yield "tscam_conv.weight", (CLASSES, wide, 2, 3)
    yield "tscam_conv.bias", (CLASSES,)
    yield from _linear("head", CLASSES, CLASSES)


def _swin_block(name: str, width: int, heads: int) -> Named:
    yield from _norm(f"{name}.norm1", width)
    yield f"{name}.attn.relative_position_bias_table", (WINDOW_OFFSETS, heads)
    yield from _linear(f"{name}.attn.qkv", width, 3 * width)
    yield from _linear(f"{name}.attn.proj", width, width)
    yield from _norm(f"{name}.norm2", width)
    yield from _linear(f"{name}.mlp.fc1", width, 4 * width)
    yield from _linear(f"{name}.mlp.fc2", 4 * width, width)


def _roberta() -> Named:
    for name, rows in (("word", WORDS), ("position", POSITIONS), ("token_type", 1)):
        yield f"embeddings.{name}_embeddings.weight", (rows, TEXT)
    yield from _norm("embeddings.LayerNorm", TEXT)
    for layer in range(TEXT_LAYERS):
        name = f"encoder.layer.{layer}"
        for part in ("query", "key", "value"):
            yield from _linear(f"{name}.attention.self.{part}", TEXT, TEXT)
        yield from _linear(f"{name}.attention.output.dense", TEXT, TEXT)
        yield from _norm(f"{name}.attention.output.LayerNorm", TEXT)
        yield from _linear(f"{name}.intermediate.dense", TEXT, 4 * TEXT)
        yield from _linear(f"{name}.output.dense", 4 * TEXT, TEXT)
        yield from _norm(f"{name}.output.LayerNorm", TEXT)
    yield from _linear("pooler.dense", TEXT, TEXT)


def _heads(tower: str, width: int) -> Named:
    """A tower's way into the joint space, and the layers that were used in training only."""
    yield from _linear(f"{tower}_projection.0", width, JOINT)
    yield from _linear(f"{tower}_projection.2", JOINT, JOINT)
    yield from _linear(f"{tower}_transform.sequential.0", JOINT, JOINT)
    yield from _linear(f"{tower}_transform.sequential.3", JOINT, JOINT)


def _linear(name: str, inputs: int, outputs: int) -> Named:
    yield f"{name}.weight", (outputs, inputs)
    yield f"{name}.bias", (outputs,)


def _norm(name: str, width: int) -> Named:
    yield f"{name}.weight", (width,)
    yield f"{name}.bias", (width,)


LAION_CLAP = Converter(
    title="LAION-CLAP",
    licence="CC0-1.0",
    mark="text_branch.embeddings.word_embeddings.weight",
    roots=("", "query_encoder.model.", "net_clap.model.model."),
    unneeded={"separator around it": r"(ss_model|net_sound|net_synthesizer|net_clap\.fc)\..*"},
    expected=expected,
)
