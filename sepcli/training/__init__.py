"""From labelled recordings to a model: corpora, mixing, objectives, loops."""
