"""Figures: metrics, mixtures with known truth, and how a model fares on them."""
