"""posetrain: train and score temporal pose refiners on posedata stores."""
