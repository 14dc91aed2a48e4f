"""The demonstration behind `opgrad demo`: two networks trained on the ops that are installed.

`moons` trains scalar Values of Python floats and needs nothing but opgrad; `digits` trains arrays
on real handwritten digits and needs NumPy and scikit-learn. `census` counts which ops the two
used, and `record` writes what came out. Only the command line imports this package.
"""
