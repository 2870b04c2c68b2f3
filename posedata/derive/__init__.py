"""New stores from finished ones: some of their sequences, or several together.

recipe.py     what a derived store says of how it was made
choice.py     which sequences a subset keeps           arrays in, arrays out
row.py        sequences of several stores in one row   disk
contents.py   counts, sources, licences, what was left out
stores.py     strings them together
"""
