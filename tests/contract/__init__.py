"""The contract, held against every door: core itself, functions-framework as a process, Azure's Python runtime as a process."""
