"""`python -m opgrad`: the same as the command `opgrad`."""

from opgrad.cli import main

if __name__ == "__main__":
    main()
