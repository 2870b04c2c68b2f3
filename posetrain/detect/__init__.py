"""A trained detector over a film: boxes of people, crops, heatmaps in ClimbAlong's layout."""
