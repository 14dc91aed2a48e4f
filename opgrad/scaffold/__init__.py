"""What `opgrad new` writes: a package that is a plugin, and an op inside one.

The templates lie beside the code, in `templates/`. Everything is worked out before anything is
written, so a refusal leaves nothing behind.
"""
