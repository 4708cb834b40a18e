"""Models as data: entries of weights.yaml, and how one becomes a network on a device."""
