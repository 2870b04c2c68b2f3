"""The noise of a detector, measured against its annotations: what `posedata build` is otherwise told."""
