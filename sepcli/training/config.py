"""What a training run is, as one YAML file: typed, frozen, with closed sets of names.

`load_config` (sepcli/training/load_config.py) reads one. The keys that all trainings share stand
at the top level; what belongs to one idea stands in a section of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from sepcli.sections import Section

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Weight = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
NOISE_PARTS = 2  # that noise-invariant training has a head for each of
Loss = Literal["snr", "si-sdr", "l1-magnitude", "l1-weighted", "multi-resolution-stft"]


class CorpusConfig(Section):
    """Labelled or captioned recordings.

    Attributes:
        kind: `manifest`, or a layout that `sepcli data prepare` knows.
        root: a manifest file (JSONL or Parquet), or the folder with that layout.
        origins: a file that names an origin (a package, a recording) on every line; clips of
            others are left out.
        labels: clips with any other label are left out; null for all labels.
        validation: origins to validate on, none of them trained on, instead of those that the
            corpus sets aside itself; null for those.
    """

    kind: str
    root: Path
    origins: Path | None = None
    labels: list[str] | None = None
    validation: list[str] | None = None


class MixingConfig(Section):
    """How recordings become mixtures.

    Attributes:
        parts: source mixtures in a mixture, N in the paper; weak training, mix-and-separate and
            MixIT need 2.
        sources: how many single sources a part has -> how often; P in the paper.
        gain_db: standard deviation of the gain between sources, dB.
        level_db: lowest and highest gain of the whole mixture, dB.
        speeds: slowest and fastest playback, pitch and time together.
        lowpassed: share of mixtures that lose their high frequencies, as old recordings do.
        backgrounds: share of a part's further sources that may hold any sound, so that nothing
            can be asked of them; only where questions are sampled.
        captioned: share of parts that are a captioned recording as it is, where the corpora have
            single sounds, too.
    """

    parts: Count = 1
    sources: dict[Count, Positive] = Field(default={1: 0.08, 2: 0.77, 3: 0.15})
    gain_db: Weight = 4.0
    level_db: tuple[float, float] = (-20.0, 10.0)
    speeds: tuple[Positive, Positive] = (0.85, 1.18)
    lowpassed: Share = 0.15
    backgrounds: Share = 0.04
    captioned: Share = 0.5

    @field_validator("level_db", "speeds")
    @classmethod
    def _rises(cls, limits: tuple[float, float]) -> tuple[float, float]:
        if limits[0] > limits[1]:
            raise ValueError(f"the first of {list(limits)} must be the lower one")
        return limits


class BandUNetConfig(Section):
    """Sizes of a BandUNet, see sepcli/nets/band_unet.py.

    Attributes:
        presence: what the score of whether a query is heard is judged by: what the network sees
            of its answer, or also what the CLAP hears in it; the latter needs a small CLAP.
    """

    name: Literal["band-unet"] = "band-unet"
    widths: tuple[int, ...] = (32, 64, 96, 128)
    hidden: Count = 160
    presence: Literal["none", "sees", "hears"] = "none"


class BimodalUNetConfig(Section):
    """Sizes of the paper's network, see sepcli/nets/bimodal_unet.py."""

    name: Literal["bimodal-unet"]
    ngf: Count = 64
    num_downs: int = Field(default=7, ge=5, le=9)
    num_res_layers: int = Field(default=1, ge=0)
    channels: Count = 32


class ClipSepConfig(Section):
    """Sizes of CLIPSep, see sepcli/nets/clipsep.py."""

    name: Literal["clipsep"]
    layers: int = Field(default=7, ge=5, le=8)
    channels: Count = 32
    ngf: Count = 64
    noise_heads: bool = True


class TigerConfig(Section):
    """Sizes of a TIGER for 16 kHz, see sepcli/nets/tiger.py. Its outputs are its own."""

    name: Literal["tiger"]
    out_channels: Count = 128
    in_channels: Count = 256
    num_blocks: Count = 8
    upsampling_depth: int = Field(default=5, ge=3, le=7)
    att_n_head: Count = 4
    att_hid_chan: Count = 4
    num_sources: int = Field(default=2, ge=2, le=8)

    @model_validator(mode="after")
    def _channels_can_be_shared(self) -> TigerConfig:
        for name in ("att_n_head", "num_sources"):
            if self.out_channels % getattr(self, name):
                raise ValueError(f"out_channels must be a multiple of {name}")
        return self


NetworkConfig = Annotated[
    BandUNetConfig | BimodalUNetConfig | ClipSepConfig | TigerConfig, Field(discriminator="name")
]


class Supervised(Section):
    """Every question has its answer: the sources of the mixtures are known."""

    name: Literal["supervised"] = "supervised"
    loss: Loss = "snr"
    questions: Count = 2  # asked of a mixture
    absent: Share = 0.25  # of questions ask for what is not there
    absent_weight: Weight = 0.2  # of a dB let through for an absent query, against a dB of SNR


class MixAndSeparate(Section):
    """Only captions of source mixtures are asked for, and these mixtures are the answers."""

    name: Literal["mix-and-separate"]
    loss: Loss = "snr"


class ClipSep(Section):
    """Mix and separate as CLIPSep does, on its own network.

    Attributes:
        mask: what a bin of a part should be multiplied by: 1 where the part is louder than half
            the mixture and 0 elsewhere, or the part's share.
        noise_invariant: let the noise heads take what captions do not account for.
        noise_weight: of what the noise heads claim beyond `noise_level`, the mean over all bins.
    """

    name: Literal["clipsep"]
    mask: Literal["binary", "ratio"] = "binary"
    noise_invariant: bool = True
    noise_weight: Weight = 0.1
    noise_level: Weight = 0.25


class Weak(Section):
    """The paper's bi-modal objective: no single source is ever known."""

    name: Literal["weak"] = "weak"
    setting: Literal["paper", "ours"] = "ours"
    contrast: Literal["infonce", "auc"] = "infonce"
    contrast_weight: Weight = 0.1
    consistency_weight: Weight = 1.0
    separation_weight: Weight = 1.0
    absent: int = Field(default=1, ge=0)  # absent queries a mixture, `ours` only
    absent_weight: Weight = 0.2


class Semi(Section):
    """A part of the recordings hold single sources; the others only have captions.

    Attributes:
        fraction: of the clips whose single sources are known, decided by a hash of their origin.
        share: of every batch that is made of such clips.
        sources: how many of them a part of such a mixture has -> how often.
        semi: what the others teach: the bi-modal objective, or an averaged copy of the network
            whose answers count where the CLAP agrees with them (`gate`, a cosine).
    """

    name: Literal["semi"]
    fraction: Share
    share: Share = 0.5
    sources: dict[Count, Positive] = Field(default={1: 1.0})
    semi: Literal["weak", "mean-teacher"] = "weak"
    lambda_s: Weight = 1.0
    lambda_u: Weight = 1.0
    gate: float = Field(default=0.3, ge=-1, le=1)
    teacher_decay: Share = 0.999
    supervised: Supervised = Supervised()
    weak: Weak = Weak()


class MixIt(Section):
    """Mixture-invariant training: outputs without names, put together to the source mixtures."""

    name: Literal["mixit"]
    outputs: int = Field(default=4, ge=2, le=8)


class Pit(Section):
    """Permutation-invariant training: outputs without names, in whichever order fits best."""

    name: Literal["pit"]
    outputs: int = Field(default=2, ge=2, le=8)
    loss: Loss = "si-sdr"
    silent_weight: Weight = 0.2  # of a dB let through by an output without a source


ObjectiveConfig = Annotated[
    Supervised | MixAndSeparate | ClipSep | Weak | Semi | MixIt | Pit, Field(discriminator="name")
]


class ScheduleConfig(Section):
    """Of the learning rate.

    Attributes:
        name: `cosine` falls to zero at the last step; `step` by `factor` every `every` steps.
        warmup: share of the steps on which the rate rises from zero.
    """

    name: Literal["cosine", "step", "constant"] = "cosine"
    warmup: Share = 0.08
    every: Count = 1000
    factor: Share = 0.1


class LoopConfig(Section):
    """How steps are taken.

    Attributes:
        clip: largest norm of the gradient; null for any.
        accumulate: batches whose gradients are summed to one step.
        weight_decay: of AdamW.
        ema: decay of the averaged weights, which are validated and exported.
        precision: autocast on a GPU; the CPU takes bf16 only.
        workers: processes that mix ahead; 0 mixes in the training process.
        save_every: steps between checkpoints and validations.
        keep: how many of the best checkpoints are kept.
        select: the validation figure that decides what is best; highest, unless it starts with -.
        patience: validations without a better figure after which training ends; null for never.
    """

    clip: Positive | None = 5.0
    accumulate: Count = 1
    weight_decay: Weight = 0.01
    ema: float = Field(default=0.998, ge=0, lt=1)
    precision: Literal["float32", "bf16", "fp16"] = "float32"
    workers: int = Field(default=0, ge=0)
    save_every: Count = 250
    keep: int = Field(default=1, ge=0)
    select: str = ""
    patience: Count | None = None


class RunConfig(Section):
    """What the trainings share."""

    seed: int = 0
    corpora: list[CorpusConfig] = Field(min_length=1)
    licences: Literal["shippable", "permissive", "any"] | list[str] = "shippable"
    ontology: Path | None = None  # names and kinship of labels; the shipped one if left out
    emphasis: dict[str, Positive] = Field(default={})  # label -> factor on how often it is drawn
    memory_gib: Positive = 4.0  # of decoded sounds held
    threads: Count = 2  # of torch, on the CPU
    steps: Count
    batch: Count
    seconds: Positive
    lr: Positive
    schedule: ScheduleConfig = ScheduleConfig()
    loop: LoopConfig = LoopConfig()


class ClapConfig(RunConfig):
    """The small CLAP: a text tower distilled, then both towers aligned."""

    kind: Literal["clap"]
    tokenizer: Path
    label_list: Path  # CSV with a column display_name: words that must be known well
    word_pairs: int = Field(default=60_000, ge=0)
    distil_steps: Count = 4500
    distil_batch: Count = 512


class SeparatorConfig(RunConfig):
    """A separator that is told in words, or by example, what to take out.

    Attributes:
        clap: run folder of the CLAP it listens to, `model:NAME` for a registered model's, or
            `clip:NAME` for a CLIP, a folder or a name in the hub's cache.
        start: run folder whose averaged weights to go on from, or `model:NAME` for a registered
            model's; the presence score is trained anew.
        network: its architecture and sizes.
        mixing: what it hears.
        objective: what it learns from.
        example_queries: share of questions asked by an example instead of in words.
        query_noise: length of the random vector added to a query: neighbours mean the same.
        presence_steps: batches that the presence score learns from, at the end; unless the
            network has none.
    """

    kind: Literal["separator"]
    clap: str
    start: str | None = None
    network: NetworkConfig = BandUNetConfig()
    mixing: MixingConfig = MixingConfig()
    objective: ObjectiveConfig = Supervised()
    example_queries: Share = 0.15
    query_noise: Weight = 0.2
    presence_steps: Count = 600

    @model_validator(mode="after")
    def _objective_can_be_met(self) -> SeparatorConfig:
        captioned = isinstance(self.objective, MixAndSeparate | ClipSep | Weak | MixIt | Semi)
        if captioned and self.mixing.parts < 2:
            name = self.objective.name
            raise ValueError(f"objective {name} needs `mixing: {{parts: 2}}`, or more")
        if isinstance(self.objective, MixIt) and self.mixing.parts > self.objective.outputs:
            raise ValueError("objective mixit needs at least one output for every part")
        most = self.mixing.parts * max(self.mixing.sources)
        if isinstance(self.objective, Pit) and most > self.objective.outputs:
            raise ValueError("objective pit needs as many outputs as a mixture has sources")
        return self

    @model_validator(mode="after")
    def _clipsep_has_its_network(self) -> SeparatorConfig:
        if not isinstance(self.objective, ClipSep):
            return self
        if not isinstance(self.network, ClipSepConfig):
            raise ValueError("objective clipsep needs `network: {name: clipsep}`")
        if self.objective.noise_invariant:
            if not self.network.noise_heads:
                raise ValueError("noise_invariant needs `noise_heads: true`")
            if self.mixing.parts != NOISE_PARTS:
                raise ValueError("noise_invariant needs `mixing: {parts: 2}`")
        return self

    @model_validator(mode="after")
    def _own_outputs_are_all_used(self) -> SeparatorConfig:
        if not isinstance(self.network, TigerConfig):
            return self
        if not isinstance(self.objective, MixIt | Pit):
            raise ValueError("network tiger answers no queries: set objective pit or mixit")
        if self.objective.outputs != self.network.num_sources:
            raise ValueError("network tiger needs `num_sources` as many as the objective's outputs")
        return self


TrainConfig = Annotated[ClapConfig | SeparatorConfig, Field(discriminator="kind")]
