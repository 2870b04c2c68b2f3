"""Distributions of a store, and what would make a careful person doubt it."""
