"""Stores of image crops: a person in the middle of each, with 17 keypoints (seed 001, section 4)."""
