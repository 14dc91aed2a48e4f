"""The checks of the conformance suite, a family a file; `engine` puts them in order."""
