"""Commands, a module for those that belong together: parse, one call, print; and what several of them share."""
