"""Many recordings: plans, shards of them, workers, and journals of what is done."""
