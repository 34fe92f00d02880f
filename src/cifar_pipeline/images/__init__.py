"""Picture files that people have: which ones an argument names, and their pixels."""
