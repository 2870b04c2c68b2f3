"""Datasets shared between machines: collections in folders, object stores and on web servers.

    COLLECTION/NAME.json          what the dataset is (`posedata.dataset`), written when all its files are there
    COLLECTION/NAME.md, NAME.svg  its card, written after that by whoever won the name
    COLLECTION/runs/NAME.json     a trained run
    COLLECTION/objects/HASH       every file of all of them, under its sha256

Nothing under `objects` ever changes: a file that two datasets share lies there once, and whoever reads a dataset while
another version of it is published reads the old one to its end.
"""
