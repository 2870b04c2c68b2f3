"""`python -m posetrain`, which is what torchrun starts."""

from posetrain.cli import main

main()
