"""Steps, checkpoints and figures, whatever is trained."""
