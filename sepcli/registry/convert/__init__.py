"""Published checkpoints to safetensors: read without running them, kept strictly."""

from sepcli.registry.convert.conversion import (
    CONVERTERS,
    ConversionReport,
    convert_file,
    guess_kind,
)

__all__ = ["CONVERTERS", "ConversionReport", "convert_file", "guess_kind"]
