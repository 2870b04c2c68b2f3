"""The store: one flat Zarr format 3 group of heatmaps, image crops or video clips with all that they came from."""
