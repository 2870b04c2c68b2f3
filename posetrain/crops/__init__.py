"""Image crops and a detector of keypoints in them: batches, tasks, scores."""
