"""The screens of the course engine: parse → service or selector → render."""
