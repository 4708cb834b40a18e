"""Recordings to train on: where they are, what they hold, and what they may be used for."""
