"""sepcli: describe a sound, and take it out of the recording."""

__version__ = "0.1.0"
