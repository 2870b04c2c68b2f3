"""What a detector has learned: its skip connections, and its latent space."""
