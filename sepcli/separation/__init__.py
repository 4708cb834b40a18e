"""The engine: plan, windows times queries -> stems, run report."""
