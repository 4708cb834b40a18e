"""One metric per file, in float64, with its theory and references."""
