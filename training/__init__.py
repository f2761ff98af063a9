"""Keras 3 training: from folders of X-rays to a model package. Imports `core`; nothing that serves imports it."""
