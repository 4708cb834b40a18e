"""From recordings to batches of questions about mixtures."""
