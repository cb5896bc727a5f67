"""The command line: reads settings and wires the packages together."""
