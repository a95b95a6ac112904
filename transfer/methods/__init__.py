"""The methods that keep what a network learned. Their names are in the table of ``priorlab.transfer.keeping``."""
