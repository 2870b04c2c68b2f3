"""Stores of video clips: 8 frames each of one person, with 17 joints in three dimensions (seed 003)."""
