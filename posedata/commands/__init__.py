"""Commands, a module for those that belong together."""
