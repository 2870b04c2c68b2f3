"""`python -m posedata`."""

from posedata.cli import main

main()
