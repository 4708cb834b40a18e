"""One architecture per file: tensors in, tensors out, no files, no globals."""
