"""The store: one flat Zarr format 3 group of 25 x 56 x 56 heatmaps with all that they came from."""
