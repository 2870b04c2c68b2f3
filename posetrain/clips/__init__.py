"""3-D joints from video clips."""
