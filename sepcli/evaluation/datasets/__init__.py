"""Data sets as they lie on disk, one layout per file."""
