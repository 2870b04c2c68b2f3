"""A detector's keypoints refined by a trained model: inputs, windows that overlap, outputs."""
