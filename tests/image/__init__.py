"""The image, really built and run: on a stand-in of Azure's base where that cannot be had."""
